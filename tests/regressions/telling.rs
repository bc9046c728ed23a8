//! What a pass says of itself: which events, with what in them, and which are not said again.

use std::sync::Arc;

use alertferry::clock::{Clock, ManualClock};
use alertferry::logging::{Format, Options as Log, build};
use alertferry::pass::Options;
use alertferry_simulator::{NewAlert, PoisonScope, Simulator, Template};
use serde_json::Value;

use crate::paper::Paper;
use crate::support::{self, Rig, guid};
use crate::{MINUTE, Scene};

/// The events since the last look; what libraries say is left out.
fn events(paper: &Paper) -> Vec<Value> {
    paper.lines().into_iter().filter(|line| line["event"] != "log").collect()
}

fn names(paper: &Paper) -> Vec<String> {
    events(paper).iter().map(|line| line["event"].as_str().expect("a name").to_owned()).collect()
}

/// Hears what this thread says, in which the passes of a test run.
fn listening() -> (Paper, tracing::subscriber::DefaultGuard, impl Sized) {
    let paper = Paper::default();
    let options = Log { format: Format::Json, level: "debug", ..Log::default() };
    let (log, handle) = build(&options, Box::new(paper.clone())).expect("a log");
    (paper, tracing::subscriber::set_default(log), handle)
}

async fn one_tenant() -> (Simulator, Rig, alertferry::domain::Tenant) {
    let mut world = support::world();
    world.add_tenant(&guid(1));
    world.fill(&guid(1), 5, &Template::default());
    let sim = Simulator::start(world).await.expect("a simulator");
    let clock = Clock::Manual(ManualClock::at(support::ticks(support::START)));
    let directory = Arc::new(tempfile::tempdir().expect("a directory"));
    let rig = Rig::in_dir(directory, Options::default(), vec![support::app()], clock);
    let tenant = support::tenant(&sim, &guid(1));
    rig.enrol(std::slice::from_ref(&tenant)).await;
    (sim, rig, tenant)
}

