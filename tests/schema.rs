//! Holds `docs/SCHEMA.md` against the database that the migrations make, both ways, and runs every query on it.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use alertferry::pass::Options;
use alertferry_simulator::{Edit, Simulator, Template};
use support::{Rig, guid, tenant, world};

const PAGE: &str = include_str!("../docs/SCHEMA.md");

/// The views users may count on, with the columns that must be there. More may follow, but none may go.
const PROMISED: [(&str, &str); 15] = [
    (
        "alerts",
        "tenant_id tenant_name alert_id incident_id severity status classification determination investigation_state \
         category detection_source title description assigned_to machine_id computer_dns_name threat_name \
         mitre_techniques alert_creation_time first_event_time last_event_time last_update_time resolved_time \
         first_seen_at evidence_count raw",
    ),
    ("alert_changes", "seq tenant_id alert_id kind observed_at last_update_time fields"),
    (
        "tenants",
        "tenant_id state reason remedy covered_until lag_seconds last_success_at consecutive_failures open_gaps \
         alert_count",
    ),
    ("gaps", "tenant_id from until reason"),
    ("passes", "tenant_id outcome requests rows created updated unchanged bytes ms"),
    (
        "evidence",
        "tenant_id alert_id entity_type evidence_creation_time sha1 sha256 file_name file_path process_id \
         process_command_line process_creation_time parent_process_id parent_process_creation_time \
         parent_process_file_name parent_process_file_path ip_address url registry_key registry_hive \
         registry_value_type registry_value registry_value_name account_name domain_name user_sid aad_user_id \
         user_principal_name detection_status entity",
    ),
    ("hunt", "value tenant_id tenant_name alert_id"),
    ("search", "words tenant_id tenant_name alert_id"),
    ("open_alerts", "tenant_id tenant_name severity alerts"),
    ("newest_alerts", "tenant_id alert_id severity title last_update_time"),
    ("stale_alerts", "tenant_id alert_id last_update_time days"),
    ("repeat_devices", "tenant_id machine_id alerts"),
    ("repeat_accounts", "tenant_id account_name alerts"),
    ("shared_titles", "title tenants alerts"),
    ("alert_times", "tenant_id alert_id severity first_touch_time resolved_time seconds_to_resolve reopened"),
];

/// A view that is no part of the public face: the index of words reads its texts from it.
const PRIVATE: &str = "alert_text";

/// A row of a table on the page.
#[derive(Debug, PartialEq, Eq)]
struct Column {
    name: String,
    kind: String,
}

/// The views of the page: each heading that is a name in code, with the table below it.
fn documented() -> BTreeMap<String, Vec<Column>> {
    let mut views = BTreeMap::new();
    for section in PAGE.split("\n## ").skip(1) {
        let Some(name) = section.strip_prefix('`').and_then(|rest| rest.split('`').next()) else { continue };
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let columns = rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(|cell| cell.trim()).collect();
            assert_eq!(cells.len(), 4, "column, type, meaning, example: {row}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
            Column { name: cells[0].trim_matches('`').to_owned(), kind: cells[1].to_owned() }
        });
        views.insert(name.to_owned(), columns.collect());
    }
    views
}

/// The views of a database with their columns, in order.
fn made(conn: &rusqlite::Connection) -> BTreeMap<String, Vec<String>> {
    let mut statement = conn
        .prepare("SELECT v.name, c.name FROM sqlite_schema AS v, pragma_table_info(v.name) AS c WHERE v.type = 'view' AND v.name <> ?1 ORDER BY v.name, c.cid")
        .expect("a statement");
    let rows = statement.query_map([PRIVATE], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let mut views: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        let (view, column) = row.expect("a row");
        views.entry(view).or_default().push(column);
    }
    views
}

/// The blocks of the page in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(fence.as_str()).skip(1).map(|part| part.split("\n```").next().expect("an end")).collect()
}

#[test]
fn the_page_shows_every_view_and_column_in_order() {
    let rig = Rig::new(Options::default());
    let page: BTreeMap<_, Vec<_>> =
        documented().into_iter().map(|(view, columns)| (view, columns.into_iter().map(|c| c.name).collect())).collect();
    let made = made(&support::open(&rig.path));
    let names = |views: &BTreeMap<String, Vec<String>>| views.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&page), names(&made), "the views of the page and of the database");
    for (view, columns) in &made {
        assert_eq!(&page[view], columns, "the columns of {view}, on the page and in the database");
    }
}

#[test]
fn comments_stand_in_the_schema() {
    let rig = Rig::new(Options::default());
    let bare = rig.query_all(
        "SELECT name, sql FROM sqlite_schema
         WHERE type IN ('table', 'view') AND sql NOT LIKE '%--%' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
           AND name <> 'refinery_schema_history' AND name NOT LIKE '%\\_index\\_%' ESCAPE '\\'",
    );
    assert!(bare.is_empty(), "tables and views without a comment: {bare:?}");
    let shown = rig.query_all("SELECT count(*) FROM sqlite_schema WHERE name IN ('evidence', 'value_index', 'alert')");
    assert_eq!(shown, [["3"]]);
}

