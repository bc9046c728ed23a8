//! Readers beside the writer: nobody is turned away, nobody sees half of anything, and the log stays short.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Region, Tenant, TenantId};
use alertferry::store::{Batch, CoverageMove, Store, StoreLock, WriterThread};
use rusqlite::{Connection, OpenFlags};

const READERS: u64 = 8;
const TENANTS: u64 = 4;
const MIB: u64 = 1_048_576;
/// The log may be as long, and then by what comes until it is begun anew.
const LOG_BYTES: u64 = 64 * MIB;

fn guid(tenant: u64) -> String {
    alertferry_simulator::numbered_guid(tenant.into())
}

/// A store that is written by this process.
struct Written {
    store: Store,
    writer: WriterThread,
    path: PathBuf,
    _lock: StoreLock,
    _dir: tempfile::TempDir,
}

impl Written {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.db");
        let lock = StoreLock::claim(&path).expect("nobody else has it");
        let (store, writer) = Store::open(&path, Clock::System).expect("a store");
        let tenant = |number| Tenant {
            id: TenantId::parse(&guid(number)).expect("a GUID"),
            name: format!("Customer {number}"),
            app: "main".to_owned(),
            region: Region::Eu,
            login_url: "https://login.example".to_owned(),
            api_url: "https://api.example".to_owned(),
            tags: Vec::new(),
            enabled: true,
        };
        store.enrol((1..=TENANTS).map(tenant).collect()).await.expect("enrolled");
        Self { store, writer, path, _lock: lock, _dir: dir }
    }

    async fn land(&self, tenant: u64, alerts: Vec<Alert>) {
        let id = TenantId::parse(&guid(tenant)).expect("a GUID");
        let key = self.store.standing(id).await.expect("readable").expect("enrolled").key;
        let batch = Batch { alerts, ..Batch::default() };
        self.store.land(key, batch, CoverageMove::default()).await.expect("landed");
    }

    fn log(&self) -> PathBuf {
        let [_, log, _] = alertferry::store::files(&self.path);
        log
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.log()).expect("a log").len()
    }

    fn close(self) {
        drop(self.store);
        self.writer.join().expect("the writer ended well");
    }
}

/// Alerts of one batch, which share a hash; resolved ones are a later version of the open ones.
fn batch(number: u64, alerts: u64, resolved: bool, padding: usize) -> Vec<Alert> {
    let (status, minute) = if resolved { ("Resolved", 1) } else { ("New", 0) };
    let alert = |n: u64| {
        let raw = format!(
            r#"{{"id":"da{number}_{n}","lastUpdateTime":"2026-11-20T12:{minute:02}:00Z","severity":"High",
                "status":"{status}","title":"Suspicious script","alertCreationTime":"2026-11-20T12:00:00Z",
                "evidence":[{{"entityType":"File","sha1":"{number:040x}"}}],"padding":"{}"}}"#,
            "x".repeat(padding)
        );
        Alert::scan(raw.into_bytes(), false).expect("an alert")
    };
    (0..alerts).map(alert).collect()
}

/// A connection that is told at once when it would have to wait for somebody.
fn impatient(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(format!("file:{}?mode=ro", path.display()), flags).expect("a store");
    conn.busy_timeout(Duration::ZERO).expect("set");
    conn
}

fn number(conn: &Connection, sql: &str) -> u64 {
    let number: i64 = conn.query_row(sql, [], |row| row.get(0)).expect(sql);
    u64::try_from(number).expect("a count")
}

/// Alerts of a whole batch.
const WHOLE: u64 = 40;

