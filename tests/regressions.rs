//! Every fault that a random world or a review has found in the reader, each as the shortest way to meet it again.

#[path = "support/paper.rs"]
mod paper;
#[path = "regressions/store.rs"]
mod store;
mod support;
#[path = "regressions/telling.rs"]
mod telling;
#[path = "regressions/waits.rs"]
mod waits;
#[path = "regressions/windows.rs"]
mod windows;

use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::domain::{GapReason, Tenant, Window};
use alertferry::pass::Options;
use alertferry::store::{Batch, CoverageMove, GapEdit, NewGap};
use alertferry_simulator::{
    Edit, Fault, FaultBody, FaultRule, NewAlert, PoisonScope, RetryAfter, Route, Simulator, World, alert_id,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use support::{Rig, assert_equals_truth, guid};

const MINUTE: Duration = Duration::from_secs(60);

/// A tenant, the reader of it, and the time they share. The daily second look is off: it would mend what is lost.
struct Scene {
    sim: Simulator,
    rig: Rig,
    tenant: Tenant,
    clock: ManualClock,
}

impl Scene {
    async fn new(page_size: u32) -> Self {
        let mut world = support::world();
        world.add_tenant(&guid(1));
        let sim = Simulator::start(world).await.expect("a simulator");
        let clock = ManualClock::at(support::ticks(support::START));
        let options = Options { page_size, sweep: Duration::ZERO, ..Options::default() };
        let dir = std::sync::Arc::new(tempfile::tempdir().expect("a directory"));
        let rig = Rig::in_dir(dir, options, vec![support::app()], Clock::Manual(clock.clone()));
        let tenant = support::tenant(&sim, &guid(1));
        rig.enrol(std::slice::from_ref(&tenant)).await;
        Self { sim, rig, tenant, clock }
    }

    fn change<T>(&self, change: impl FnOnce(&mut World, &str) -> T) -> T {
        self.sim.world().with(|world| change(world, self.tenant.id.as_str()))
    }

    fn advance(&self, by: Duration) {
        self.change(|world, _| world.advance(by));
        self.clock.advance(by);
    }

    /// Adds alerts that share the present as their time.
    fn add(&self, count: u64, new: &NewAlert) {
        self.change(|world, tenant| {
            let mut rng = StdRng::seed_from_u64(count);
            for _ in 0..count {
                let id = new.id.clone().unwrap_or_else(|| alert_id(&mut rng));
                let new = NewAlert { id: Some(id), ..new.clone() };
                world.new_alert(tenant, &mut rng, &new).expect("a new alert");
            }
        });
    }

    /// From now on the alert at this place of the truth breaks the answers of `scope`.
    fn poison(&self, at: usize, scope: PoisonScope) {
        let id = self.change(|world, tenant| world.truth(tenant)[at].id.clone());
        self.sim.faults().add(Fault::PoisonAlert { id, scope });
    }

    /// One pass every ten minutes, until no gap is left; so many at most.
    async fn settle(&self, passes: usize) {
        for _ in 0..passes {
            self.rig.pass(&self.tenant).await;
            if self.open_gaps() == 0 {
                return;
            }
            self.advance(10 * MINUTE);
        }
        panic!("still open: {:?}", self.rig.query_all("SELECT * FROM gaps"));
    }

    fn open_gaps(&self) -> i64 {
        self.rig.query("SELECT count(*) FROM gap")
    }

    fn is_true(&self) {
        assert_equals_truth(&self.rig.path, &self.sim, self.tenant.id.as_str());
        assert_eq!(self.rig.query::<i64>("SELECT count(*) FROM alert WHERE thin"), 0, "evidence is missing");
    }
}

fn down() -> Fault {
    Fault::Status { status: 500, body: FaultBody::Empty, retry_after: RetryAfter::Absent }
}

/// More alerts at one instant than fit an answer, and no list of them with evidence: they are listed without it by
/// ranges of id. The gap was closed then, and nobody asked for the evidence.
#[tokio::test]
async fn an_instant_that_is_listed_without_evidence_gets_it_one_by_one() {
    let scene = Scene::new(5).await;
    scene.add(12, &NewAlert::default());
    scene.poison(7, PoisonScope::ExpandedLists);
    scene.advance(MINUTE);
    scene.settle(60).await;
    scene.is_true();
}

/// An alert that could not be fetched by itself at the first try stayed without its evidence: its gap was closed.
#[tokio::test]
async fn a_failure_to_fetch_evidence_keeps_its_gap_open() {
    let scene = Scene::new(10_000).await;
    scene.add(3, &NewAlert::default());
    let faults = scene.sim.faults();
    scene.poison(1, PoisonScope::ExpandedLists);
    let alone = faults.add(FaultRule::new(down()).on(Route::Alert));
    scene.advance(MINUTE);
    for _ in 0..60 {
        scene.rig.pass(&scene.tenant).await;
        scene.advance(10 * MINUTE);
    }
    assert_eq!(scene.open_gaps(), 1, "what is missing must stay known");
    let error = scene.rig.query::<String>("SELECT last_error FROM gaps");
    assert!(error.contains("evidence is missing"), "{error}");
    faults.remove(alone);
    scene.advance(6 * 60 * MINUTE);
    scene.settle(3).await;
    scene.is_true();
}

/// A token that was refused while an alert was fetched by itself was not renewed, and the gap had to wait six hours.
#[tokio::test]
async fn a_token_refused_for_a_single_alert_is_renewed_there_too() {
    let scene = Scene::new(10_000).await;
    scene.add(3, &NewAlert::default());
    let faults = scene.sim.faults();
    scene.poison(1, PoisonScope::ExpandedLists);
    let refused = faults.add(FaultRule::new(Fault::Unauthorized401).on(Route::Alert).once());
    scene.advance(MINUTE);
    let logins = || scene.sim.stats().requests(scene.tenant.id.as_str(), Route::Login);
    for _ in 0..60 {
        scene.rig.pass(&scene.tenant).await;
        if faults.struck(refused) > 0 {
            break;
        }
        assert_eq!(logins(), 1);
        scene.advance(MINUTE);
    }
    assert_eq!((faults.struck(refused), logins()), (1, 2));
    assert_eq!(scene.open_gaps(), 0, "the pass went on");
    scene.is_true();
}

/// Only the rows of an answer's last piece were completed; an answer is handed on in pieces of 500.
#[tokio::test]
async fn every_alert_of_a_long_list_without_evidence_gets_it() {
    let scene = Scene::new(10_000).await;
    scene.add(520, &NewAlert { evidence: 1, ..NewAlert::default() });
    scene.poison(7, PoisonScope::ExpandedLists);
    scene.advance(MINUTE);
    scene.settle(100).await;
    scene.is_true();
}

/// Two versions at one time, the second seen only without evidence: it was taken for the first one.
#[tokio::test]
async fn another_content_at_the_same_time_is_noticed_without_evidence_too() {
    for (grows, page_size) in [(false, 10_000), (true, 10_000), (false, 2), (true, 2)] {
        let scene = Scene::new(page_size).await;
        scene.rig.pass(&scene.tenant).await;
        scene.add(3, &NewAlert { evidence: 1, ..NewAlert::default() });
        scene.settle(5).await;
        scene.change(|world, tenant| {
            let (id, mut rng) = (world.truth(tenant)[0].id.clone(), StdRng::seed_from_u64(1));
            let edit = Edit { status: Some("InProgress".to_owned()), ..Edit::default() };
            let changed =
                if grows { world.grow_evidence(tenant, &id, 1, &mut rng) } else { world.edit(tenant, &id, &edit) };
            changed.expect("changed");
            scene.sim.faults().add(Fault::PoisonAlert { id, scope: PoisonScope::ExpandedLists });
        });
        scene.advance(5 * MINUTE);
        for _ in 0..3 {
            scene.rig.pass(&scene.tenant).await;
            scene.advance(MINUTE);
        }
        scene.settle(60).await;
        scene.is_true();
    }
}

/// In front of a gap lies a piece of the overlap that the head window leaves out. When the head gave up and moved on,
/// the piece was forgotten, with the alerts that had become visible late in it.
#[tokio::test]
async fn what_became_visible_late_in_front_of_a_gap_is_found_although_the_head_fails() {
    let scene = Scene::new(10_000).await;
    scene.add(1, &NewAlert { visible_after: 55 * MINUTE, ..NewAlert::default() });
    scene.advance(30 * MINUTE);
    scene.rig.pass(&scene.tenant).await;
    let until = scene.clock_now();
    let window = Window::new(until.minus(20 * MINUTE), until.minus(10 * MINUTE)).expect("a window");
    scene.open_waiting_gap(window).await;
    scene.advance(60 * MINUTE);
    let failing = scene.sim.faults().add(FaultRule::new(down()).query("$expand"));
    for _ in 0..3 {
        scene.rig.pass(&scene.tenant).await;
        scene.advance(10 * MINUTE);
    }
    scene.sim.faults().remove(failing);
    scene.settle(100).await;
    scene.advance(60 * MINUTE);
    scene.settle(2).await;
    scene.is_true();
}

/// An instant was read up to some id when the pass ended. What became visible among the ids before was not looked at
/// again: the overlap of the next polls leaves gaps out.
#[tokio::test]
async fn what_became_visible_late_in_an_instant_that_is_half_read_is_found() {
    let scene = Scene::new(50).await;
    scene.add(120, &NewAlert { evidence: 0, ..NewAlert::default() });
    let late = NewAlert { visible_after: 58 * MINUTE, id: Some("da0_1".to_owned()), ..NewAlert::default() };
    scene.add(1, &late);
    scene.sim.faults().add(Fault::RefuseOrderBy);
    scene.sim.faults().add(FaultRule::new(down()).query("id gt").once());
    scene.advance(40 * MINUTE);
    scene.rig.pass(&scene.tenant).await;
    let half_read = "SELECT count(*) FROM gap WHERE after_id IS NOT NULL";
    assert_eq!(scene.rig.query::<i64>(half_read), 1, "{:?}", scene.rig.query_all("SELECT * FROM gap"));
    scene.advance(30 * MINUTE);
    scene.settle(5).await;
    scene.advance(60 * MINUTE);
    scene.settle(5).await;
    scene.is_true();
}

impl Scene {
    fn clock_now(&self) -> alertferry::domain::Ticks {
        self.rig.ctx.clock.now()
    }

    /// A gap that is not to be tried for a day.
    async fn open_waiting_gap(&self, window: Window) {
        let store = &self.rig.ctx.store;
        let key = store.standing(self.tenant.id).await.expect("readable").expect("enrolled").key;
        let open = GapEdit::Open(NewGap { window, reason: GapReason::Failed, attempts: 1, top: None });
        let change = CoverageMove { gaps: vec![open], ..CoverageMove::default() };
        let landed = store.land(key, Batch::default(), change).await.expect("opened");
        let wait = GapEdit::Defer {
            id: landed.coverage.gaps.last().expect("it").id,
            attempts: 1,
            top: None,
            not_before: Some(self.clock_now().plus(5 * 60 * MINUTE)),
            error: "a test".to_owned(),
        };
        let change = CoverageMove { gaps: vec![wait], ..CoverageMove::default() };
        store.land(key, Batch::default(), change).await.expect("deferred");
    }
}
