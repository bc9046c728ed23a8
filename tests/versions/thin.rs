//! What alerts that were read without their evidence do to those that were read with it.

use alertferry::domain::Alert;
use alertferry::store::{Batch, Counts, CoverageMove};

use crate::canned::{Canned, alert};

const NEW: &str = ",\"status\":\"New\",\"relatedUser\":{\"userName\":\"u\"},\"evidence\":[{\"sha1\":\"x\"}]";
const THIN: &str = ",\"status\":\"New\",\"relatedUser\":null,\"evidence\":[]";

async fn land(service: &Canned, text: &str, thin: bool) -> Counts {
    let store = &service.rig.ctx.store;
    let key = store.standing(service.tenant.id).await.expect("readable").expect("enrolled").key;
    let alert = Alert::scan(text.as_bytes().to_vec(), thin).expect("usable");
    let batch = Batch { alerts: vec![alert], ..Batch::default() };
    store.land(key, batch, CoverageMove::default()).await.expect("landed").counts
}

fn is_thin(service: &Canned) -> bool {
    service.rig.query("SELECT thin FROM alert")
}

#[tokio::test]
async fn a_thin_row_of_the_same_version_changes_nothing() {
    let service = Canned::new().await;
    let whole = alert("a", 1, NEW);
    land(&service, &whole, false).await;
    let counts = land(&service, &alert("a", 1, THIN), true).await;
    assert_eq!(counts, Counts { unchanged: 1, ..Counts::default() });
    assert_eq!((service.raw(), is_thin(&service)), (whole, false));
}

#[tokio::test]
async fn a_thin_row_of_a_newer_version_updates_and_keeps_the_evidence() {
    let service = Canned::new().await;
    land(&service, &alert("a", 1, NEW), false).await;
    let resolved = THIN.replace("New", "Resolved");
    let counts = land(&service, &alert("a", 2, &resolved), true).await;
    assert_eq!((counts.updated, is_thin(&service)), (1, true));
    assert_eq!(service.raw(), alert("a", 2, &NEW.replace("New", "Resolved")));
    assert_eq!(service.rig.query::<i64>("SELECT evidence_count FROM alerts"), 1);
    let fields = &service.changes()[1][2];
    assert!(fields.contains("status") && !fields.contains("evidence") && !fields.contains("related"), "{fields}");
    // The same again is no news, and once it comes with its evidence nothing is missing any more.
    assert_eq!(land(&service, &alert("a", 2, &resolved), true).await.unchanged, 1);
    let whole = alert("a", 2, &NEW.replace("New", "Resolved"));
    assert_eq!(land(&service, &whole, false).await.unchanged, 1);
    assert_eq!((service.raw(), is_thin(&service), service.changes().len()), (whole, false, 2));
}

#[tokio::test]
async fn a_thin_alert_is_completed_by_a_whole_one_of_the_same_version() {
    let service = Canned::new().await;
    assert_eq!(land(&service, &alert("a", 1, THIN), true).await.created, 1);
    assert_eq!(service.rig.query::<i64>("SELECT evidence_count FROM alerts"), 0);
    land(&service, &alert("a", 1, NEW), false).await;
    assert_eq!((service.raw(), is_thin(&service)), (alert("a", 1, NEW), false));
    assert_eq!(service.rig.query::<i64>("SELECT evidence_count FROM alerts"), 1);
    // Whoever follows the changes hears that there is evidence now.
    assert!(service.changes()[1][2].contains("\"evidence\""), "{:?}", service.changes());
    // An alert without any evidence is completed without a change.
    let empty = ",\"evidence\":[]";
    land(&service, &alert("b", 1, empty), true).await;
    assert_eq!(land(&service, &alert("b", 1, empty), false).await.unchanged, 1);
    assert_eq!(service.rig.query::<i64>("SELECT count(*) FROM alert WHERE thin"), 0);
}

#[tokio::test]
async fn an_older_thin_row_is_no_news() {
    let service = Canned::new().await;
    land(&service, &alert("a", 2, NEW), false).await;
    assert_eq!(land(&service, &alert("a", 1, THIN), true).await.unchanged, 1);
    assert_eq!((service.raw(), is_thin(&service)), (alert("a", 2, NEW), false));
}