/// Everything that one state of the store says twice must be the same both times.
fn look(conn: &Connection, of_batch: u64) {
    let snapshot = conn.unchecked_transaction().expect("a transaction");
    let n = |sql: &str| number(&snapshot, sql);
    let hash = format!("'sha1:\"{of_batch:040x}\"'");
    let of_hash = n(&format!("SELECT count(*) FROM hunt WHERE value MATCH {hash}"));
    assert!([0, WHOLE].contains(&of_hash), "half a batch is found: {of_hash}");
    let open = n(&format!("SELECT count(*) FROM hunt WHERE value MATCH {hash} AND status = 'New'"));
    assert!([0, WHOLE].contains(&open), "half a batch is resolved: {open}");
    let alerts = n("SELECT count(*) FROM alerts");
    assert_eq!(alerts % WHOLE, 0, "half a batch is there");
    assert_eq!(n("SELECT sum(alert_count) FROM tenants"), alerts);
    assert_eq!(n("SELECT count(*) FROM alert_changes WHERE kind = 'created'"), alerts);
    assert_eq!(n("SELECT count(*) FROM search WHERE words MATCH 'suspicious'"), alerts);
    let resolved = n("SELECT count(*) FROM alerts WHERE status = 'Resolved'");
    assert_eq!(n("SELECT count(*) FROM alert_changes WHERE kind = 'updated'"), resolved);
    assert_eq!(n("SELECT coalesce(sum(alerts), 0) FROM open_alerts"), alerts - resolved);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_never_turned_away_and_see_whole_batches() {
    const BATCHES: u64 = 120;
    let written = Written::new().await;
    let (over, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let newest = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let (over, looks, newest, path) = (&over, &looks, &newest, &written.path);
                scope.spawn(move || {
                    let mut conn = impatient(path);
                    while !over.load(Ordering::SeqCst) {
                        look(&conn, newest.load(Ordering::SeqCst));
                        let seen = looks.fetch_add(1, Ordering::SeqCst);
                        // Half of them come anew now and then, as one-shot commands do.
                        if reader % 2 == 0 && seen % 5 == 0 {
                            conn = impatient(path);
                        }
                    }
                })
            })
            .collect();
        let landing = async {
            for number in 0..BATCHES {
                newest.store(number, Ordering::SeqCst);
                written.land(number % TENANTS + 1, batch(number, WHOLE, false, 400)).await;
                if number % 3 == 0 {
                    written.land(number % TENANTS + 1, batch(number, WHOLE, true, 400)).await;
                }
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(landing));
        over.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().expect("a reader saw nothing wrong"));
    });
    assert!(looks.into_inner() > READERS, "they have looked");
    let conn = impatient(&written.path);
    look(&conn, BATCHES - 1);
    assert_eq!(number(&conn, "SELECT count(*) FROM alerts"), BATCHES * WHOLE);
    written.close();
}

/// Alerts of a big batch, and their bytes.
const MANY: u64 = 250;
const BIG: usize = 40_000;

/// Lands big batches; the longest log that was met after one.
async fn land_much(written: &Written, numbers: std::ops::Range<u64>) -> u64 {
    let mut longest = 0;
    for number in numbers {
        written.land(number % TENANTS + 1, batch(number, MANY, false, BIG)).await;
        longest = longest.max(written.log_bytes());
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_overlap_all_the_time_do_not_make_the_log_grow() {
    const BATCHES: u64 = 40;
    let written = Written::new().await;
    let over = AtomicBool::new(false);
    let longest = std::thread::scope(|scope| {
        for reader in 0..READERS {
            let (over, path) = (&over, &written.path);
            scope.spawn(move || {
                let conn = impatient(path);
                // They do not begin together, so at each moment somebody reads what was there some time ago.
                std::thread::park_timeout(Duration::from_millis(10 * reader));
                while !over.load(Ordering::SeqCst) {
                    let snapshot = conn.unchecked_transaction().expect("a transaction");
                    let before = number(&snapshot, "SELECT sum(alert_count) FROM tenants");
                    std::thread::park_timeout(Duration::from_millis(80));
                    assert_eq!(number(&snapshot, "SELECT sum(alert_count) FROM tenants"), before);
                }
            });
        }
        let landing = land_much(&written, 0..BATCHES);
        let longest = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(landing));
        over.store(true, Ordering::SeqCst);
        longest
    });
    let batch = MANY * u64::try_from(BIG).expect("small");
    assert!(BATCHES * batch > 4 * LOG_BYTES, "enough is written to tell");
    assert!(longest < LOG_BYTES + 4 * batch, "the log grew to {} MiB", longest / MIB);
    written.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_a_long_reader_kept_is_short_again_after_it() {
    let written = Written::new().await;
    written.land(1, batch(1_000, 1, false, 0)).await;
    let conn = impatient(&written.path);
    let snapshot = conn.unchecked_transaction().expect("a transaction");
    assert_eq!(number(&snapshot, "SELECT count(*) FROM alerts"), 1);
    let longest = land_much(&written, 0..12).await;
    assert!(longest > LOG_BYTES, "a reader keeps what it may still read: {} MiB", longest / MIB);
    assert_eq!(number(&snapshot, "SELECT count(*) FROM alerts"), 1);
    drop(snapshot);
    // The next commits find nobody in the way.
    let begun = Instant::now();
    let mut at = 2_000;
    while written.log_bytes() > LOG_BYTES && begun.elapsed() < Duration::from_secs(60) {
        written.land(1, batch(at, 1, false, 0)).await;
        at += 1;
    }
    assert!(written.log_bytes() <= LOG_BYTES, "the log is still {} MiB", written.log_bytes() / MIB);
    written.close();
}
