//! Owns the proof that the traps are real: three usual ways of reading lose alerts for good where ours loses none.

#[path = "../support/mod.rs"]
mod support;

mod readers;
mod traps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::pass::Options;
use alertferry_simulator::Simulator;
use readers::{Naive, Way};
use support::{Rig, assert_equals_truth, guid};
use traps::Trap;

/// Whatever was not read after so many polls of a world that stands still will never be.
const POLLS: usize = 40;

#[tokio::test]
async fn more_alerts_at_one_instant_than_fit_an_answer() {
    caught(&traps::ties(), Way::AfterLast, &[5, 10, 19]).await;
}

#[tokio::test]
async fn an_alert_that_becomes_visible_after_a_later_one_was_read() {
    caught(&traps::late(), Way::AfterLast, &[10, 1_000]).await;
}

#[tokio::test]
async fn an_alert_that_leaves_the_filter_between_two_pages() {
    caught(&traps::edited(), Way::Skipping, &[5, 10, 20]).await;
}

#[tokio::test]
async fn alerts_that_come_in_the_order_of_ids() {
    caught(&traps::by_id(), Way::LastRow, &[5, 10, 20]).await;
}

#[tokio::test]
async fn the_ties_of_a_recorded_tenant() {
    let Some(trap) = traps::recorded() else { return };
    caught(&trap, Way::AfterLast, &[10, 25, 50, 75]).await;
    caught(&trap, Way::LastRow, &[10, 25, 50]).await;
}

/// The way loses something in the trap with each page size; ours, asked in the same sizes, nothing.
async fn caught(trap: &Trap, way: Way, page_sizes: &[u32]) {
    for page_size in page_sizes {
        let sim = trap.set().await;
        let mut naive = Naive::new(way, *page_size);
        for _ in 0..POLLS {
            naive.poll(&sim, &guid(1)).await;
            sim.world().with(|world| world.advance(Duration::from_secs(300)));
        }
        let (missing, outdated) = lost(&naive.stored, &support::truth(&sim, &guid(1)));
        say(&format!(
            "{}, {page_size} a page: {way:?} lost {missing} alerts and {outdated} newest versions",
            trap.name
        ));
        assert!(missing + outdated > 0, "{}: {way:?} is no longer caught with pages of {page_size}", trap.name);
        ours(&trap.set().await, *page_size).await;
    }
}

/// How many alerts are missing, and of how many the newest version is.
fn lost(stored: &BTreeMap<String, String>, truth: &BTreeMap<String, String>) -> (usize, usize) {
    let missing = truth.keys().filter(|id| !stored.contains_key(*id)).count();
    let outdated = truth.iter().filter(|(id, text)| stored.get(*id).is_some_and(|held| held != *text)).count();
    (missing, outdated)
}

/// Our reader on the same world, without the daily second look, which could hide a loss.
async fn ours(sim: &Simulator, page_size: u32) {
    let clock = ManualClock::at(support::ticks(support::START));
    let options = Options { page_size, sweep: Duration::ZERO, ..Options::default() };
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let rig = Rig::in_dir(dir, options, vec![support::app()], Clock::Manual(clock.clone()));
    let tenant = support::tenant(sim, &guid(1));
    rig.enrol(std::slice::from_ref(&tenant)).await;
    for _ in 0..POLLS {
        rig.pass(&tenant).await;
        sim.world().with(|world| world.advance(Duration::from_secs(300)));
        clock.advance(Duration::from_secs(300));
    }
    rig.pass_until_read(&tenant).await;
    assert_equals_truth(&rig.path, sim, &guid(1));
}

#[expect(clippy::print_stdout, reason = "how much is lost by others is worth reading")]
fn say(line: &str) {
    println!("{line}");
}
