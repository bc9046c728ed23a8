//! Owns what is said of a tenant: by `check`, by `status`, and by the log.

use alertferry_simulator::{Simulator, World};
use serde_json::Value;

use crate::rig::guid;
use crate::support::{Config, House, SELDOM};

pub const GOOD: &str = "{ file = \"secret\" }";

pub async fn house(mut world: World, app: &'static str) -> (Simulator, House) {
    world.add_tenant(&guid(1));
    let sim = Simulator::start(world).await.expect("a simulator");
    let mut config = Config::of(&sim);
    config.schedule = SELDOM;
    config.apps = vec![("main", app.to_owned())];
    (sim, House::with(&config))
}

/// The findings of a check.
pub fn findings(house: &House, code: i32) -> Vec<Value> {
    let said = house.run(&["check", "--format", "json"]);
    assert_eq!(said.code, Some(code), "{said:?}");
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// The only tenant of `status`.
pub fn standing(house: &House) -> Value {
    let said = house.run(&["status", "--format", "json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let report: Value = serde_json::from_str(&said.stdout).expect("JSON");
    report["tenants"][0].clone()
}

pub fn assert_says(fault: &str, what: &Value, key: &str, words: &str) {
    let text = what[key].as_str().unwrap_or_default();
    assert!(text.contains(words), "{fault}: `{words}` is not in {key}: {what}");
}
