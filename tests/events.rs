//! Holds `docs/EVENTS.md` against the table of events in the code, and the table against what is really emitted.

#[path = "support/paper.rs"]
mod paper;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use alertferry::domain::{FailureClass, GapReason, TenantId, TenantState, Ticks};
use alertferry::event::{CATALOG, Event, EventDoc, Json};
use alertferry::logging::{Format, Options, build};
use paper::Paper;

/// The part of the page after this line is made from the table.
const MARK: &str = "<!-- From here on this page is made from the code: cargo test --test events -- --ignored -->\n";

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/EVENTS.md")
}

fn rendered() -> String {
    let mut text = String::new();
    for event in CATALOG {
        let levels: Vec<String> = event.levels.iter().map(|l| format!("`{}`", l.as_str().to_lowercase())).collect();
        write!(text, "\n## `{}`\n\n{} ({})\n", event.name, event.doc.trim(), levels.join(" or ")).expect("written");
        if !event.fields.is_empty() {
            text.push_str("\n| field | is a | says |\n|---|---|---|\n");
        }
        for field in event.fields {
            let optional = if field.optional { ", if known" } else { "" };
            writeln!(text, "| `{}` | {}{optional} | {} |", field.name, field.kind, field.doc.trim()).expect("written");
        }
    }
    text
}

#[test]
fn the_page_shows_the_table() {
    let page = std::fs::read_to_string(page()).expect("docs/EVENTS.md");
    let (_, shown) = page.split_once(MARK).expect("the mark in docs/EVENTS.md");
    let rendered = rendered();
    let sections = |text: &str| -> BTreeMap<String, String> {
        let parts = text.split("\n## ").skip(1);
        parts.map(|part| (part.lines().next().unwrap_or_default().to_owned(), part.trim().to_owned())).collect()
    };
    let (shown_parts, table_parts) = (sections(shown), sections(&rendered));
    let names = |parts: &BTreeMap<String, String>| parts.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&shown_parts), names(&table_parts), "the events of the page and of the code");
    for (name, part) in &table_parts {
        assert_eq!(&shown_parts[name], part, "the section on {name}");
    }
    assert_eq!(shown, rendered, "the order, or text between the sections");
}

#[test]
#[ignore = "writes docs/EVENTS.md anew from the table"]
fn write_the_page() {
    let old = std::fs::read_to_string(page()).expect("docs/EVENTS.md");
    let (head, _) = old.split_once(MARK).expect("the mark in docs/EVENTS.md");
    std::fs::write(page(), format!("{head}{MARK}{}", rendered())).expect("written");
}

#[test]
fn names_are_dotted_unique_and_fields_are_snake_case() {
    let mut seen = BTreeSet::new();
    for event in CATALOG {
        assert!(seen.insert(event.name), "{} twice", event.name);
        let parts: Vec<_> = event.name.split('.').collect();
        assert!(parts.len() == 2 && parts.iter().all(|part| is_snake(part)), "{}", event.name);
        let fields: BTreeSet<_> = event.fields.iter().map(|field| field.name).collect();
        assert_eq!(fields.len(), event.fields.len(), "{}", event.name);
        assert!(fields.iter().all(|name| is_snake(name)), "{fields:?}");
        assert!(["ts", "level", "event", "msg", "target"].iter().all(|name| !fields.contains(name)), "{}", event.name);
        assert!(!event.doc.trim().is_empty() && !event.levels.is_empty(), "{}", event.name);
    }
}

