//! What systemd is told during a long start: a migration that gets on has its time limit moved on, one that hangs has not.

use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::supervisor::Supervisor;
use crate::support::{Config, House, on_threads, simulator, wait_until};

const SECOND: &str = include_str!("../upgrade/schema-2.sql");
const UNIT: &str = include_str!("../../systemd/alertferry.service");

/// A daemon that asked for time again and again, whatever its disk does, would never be silent for so long.
const SILENCE: Duration = Duration::from_secs(8);
/// A flush on the slow disk: longer than it takes the daemon to look whether there is progress.
const FLUSH: Duration = Duration::from_millis(2_500);
/// The unit's time limit for a start.
const LIMIT: (&str, Duration) = ("TimeoutStartSec=10min", Duration::from_secs(600));

#[test]
fn a_migration_that_gets_on_is_given_time_and_one_that_hangs_is_not() {
    assert!(UNIT.lines().any(|line| line == LIMIT.0), "the limit is another");
    on_threads(async {
        let sim = simulator(1, 5).await;
        let house = House::with(&Config::of(&sim));
        let earlier = rusqlite::Connection::open(house.store()).expect("a file");
        earlier.execute_batch("PRAGMA journal_mode = wal").expect("a log");
        earlier.execute_batch(SECOND).expect("the schema of an earlier program");
        drop(earlier);
        let (supervisor, disk) = (Supervisor::of(&house, Duration::from_secs(60)), Disk::of(&house));
        let mut command = supervisor.command(&house);
        disk.put_under(&mut command, FLUSH);
        disk.hang();
        let daemon = house.start_by(command);
        let asks = || supervisor.told().iter().filter(|told| told.value("EXTEND_TIMEOUT_USEC").is_some()).count();
        // It opens the file and begins its copy, and then waits for the disk.
        supervisor.hear("an opening", 0, |told| told.says("STATUS=opening the store")).await;
        let begun = Instant::now();
        wait_until("silence", || {
            let told = supervisor.told();
            assert!(told.iter().all(|told| !told.says("READY=1")), "it was ready with a disk that hangs: {told:?}");
            told.iter().map(|told| told.at).max().max(Some(begun)).is_some_and(|last| last.elapsed() > SILENCE)
        })
        .await;
        let while_it_hung = asks();
        disk.recover();
        let (ready, _) = supervisor.hear("readiness", 0, |told| told.says("READY=1")).await;
        assert!(asks() > while_it_hung + 1, "{:?}", supervisor.told());
        let told = supervisor.told();
        let limit = LIMIT.1.as_micros().to_string();
        for (place, told) in told.iter().enumerate().filter(|(_, told)| told.value("EXTEND_TIMEOUT_USEC").is_some()) {
            assert!(place < ready, "a daemon that runs has no time limit to move");
            assert_eq!(told.value("EXTEND_TIMEOUT_USEC"), Some(&*limit));
        }
        let migrated = daemon.hear("store.migrated").await;
        assert_eq!(migrated["from"], 2, "{migrated}");
        daemon.kill();
    });
}
