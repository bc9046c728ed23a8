//! Owns an alert as an OCSF event: a Detection Finding, with the attributes that an alert as a whole has.

mod evidence;
mod finding;
mod observable;
mod words;

use serde_json::Value;

use super::Source;
use super::alert::Alert;
use super::object::Object;
use super::web;
use crate::domain::Ticks;

/// The version of OCSF that events are written by.
pub(super) const VERSION: &str = "1.7.0";

/// Detection Finding, in the category Findings.
const CLASS: i64 = 2004;

/// Fields of the alert that have a place of their own; all others stand in `unmapped` as the service sent them.
const MAPPED: [&str; 21] = [
    "id",
    "incidentId",
    "severity",
    "status",
    "classification",
    "investigationState",
    "assignedTo",
    "detectionSource",
    "detectorId",
    "category",
    "threatName",
    "title",
    "description",
    "alertCreationTime",
    "firstEventTime",
    "lastEventTime",
    "lastUpdateTime",
    "machineId",
    "computerDnsName",
    "rbacGroupName",
    "mitreTechniques",
];

pub(super) fn event(source: &Source<'_>, alert: &Alert) -> Value {
    let evidences: Vec<Value> = alert.evidence.iter().filter_map(evidence::of).collect();
    let device = finding::device(source, alert).map(Value::from);
    let mut event = Object::new();
    class(&mut event, alert);
    event.set("time", milliseconds(alert.time));
    event.maybe("start_time", alert.own.time("firstEventTime").map(milliseconds));
    event.maybe("end_time", alert.own.time("lastEventTime").map(milliseconds));
    event.maybe("message", alert.own.text("title"));
    event.set("metadata", finding::metadata(source, alert, evidence::are_of_windows(&evidences)));
    event.set("finding_info", finding::info(source, alert));
    event.set("malware", finding::malware(alert));
    event.set("observables", observable::all(device.as_ref(), &evidences));
    event.set("resources", finding::resources(alert));
    event.maybe("device", device);
    event.set("evidences", evidences);
    event.set("raw_data", source.raw);
    event.set("unmapped", alert.own.others(&MAPPED));
    event.into()
}

/// What kind of event it is, how grave, and how far the work on it is.
fn class(event: &mut Object, alert: &Alert) {
    let status = alert.own.text("status");
    let activity = words::ACTIVITY.of(status);
    event.set("category_uid", 2);
    event.set("category_name", "Findings");
    event.set("class_uid", CLASS);
    event.set("class_name", "Detection Finding");
    event.set("type_uid", CLASS * 100 + activity.id);
    event.set("type_name", format!("Detection Finding: {}", activity.caption));
    event.set("is_alert", activity.id != words::CLOSE);
    activity.write(event, "activity_id", "activity_name");
    words::SEVERITY.of(alert.own.text("severity")).write(event, "severity_id", "severity");
    words::STATUS.of(status).write(event, "status_id", "status");
    event.maybe("status_detail", alert.own.text("investigationState"));
    if let Some(classification) = alert.own.text("classification") {
        words::VERDICT.of(Some(classification)).write(event, "verdict_id", "verdict");
    }
    if let Some(person) = alert.own.text("assignedTo") {
        event.set("assignee.name", person);
        event.maybe("assignee.email_addr", web::is_mail(person).then_some(person));
    }
}

/// Whole milliseconds since 1970.
fn milliseconds(time: Ticks) -> i64 {
    time.as_ticks().div_euclid(10_000)
}
