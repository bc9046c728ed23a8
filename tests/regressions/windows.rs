//! Windows that fail, are refused, or are asked for in a way that is: what is counted, remembered, and gone on with.

use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, NewAlert, PoisonScope, Route};

use super::waits::{GAP, LOOK, WAIT, asks_to_wait};
use super::{MINUTE, Scene, down};

/// An alert that is fetched by itself and is another tenant's is not stored, whatever id it was asked for by.
#[tokio::test]
async fn a_single_alert_of_another_tenant_is_not_stored() {
    let scene = Scene::new(10_000).await;
    scene.add(3, &NewAlert::default());
    let faults = scene.sim.faults();
    scene.poison(1, PoisonScope::ExpandedLists);
    let other = crate::support::guid(77);
    let foreign = faults.add(FaultRule::new(Fault::ForeignAlert { aad_tenant_id: other.clone() }).on(Route::Alert));
    scene.advance(MINUTE);
    for _ in 0..60 {
        scene.rig.pass(&scene.tenant).await;
        if faults.struck(foreign) > 0 {
            break;
        }
        scene.advance(10 * MINUTE);
    }
    assert!(faults.struck(foreign) > 0);
    let stored = scene.rig.query_all("SELECT raw FROM alerts");
    assert!(stored.len() == 3 && !stored.concat().concat().contains(&other), "{stored:?}");
    assert_eq!(scene.open_gaps(), 1, "its evidence is still missing");
    faults.remove(foreign);
    scene.advance(6 * 60 * MINUTE);
    scene.settle(5).await;
    scene.is_true();
}

/// The look for a sign of life is refused, and the window that failed would be answered: it is asked nevertheless.
#[tokio::test]
async fn a_look_that_is_refused_keeps_no_window_from_being_read() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    scene.add(3, &NewAlert::default());
    scene.advance(10 * MINUTE);
    let faults = scene.sim.faults();
    let failing = faults.add(FaultRule::new(down()).query("$expand"));
    for _ in 0..2 {
        scene.rig.pass(&scene.tenant).await;
        scene.advance(10 * MINUTE);
    }
    faults.remove(failing);
    let look = faults.add(FaultRule::new(Fault::MissingRole403).query(LOOK));
    let record = scene.rig.pass(&scene.tenant).await;
    assert_eq!((faults.struck(look), record.outcome, record.counts.created), (1, "read", 3), "{record:?}");
    scene.is_true();
}

/// A window that failed three times while the service is alive becomes a gap, and the pass that saw it goes on.
#[tokio::test]
async fn a_head_that_keeps_failing_alone_becomes_a_gap_in_a_good_pass() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    scene.advance(10 * MINUTE);
    let faults = scene.sim.faults();
    let failing = faults.add(FaultRule::new(down()).query("$expand"));
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(scene.rig.pass(&scene.tenant).await.outcome);
        scene.advance(10 * MINUTE);
    }
    assert_eq!(outcomes, ["failed", "failed", "partial"], "gaps are tried as long as the budget lasts");
    faults.remove(failing);
    scene.settle(5).await;
    scene.is_true();
}

/// A refusal or a wish to wait says nothing of the window that was asked for.
#[tokio::test]
async fn what_is_no_fault_of_the_head_is_not_counted_against_it() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    for answer in [asks_to_wait(429), Fault::MissingRole403] {
        let rule = scene.sim.faults().add(FaultRule::new(answer));
        for _ in 0..4 {
            scene.advance(2 * WAIT);
            assert_eq!(scene.rig.pass(&scene.tenant).await.outcome, "failed");
        }
        scene.sim.faults().remove(rule);
        assert_eq!(scene.rig.query::<i64>("SELECT head_failures FROM tenant"), 0);
    }
    assert_eq!(scene.open_gaps(), 0);
}

/// Whether the service is alive is asked when a gap fails again, and not when it fails for the first time.
#[tokio::test]
async fn a_gap_that_fails_once_needs_no_sign_of_life() {
    let scene = Scene::new(10_000).await;
    let faults = scene.sim.faults();
    faults.add(FaultRule::new(down()).query(GAP));
    let look = faults.add(FaultRule::new(Fault::Latency(Duration::ZERO)).query(LOOK));
    scene.rig.pass(&scene.tenant).await;
    assert_eq!(faults.struck(look), 1, "the one that every first contact begins with");
    scene.advance(10 * MINUTE);
    scene.rig.pass(&scene.tenant).await;
    assert!(faults.struck(look) > 1, "it failed again");
}

/// A service that answered ranges of id refuses them in the middle of an instant: the rest is read by its places at once.
#[tokio::test]
async fn a_range_of_ids_that_is_refused_in_the_middle_is_read_by_places_in_the_same_pass() {
    let scene = Scene::new(50).await;
    scene.add(200, &NewAlert::default());
    scene.advance(MINUTE);
    let refused = scene.sim.faults().add(FaultRule::new(Fault::RefuseIdRange).after(2));
    let record = scene.rig.pass(&scene.tenant).await;
    assert!(scene.sim.faults().struck(refused) > 0, "{record:?}");
    assert_eq!((record.outcome, scene.open_gaps()), ("read", 0), "{record:?}");
    scene.is_true();
}

/// A service that refuses `$orderby` where a window has an end is not asked for it again and again.
#[tokio::test]
async fn a_refused_order_is_remembered_when_a_gap_met_it() {
    let scene = Scene::new(10_000).await;
    let refused = scene.sim.faults().add(FaultRule::new(Fault::RefuseOrderBy).query(GAP));
    scene.rig.pass(&scene.tenant).await;
    assert_eq!(scene.sim.faults().struck(refused), 1);
    assert!(scene.rig.query::<Option<String>>("SELECT orderby_refused_at FROM tenant").is_some());
}
