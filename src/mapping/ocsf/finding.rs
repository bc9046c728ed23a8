//! Owns the objects that describe a finding as a whole: where it comes from, what was found, and on which device.

use serde_json::Value;

use super::super::Source;
use super::super::alert::Alert;
use super::super::object::Object;
use super::{VERSION, milliseconds, words};

/// A text that names this version of the alert in this store.
fn version_of(source: &Source<'_>) -> String {
    format!("{}-{}", source.tenant_id, source.seq)
}

pub(super) fn metadata(source: &Source<'_>, alert: &Alert, of_windows: bool) -> Object {
    let mut metadata = Object::new();
    metadata.set("version", VERSION);
    metadata.set("profiles", vec!["incident"]);
    metadata.set("uid", version_of(source));
    metadata.set("sequence", source.seq);
    metadata.set("tenant_uid", source.tenant_id);
    metadata.set("log_provider", "alertferry");
    metadata.set("product.name", "Microsoft Defender for Endpoint");
    metadata.set("product.vendor_name", "Microsoft");
    metadata.maybe("product.feature.name", alert.own.text("detectionSource"));
    metadata.maybe("original_event_uid", alert.own.text("id"));
    metadata.maybe("original_time", alert.own.text("alertCreationTime"));
    metadata.maybe("correlation_uid", alert.own.integer("incidentId").map(|number| number.to_string()));
    metadata.maybe("modified_time", alert.own.time("lastUpdateTime").map(milliseconds));
    metadata.maybe("logged_time", source.first_seen_at.parse().ok().map(milliseconds));
    if !source.tenant_name.is_empty() {
        metadata.set("tags", one([("name", "tenant_name".into()), ("value", source.tenant_name.into())]));
    }
    if of_windows {
        metadata.set("extensions", one([("name", "win".into()), ("uid", "2".into()), ("version", VERSION.into())]));
    }
    metadata
}

pub(super) fn info(source: &Source<'_>, alert: &Alert) -> Object {
    let mut info = Object::new();
    info.set("uid", alert.own.text("id").map_or_else(|| version_of(source), str::to_owned));
    info.maybe("title", alert.own.text("title"));
    info.maybe("desc", alert.own.text("description"));
    info.maybe("types", alert.category().map(|category| vec![category]));
    info.maybe("data_sources", alert.own.text("detectionSource").map(|source| vec![source]));
    for (name, wire) in [
        ("created_time", "alertCreationTime"),
        ("modified_time", "lastUpdateTime"),
        ("first_seen_time", "firstEventTime"),
        ("last_seen_time", "lastEventTime"),
    ] {
        info.maybe(name, alert.own.time(wire).map(milliseconds));
    }
    if let Some(detector) = alert.own.text("detectorId") {
        info.set("analytic.uid", detector);
        info.set("analytic.type_id", 0);
        info.set("analytic.type", "Unknown");
    }
    info.set("attacks", attacks(alert));
    info
}

/// The tactic by itself, since it is the alert's and not a technique's; then each technique.
fn attacks(alert: &Alert) -> Vec<Value> {
    let mut attacks = Vec::new();
    if let Some(tactic) = alert.tactic() {
        let mut attack = Object::new();
        attack.set("tactic.uid", tactic.id);
        attack.set("tactic.name", tactic.name);
        attacks.push(attack.into());
    }
    for technique in alert.techniques() {
        let mut attack = Object::new();
        attack.set("technique.uid", technique.id);
        attack.maybe("sub_technique.uid", technique.sub);
        attacks.push(attack.into());
    }
    attacks
}

/// The threat, if the alert names one.
pub(super) fn malware(alert: &Alert) -> Vec<Value> {
    let name = alert.own.text("threatName");
    let Some(called) = name.or_else(|| alert.own.text("threatFamilyName")) else { return Vec::new() };
    let prefix = name.and_then(|name| name.split_once(':')).map(|(prefix, _)| prefix);
    let kind = words::MALWARE.of(prefix.filter(|prefix| !prefix.is_empty()));
    let mut malware = Object::new();
    malware.set("name", called);
    malware.set("classification_ids", vec![kind.id]);
    malware.set("classifications", vec![kind.text()]);
    vec![malware.into()]
}

pub(super) fn device(source: &Source<'_>, alert: &Alert) -> Option<Object> {
    let (id, name) = (alert.own.text("machineId"), alert.own.text("computerDnsName"));
    id.or(name)?;
    let mut device = Object::new();
    device.set("type_id", 0);
    device.set("type", "Unknown");
    device.maybe("uid", id);
    device.maybe("hostname", name);
    device.maybe("name", name);
    device.set("org.uid", source.tenant_id);
    device.set("org.name", source.tenant_name);
    device.maybe("groups", alert.own.text("rbacGroupName").map(|name| one([("name", name.into())])));
    Some(device)
}

/// The device once more, as the thing that is affected.
pub(super) fn resources(alert: &Alert) -> Vec<Value> {
    let (id, name) = (alert.own.text("machineId"), alert.own.text("computerDnsName"));
    if id.or(name).is_none() {
        return Vec::new();
    }
    let mut resource = Object::new();
    resource.maybe("uid", id);
    resource.maybe("name", name);
    resource.maybe("hostname", name);
    resource.set("type", "Device");
    resource.set("role_id", 3);
    resource.set("role", "Affected");
    vec![resource.into()]
}

/// A list of one object.
fn one<const N: usize>(members: [(&str, Value); N]) -> Vec<Value> {
    let mut object = Object::new();
    for (name, value) in members {
        object.set(name, value);
    }
    vec![object.into()]
}
