//! Waits that the service asked for, and what breaks every answer: what was called too early, and what was not read.

use std::time::Duration;

use alertferry::defender::{Defender, Rates};
use alertferry::domain::{TenantState, Window};
use alertferry::http::{Http, Options as HttpOptions};
use alertferry_simulator::{Fault, FaultBody, FaultRule, NewAlert, PoisonScope, RetryAfter, Route};

use super::{MINUTE, Scene, down};

/// Windows fail, and each look for a sign of life is answered so.
pub fn asks_to_wait(status: u16) -> Fault {
    Fault::Status { status, body: FaultBody::Empty, retry_after: RetryAfter::Seconds(WAIT.as_secs()) }
}

pub const WAIT: Duration = Duration::from_secs(600);
/// Stands in the query of a look, which asks for alerts of the far future.
pub const LOOK: &str = "lastUpdateTime ge 9999-";
/// Stands in the query of a gap, which has an end.
pub const GAP: &str = " and lastUpdateTime lt ";

impl Scene {
    fn calls(&self, route: Route) -> u64 {
        self.sim.stats().requests(self.tenant.id.as_str(), route)
    }

    /// A pass that is asked to wait by its `calls`-th call makes no other, and nobody makes its tenant due before.
    async fn waits_after(&self, calls: u64) {
        let before = self.calls(Route::Alerts);
        let record = self.rig.pass(&self.tenant).await;
        assert_eq!(self.calls(Route::Alerts) - before, calls, "{record:?}");
        assert_eq!(record.state, TenantState::Throttled, "{record:?}");
        assert!(record.next_attempt_at >= self.clock_now().plus(WAIT), "{record:?}");
        self.rig.ctx.store.retry_all().await.expect("asked");
        let next = self.rig.query::<String>("SELECT next_attempt_at FROM tenant");
        assert_eq!(next, record.next_attempt_at.to_string(), "a poll that was asked for came early");
        self.advance(2 * WAIT);
    }
}

/// The head window had failed twice. The look for a sign of life that its third failure needs was told to wait, which was
/// taken for no more than another failure: the tenant was called again within seconds.
#[tokio::test]
async fn n8_a_wish_to_wait_that_meets_a_look_for_life_is_kept() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    scene.add(3, &NewAlert::default());
    scene.advance(10 * MINUTE);
    let faults = scene.sim.faults();
    let failing = faults.add(FaultRule::new(down()).query("$expand"));
    for _ in 0..2 {
        assert_eq!(scene.rig.pass(&scene.tenant).await.outcome, "failed");
        scene.advance(10 * MINUTE);
    }
    for status in [429, 503] {
        let look = faults.add(FaultRule::new(asks_to_wait(status)).query(LOOK));
        scene.waits_after(1).await;
        assert_eq!(faults.struck(look), 1, "{status}");
        faults.remove(look);
    }
    assert_eq!(scene.open_gaps(), 0, "a service that is not alive is no fault of the window");
    scene.rig.pass(&scene.tenant).await;
    assert!(scene.open_gaps() > 0, "now it is taken apart");
    faults.remove(failing);
    scene.settle(5).await;
    scene.is_true();
}

/// A wait that came with another status than 429 was known by the wall clock alone: a clock that was set ended it.
#[tokio::test]
async fn n8_a_clock_that_is_set_ends_no_wait_whatever_the_status_was() {
    for status in [429, 500, 503] {
        let scene = Scene::new(10_000).await;
        scene.rig.pass(&scene.tenant).await;
        let faults = scene.sim.faults();
        let failing = faults.add(FaultRule::new(asks_to_wait(status)));
        scene.rig.pass(&scene.tenant).await;
        faults.remove(failing);
        let before = scene.calls(Route::Alerts);
        scene.clock.set(scene.clock_now().plus(2 * WAIT));
        let record = scene.rig.pass(&scene.tenant).await;
        assert_eq!((record.requests, record.state), (0, TenantState::Throttled), "{status}: {record:?}");
        assert_eq!(scene.calls(Route::Alerts), before, "{status}");
        scene.advance(WAIT);
        scene.settle(3).await;
        scene.is_true();
    }
}

