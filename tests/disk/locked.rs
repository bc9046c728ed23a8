//! Row D7: another program keeps the lock for writing, or reads one state for long.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;

use crate::rig::campaign::{self, Row};
use crate::rig::guid;
use crate::support::{Config, House, PATIENCE, on_threads, settle, simulator, wait_until, wait_within};

/// A log that nobody holds on to is cut back to this.
const LOG: u64 = 64 * 1024 * 1024;

/// Takes what was said to the place that systemd would listen at; how often it was that the daemon is alive.
fn fed(socket: &UnixDatagram) -> usize {
    let mut bytes = [0; 512];
    std::iter::from_fn(|| socket.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec()))
        .filter(|said| String::from_utf8_lossy(said).contains("WATCHDOG=1"))
        .count()
}

#[test]
fn d7_a_lock_and_a_long_reader_are_waited_for_and_the_watchdog_is_fed() {
    on_threads(async {
        let row = Row::begin("D7");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let sim = simulator(3, 60).await;
        let house = House::with(&Config::of(&sim));
        let socket = UnixDatagram::bind(house.path("notify")).expect("a socket");
        socket.set_nonblocking(true).expect("no waiting");
        let mut command = house.command(&["run"]);
        command.env("NOTIFY_SOCKET", house.path("notify")).env("WATCHDOG_USEC", "3000000");
        let mut daemon = house.start_by(command);
        house.wait_until_read_once().await;
        // Longer than a connection waits for a lock; a minute in the large campaign.
        let held = Duration::from_secs(campaign::times(7, 60));
        let other = Connection::open(house.store()).expect("a store");
        // The daemon gives up waiting only where it waits; on a busy machine its next write may come late.
        let gave_up = || daemon.lines().iter().any(|line| line["event"] == "store.failed");
        let locked = locked(&house, &other, held, &gave_up, &mut || {
            sim.world().with(|world| drop(world.live(&mut rng, 3)));
            fed(&socket)
        });
        assert!(locked > 0, "the watchdog was not fed while the store was locked");
        // A daemon that failed for long looks once a minute. Its messages are taken meanwhile, as systemd takes them: it
        // waits where nobody does.
        let recovered = || {
            fed(&socket);
            daemon.lines().iter().any(|line| line["event"] == "store.recovered").then_some(())
        };
        wait_within(2 * PATIENCE, "a recovery", recovered).await;

        // Somebody reads one state for as long, while much is written.
        other.execute_batch("BEGIN").expect("begun");
        let seen = |conn: &Connection| conn.query_row("SELECT count(*) FROM alert", [], |row| row.get::<_, i64>(0));
        let held = Duration::from_secs(campaign::times(3, 60));
        let before = seen(&other).expect("a number");
        let template = alertferry_simulator::Template { evidence: 2, bytes: 8_000, seed: 9, ..Default::default() };
        let more = usize::try_from(campaign::times(300, 9_000)).expect("few");
        sim.world().with(|world| {
            world.add_tenant(&guid(9));
            world.fill(&guid(9), more, &template);
        });
        house.configure(&Config::of(&sim));
        daemon.signal("HUP");
        let begun = Instant::now();
        let read = format!("SELECT count(*) FROM alerts WHERE tenant_id = '{}'", guid(9));
        let mut pinned = 0;
        let all = || {
            pinned += fed(&socket);
            (house.number(&read) == i64::try_from(more).expect("few") && begun.elapsed() >= held).then_some(())
        };
        wait_within(2 * PATIENCE, "the history beside a reader", all).await;
        assert_eq!(seen(&other).expect("a number"), before, "the reader saw another state");
        let long = crate::shim::used(&house.store());
        other.execute_batch("COMMIT").expect("ended");
        assert!(pinned > 0, "the watchdog was not fed beside the reader");
        let log = || std::fs::metadata(house.path("alerts.db-wal")).expect("a log").len();
        wait_until("a short log", || log() <= LOG).await;
        assert!(daemon.is_alive(), "{}", daemon.spoken());
        settle(&sim);
        // A pass that waited for the log to be folded back may have asked before: whoever ended twice has begun once.
        for _ in 0..2 {
            house.wait_until_read().await;
        }
        daemon.stop().await;
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
        let seen = format!("{held:?} beside a reader; fed {locked} and {pinned} times; {long} bytes beside the reader");
        row.held(2, seen);
    });
}

/// Holds the lock for writing for so long, and until the daemon has seen it; what `meanwhile` adds up to.
fn locked(
    house: &House,
    other: &Connection,
    held: Duration,
    is_seen: &dyn Fn() -> bool,
    meanwhile: &mut dyn FnMut() -> usize,
) -> usize {
    let changes = house.number("SELECT coalesce(max(seq), 0) FROM alert_changes");
    other.busy_timeout(Duration::from_secs(30)).expect("set");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let begun = Instant::now();
    let mut sum = 0;
    while begun.elapsed() < held || (!is_seen() && begun.elapsed() < held + PATIENCE) {
        std::thread::park_timeout(Duration::from_millis(200));
        sum += meanwhile();
    }
    // Whoever holds the lock may have waited for the daemon's last transaction, but none came since.
    assert!(house.number("SELECT coalesce(max(seq), 0) FROM alert_changes") >= changes);
    other.execute_batch("ROLLBACK").expect("given back");
    sum
}
