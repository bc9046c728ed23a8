//! What happens to alerts, and what the truth and the API say of it.

use std::time::Duration;

use alertferry_simulator::{Edit, NewAlert, Options, Ticks, Visibility, World, WorldError};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::support::{Bench, TENANT, json, still_world};

fn rng() -> StdRng {
    StdRng::seed_from_u64(11)
}

fn minute(world: &mut World) {
    world.advance(Duration::from_secs(60));
}

/// The newest text of an alert.
fn newest(world: &mut World, id: &str) -> Value {
    let history = world.history(TENANT, id).expect("known");
    serde_json::from_str(&history.last().expect("a version").expanded).expect("JSON")
}

#[test]
fn every_operation_writes_a_version_and_stamps_it() {
    let (mut world, mut rng) = (still_world(), rng());
    let id = world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new");
    let created = newest(&mut world, &id);
    assert_eq!(created["lastUpdateTime"], "2026-03-01T08:00:00Z");
    minute(&mut world);
    world.grow_evidence(TENANT, &id, 3, &mut rng).expect("growth");
    let grown = newest(&mut world, &id);
    assert_eq!(grown["evidence"].as_array().unwrap().len(), 5);
    assert_eq!(grown["lastUpdateTime"], "2026-03-01T08:01:00Z");
    minute(&mut world);
    let edit = Edit {
        status: Some("Resolved".into()),
        assigned_to: Some("me".into()),
        classification: Some("TruePositive".into()),
        determination: Some("Malware".into()),
        comment: Some("done \"so\"".into()),
    };
    world.edit(TENANT, &id, &edit).expect("an edit");
    let edited = newest(&mut world, &id);
    for (key, value) in [
        ("status", "Resolved"),
        ("assignedTo", "me"),
        ("classification", "TruePositive"),
        ("determination", "Malware"),
        ("resolvedTime", "2026-03-01T08:02:00Z"),
    ] {
        assert_eq!(edited[key], value);
    }
    assert_eq!(edited["comments"][0]["comment"], "done \"so\"");
    minute(&mut world);
    world.recur(TENANT, &id).expect("recurrence");
    assert_eq!(newest(&mut world, &id)["lastEventTime"], "2026-03-01T08:02:00Z");
    world.set_members(TENANT, &id, &[("severity", "\"High\"".into()), ("fresh", "1".into())]).expect("anything");
    assert_eq!(newest(&mut world, &id)["fresh"], 1);
    let truth = world.truth(TENANT);
    assert_eq!((truth.len(), truth[0].versions), (1, 5));
    assert_eq!(truth[0].last_update_time, "2026-03-01T08:03:00Z");
}

