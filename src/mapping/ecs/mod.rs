//! Owns an alert as an ECS document: what comes from the alert itself and from the tenant.

mod evidence;
mod own;

use serde_json::Value;

use super::Source;
use super::alert::Alert;
use super::object::{Object, Once};
use super::web::address;
use crate::domain::Ticks;

/// The version of ECS that documents are written by.
pub(super) const VERSION: &str = "9.4.0";

/// The severities by the numbers that Elastic's own integration gives those of this service.
const SEVERITIES: [(&str, i64); 5] = [("UnSpecified", 0), ("Informational", 1), ("Low", 2), ("Medium", 3), ("High", 4)];

/// The states of detection in which something was held back.
const HELD_BACK: [&str; 2] = ["Prevented", "Blocked"];

pub(super) fn document(source: &Source<'_>, alert: &Alert) -> Value {
    let mut document = Object::new();
    document.set("@timestamp", alert.time.to_string());
    document.set("ecs.version", VERSION);
    document.maybe("message", alert.own.text("title"));
    document.set("observer.vendor", "Microsoft");
    document.set("observer.product", "Defender for Endpoint");
    document.set("organization.id", source.tenant_id);
    document.set("organization.name", source.tenant_name);
    event(&mut document, source, alert);
    rule(&mut document, alert);
    threat(&mut document, alert);
    host(&mut document, alert);
    evidence::write(&mut document, alert);
    own::write(&mut document, source, alert);
    document.into()
}

fn event(document: &mut Object, source: &Source<'_>, alert: &Alert) {
    document.set("event.kind", "alert");
    document.set("event.module", "alertferry");
    document.set("event.dataset", "alertferry.alert");
    document.set("event.category", categories(alert));
    document.set("event.type", types(alert));
    document.set("event.sequence", source.seq);
    document.set("event.original", source.raw);
    document.maybe("event.id", alert.own.text("id"));
    document.maybe("event.action", alert.category());
    document.maybe("event.provider", alert.own.text("detectionSource"));
    let severity = alert.own.text("severity");
    let known = severity.and_then(|name| SEVERITIES.iter().find(|(wire, _)| wire.eq_ignore_ascii_case(name)));
    document.maybe("event.severity", known.map(|(_, number)| *number));
    let (start, end) = (alert.own.time("firstEventTime"), alert.own.time("lastEventTime"));
    document.maybe("event.created", alert.own.time("alertCreationTime").map(|time| time.to_string()));
    document.maybe("event.start", start.map(|time| time.to_string()));
    document.maybe("event.end", end.map(|time| time.to_string()));
    document.maybe("event.duration", start.zip(end).and_then(|(start, end)| nanoseconds(start, end)));
}

/// How long from `start` to `end`; nothing when the end is the earlier, or 64 bits do not hold it.
fn nanoseconds(start: Ticks, end: Ticks) -> Option<i64> {
    let ticks = end.as_ticks().checked_sub(start.as_ticks())?;
    if ticks < 0 { None } else { ticks.checked_mul(100) }
}

fn categories(alert: &Alert) -> Vec<&'static str> {
    if alert.is_malware() { vec!["intrusion_detection", "malware"] } else { vec!["intrusion_detection"] }
}

fn types(alert: &Alert) -> Vec<&'static str> {
    let mut states = alert.evidence.iter().filter_map(|entity| entity.text("detectionStatus"));
    if states.any(|state| HELD_BACK.contains(&state)) { vec!["info", "denied"] } else { vec!["info"] }
}

fn rule(document: &mut Object, alert: &Alert) {
    document.maybe("rule.id", alert.own.text("detectorId"));
    document.maybe("rule.name", alert.own.text("title"));
    document.maybe("rule.description", alert.own.text("description"));
    document.maybe("rule.category", alert.category());
}

fn threat(document: &mut Object, alert: &Alert) {
    let (mut whole, mut parts) = (Once::default(), Once::default());
    let techniques = alert.techniques();
    for technique in &techniques {
        whole.add(technique.id.as_str());
        parts.maybe(technique.sub.as_deref());
    }
    let tactic = alert.tactic();
    if tactic.is_some() || !techniques.is_empty() {
        document.set("threat.framework", "MITRE ATT&CK");
    }
    document.maybe("threat.tactic.id", tactic.map(|tactic| vec![tactic.id]));
    document.maybe("threat.tactic.name", tactic.map(|tactic| vec![tactic.name]));
    document.set("threat.technique.id", whole);
    document.set("threat.technique.subtechnique.id", parts);
    document.maybe("threat.software.name", alert.own.text("threatFamilyName"));
}

fn host(document: &mut Object, alert: &Alert) {
    document.maybe("host.id", alert.own.text("machineId"));
    let name = alert.device_name();
    let label = |name: &str| if address(name).is_some() { None } else { name.split('.').next().map(str::to_owned) };
    document.maybe("host.hostname", name.as_deref().and_then(label));
    document.maybe("host.name", name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_forward_or_none() {
        let at = |ticks| Ticks::from_ticks(ticks);
        assert_eq!(nanoseconds(at(5), at(7)), Some(200));
        assert_eq!(nanoseconds(at(7), at(5)), None);
        assert_eq!(nanoseconds(Ticks::MIN, Ticks::MAX), None);
    }
}