fn is_snake(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn said(events: &[Event<'_>]) -> Vec<serde_json::Value> {
    let paper = Paper::default();
    let options = Options { format: Format::Json, level: "trace", ..Options::default() };
    let (log, _handle) = build(&options, Box::new(paper.clone())).expect("a log");
    tracing::subscriber::with_default(log, || events.iter().for_each(Event::emit));
    paper.lines()
}

fn documented(name: &str) -> &'static EventDoc {
    CATALOG.iter().find(|event| event.name == name).expect("in the table")
}

/// One of each event that takes no choice of level, with every optional field given.
fn one_of_each(tenant: TenantId, at: Ticks) -> Vec<Event<'static>> {
    let (name, app, reason, remedy) = ("Contoso", "main", "why", Some("what"));
    let (from, until, class) = (at, at.next(), FailureClass::Transient);
    let (alert, text) = ("da1_1", Some("text"));
    let gap = GapReason::CatchUp;
    vec![
        Event::DaemonStarted { version: "1", pid: 1, store: "/s", tenants: 2 },
        Event::DaemonReady {},
        Event::DaemonStuck { reason },
        Event::AdminListening { address: "127.0.0.1:9466" },
        Event::DaemonStopping { signal: "SIGTERM" },
        Event::DaemonStopped { ms: 1 },
        Event::ConfigReloaded { tenants: 1, added: 2, removed: 3 },
        Event::ConfigRejected { reason },
        Event::ScheduleStalled { seconds: 1 },
        Event::ScheduleOverrun { missed: 1 },
        Event::TenantAdded { tenant, name },
        Event::TenantRemoved { tenant, name: "" },
        Event::TokenAcquired { tenant, app, expires_at: at },
        Event::TokenFailed { tenant, app, class, reason, remedy },
        Event::AppRefused { app, reason, remedy },
        Event::AppAccepted { app },
        Event::CredentialUnusable { app, kind: "secret", place: "/s", reason, remedy: "what" },
        Event::CredentialExpiring { app, kind: "secret", place: "/s", ends_at: at, days: 7 },
        Event::CredentialExpired { app, kind: "certificate", place: "/s", ended_at: at },
        Event::GapOpened { tenant, from, until, reason: gap },
        Event::GapClosed { tenant, from, until, reason: gap },
        Event::GapExpired { tenant, from, until, reason: gap },
        Event::GapStuck { tenant, from, until, attempts: 3, reason },
        Event::AlertQuarantined { tenant, alert: text, reason },
        Event::ClockSkewed { seconds: -3, tenant },
        Event::StoreOpened { path: "/s", schema_version: 1 },
        Event::StoreMigrated { from: 1, to: 2, backup: text },
        Event::StoreFailed { reason, class },
        Event::StoreRecovered {},
        Event::OutboxFailed { reason },
        Event::TenantStateChanged {
            tenant,
            name,
            from: TenantState::New,
            to: TenantState::Ok,
            reason: text,
            remedy: text,
        },
        pass(tenant, Some(class), Some(reason)),
        Event::AlertCreated {
            seq: 1,
            tenant,
            name,
            alert,
            severity: text,
            status: text,
            category: text,
            detection_source: text,
            title: text,
            device: text,
            incident: Some(4),
            last_update_time: at,
        },
        updated(tenant, at, r#"{"status":["New","Resolved"]}"#, text),
    ]
}

fn pass(tenant: TenantId, class: Option<FailureClass>, reason: Option<&'static str>) -> Event<'static> {
    Event::PassFinished {
        tenant,
        name: "Contoso",
        outcome: "complete",
        requests: 1,
        rows: 2,
        created: 0,
        updated: 0,
        unchanged: 2,
        quarantined: 0,
        bytes: 3,
        ms: 4,
        covered_until: class.map(|_| Ticks::from_unix_seconds(0)),
        open_gaps: 0,
        gaps_moved: false,
        next_attempt_at: class.map(|_| Ticks::from_unix_seconds(0)),
        class,
        reason,
    }
}

fn updated<'a>(tenant: TenantId, at: Ticks, fields: &'a str, text: Option<&'a str>) -> Event<'a> {
    Event::AlertUpdated {
        seq: 2,
        tenant,
        name: "Contoso",
        alert: "da1_1",
        severity: text,
        status: text,
        category: text,
        detection_source: text,
        title: text,
        device: text,
        incident: text.map(|_| 4),
        last_update_time: at,
        fields: Json(fields),
    }
}

fn tenant() -> TenantId {
    TenantId::parse("11111111-2222-3333-4444-555555555555").expect("a GUID")
}

#[test]
fn each_event_says_what_is_documented() {
    let at = Ticks::from_unix_seconds(1_795_000_000);
    let events = one_of_each(tenant(), at);
    let mut unsaid: BTreeSet<_> = CATALOG.iter().map(|event| event.name).collect();
    for (event, line) in events.iter().zip(said(&events)) {
        let doc = documented(event.name());
        unsaid.remove(doc.name);
        let line = line.as_object().expect("an object");
        assert_eq!(line["event"], doc.name);
        assert!(doc.levels.iter().any(|level| line["level"] == level.as_str().to_lowercase()), "{line:?}");
        assert!(line["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{line:?}");
        let head = ["ts", "level", "event", "msg"];
        let fields: BTreeSet<&str> = line.keys().map(String::as_str).filter(|key| !head.contains(key)).collect();
        assert_eq!(fields, doc.fields.iter().map(|field| field.name).collect(), "{}", doc.name);
        for field in doc.fields {
            let value = &line[field.name];
            let fits = match field.kind {
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                "object" => value.is_object(),
                "time" => value.as_str().is_some_and(|text| text.parse::<Ticks>().is_ok()),
                "GUID" => value.as_str().is_some_and(|text| TenantId::parse(text).is_ok()),
                _ => value.is_string(),
            };
            assert!(fits, "{} {}: {value}", doc.name, field.name);
        }
    }
    assert_eq!(unsaid, BTreeSet::new(), "events without an example here");
}

#[test]
fn what_is_not_known_is_left_out() {
    let lines = said(&[updated(tenant(), Ticks::from_unix_seconds(0), "{}", None), pass(tenant(), None, None)]);
    for name in ["severity", "status", "category", "detection_source", "title", "device", "incident"] {
        assert!(lines[0].get(name).is_none(), "{name}");
    }
    for name in ["covered_until", "next_attempt_at", "class", "reason"] {
        assert!(lines[1].get(name).is_none(), "{name}");
    }
}

#[test]
fn the_level_follows_what_happened() {
    let level = |event: Event<'_>| said(&[event])[0]["level"].as_str().expect("a level").to_owned();
    let state = |to| Event::TenantStateChanged {
        tenant: tenant(),
        name: "",
        from: TenantState::New,
        to,
        reason: None,
        remedy: None,
    };
    assert_eq!(level(state(TenantState::Ok)), "info");
    for to in TenantState::ALL.into_iter().filter(|to| *to != TenantState::Ok) {
        assert_eq!(level(state(to)), "warn", "{to}");
    }
    assert_eq!(level(pass(tenant(), None, None)), "debug");
    assert_eq!(level(pass(tenant(), Some(FailureClass::Tenant), Some("why"))), "warn");
    let moved = |change: &dyn Fn(&mut u64, &mut u64, &mut u64, &mut bool)| {
        let mut event = pass(tenant(), None, None);
        if let Event::PassFinished { created, updated, quarantined, gaps_moved, .. } = &mut event {
            change(created, updated, quarantined, gaps_moved);
        }
        level(event)
    };
    assert_eq!(moved(&|created, _, _, _| *created = 1), "info");
    assert_eq!(moved(&|_, updated, _, _| *updated = 1), "info");
    assert_eq!(moved(&|_, _, quarantined, _| *quarantined = 1), "info");
    assert_eq!(moved(&|_, _, _, gaps| *gaps = true), "info");
}

/// Whoever counts hears an event whatever the log lets through, with the level that it has.
#[test]
fn a_listener_hears_what_no_log_shows() {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hearing = std::sync::Arc::clone(&heard);
    let mark = "heard-by-the-listener";
    alertferry::event::listen(move |event| {
        if let Event::ConfigRejected { reason: "heard-by-the-listener" }
        | Event::DaemonStarted { store: "heard-by-the-listener", .. } = event
        {
            hearing.lock().expect("no panic").push((event.name(), event.level()));
        }
    });
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
        Event::ConfigRejected { reason: mark }.emit();
        Event::DaemonStarted { version: "1", pid: 1, store: mark, tenants: 1 }.emit();
    });
    let heard = heard.lock().expect("no panic").clone();
    assert_eq!(heard, [("config.rejected", tracing::Level::ERROR), ("daemon.started", tracing::Level::INFO)]);
}