#[test]
fn mass_changes_share_one_instant() {
    let (mut world, mut rng) = (World::new(Options::default()), rng());
    let ids: Vec<String> =
        (0..76).map(|_| world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new")).collect();
    world.merge_incidents(TENANT, &ids, 419).expect("a merge");
    let stamps: Vec<Value> = ids.iter().map(|id| newest(&mut world, id)["lastUpdateTime"].clone()).collect();
    assert!(stamps.iter().all(|stamp| *stamp == stamps[0]), "also while the clock runs");
    assert_eq!(newest(&mut world, &ids[5])["incidentId"], 419);
    world.bulk_resolve(TENANT, &ids[..4]).expect("a resolution");
    let resolved = newest(&mut world, &ids[3]);
    assert_eq!((&resolved["status"], &resolved["assignedTo"]), (&"Resolved".into(), &"API Action".into()));
    let at = |key: &str| Ticks::parse(resolved[key].as_str().unwrap()).unwrap();
    assert!(at("resolvedTime") < at("lastUpdateTime"));
}

#[tokio::test]
async fn an_alert_can_be_seen_later_than_it_is_stamped() {
    let (mut world, mut rng) = (still_world(), rng());
    let late = NewAlert { visible_after: Duration::from_secs(90), id: Some("da9_1".into()), ..NewAlert::default() };
    world.new_alert(TENANT, &mut rng, &late).expect("new");
    world.edit(TENANT, "da9_1", &Edit { status: Some("InProgress".into()), ..Edit::default() }).expect("an edit");
    let bench = Bench::of(world).await;
    let truth = || bench.sim.world().with(|world| world.truth(TENANT))[0].clone();
    assert_eq!((truth().visibility, truth().versions), (Visibility::Pending, 0));
    assert!(bench.ids("").await.is_empty());
    assert_eq!(bench.get("/api/alerts/da9_1").await.status(), 404);
    bench.sim.world().with(|world| world.advance(Duration::from_secs(89)));
    assert!(bench.ids("").await.is_empty());
    bench.sim.world().with(|world| world.advance(Duration::from_secs(1)));
    assert_eq!(bench.ids("").await, ["da9_1"]);
    assert!(truth().is_visible());
    let row = json(bench.get("/api/alerts").await).await["value"][0].clone();
    assert_eq!((&row["lastUpdateTime"], &row["status"]), (&"2026-03-01T08:00:00Z".into(), &"InProgress".into()));
}

#[tokio::test]
async fn a_lagging_tenant_shows_changes_late_and_never_an_older_one_last() {
    let (mut world, mut rng) = (still_world(), rng());
    let id = world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new");
    world.add_tenant(TENANT).visibility_lag = Duration::from_secs(30);
    minute(&mut world);
    world.edit(TENANT, &id, &Edit { assigned_to: Some("late".into()), ..Edit::default() }).expect("an edit");
    world.add_tenant(TENANT).visibility_lag = Duration::ZERO;
    world.advance(Duration::from_secs(1));
    assert_eq!(world.truth(TENANT)[0].versions, 1, "the first edit is on its way");
    world.edit(TENANT, &id, &Edit { status: Some("Resolved".into()), ..Edit::default() }).expect("an edit");
    minute(&mut world);
    let history = world.history(TENANT, &id).expect("known");
    assert_eq!(history.iter().map(|version| version.shown).collect::<Vec<_>>(), [true, false, true]);
    let shown = world.truth(TENANT)[0].clone();
    assert_eq!(shown.expanded, history[2].expanded);
    let now: Value = serde_json::from_str(&shown.expanded).expect("JSON");
    assert_eq!((&now["assignedTo"], &now["status"]), (&"late".into(), &"Resolved".into()), "edits build on each other");
}

#[tokio::test]
async fn alerts_age_out_by_their_last_update_and_come_back_when_touched() {
    let (mut world, mut rng) = (still_world(), rng());
    let old = world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new");
    world.advance(Duration::from_secs(86_400));
    let young = world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new");
    let bench = Bench::of(world).await;
    bench.sim.world().with(|world| world.advance(Duration::from_secs(179 * 86_400 + 1)));
    assert_eq!(bench.ids("").await, [young]);
    let truth = bench.sim.world().with(|world| world.truth(TENANT));
    let aged = truth.iter().find(|row| row.id == old).expect("still known");
    assert_eq!(aged.visibility, Visibility::AgedOut);
    bench.sim.world().with(|world| world.recur(TENANT, &old)).expect("recurrence");
    assert_eq!(bench.ids("").await.len(), 2);
}

#[test]
fn a_version_may_keep_or_turn_back_its_time() {
    let (mut world, mut rng) = (still_world(), rng());
    let id = world.new_alert(TENANT, &mut rng, &NewAlert::default()).expect("new");
    let earlier = world.now() - Duration::from_secs(3_600);
    world.set_members_at(TENANT, &id, &[("severity", "\"Low\"".into())], earlier, Duration::ZERO).expect("a change");
    let truth = world.truth(TENANT);
    assert_eq!((truth[0].last_update_time.as_str(), truth[0].versions), ("2026-03-01T07:00:00Z", 2));
    world.forget_alert(TENANT, &id).expect("known");
    assert!(world.truth(TENANT).is_empty());
    assert_eq!(world.recur(TENANT, &id), Err(WorldError::UnknownAlert(id.clone())));
    assert_eq!(world.recur("nobody", &id), Err(WorldError::UnknownTenant("nobody".into())));
}

#[tokio::test]
async fn a_living_world_stays_what_the_truth_says() {
    let (mut world, mut rng) = (still_world(), rng());
    let mut steps = Vec::new();
    for _ in 0..300 {
        world.advance(Duration::from_millis(7_321));
        steps.extend(world.live(&mut rng, 1));
    }
    assert_eq!(steps.len(), 300);
    let kinds: std::collections::BTreeSet<_> =
        steps.iter().map(|(_, step)| format!("{step:?}").split('(').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    let bench = Bench::of(world).await;
    let truth = bench.sim.world().with(|world| world.truth(TENANT));
    let visible: Vec<&str> = truth.iter().filter(|row| row.is_visible()).map(|row| &*row.expanded).collect();
    assert!(visible.len() > 50, "{}", visible.len());
    let text = bench.get("/api/alerts?$expand=evidence").await.text().await.expect("a body");
    assert!(text.ends_with(&format!("[{}]}}", visible.join(","))));
}
