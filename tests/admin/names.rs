//! Rules, dashboard and page name exactly the metrics that a running daemon gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::client::{get, scrape, start};
use crate::openmetrics::Exposition;
use crate::support::{Config, on_threads, simulator, wait_until};

const RULES: &str = include_str!("../../contrib/prometheus/alertferry.rules.yml");
const RULE_TESTS: &str = include_str!("../../contrib/prometheus/alertferry.rules.test.yml");
const DASHBOARD: &str = include_str!("../../contrib/grafana/alertferry.json");
const PAGE: &str = include_str!("../../docs/METRICS.md");

/// Every name of a metric in `text`.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let found = text.match_indices("alertferry_").filter(|(at, _)| !text[..*at].ends_with(word));
    found.map(|(at, _)| text[at..].chars().take_while(|c| word(*c)).collect()).collect()
}

/// Every `expr` of a dashboard, and the queries of its variables.
fn expressions(value: &Value, found: &mut String) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if let Some(text) = member.as_str() {
                    if ["expr", "query", "definition"].contains(&key.as_str()) {
                        found.push_str(text);
                        found.push('\n');
                    }
                } else {
                    expressions(member, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a running daemon with a tenant gives.
fn given() -> Exposition {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let mut config = Config::of(&sim);
        config.apps = vec![("main", "{ file = \"secret\", expires_at = \"2999-01-31\" }".to_owned())];
        let (house, daemon, address) = start(&config, "").await;
        house.wait_until_read_once().await;
        wait_until("readiness", || get(&address, "/readyz").status == 200).await;
        let seen = scrape(&address);
        daemon.stop().await;
        seen
    })
}

/// Each name that may stand in an expression, with the name of its metric.
fn samples(seen: &Exposition) -> BTreeMap<String, String> {
    let names = seen
        .families
        .iter()
        .flat_map(|family| family.samples.iter().map(|sample| (sample.0.clone(), family.known_as())));
    names.collect()
}

#[test]
fn rules_dashboard_and_page_name_what_is_there() {
    let seen = given();
    let samples = samples(&seen);
    let metrics: BTreeSet<String> = samples.values().cloned().collect();
    let mut drawn = String::new();
    expressions(&serde_json::from_str(DASHBOARD).expect("JSON"), &mut drawn);
    let mut used = BTreeSet::new();
    for (what, text) in [("the rules", RULES), ("their tests", RULE_TESTS), ("the dashboard", &drawn)] {
        for name in named(text) {
            let metric = samples.get(&name).unwrap_or_else(|| panic!("{what}: nothing gives {name}"));
            used.insert(metric.clone());
        }
    }
    assert_eq!(used, metrics, "what is drawn or watched, and what there is");
    let told: BTreeSet<String> = rows().keys().cloned().collect();
    assert_eq!(told, metrics, "docs/METRICS.md, and what there is");
}

/// The rows of the page: a metric, and its labels.
fn rows() -> BTreeMap<String, BTreeSet<String>> {
    let cells = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `alertferry_"))
        .map(|row| row.split(" | ").collect::<Vec<_>>());
    cells
        .map(|cells| {
            let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (format!("alertferry_{}", cells[0].trim_end_matches('`')), labels)
        })
        .collect()
}

#[test]
fn the_page_tells_type_and_labels() {
    let rows = rows();
    for family in given().families {
        let labels = family.samples.iter().flat_map(|sample| sample.1.keys().cloned()).filter(|label| label != "le");
        let name = family.known_as();
        assert_eq!(rows.get(&name), Some(&labels.collect()), "the labels of {name}");
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{name}` | "))).expect("a row");
        let kind = row.split(" | ").nth(1).expect("a type");
        assert_eq!(kind, family.kind, "{name}");
    }
}

/// Each alert says what is wrong, what it means, what to do, and where more stands.
#[test]
fn each_alert_says_what_to_do_and_is_tested() {
    let operations =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md")).expect("the page");
    let anchor = |heading: &str| -> String {
        let kept =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    };
    let anchors: BTreeSet<String> = operations
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let rules: Vec<&str> = RULES.split("\n      - alert: ").skip(1).collect();
    assert!(rules.len() >= 15, "{}", rules.len());
    for rule in rules {
        let name = rule.lines().next().expect("a name");
        for part in ["expr:", "severity:", "summary:", "description:", "action:", "runbook_url: docs/OPERATIONS.md#"] {
            assert!(rule.contains(part), "{name} has no {part}");
        }
        let link = rule.split("docs/OPERATIONS.md#").nth(1).and_then(|rest| rest.lines().next()).expect("a link");
        assert!(anchors.contains(link), "{name}: no heading {link}");
        assert!(RULE_TESTS.contains(&format!("alertname: {name}\n")), "{name} has no test");
        assert!(operations.contains(&format!("`{name}`")), "{name} is not on the page");
    }
}
