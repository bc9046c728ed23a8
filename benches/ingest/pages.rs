//! Owns the alerts that are served, and their answers.

use alertferry_simulator::{Options, Profile, World};

use crate::{ALERTS, PAGE};

/// The tenant whose alerts they are.
pub(crate) fn tenant() -> String {
    alertferry_simulator::numbered_guid(1)
}

/// The alerts in the order of their updates, like no two alike.
fn alerts() -> Vec<(String, String)> {
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
    let mut alerts: Vec<(alertferry_simulator::Ticks, String)> = world
        .truth(&made_up)
        .into_iter()
        .map(|truth| {
            (
                alertferry_simulator::Ticks::parse(&truth.last_update_time).expect("a time"),
                truth.expanded.to_string().replace(&made_up, &tenant()),
            )
        })
        .collect();
    alerts.sort();
    alerts.into_iter().map(|(time, text)| (time.to_string(), text)).collect()
}

/// The bodies of the full answers in the order in which a reader asks for them, and of the rest.
///
/// A reader goes on one tick before the last row's time, so an answer begins with the last rows of the one before.
pub(crate) fn bodies() -> Vec<String> {
    let alerts = alerts();
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
        let last = &page[PAGE - 1].0;
        from += page.iter().position(|(time, _)| time == last).expect("the last row is there");
    }
}
