//! Which version of an alert is kept, and what counts as a change of it.

use crate::canned::{Canned, alert};

#[tokio::test]
async fn an_older_version_never_overwrites() {
    let service = Canned::new().await;
    let (old, new) = (alert("a", 1, ",\"status\":\"New\""), alert("a", 2, ",\"status\":\"Resolved\""));
    service.answer(&[&new]).await;
    service.answer(&[&old]).await;
    assert_eq!(service.raw(), new);
    assert_eq!(service.changes().len(), 1);
    // The other way round it is an update.
    let service = Canned::new().await;
    service.answer(&[&old]).await;
    service.answer(&[&new]).await;
    assert_eq!(service.raw(), new);
    let last = ["updated", "2026-11-20T12:00:02.5000000Z"];
    assert_eq!(service.changes()[1][..2], last);
}

#[tokio::test]
async fn an_older_version_behind_the_newer_one_in_the_same_answer_is_no_news() {
    let service = Canned::new().await;
    let (old, new) = (alert("a", 1, ""), alert("a", 2, ",\"status\":\"Resolved\""));
    service.answer(&[&new, &old, &new]).await;
    assert_eq!(service.raw(), new);
    assert_eq!(service.changes().len(), 1);
}

#[tokio::test]
async fn the_same_time_with_another_content_is_an_update() {
    let service = Canned::new().await;
    service.answer(&[&alert("a", 1, ",\"status\":\"New\"")]).await;
    let other = alert("a", 1, ",\"status\":\"Resolved\"");
    service.answer(&[&other]).await;
    assert_eq!(service.raw(), other);
    assert_eq!(service.changes()[1][2], "{\"status\":[\"New\",\"Resolved\"]}");
    assert_eq!(service.rig.query::<String>("SELECT status FROM alerts"), "Resolved");
}

#[tokio::test]
async fn a_newer_time_with_the_same_content_is_an_update_of_the_time() {
    let service = Canned::new().await;
    service.answer(&[&alert("a", 1, "")]).await;
    service.answer(&[&alert("a", 2, "")]).await;
    let fields = &service.changes()[1][2];
    assert_eq!(fields, "{\"last_update_time\":[\"2026-11-20T12:00:01.5Z\",\"2026-11-20T12:00:02.5Z\"]}");
}

#[tokio::test]
async fn the_order_of_keys_and_of_evidence_is_no_change() {
    let service = Canned::new().await;
    let first = alert("a", 1, ",\"x\":1,\"y\":2,\"evidence\":[{\"sha1\":\"p\"},{\"sha1\":\"q\"}]");
    service.answer(&[&first]).await;
    service.answer(&[&alert("a", 1, ",\"y\":2,\"x\":1,\"evidence\":[{\"sha1\":\"q\"},{\"sha1\":\"p\"}]")]).await;
    assert_eq!(service.changes().len(), 1);
    assert_eq!(service.raw(), first, "an alert that says the same is not written");
    service.answer(&[&alert("a", 1, ",\"y\":2,\"x\":1,\"evidence\":[{\"sha1\":\"q\"},{\"sha1\":\"q\"}]")]).await;
    assert_eq!(service.changes()[1][2], "{\"evidence\":[[{\"sha1\":\"p\"}],[{\"sha1\":\"q\"}]]}");
}

#[tokio::test]
async fn unknown_fields_and_values_are_kept_to_the_byte() {
    let service = Canned::new().await;
    let odd = alert("a", 1, ", \"severity\":\"Cataclysmic\",\"new\" : {\"k\":[1.0,1e2, \"\\u00e9\"]}");
    service.answer(&[&odd]).await;
    assert_eq!(service.raw(), odd);
    assert_eq!(service.rig.query::<String>("SELECT severity FROM alerts"), "Cataclysmic");
}