/// The same beside a gap that has failed before.
#[tokio::test]
async fn n8_a_wish_to_wait_that_meets_a_look_for_life_beside_a_gap_is_kept() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    scene.failed_gap().await;
    let faults = scene.sim.faults();
    let failing = faults.add(FaultRule::new(down()).query(GAP));
    for status in [429, 503] {
        let look = faults.add(FaultRule::new(asks_to_wait(status)).query(LOOK));
        // The head, the gap, the look.
        scene.waits_after(3).await;
        assert_eq!(faults.struck(look), 1, "{status}");
        faults.remove(look);
    }
    assert_eq!(scene.rig.query::<i64>("SELECT attempts FROM gap"), 1, "the gap's failure was not counted");
    faults.remove(failing);
    scene.settle(5).await;
    scene.is_true();
}

/// A window whose own answer asks to wait: nothing else was to be asked meanwhile, and yet it must be taken apart when it
/// always answers so, or the tenant would never be read to its end.
#[tokio::test]
async fn n8_a_window_that_asks_to_wait_whenever_it_is_read_holds_nothing_up() {
    for window in ["$expand", GAP] {
        let scene = Scene::new(10_000).await;
        scene.rig.pass(&scene.tenant).await;
        scene.failed_gap().await;
        let faults = scene.sim.faults();
        let failing = faults.add(FaultRule::new(asks_to_wait(503)).query(window));
        let calls = if window == GAP { [2, 2, 2] } else { [1, 1, 2] };
        for calls in calls {
            scene.waits_after(calls).await;
        }
        assert!(scene.open_gaps() > 1, "{window}: {:?}", scene.rig.query_all("SELECT * FROM gap"));
        faults.remove(failing);
        scene.settle(20).await;
        scene.is_true();
    }
}

/// Alerts that are fetched one by one: after the first that asked to wait, the others were fetched nevertheless.
#[tokio::test]
async fn n8_a_single_alert_that_asks_to_wait_is_the_last_call() {
    let scene = Scene::new(10_000).await;
    scene.add(3, &NewAlert::default());
    let faults = scene.sim.faults();
    scene.poison(1, PoisonScope::ExpandedLists);
    let alone = faults.add(FaultRule::new(asks_to_wait(503)).on(Route::Alert));
    scene.advance(MINUTE);
    for _ in 0..60 {
        let record = scene.rig.pass(&scene.tenant).await;
        if faults.struck(alone) > 0 {
            assert!(record.next_attempt_at >= scene.clock_now().plus(WAIT), "{record:?}");
            break;
        }
        scene.advance(10 * MINUTE);
    }
    assert_eq!((faults.struck(alone), scene.calls(Route::Alert)), (1, 1));
    assert_eq!(scene.open_gaps(), 1, "what is missing must stay known");
    faults.remove(alone);
    scene.advance(6 * 60 * MINUTE);
    scene.settle(5).await;
    scene.is_true();
}

/// A tenant whose consent went while a window failed was said to be merely degraded, with no remedy.
#[tokio::test]
async fn a_refusal_that_meets_a_look_for_life_is_what_is_told() {
    let scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    scene.failed_gap().await;
    let faults = scene.sim.faults();
    faults.add(FaultRule::new(down()).query(GAP));
    faults.add(FaultRule::new(Fault::MissingRole403).query(LOOK));
    let record = scene.rig.pass(&scene.tenant).await;
    assert_eq!(record.state, TenantState::Unauthorized, "{record:?}");
    assert!(record.remedy.is_some_and(|remedy| remedy.contains("Alert.Read.All")));
}

/// Alerts at one instant, one of which breaks every answer that holds it: the others were left unread with it.
#[tokio::test]
async fn the_neighbours_of_an_alert_that_breaks_every_answer_are_read() {
    // Where three places fail by themselves, nothing more is looked for.
    for (bad, read, calls) in [(&[0][..], 75, 66), (&[37], 75, 66), (&[75], 75, 66), (&[5, 20, 40, 60], 38, 84)] {
        let scene = Scene::new(10_000).await;
        scene.add(76, &NewAlert::default());
        let mut ids: Vec<String> =
            scene.change(|world, tenant| world.truth(tenant).into_iter().map(|t| t.id).collect());
        ids.sort();
        for at in bad {
            scene.sim.faults().add(Fault::PoisonAlert { id: ids[*at].clone(), scope: PoisonScope::Everything });
        }
        scene.advance(MINUTE);
        let stuck = "SELECT count(*) FROM gap WHERE attempts > 4";
        for _ in 0..60 {
            let before = scene.calls(Route::Any);
            scene.rig.pass(&scene.tenant).await;
            let called = scene.calls(Route::Any) - before;
            assert!(called <= calls, "{bad:?}: {called} calls");
            if scene.rig.query::<i64>(stuck) > 0 {
                break;
            }
            scene.advance(10 * MINUTE);
        }
        let mut whole = crate::support::truth(&scene.sim, scene.tenant.id.as_str());
        let stored = scene.rig.stored(scene.tenant.id.as_str());
        assert_eq!(stored.len(), read, "{bad:?}");
        assert!(stored.iter().all(|(id, text)| whole.remove(id).as_ref() == Some(text)), "with their evidence");
        assert!(bad.iter().all(|at| whole.contains_key(&ids[*at])));
        assert!(scene.open_gaps() > 0, "what is missing must stay known");
        scene.sim.faults().clear();
        scene.advance(6 * 60 * MINUTE);
        scene.settle(5).await;
        scene.is_true();
    }
}

