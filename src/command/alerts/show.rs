//! Owns `alertferry alerts show`.

use std::io;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::command::output::{Format, cell, print, print_json, table, visible};
use crate::command::rows::plain;
use crate::command::select::tenant_called;
use crate::command::{Exit, Problem, select};
use crate::domain::evidence_of;
use crate::store::{Reading, Sink, Value};

/// The command line of `alerts show`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// The alert's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Its tenant, by id or name; needed when several tenants have an alert of this id.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A field is cut after so many characters in tables.
const MOST_FIELD_CHARS: usize = 4_000;
/// A value in a change or in evidence is cut after so many characters in tables.
const MOST_VALUE_CHARS: usize = 160;

/// Rows in memory.
#[derive(Default)]
struct Kept {
    names: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Sink for Kept {
    fn columns(&mut self, names: &[String]) -> io::Result<()> {
        self.names = names.to_vec();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        self.rows.push(values);
        Ok(())
    }
}

impl Kept {
    /// The rows as objects; columns that hold JSON are taken apart.
    fn objects(&self) -> Vec<Map<String, Json>> {
        let object = |row: &Vec<Value>| self.names.iter().cloned().zip(row.iter().map(json_of)).collect();
        self.rows.iter().map(object).collect()
    }
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    let id = arguments.id.as_str();
    let tenant = holder(&store, id, arguments.tenant.as_deref())?;
    let (mut found, mut history) = (Kept::default(), Kept::default());
    store.alert(&tenant, id, &mut found)?;
    store.history(&tenant, id, &mut history)?;
    let Some(alert) = found.objects().pop() else { return Err(unknown(id, None)) };
    let raw = alert.get("raw").and_then(Json::as_str).unwrap_or_default();
    let evidence = evidence_of(raw);
    let mut changes = history.objects();
    for change in &mut changes {
        let fields = change.get("fields").and_then(Json::as_str).and_then(|text| serde_json::from_str(text).ok());
        change.insert("fields".to_owned(), fields.unwrap_or(Json::Null));
    }
    match arguments.format {
        Format::Json => print_json(&json!({ "alert": alert, "evidence": evidence, "changes": changes }))?,
        Format::Table => {
            let parts = [fields(&found.names, &alert), entities(&evidence), story(&changes)];
            print(&parts.join("\n\n"))?;
        }
    }
    Ok(Exit::Done)
}

fn unknown(id: &str, tenant: Option<&str>) -> Problem {
    let of = tenant.map_or_else(String::new, |tenant| format!(" of `{tenant}`"));
    Problem::new(
        Exit::NoInput,
        format!("no alert{of} in the store has the id `{id}`; `alertferry alerts list` shows ids"),
    )
}

/// The tenant whose alert is meant.
fn holder(store: &Reading, id: &str, named: Option<&str>) -> Result<String, Problem> {
    let holders = store.holders(id)?;
    if let Some(name) = named {
        let tenant = tenant_called(store, name)?;
        return if holders.iter().any(|(id, _)| *id == tenant) { Ok(tenant) } else { Err(unknown(id, Some(name))) };
    }
    match holders.as_slice() {
        [] => Err(unknown(id, None)),
        [(tenant, _)] => Ok(tenant.clone()),
        several => {
            let names: Vec<String> = several.iter().map(|(id, name)| format!("{name} ({id})")).collect();
            let message = format!("several tenants have this alert; give --tenant with one of: {}", names.join(", "));
            Err(Problem::new(Exit::Usage, message))
        }
    }
}

/// The fields that have a value, one a line, in the order of the columns but for those that matter most.
fn fields(names: &[String], alert: &Map<String, Json>) -> String {
    let mut rows = table(&["field", "value"]);
    let first = ["title", "severity", "status", "tenant_name", "computer_dns_name", "last_update_time"];
    let rest = names.iter().map(String::as_str).filter(|name| !first.contains(name) && *name != "raw");
    for name in first.into_iter().chain(rest) {
        if let Some(value) = alert.get(name).filter(|value| !value.is_null()) {
            let text = cut(text_of(value), MOST_FIELD_CHARS);
            // Only a description is written in lines; elsewhere a line end is strange, and shown.
            let lines = if name == "description" { text.lines().collect() } else { vec![text.as_str()] };
            rows.add_row([name.to_owned(), lines.into_iter().map(visible).collect::<Vec<_>>().join("\n")]);
        }
    }
    rows.to_string()
}

/// A line an entity: its kind, and what is known of it.
fn entities(evidence: &[Map<String, Json>]) -> String {
    let mut rows = table(&["evidence", "what is known"]);
    for entity in evidence {
        let kind = entity.get("entityType").map_or_else(String::new, text_of);
        let known = entity.iter().filter(|(name, value)| *name != "entityType" && !value.is_null());
        let known: Vec<String> = known.map(|(name, value)| format!("{name}: {}", short(value))).collect();
        rows.add_row([cell(kind), cell(known.join(", "))]);
    }
    rows.to_string()
}

/// A line a change: when it was seen, and what became of what.
fn story(changes: &[Map<String, Json>]) -> String {
    let mut rows = table(&["change", "observed", "kind", "what"]);
    for change in changes {
        let text = |name: &str| change.get(name).map_or_else(String::new, text_of);
        let fields = change.get("fields").and_then(Json::as_object);
        let parts: Vec<String> = fields.into_iter().flatten().map(|(name, pair)| became(name, pair)).collect();
        let observed = text("observed_at");
        let observed = observed.get(..19).unwrap_or(&observed).to_owned();
        rows.add_row([cell(text("seq")), cell(observed), cell(text("kind")), cell(parts.join(", "))]);
    }
    rows.to_string()
}

fn became(name: &str, pair: &Json) -> String {
    match (&pair[0], &pair[1]) {
        (Json::Array(gone), Json::Array(come)) if ["evidence", "comments"].contains(&name) => {
            format!("{name}: {} gone, {} new", gone.len(), come.len())
        }
        (old, new) => format!("{name}: {} → {}", short(old), short(new)),
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(_) | Value::Blob(_) => json!(plain(value)),
    }
}

fn text_of(value: &Json) -> String {
    match value {
        Json::Null => "–".to_owned(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

fn short(value: &Json) -> String {
    cut(text_of(value), MOST_VALUE_CHARS)
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}
