//! Owns a day of polls by one daemon: what it holds after a tenth of them, and after all.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use alertferry::clock::Clock;
use alertferry_simulator::{App, Options, Route, Simulator, Template, World, numbered_guid};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::runtime;
use crate::support::{self, Cell, Daemon, House, Table, at_most, number, ratio};

/// The daemon makes no more than 90 calls a minute for a tenant.
const PACE: Duration = Duration::from_millis(700);
/// Alerts of a tenant at the beginning.
const ALERTS: usize = 20;
/// Things that happen in the whole fleet from poll to poll.
const HAPPEN: usize = 5;
/// What is held is looked at after so many polls in a row, of which the middle counts.
const LOOKS: u64 = 9;
/// What no growth means: what allocators keep is not the same to the last page.
const GROWTH: f64 = 1.05;
/// The same of threads, of which the runtime ends those that had nothing to do for some seconds.
const MORE_THREADS: f64 = 1.5;

/// What a daemon held.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    rss_mib: f64,
    files: u64,
    threads: u64,
    log_mib: f64,
}

/// Prints the table.
pub(crate) fn measure(tenants: u64, polls: u64) {
    assert!(polls / 10 >= LOOKS, "more polls");
    println!("\n{tenants} tenants are polled {polls} times, {HAPPEN} things happen between two polls");
    let runtime = runtime();
    let ids: Vec<String> = (1..=tenants).map(|n| numbered_guid(n.into())).collect();
    let simulator = runtime.block_on(serve(&ids));
    // Nobody is due by the schedule meanwhile.
    let house = House::furnish(&simulator.login_url(), &ids, "schedule = \"@yearly\"");
    let mut daemon = house.start();
    read_all(&mut daemon, &ids, Clock::System.now());
    let mut rng = StdRng::seed_from_u64(7);
    let (mut early, mut late) = (Vec::new(), Vec::new());
    let asked = simulator.stats().total(Route::Alerts);
    for poll in 1..=polls {
        let begun = Instant::now();
        simulator.world().with(|world| world.live(&mut rng, HAPPEN));
        let since = Clock::System.now();
        daemon.signal("USR1");
        read_all(&mut daemon, &ids, since);
        if poll > polls / 10 - LOOKS && poll <= polls / 10 {
            early.push(look(&daemon));
        }
        if poll > polls - LOOKS {
            late.push(look(&daemon));
        }
        support::pause(PACE.saturating_sub(begun.elapsed()));
    }
    let asked = simulator.stats().total(Route::Alerts) - asked;
    let peak = daemon.spent().peak_mib();
    daemon.stop();
    print(&middle(early), &middle(late), asked, tenants * polls, peak);
}

async fn serve(tenants: &[String]) -> Simulator {
    let mut world = World::new(Options { log_capacity: 1, ..Options::default() });
    // The daemon renews a token five to six minutes before its end: here after 10 to 90 seconds.
    world.apps = vec![App { token_lifetime: 370..=390, ..App::default() }];
    for (tenant, seed) in tenants.iter().zip(1..) {
        world.fill(tenant, ALERTS, &Template { bytes: 2_400, seed, ..Template::default() });
    }
    Simulator::start(world).await.expect("a simulator")
}

/// Waits until each tenant was read by a pass that began after `since`.
fn read_all(daemon: &mut Daemon<'_>, tenants: &[String], since: alertferry::domain::Ticks) {
    let mut unread: HashSet<&str> = tenants.iter().map(String::as_str).collect();
    daemon.wait_until("the end of a poll", |daemon| {
        // The daemon tells how long a pass took in whole milliseconds.
        let after = |began: alertferry::domain::Ticks| began.plus(Duration::from_millis(1)) >= since;
        for pass in daemon.passes().iter().filter(|pass| pass.read && after(pass.began)) {
            unread.remove(pass.tenant.as_str());
        }
        unread.is_empty()
    });
}

#[expect(clippy::cast_precision_loss, reason = "figures are for people")]
fn look(daemon: &Daemon<'_>) -> Held {
    let spent = daemon.spent();
    let log_mib = daemon.house().log_bytes() as f64 / 1_048_576.0;
    Held { rss_mib: spent.rss_mib(), files: spent.files, threads: spent.threads, log_mib }
}

/// Each figure's middle.
fn middle(mut looks: Vec<Held>) -> Held {
    let mut of = |key: fn(&Held) -> f64| {
        looks.sort_by(|a, b| key(a).total_cmp(&key(b)));
        looks[looks.len() / 2]
    };
    Held {
        rss_mib: of(|held| held.rss_mib).rss_mib,
        files: of(|held| f64_of(held.files)).files,
        threads: of(|held| f64_of(held.threads)).threads,
        log_mib: of(|held| held.log_mib).log_mib,
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures are for people")]
fn f64_of(count: u64) -> f64 {
    count as f64
}

fn print(early: &Held, late: &Held, asked: u64, polls: u64, peak: f64) {
    let table = Table::begin("memory", "held", &["after a tenth", "after all", "x a tenth", "bar"]);
    let row = |what: &str, of: fn(&Held) -> f64, digits: usize, bar: f64| {
        let (early, late) = (of(early), of(late));
        let became = at_most(late / early.max(f64::MIN_POSITIVE), bar, "x");
        table.row(what, &[number(early, digits), number(late, digits), ratio(late, Some(early)), became]);
    };
    row("memory, MiB", |held| held.rss_mib, 1, GROWTH);
    row("open files", |held| f64_of(held.files), 0, 1.0);
    row("threads", |held| f64_of(held.threads), 0, MORE_THREADS);
    row("write-ahead log, MiB", |held| held.log_mib, 1, GROWTH);
    let requests = f64_of(asked) / f64_of(polls);
    table.row("requests a poll", &[Cell::Nothing, number(requests, 3), Cell::Nothing, at_most(requests, 1.0, "")]);
    table.row("peak memory, MiB", &[Cell::Nothing, number(peak, 1), Cell::Nothing, Cell::Nothing]);
}