/// A piece of a window that is read around may be answered by a wish to wait, or by a refusal of the way to ask.
#[tokio::test]
async fn a_wish_to_wait_that_meets_the_neighbours_of_a_bad_alert_ends_the_pass() {
    let answered = |status, retry_after| Fault::Status { status, body: FaultBody::Empty, retry_after };
    let (asked, unsaid) = (RetryAfter::Seconds(7_200), RetryAfter::Absent);
    for (answer, state) in [
        (answered(429, asked), TenantState::Throttled),
        (answered(503, asked), TenantState::Throttled),
        (answered(404, unsaid), TenantState::Unauthorized),
        (answered(400, unsaid), TenantState::Degraded),
    ] {
        let scene = Scene::new(10_000).await;
        scene.add(76, &NewAlert::default());
        scene.sim.faults().add(FaultRule::new(answer.clone()).query("$top=32"));
        scene.poison(37, PoisonScope::Everything);
        let stuck = "SELECT count(*) FROM gap WHERE attempts > 4";
        let mut record = None;
        for _ in 0..60 {
            scene.advance(10 * MINUTE);
            record = Some(scene.rig.pass(&scene.tenant).await);
            if scene.rig.query::<i64>(stuck) > 0 {
                break;
            }
        }
        let record = record.expect("a pass");
        assert_eq!(record.state, state, "{answer:?}: {record:?}");
        // Only a refusal of this way to ask leaves the pass a good one.
        let failed = !matches!(answer, Fault::Status { status: 400, .. });
        assert_eq!(record.failure.is_some(), failed, "{answer:?}: {record:?}");
    }
}

/// Restarted again and again within a minute, the daemon never got to call: each time it dated all calls of the hour to
/// the pass before, which had ended for want of calls.
#[tokio::test]
async fn a_pass_that_calls_nobody_dates_no_calls_anew() {
    let mut scene = Scene::new(10_000).await;
    scene.rig.pass(&scene.tenant).await;
    let counted = "SELECT calls_spent || ' ' || calls_counted_at FROM tenant";
    let before = scene.rig.query::<String>(counted);
    let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
    // Another process, that takes over the calls of this one.
    scene.rig.ctx.defender =
        Defender::new(http, MINUTE, Rates { per_minute: 1, per_hour: 100 }, scene.rig.ctx.clock.clone());
    scene.advance(MINUTE / 2);
    let record = scene.rig.pass(&scene.tenant).await;
    assert_eq!((record.requests, record.state), (0, TenantState::Throttled), "{record:?}");
    assert_eq!(scene.rig.query::<String>(counted), before);
    scene.advance(MINUTE / 2);
    let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
    scene.rig.ctx.defender =
        Defender::new(http, MINUTE, Rates { per_minute: 1, per_hour: 100 }, scene.rig.ctx.clock.clone());
    assert_eq!(scene.rig.pass(&scene.tenant).await.requests, 1, "a minute after the last call");
}

impl Scene {
    /// Three alerts in a gap that failed once and may be tried again.
    async fn failed_gap(&self) {
        self.advance(10 * MINUTE);
        self.add(3, &NewAlert::default());
        let from = self.clock_now().minus(5 * MINUTE);
        self.advance(10 * MINUTE);
        self.open_waiting_gap(Window::new(from, from.plus(10 * MINUTE)).expect("a window")).await;
        // Until it lies behind the overlap, polls look again at what is in front of it.
        for _ in 0..2 {
            self.advance(2 * 60 * MINUTE);
            self.rig.pass(&self.tenant).await;
        }
        self.advance(2 * 60 * MINUTE);
    }
}
