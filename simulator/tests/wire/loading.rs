//! Files of alerts, and filling a world at once.

use std::io::Cursor;
use std::time::Duration;

use alertferry_simulator::{LoadError, Options, Template, TieRow, Visibility, World};

use crate::support::{Bench, OTHER, TENANT, json, still_world, tiny};

#[tokio::test]
async fn a_loaded_line_is_served_byte_for_byte() {
    let odd = format!(
        r#"{{ "id" : "da637_-1" ,"lastUpdateTime":"2019-09-01T13:31:08.57Z", "unknownKey":{{"b":1,"a":[1.0,1e3]}},"aadTenantId":"{}","title":"\u00e9\/é","evidence": [ {{"x":1}} ] ,"alertUser":null }}"#,
        OTHER.to_uppercase()
    );
    let old = r#"{"id":"1234","lastUpdateTime":"2019-09-01T13:13:29.0566667Z","category":"null","aadTenantId":"5c824599-ab2c-43ab-651x-3b886d4f8f10"}"#;
    let mut world = still_world();
    let loaded = world.load_ndjson(Cursor::new(format!("{odd}\r\n\n{old}\n")), TENANT).expect("two alerts");
    assert_eq!((loaded.alerts, loaded.defaulted), (2, 1));
    let bench = Bench::of(world).await;
    let other = bench.request(OTHER, "/api/alerts?$expand=evidence").send().await.unwrap().text().await.unwrap();
    assert!(other.ends_with(&format!("\"value\":[{odd}]}}")), "{other}");
    let thin = bench.request(OTHER, "/api/alerts").send().await.unwrap().text().await.unwrap();
    assert!(thin.ends_with(&format!("\"value\":[{}]}}", odd.replace(r#"[ {"x":1} ]"#, "[]"))), "{thin}");
    let mine = bench.get("/api/alerts").await.text().await.unwrap();
    assert!(mine.ends_with(&format!("\"value\":[{old}]}}")), "no key is added, no age is too great: {mine}");
}

#[test]
fn a_bad_line_is_named() {
    let mut world = still_world();
    let text = format!("{}\n{{\"id\":\"x\"}}\n", tiny("da1_1", "2026-02-01T00:00:00Z"));
    let error = world.load_ndjson(Cursor::new(text), TENANT).expect_err("the second is none");
    assert!(matches!(error, LoadError::Line { line: 2, .. }), "{error}");
    assert_eq!(world.truth(TENANT).len(), 1);
}

#[tokio::test]
async fn a_tie_profile_is_reproduced() {
    let mut rows = vec![TieRow { create_to_update_s: 12.5, tie_group: 76, evidence: 1, bytes: 2_200 }; 76];
    rows.extend([TieRow { create_to_update_s: 3_600.0, tie_group: 2, evidence: 4, bytes: 4_000 }; 4]);
    rows.push(TieRow { create_to_update_s: 1.5, tie_group: 1, evidence: 0, bytes: 9_000 });
    let mut world = World::new(Options::default());
    let ids = world.add_from_tie_profile(TENANT, &rows);
    assert_eq!(ids.len(), 81);
    let truth = world.truth(TENANT);
    let mut groups = std::collections::BTreeMap::new();
    for row in &truth {
        *groups.entry(row.last_update_time.clone()).or_insert(0) += 1;
    }
    let mut sizes: Vec<i32> = groups.into_values().collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2, 2, 76]);
    let large = truth.iter().find(|row| row.id == ids[80]).expect("the last");
    assert!((8_990..9_100).contains(&large.expanded.len()), "{}", large.expanded.len());
    let first: serde_json::Value =
        serde_json::from_str(&truth.iter().find(|row| row.id == ids[0]).unwrap().expanded).unwrap();
    let at = |key: &str| alertferry_simulator::Ticks::parse(first[key].as_str().unwrap()).unwrap();
    assert_eq!(at("lastUpdateTime").unix_ticks() - at("alertCreationTime").unix_ticks(), 125_000_000);
}

#[tokio::test]
async fn a_template_fills_quickly_and_truly() {
    let mut world = World::new(Options::default());
    let template = Template { tie_group: 5, step: Duration::from_millis(3), ..Template::default() };
    let bytes = world.fill(TENANT, 1_000, &template);
    assert!((4_150_000..4_350_000).contains(&bytes), "{bytes}");
    let bench = Bench::of(world).await;
    let answer = json(bench.get("/api/alerts?$orderby=lastUpdateTime&$expand=evidence").await).await;
    let rows = answer["value"].as_array().unwrap();
    assert_eq!(rows.len(), 1_000);
    assert_eq!(rows[0]["lastUpdateTime"], rows[4]["lastUpdateTime"]);
    assert_ne!(rows[4]["lastUpdateTime"], rows[5]["lastUpdateTime"]);
    assert_eq!(rows[999]["evidence"].as_array().unwrap().len(), 4);
    let thin = json(bench.get("/api/alerts?$top=1").await).await;
    assert!(thin["value"][0]["evidence"].as_array().unwrap().is_empty());
}

#[test]
fn the_same_seed_makes_the_same_alerts() {
    let profile = alertferry_simulator::Profile {
        options: Options { start: Some(crate::support::start()), speed: 0.0, ..Options::default() },
        ..Default::default()
    };
    let (mut one, mut two) = (World::generate(7, &profile), World::generate(7, &profile));
    assert_eq!(one.tenant_ids(), two.tenant_ids());
    for tenant in one.tenant_ids() {
        let rows = one.truth(&tenant);
        assert_eq!(rows, two.truth(&tenant));
        assert!(rows.iter().all(|row| row.visibility == Visibility::Visible));
    }
    assert_ne!(one.tenant_ids(), World::generate(8, &profile).tenant_ids());
}
