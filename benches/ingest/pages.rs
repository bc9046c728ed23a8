//! Owns the alerts that are served, and their answers.

use alertferry_simulator::{Options, Profile, World};

use crate::{ALERTS, PAGE};

/// One alert in so many is changed when the history is read the third time.
pub(crate) const CHANGED_ONE_IN: usize = 100;

/// The tenant whose alerts they are.
pub(crate) fn tenant() -> String {
    alertferry_simulator::numbered_guid(1)
}

/// An alert as it is served, behind its time.
type Timed = (alertferry_simulator::Ticks, String);

/// The alerts in the order of their updates, like no two alike.
pub(crate) fn alerts(evidence: bool) -> Vec<Timed> {
    let profile = Profile {
        // The server's own date is later, so that every alert lies in the history.
        options: Options {
            start: alertferry_simulator::Ticks::parse("2026-11-01T00:00:00Z"),
            speed: 0.0,
            ..Options::default()
        },
        tenants: 1,
        alerts_per_tenant: ALERTS..=ALERTS,
        ..Profile::default()
    };
    let mut world = World::generate(7, &profile);
    let made_up = world.tenant_ids().into_iter().next().expect("one tenant");
    let mut alerts: Vec<Timed> = world
        .truth(&made_up)
        .into_iter()
        .map(|truth| {
            let text = if evidence { truth.expanded } else { truth.thin };
            let time = alertferry_simulator::Ticks::parse(&truth.last_update_time).expect("a time");
            (time, text.replace(&made_up, &tenant()))
        })
        .collect();
    alerts.sort();
    alerts
}

/// The same alerts, of which one in a hundred was given to somebody else without a new time, so that they stay in order.
pub(crate) fn changed(alerts: &[Timed]) -> Vec<Timed> {
    let change = |(at, (time, text)): (usize, &Timed)| {
        if at % CHANGED_ONE_IN > 0 {
            return (*time, text.clone());
        }
        const KEY: &str = "\"assignedTo\":";
        let value = text.find(KEY).expect("an alert has an owner, or null") + KEY.len();
        let end = value + text[value..].find(',').expect("it is not the last key");
        (*time, format!("{}\"somebody.else@contoso.example\"{}", &text[..value], &text[end..]))
    };
    alerts.iter().enumerate().map(change).collect()
}

/// The bodies of the full answers in the order in which a reader asks for them, and of the rest.
///
/// A reader goes on one tick before the last row's time, so an answer begins with the last rows of the one before.
pub(crate) fn bodies(alerts: &[Timed]) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut from = 0;
    loop {
        let page = &alerts[from..alerts.len().min(from + PAGE)];
        let rows: Vec<&str> = page.iter().map(|(_, text)| text.as_str()).collect();
        bodies.push(format!(
            "{{\"@odata.context\":\"https://api-eu3.example/api/$metadata#Alerts\",\"value\":[{}]}}",
            rows.join(",")
        ));
        if page.len() < PAGE {
            return bodies;
        }
        let last = page[PAGE - 1].0;
        from += page.iter().position(|(time, _)| *time == last).expect("the last row is there");
    }
}
