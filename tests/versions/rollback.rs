//! What belongs together lands together: each write of several rows is broken in the middle, and nothing of it is found.

use alertferry::domain::{Alert, GapReason, Ticks, Unusable, Window};
use alertferry::store::{Batch, CoverageMove, GapEdit, NewGap, StoreError, TenantKey};
use tokio::join;

use crate::canned::{Canned, alert};
use crate::support;

/// What refuses one kind of write, as a full disk or a damaged page would in the middle of others.
const BREAKS: [&str; 5] = [
    "BEFORE INSERT ON alert_change",
    "BEFORE INSERT ON gap",
    "BEFORE UPDATE OF covered_until ON tenant",
    "BEFORE UPDATE OF alert_count ON tenant",
    "BEFORE INSERT ON quarantine",
];

fn break_it(service: &Canned, when: &str) {
    let conn = rusqlite::Connection::open(&service.rig.path).expect("a store");
    let sql = format!("CREATE TRIGGER broken {when} BEGIN SELECT RAISE(ABORT, 'broken'); END");
    conn.execute_batch(&sql).expect("a trigger");
}

fn mend_it(service: &Canned) {
    rusqlite::Connection::open(&service.rig.path).expect("a store").execute_batch("DROP TRIGGER broken").expect("gone");
}

/// Every row of every table that a pass writes.
fn all(service: &Canned) -> Vec<Vec<String>> {
    let tables = ["tenant", "alert", "alert_change", "gap", "pass", "quarantine"];
    tables.iter().flat_map(|table| service.rig.query_all(&format!("SELECT * FROM {table} ORDER BY 1"))).collect()
}

async fn key(service: &Canned) -> TenantKey {
    service.rig.ctx.store.standing(service.tenant.id).await.expect("readable").expect("enrolled").key
}

fn scanned(text: &str) -> Alert {
    Alert::scan(text.as_bytes().to_vec(), false).expect("usable")
}

/// A new alert, a changed one, one that cannot be stored, and what they prove.
fn everything() -> (Batch, CoverageMove) {
    let unusable = Unusable { id: None, reason: "a test".to_owned(), raw: b"?".to_vec(), damaged: false };
    let batch = Batch {
        alerts: vec![scanned(&alert("new", 1, "")), scanned(&alert("old", 9, ""))],
        unusable: vec![unusable],
        history: false,
    };
    let at = support::ticks("2027-01-01T00:00:00Z");
    let window = Window::new(support::ticks(support::START), at).expect("a window");
    let gap = NewGap { window, reason: GapReason::CatchUp, attempts: 0, top: None };
    (batch, CoverageMove { covered_until: Some(at), gaps: vec![GapEdit::Open(gap)], ..CoverageMove::default() })
}

#[tokio::test]
async fn rows_changes_and_coverage_land_together_or_not_at_all() {
    for when in BREAKS {
        let service = Canned::new().await;
        service.answer(&[&alert("old", 1, "")]).await;
        let (before, key) = (all(&service), key(&service).await);
        break_it(&service, when);
        let (batch, change) = everything();
        let error = service.rig.ctx.store.land(key, batch, change).await.expect_err(when);
        assert!(matches!(&error, StoreError::Sql(text) if text.contains("broken")), "{error:?}");
        assert_eq!(all(&service), before, "{when}");
        mend_it(&service);
        let (batch, change) = everything();
        let landed = service.rig.ctx.store.land(key, batch, change.clone()).await.expect("mended");
        assert_eq!((landed.counts.created, landed.counts.updated, landed.counts.quarantined), (1, 1, 1));
        assert_eq!(landed.coverage.covered_until, change.covered_until);
        assert_eq!(service.rig.query::<i64>("SELECT alert_count FROM tenants"), 2);
    }
}

#[tokio::test]
async fn a_gap_that_cannot_be_takes_its_rows_with_it() {
    let service = Canned::new().await;
    let key = key(&service).await;
    let (batch, open) = everything();
    let landed = service.rig.ctx.store.land(key, Batch::default(), open).await.expect("opened");
    let (before, id) = (all(&service), landed.coverage.gaps[0].id);
    let shrink = GapEdit::Shrink { id, from: Ticks::MAX, after_id: None, top: None };
    let change = CoverageMove { gaps: vec![shrink], ..CoverageMove::default() };
    service.rig.ctx.store.land(key, batch, change).await.expect_err("a gap must not end before it begins");
    assert_eq!(all(&service), before);
}

#[tokio::test]
async fn a_neighbour_in_the_same_transaction_is_not_affected() {
    let service = Canned::new().await;
    let key = key(&service).await;
    let store = &service.rig.ctx.store;
    let one = |id| (Batch { alerts: vec![scanned(&alert(id, 1, ""))], ..Batch::default() }, CoverageMove::default());
    let shrink = GapEdit::Open(NewGap {
        window: Window::open(support::ticks(support::START)),
        reason: GapReason::Failed,
        attempts: 0,
        top: None,
    });
    let bad = CoverageMove { gaps: vec![shrink], ..CoverageMove::default() };
    let ((a, nothing), (b, _), (c, _)) = (one("a"), one("b"), one("c"));
    let (first, second, third) =
        join!(store.land(key, a, nothing.clone()), store.land(key, b, bad), store.land(key, c, nothing));
    assert!(first.is_ok() && second.is_err() && third.is_ok(), "{first:?} {second:?} {third:?}");
    let stored = service.rig.query_all("SELECT alert_id FROM alerts ORDER BY 1");
    assert_eq!(stored, [["a".to_owned()], ["c".to_owned()]]);
    assert_eq!(service.rig.query::<i64>("SELECT alert_count FROM tenants"), 2);
}

#[tokio::test]
async fn the_end_of_a_pass_is_written_whole_or_not_at_all() {
    let service = Canned::new().await;
    let before = all(&service);
    let standing = service.rig.ctx.store.standing(service.tenant.id).await.expect("readable").expect("enrolled");
    let record = alertferry::store::PassRecord { eventful: true, ..service.read().await };
    let after_read = all(&service);
    assert_ne!(before, after_read);
    break_it(&service, "BEFORE INSERT ON pass");
    service.rig.ctx.store.finish_pass(standing.key, record).await.expect_err("broken");
    assert_eq!(all(&service), after_read);
}

#[tokio::test]
async fn the_roster_is_taken_over_whole_or_not_at_all() {
    let service = Canned::new().await;
    let before = all(&service);
    break_it(&service, "AFTER INSERT ON tenant WHEN new.name = 'second'");
    let named = |n: u64, name: &str| {
        let id = alertferry::domain::TenantId::parse(&support::guid(n)).expect("a GUID");
        alertferry::domain::Tenant { id, name: name.to_owned(), ..service.tenant.clone() }
    };
    service.rig.ctx.store.enrol(vec![named(7, "first"), named(8, "second")]).await.expect_err("broken");
    assert_eq!(all(&service), before);
}
