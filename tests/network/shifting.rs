//! N14: lists that move while they are read: rows that leave a page for a later one, instants that a page's edge cuts,
//! alerts that come late or in no order, and a time that goes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alertferry_simulator::{Edit, Fault, FaultRule, NewAlert, Route, Simulator, Template};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{on_threads, real_time_world, wait_until};

const ALERTS: usize = 84;
/// So many changes are made while pages are read; each page that is read anew costs a call, of a hundred in a minute.
const CHANGES: u64 = 40;

/// At each look of a reader, rows behind it move in front of it, others grow, and new ones come with an old creation.
fn shift_while_read(sim: &Simulator, seed: u64, changes: &Arc<Mutex<u64>>) {
    let (dice, count) = (Mutex::new(StdRng::seed_from_u64(seed)), Arc::clone(changes));
    sim.on_snapshot(Box::new(move |asked, world| {
        let (mut dice, mut count) = (dice.lock().expect("unbroken"), count.lock().expect("unbroken"));
        let known: Vec<String> = world.truth(&asked.tenant).into_iter().map(|truth| truth.id).collect();
        if *count >= CHANGES || known.is_empty() {
            return;
        }
        *count += 1;
        let some: Vec<String> = known.sample(&mut *dice, 7).cloned().collect();
        match dice.random_range(0..4) {
            0 => world.bulk_resolve(&asked.tenant, &some).expect("changed"),
            1 => world.merge_incidents(&asked.tenant, &some, 77).expect("changed"),
            2 => {
                let edit = Edit { comment: Some("looked at".to_owned()), ..Edit::default() };
                world.edit(&asked.tenant, &some[0], &edit).expect("changed");
            }
            _ => {
                let late = NewAlert {
                    created: Some(world.now() - Duration::from_secs(dice.random_range(1..1_800))),
                    visible_after: Duration::from_millis(dice.random_range(0..1_500)),
                    ..NewAlert::default()
                };
                drop(world.new_alert(&asked.tenant, &mut *dice, &late).expect("made"));
            }
        }
    }));
}

#[test]
fn n14_lists_that_shift_tie_and_come_late_are_read_whole() {
    on_threads(async {
        let row = Row::begin("N14");
        let rounds = times(1, 12);
        let mut changed = 0;
        for round in 0..rounds {
            let seed = row.seed.wrapping_add(round);
            let mut world = real_time_world();
            for n in 1..=3 {
                world.add_tenant(&guid(n));
                // Seven alerts share each instant, and pages of twenty cut through them.
                let from = Some(world.now() - Duration::from_secs(7_200));
                let template =
                    Template { from, tie_group: 7, evidence: 1, bytes: 1_200, seed: seed ^ n, ..Template::default() };
                world.fill(&guid(n), ALERTS, &template);
            }
            let sim = Simulator::start(world).await.expect("a simulator");
            let changes = Arc::new(Mutex::new(0));
            shift_while_read(&sim, seed, &changes);
            // The second one comes in no order, the third is sorted as nobody asked.
            sim.faults().add(FaultRule::new(Fault::IgnoreOrderBy { shuffled: true }).tenant(&guid(2)));
            sim.faults().add(FaultRule::new(Fault::UnsortedIds).tenant(&guid(3)));
            let field = Field::around(&row, sim, |config| {
                config.poll = "page_size = 20".to_owned();
                config.schedule = "*/3 * * * * *";
            });
            let daemon = field.house.start();
            wait_until("the shifts", || *changes.lock().expect("unbroken") >= CHANGES).await;
            field.sim.clear_hooks();
            // What was to come late has come.
            tokio::time::sleep(Duration::from_millis(1_600)).await;
            changed += *changes.lock().expect("unbroken");
            field.healed(daemon).await;
        }
        row.held(rounds, format!("worlds of 3 tenants; {changed} changes while pages were read"));
    });
}

#[test]
fn n14_a_time_that_goes_back_takes_nothing_with_it() {
    on_threads(async {
        let row = Row::begin("N14");
        let field = Field::new(&row, 2, 30, |_| {}).await;
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        let id = crate::rig::truth(&field.sim, &guid(1)).into_keys().next().expect("an alert");
        let set = |title: &str, ago: u64| {
            field.sim.world().with(|world| {
                let stamp = (world.now() - Duration::from_secs(ago)).on_sql_grid();
                let members = [("title", format!("\"{title}\""))];
                world.set_members_at(&guid(1), &id, &members, stamp, Duration::ZERO).expect("changed");
            });
        };
        let title = || field.house.query(&format!("SELECT title FROM alerts WHERE alert_id = '{id}'"))[0][0].clone();
        set("newer", 0);
        wait_until("the newer one", || title() == "newer").await;
        set("older, and within the hour that is looked at again", 60);
        let polls = field.sim.stats().requests(&guid(1), Route::Alerts);
        wait_until("looks at it", || field.sim.stats().requests(&guid(1), Route::Alerts) > polls + 3).await;
        assert_eq!(title(), "newer", "an older version came over a newer one");
        // The service goes on from there, as it does with its next change.
        set("newest", 0);
        wait_until("the newest one", || title() == "newest").await;
        field.healed(daemon).await;
        row.held(1, "an older time changed nothing, a newer one counted");
    });
}
