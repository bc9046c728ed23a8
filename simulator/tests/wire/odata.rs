//! Filters, orders, cuts and projections, as a client sees them.

use std::time::Duration;

use alertferry_simulator::{Options, World};
use serde_json::Value;

use crate::support::{Bench, TENANT, json, start, tiny};

/// Ids chosen so that no order of time is the order of ids.
async fn five() -> Bench {
    let rows = [
        ("da3_1", "2026-02-01T00:00:00Z", "New", "High", "null"),
        ("da1_1", "2026-02-02T00:00:00.3333333Z", "New", "Low", "'o''brien'"),
        ("da5_1", "2026-02-02T00:00:00.3333333Z", "Resolved", "Low", "null"),
        ("da2_1", "2026-02-02T00:00:00.6666667Z", "InProgress", "Medium", "null"),
        ("da4_1", "2026-02-03T00:00:00.12Z", "New", "High", "'x'"),
    ];
    let texts: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(index, (id, time, status, severity, assigned))| {
            let assigned = assigned.replace("''", "!").replace('\'', "\"").replace('!', "'");
            tiny(id, time)
                .replace(r#""status":"New""#, &format!(r#""status":"{status}""#))
                .replace(r#""severity":"Low""#, &format!(r#""severity":"{severity}""#))
                .replace(r#""assignedTo":null"#, &format!(r#""assignedTo":{assigned}"#))
                .replace(r#""incidentId":7"#, &format!(r#""incidentId":{index}"#))
        })
        .collect();
    Bench::with_alerts(&texts).await
}

#[tokio::test]
async fn every_operator_on_the_time_of_update() {
    let bench = five().await;
    let at = "2026-02-02T00:00:00.3333333Z";
    for (operator, expected) in [
        ("eq", vec!["da1_1", "da5_1"]),
        ("ne", vec!["da2_1", "da3_1", "da4_1"]),
        ("gt", vec!["da2_1", "da4_1"]),
        ("ge", vec!["da1_1", "da2_1", "da4_1", "da5_1"]),
        ("lt", vec!["da3_1"]),
        ("le", vec!["da1_1", "da3_1", "da5_1"]),
    ] {
        assert_eq!(bench.ids(&format!("$filter=lastUpdateTime {operator} {at}")).await, expected, "{operator}");
    }
    let window = "$filter=lastUpdateTime ge 2026-02-02T00:00:00.3333334Z and lastUpdateTime lt 2026-02-03T00:00:00.12Z";
    assert_eq!(bench.ids(window).await, ["da2_1"]);
    assert!(
        bench
            .ids("$filter=lastUpdateTime gt 2026-02-03T00:00:00Z and lastUpdateTime lt 2026-02-02T00:00:00Z")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn text_numbers_nulls_and_parentheses() {
    let bench = five().await;
    for (filter, expected) in [
        ("id gt 'da3_1'", vec!["da4_1", "da5_1"]),
        ("status eq 'New' and severity eq 'High'", vec!["da3_1", "da4_1"]),
        ("status eq 'Resolved' or severity eq 'High' and id lt 'da4'", vec!["da3_1", "da5_1"]),
        ("(status eq 'Resolved' or severity eq 'High') and id lt 'da4'", vec!["da3_1"]),
        ("assignedTo eq 'o''brien'", vec!["da1_1"]),
        ("assignedTo eq null", vec!["da2_1", "da3_1", "da5_1"]),
        ("assignedTo ne null", vec!["da1_1", "da4_1"]),
        ("assignedTo gt 'a'", vec!["da1_1", "da4_1"]),
        ("incidentId ge 3", vec!["da2_1", "da4_1"]),
        ("alertCreationTime eq 2026-02-01T00:00:00.1234567Z and id le 'da1_1'", vec!["da1_1"]),
        ("detectionSource eq 'x'", vec![]),
        ("status eq 'new'", vec![]),
    ] {
        assert_eq!(bench.ids(&format!("$filter={filter}")).await, expected, "{filter}");
    }
    let plus = bench.get("/api/alerts?$filter=id+gt+'da4_1'").await;
    assert_eq!(json(plus).await["value"][0]["id"], "da5_1");
}

#[tokio::test]
async fn orders() {
    let bench = five().await;
    for (order, expected) in [
        ("lastUpdateTime", ["da3_1", "da1_1", "da5_1", "da2_1", "da4_1"]),
        ("lastUpdateTime asc,id asc", ["da3_1", "da1_1", "da5_1", "da2_1", "da4_1"]),
        ("lastUpdateTime asc,id desc", ["da3_1", "da5_1", "da1_1", "da2_1", "da4_1"]),
        ("lastUpdateTime desc", ["da4_1", "da2_1", "da1_1", "da5_1", "da3_1"]),
        ("severity,status desc", ["da3_1", "da4_1", "da5_1", "da1_1", "da2_1"]),
        ("assignedTo,incidentId desc", ["da2_1", "da5_1", "da3_1", "da1_1", "da4_1"]),
        ("id desc", ["da5_1", "da4_1", "da3_1", "da2_1", "da1_1"]),
    ] {
        assert_eq!(bench.ids(&format!("$orderby={order}")).await, expected, "{order}");
    }
}

#[tokio::test]
async fn top_caps_the_total_and_skip_comes_first() {
    let bench = five().await;
    assert_eq!(bench.ids("$top=2").await, ["da1_1", "da2_1"]);
    assert_eq!(bench.ids("$top=2&$skip=3").await, ["da4_1", "da5_1"]);
    assert_eq!(bench.ids("$skip=4&$orderby=lastUpdateTime").await, ["da4_1"]);
    assert_eq!(
        bench.ids("$filter=lastUpdateTime ge 2026-02-02T00:00:00Z&$orderby=lastUpdateTime&$top=1&$skip=1").await,
        ["da5_1"]
    );
    assert!(bench.ids("$top=0").await.is_empty());
    bench.sim.world().with(|world| world.options.page_limit = 3);
    assert_eq!(bench.ids("").await.len(), 3, "an answer without $top ends at the limit, and has no link");
    let (status, code, message) = bench.refusal("$top=4").await;
    assert_eq!((status, code.as_str()), (400, "ODataError"));
    assert!(message.contains("The limit of '3' for Top query has been exceeded."), "{message}");
}

#[tokio::test]
async fn select_drops_the_other_keys() {
    let bench = five().await;
    let answer = json(bench.get("/api/alerts?$select=status,id&$top=1").await).await;
    assert_eq!(
        answer["@odata.context"],
        "https://api-eu3.securitycenter.microsoft.com/api/$metadata#Alerts(status,id)"
    );
    assert_eq!(answer["value"][0], serde_json::json!({"status": "New", "id": "da1_1"}));
    let without = json(bench.get("/api/alerts?$select=id&$expand=evidence&$top=1").await).await;
    assert_eq!(without["value"][0], serde_json::json!({"id": "da1_1"}), "not selected, not returned");
    let with = json(bench.get("/api/alerts?$select=id,evidence&$expand=evidence&$top=1").await).await;
    assert_eq!(with["value"][0]["evidence"][0]["entityType"], "Ip");
}

#[tokio::test]
async fn bad_queries_are_refused_in_the_envelope() {
    let bench = five().await;
    for query in [
        "$filter=lastUpdateTime%20ge%20'2026-02-02T00:00:00Z'",
        "$filter=title%20eq%20'x'",
        "$filter=lastUpdateTime%20gee%202026-02-02T00:00:00Z",
        "$filter=",
        "$count=true",
        "$orderby=title",
        "$expand=machine",
        "$top=ten",
        "$top=10001",
    ] {
        let (status, code, message) = bench.refusal(query).await;
        assert_eq!((status, code.as_str()), (400, "ODataError"), "{query}");
        assert!(message.starts_with("The query specified in the URI is not valid."), "{message}");
    }
}

#[tokio::test]
async fn stored_precision_compares_the_fraction_behind_the_text() {
    let mut world =
        World::new(Options { start: Some(start()), speed: 0.0, stored_precision: true, ..Options::default() });
    for (id, fraction) in [("da1_1", ".3333333"), ("da2_1", ".6666667"), ("da3_1", ".5")] {
        world
            .add_text(TENANT, &tiny(id, &format!("2026-02-02T00:00:00{fraction}Z")), Duration::ZERO)
            .expect("an alert");
    }
    let bench = Bench::of(world).await;
    let ask = async |operator: &str, fraction: &str| {
        bench.ids(&format!("$filter=lastUpdateTime {operator} 2026-02-02T00:00:00{fraction}Z")).await
    };
    assert!(ask("ge", ".6666667").await.is_empty(), "the text is larger than what is stored");
    assert_eq!(ask("gt", ".3333333").await, ["da1_1", "da2_1", "da3_1"], "the text is smaller than what is stored");
    assert!(ask("eq", ".6666667").await.is_empty());
    assert!(ask("eq", ".3333333").await.is_empty());
    assert_eq!(ask("eq", ".5").await, ["da3_1"], "whole hundredths are exact");
    assert_eq!(ask("ge", ".6666666").await, ["da2_1"]);
    assert_eq!(bench.ids("$orderby=lastUpdateTime").await, ["da1_1", "da3_1", "da2_1"]);
}

#[tokio::test]
async fn printed_precision_compares_the_text() {
    let bench = five().await;
    assert_eq!(bench.ids("$filter=lastUpdateTime ge 2026-02-02T00:00:00.6666667Z").await, ["da2_1", "da4_1"]);
    assert_eq!(bench.ids("$filter=lastUpdateTime eq 2026-02-02T00:00:00.6666667Z").await, ["da2_1"]);
}

/// The index and the plain way of answering must agree.
#[tokio::test]
async fn any_filter_by_time_agrees_with_a_plain_look_at_all_rows() {
    let world = World::generate(5, &alertferry_simulator::Profile { tenants: 1, ..Default::default() });
    let tenant = world.tenant_ids()[0].clone();
    let bench = Bench::of(world).await;
    let truth = bench.sim.world().with(|world| world.truth(&tenant));
    let mut times: Vec<_> =
        truth.iter().filter_map(|row| alertferry_simulator::Ticks::parse(&row.last_update_time)).collect();
    times.sort_unstable();
    for (low, high) in [(0, times.len() - 1), (times.len() / 3, times.len() / 2), (times.len() - 1, times.len() - 1)] {
        let (low, high) = (times[low], times[high]);
        let query =
            format!("/api/alerts?$filter=lastUpdateTime ge {low} and lastUpdateTime le {high}&$orderby=lastUpdateTime");
        let answer = bench.request(&tenant, &query.replace(' ', "%20")).send().await.expect("an answer");
        let answer: Value = json(answer).await;
        let found: Vec<&str> =
            answer["value"].as_array().unwrap().iter().map(|row| row["lastUpdateTime"].as_str().unwrap()).collect();
        let expected: Vec<String> =
            times.iter().filter(|at| (low..=high).contains(*at)).map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }
}