#[test]
fn what_is_promised_is_there() {
    let rig = Rig::new(Options::default());
    let made = made(&support::open(&rig.path));
    for (view, columns) in PROMISED {
        let there = made.get(view).unwrap_or_else(|| panic!("no view {view}"));
        let missing: Vec<_> = columns.split(' ').filter(|column| !there.iter().any(|name| name == column)).collect();
        assert!(missing.is_empty(), "{view} lacks {missing:?}");
    }
    let promised: BTreeSet<_> = PROMISED.iter().map(|(view, _)| *view).collect();
    for view in made.keys() {
        assert!(promised.contains(view.as_str()), "{view} is new: promise its columns here");
    }
}

/// A store with some of everything, and the id of an alert that was updated.
async fn lived_in() -> (Rig, String) {
    let (one, two) = (guid(1), guid(2));
    let mut world = world();
    for id in [&one, &two] {
        world.add_tenant(id);
        world.fill(id, 40, &Template { evidence: 2, bytes: 1_500, ..Template::default() });
    }
    let sim = Simulator::start(world).await.expect("a simulator");
    let rig = Rig::new(Options { page_size: 30, ..Options::default() });
    let tenants = [tenant(&sim, &one), tenant(&sim, &two)];
    rig.enrol(&tenants).await;
    rig.pass_until_read(&tenants[0]).await;
    let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
    let changed = sim.world().with(|world| {
        let id = world.truth(&one)[7].id.clone();
        world.advance(std::time::Duration::from_secs(60));
        world.edit(&one, &id, &edit).expect("edited");
        id
    });
    rig.pass(&tenants[0]).await;
    (rig, changed)
}

#[tokio::test]
async fn every_query_on_the_page_runs() {
    let (rig, changed) = lived_in().await;
    let uri = format!("file:{}?mode=ro", rig.path.display());
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
    let conn = rusqlite::Connection::open_with_flags(uri, flags).expect("a read-only connection");
    let queries = blocks("sql");
    assert!(queries.len() >= 8, "{}", queries.len());
    let known = format!("'{}'", guid(1));
    let mut answered = 0;
    for query in queries {
        let here = query
            .replace("'a839b112-1253-6432-9bf6-94542403f21c'", &known)
            .replace("'da637308392288907382_-880718168'", &format!("'{changed}'"));
        let mut statement =
            conn.prepare(here.trim_end_matches(';')).unwrap_or_else(|error| panic!("{error}:\n{query}"));
        let mut rows = statement.query([]).expect(query);
        let mut count = 0;
        while rows.next().unwrap_or_else(|error| panic!("{error}:\n{query}")).is_some() {
            count += 1;
        }
        answered += usize::from(count > 0);
    }
    assert!(answered >= 6, "most queries find something in a store that was lived in: {answered}");
}

/// Types on the page against the values of a store that was lived in: `?` alone may be null.
#[tokio::test]
async fn values_are_of_the_types_on_the_page() {
    let (rig, _) = lived_in().await;
    for (view, columns) in documented() {
        for column in columns {
            let (kind, nullable) =
                column.kind.strip_suffix('?').map_or((column.kind.as_str(), false), |kind| (kind, true));
            assert!(["text", "integer"].contains(&kind), "{view}.{}: {kind}", column.name);
            // The indexes answer with MATCH alone.
            let asked = match view.as_str() {
                "hunt" => "WHERE value MATCH 'powershell*'",
                "search" => "WHERE words MATCH 'suspicious'",
                _ => "",
            };
            let found = rig.query_all(&format!("SELECT DISTINCT typeof(\"{}\") FROM {view} {asked}", column.name));
            for found in found.iter().map(|row| row[0].as_str()) {
                assert!(found == kind || nullable && found == "null", "{view}.{} is {found}, not {kind}", column.name);
            }
        }
    }
}

/// The values that the page lists are those of the code.
#[test]
fn listed_values_are_the_codes() {
    use alertferry::domain::{GapReason, TenantState};
    let row = |view: &str, column: &str| -> &str {
        let section = PAGE.split(&format!("\n## `{view}`")).nth(1).expect("a view");
        section.lines().find(|line| line.starts_with(&format!("| `{column}` "))).expect("a column")
    };
    for state in TenantState::ALL {
        assert!(row("tenants", "state").contains(&format!("`{state}`")), "{state}");
    }
    for reason in GapReason::ALL {
        assert!(row("gaps", "reason").contains(&format!("`{reason}`")), "{reason}");
    }
}