#[tokio::test]
async fn a_state_and_a_token_are_told_when_they_are_new() {
    let (_sim, rig, tenant) = one_tenant().await;
    let (paper, _guard, _handle) = listening();
    rig.pass(&tenant).await;
    let first = events(&paper);
    let said = |name: &str| first.iter().find(|line| line["event"] == name).unwrap_or_else(|| panic!("{first:#?}"));
    assert_eq!(said("token.acquired")["app"], "main");
    let finished = said("pass.finished");
    assert_eq!((&finished["outcome"], &finished["created"]), (&"read".into(), &5.into()));
    assert_eq!(finished["reason"], Value::Null);
    let changed = said("tenant.state_changed");
    assert_eq!((&changed["from"], &changed["to"]), (&"new".into(), &"ok".into()));
    rig.pass(&tenant).await;
    assert_eq!(names(&paper), ["pass.finished"]);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_remedy_and_a_change_of_state_once() {
    let (sim, rig, tenant) = one_tenant().await;
    sim.world().with(|world| world.tenant_mut(&guid(1)).expect("known").state.consented = false);
    let (paper, _guard, _handle) = listening();
    rig.pass(&tenant).await;
    let first = events(&paper);
    let failed = first.iter().find(|line| line["event"] == "token.failed").unwrap_or_else(|| panic!("{first:#?}"));
    assert!(failed["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{failed}");
    assert!(failed["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{failed}");
    let changed = first.iter().find(|line| line["event"] == "tenant.state_changed").expect("a change");
    assert_eq!((&changed["from"], &changed["to"]), (&"new".into(), &"unauthorized".into()));
    assert_eq!(changed["remedy"], failed["remedy"]);
    rig.pass(&tenant).await;
    assert_eq!(names(&paper), ["token.failed", "pass.finished"]);
}

#[tokio::test]
async fn a_clock_that_is_off_by_more_than_a_minute_is_told_once() {
    let (sim, rig, tenant) = one_tenant().await;
    let (paper, _guard, _handle) = listening();
    let skewed = async |seconds| {
        sim.world().with(|world| world.options.date_skew = seconds);
        rig.pass(&tenant).await;
        let lines = events(&paper);
        lines
            .iter()
            .filter(|line| line["event"] == "clock.skewed")
            .map(|line| line["seconds"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(skewed(0).await, Vec::<Value>::new());
    assert_eq!(skewed(-300).await.len(), 1);
    assert_eq!(skewed(-300).await, Vec::<Value>::new(), "it is known");
    assert_eq!(skewed(-50).await, Vec::<Value>::new());
    let ahead = skewed(300).await;
    assert!(ahead.len() == 1 && (-301..=-299).contains(&ahead[0].as_i64().expect("a number")), "{ahead:?}");
}

#[tokio::test]
async fn what_was_read_is_counted_and_its_windows_open_and_close() {
    let (_sim, rig, tenant) = one_tenant().await;
    let (paper, _guard, _handle) = listening();
    rig.pass(&tenant).await;
    let first = events(&paper);
    let names: Vec<_> = first.iter().map(|line| line["event"].as_str().expect("a name")).collect();
    assert_eq!(names, ["token.acquired", "gap.opened", "gap.closed", "pass.finished", "tenant.state_changed"]);
    for field in ["tenant", "from", "until", "reason"] {
        assert_eq!(first[1][field], first[2][field]);
    }
    let finished = &first[3];
    assert_eq!(
        (&finished["requests"], &finished["rows"], &finished["gaps_moved"]),
        (&3.into(), &5.into(), &true.into())
    );
    assert!(finished["bytes"].as_u64().is_some_and(|bytes| bytes > 5_000), "{finished}");
    assert_eq!(rig.query::<i64>("SELECT calls_spent FROM tenant"), 3);
    rig.pass(&tenant).await;
    let next = events(&paper);
    assert_eq!((next.len(), &next[0]["rows"], &next[0]["gaps_moved"]), (1, &0.into(), &false.into()));
    assert!(next[0]["bytes"].as_u64().is_some_and(|bytes| (20..200).contains(&bytes)), "{next:?}");
}

/// One alert breaks every answer: its window is taken apart, then left alone, and no longer asked for when the service has
/// forgotten what was in it.
#[tokio::test]
async fn a_window_that_is_stuck_and_one_that_expires_are_told() {
    let scene = Scene::new(100).await;
    scene.add(1, &NewAlert::default());
    scene.poison(0, PoisonScope::Everything);
    let (paper, _guard, _handle) = listening();
    let mut said = Vec::new();
    let of = |said: &[Value], name: &str| said.iter().filter(|line| line["event"] == name).cloned().collect::<Vec<_>>();
    for _ in 0..60 {
        scene.advance(10 * MINUTE);
        scene.rig.pass(&scene.tenant).await;
        said.extend(events(&paper));
        if !of(&said, "gap.stuck").is_empty() {
            break;
        }
    }
    let stuck = of(&said, "gap.stuck");
    assert!(stuck.len() == 1 && stuck[0]["attempts"] == 5, "{stuck:?}");
    assert!(stuck[0]["reason"].as_str().is_some_and(|reason| reason.contains("500")), "{stuck:?}");
    // What was taken apart is opened in parts and not called closed.
    let (opened, closed) = (of(&said, "gap.opened"), of(&said, "gap.closed"));
    let ends = |line: &Value| (line["from"].clone(), line["until"].clone());
    assert!(opened.iter().any(|line| ends(line) == ends(&stuck[0])), "{opened:?}");
    assert!(!closed.iter().any(|line| ends(line) == ends(&stuck[0])), "{closed:?}");
    assert!(closed.len() < opened.len(), "{} of {}", closed.len(), opened.len());
    assert_eq!(scene.open_gaps(), 1);
    scene.advance(200 * 24 * 60 * MINUTE);
    scene.rig.pass(&scene.tenant).await;
    let expired = of(&events(&paper), "gap.expired");
    assert_eq!(expired.iter().map(ends).collect::<Vec<_>>(), [ends(&stuck[0])]);
}
