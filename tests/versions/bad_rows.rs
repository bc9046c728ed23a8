//! One row that is no alert is set aside with its reason, and the others are stored.

use crate::canned::{Canned, alert};

/// Passes until nothing is left to be read.
async fn settle(service: &Canned) {
    for _ in 0..20 {
        let record = service.read().await;
        if record.outcome == "read" && service.rig.query::<i64>("SELECT count(*) FROM gap") == 0 {
            return;
        }
    }
    panic!("still open: {:?}", service.rig.query_all("SELECT * FROM gaps"));
}

fn set_aside(service: &Canned) -> Vec<Vec<String>> {
    service.rig.query_all("SELECT coalesce(alert_id, '-'), reason, length(raw) FROM quarantine ORDER BY 1")
}

fn good() -> [Vec<u8>; 2] {
    [alert("before", 1, "").into_bytes(), alert("behind", 2, "").into_bytes()]
}

async fn with_one(bad: Vec<u8>) -> Canned {
    let service = Canned::new().await;
    let [before, behind] = good();
    service.prepare(vec![before, bad, behind]);
    service
}

#[tokio::test]
async fn a_row_that_is_no_alert_is_set_aside_at_once() {
    let deep = format!(",\"deep\":{}1{}", "[".repeat(101), "]".repeat(101));
    let huge = format!(",\"huge\":\"{}\"", "x".repeat(9 << 20));
    for (bad, id, why) in [
        ("{\"lastUpdateTime\":\"2026-11-20T12:00:01Z\"}".to_owned(), "-", "`id` is missing"),
        ("{\"id\":\"\",\"lastUpdateTime\":\"2026-11-20T12:00:01Z\"}".to_owned(), "", "`id` is missing"),
        ("{\"id\":\"x\",\"lastUpdateTime\":\"soon\"}".to_owned(), "x", "`lastUpdateTime`"),
        (alert("x", 1, &deep), "-", "nested deeper"),
        (alert("x", 1, &huge), "-", "larger than"),
    ] {
        let service = with_one(bad.into_bytes()).await;
        let record = service.read().await;
        assert_eq!((record.outcome, record.counts.created, record.counts.quarantined), ("read", 2, 1), "{why}");
        let rows = set_aside(&service);
        assert_eq!((rows.len(), rows[0][0].as_str()), (1, id), "{rows:?}");
        assert!(rows[0][1].contains(why), "{rows:?} / {why}");
        // Met again it is not news; and the tenant is well.
        let again = service.read().await;
        assert_eq!((again.counts.quarantined, again.counts.unchanged), (0, 2));
        assert_eq!(service.rig.query::<i64>("SELECT quarantined FROM tenants"), 1);
        assert_eq!(service.rig.query::<String>("SELECT state FROM tenants"), "ok");
    }
}

#[tokio::test]
async fn a_row_whose_text_is_broken_first_fails_its_answer_and_is_set_aside_when_it_stays_broken() {
    for (bad, why) in [
        (&b"{\"id\":\"x\xff\",\"lastUpdateTime\":\"2026-11-20T12:00:01Z\"}"[..], "UTF-8"),
        (b"{\"id\":\"x\",}", "trailing"),
    ] {
        let service = with_one(bad.to_vec()).await;
        let first = service.read().await;
        assert_eq!(first.outcome, "failed", "chance is ruled out first");
        assert_eq!(set_aside(&service), Vec::<Vec<String>>::new());
        settle(&service).await;
        assert_eq!(service.rig.query::<i64>("SELECT count(*) FROM alerts"), 2, "{why}");
        let rows = set_aside(&service);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0][1].contains(why), "{rows:?}");
        assert_eq!(rows[0][2], bad.len().to_string(), "the bytes are kept");
    }
}

#[tokio::test]
async fn a_row_that_is_broken_once_loses_nothing() {
    let service = with_one(b"{\"id\":\"x\",}".to_vec()).await;
    service.read().await;
    let [before, behind] = good();
    service.prepare(vec![before, alert("x", 1, "").into_bytes(), behind]);
    settle(&service).await;
    assert_eq!(service.rig.query::<i64>("SELECT count(*) FROM alerts"), 3);
    assert_eq!(set_aside(&service), Vec::<Vec<String>>::new());
}
