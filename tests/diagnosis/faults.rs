//! Seeded faults, each named rightly by `check`, by `status` and by the log.

use std::time::Duration;

use alertferry_simulator::{App, DEFAULT_CLIENT_ID, Licence, Options, World};
use serde_json::Value;

use crate::rig::guid;
use crate::support::{name_of, on_threads, wait_until};
use crate::told::{GOOD, assert_says, findings, house, standing};

/// A fault: how it comes about, and what is said of it.
struct Seeded {
    name: &'static str,
    seed: fn(&mut World),
    /// The place of the app's secret, and further lines of the app.
    app: &'static str,
    /// Of `check`: whose step fails, the step, and words of what was found and of what to do.
    subject: Subject,
    step: &'static str,
    found: &'static str,
    remedy: &'static str,
    /// Of `status`: the tenant's state.
    state: &'static str,
    /// Of the log: the event that tells it.
    event: &'static str,
}

/// Whose step it is.
#[derive(Clone, Copy)]
enum Subject {
    Tenant,
    App,
}

const FAULTS: [Seeded; 7] = [
    Seeded {
        name: "wrong secret",
        seed: |world| world.apps = vec![App::new(DEFAULT_CLIENT_ID, "another")],
        app: GOOD,
        subject: Subject::App,
        step: "login",
        found: "AADSTS7000215",
        remedy: "client secret",
        state: "unauthorized",
        event: "app.refused",
    },
    Seeded {
        name: "expired secret",
        seed: |world| world.apps[0].secrets[0].expired = true,
        app: GOOD,
        subject: Subject::App,
        step: "login",
        found: "AADSTS7000222",
        remedy: "client secret",
        state: "unauthorized",
        event: "app.refused",
    },
    Seeded {
        name: "no consent",
        seed: |world| world.set_state(&guid(1), |state| state.consented = false),
        app: GOOD,
        subject: Subject::Tenant,
        step: "login",
        found: "AADSTS700016",
        remedy: "/v2.0/adminconsent?",
        state: "unauthorized",
        event: "token.failed",
    },
    Seeded {
        name: "role missing",
        seed: |world| world.set_state(&guid(1), |state| state.roles = vec!["Machine.Read.All".to_owned()]),
        app: GOOD,
        subject: Subject::Tenant,
        step: "login",
        found: "lacks the role Alert.Read.All",
        remedy: "/v2.0/adminconsent?",
        state: "unauthorized",
        event: "token.failed",
    },
    Seeded {
        name: "unlicensed",
        seed: |world| world.set_state(&guid(1), |state| state.licence = Licence::Inactive403),
        app: GOOD,
        subject: Subject::Tenant,
        step: "api",
        found: "Account mode is inactive",
        remedy: "licence",
        state: "unlicensed",
        event: "tenant.state_changed",
    },
    Seeded {
        name: "tenant gone",
        seed: |world| world.set_state(&guid(1), |state| state.deleted = true),
        app: GOOD,
        subject: Subject::Tenant,
        step: "login",
        found: "AADSTS90002",
        remedy: "check the tenant's id",
        state: "unauthorized",
        event: "token.failed",
    },
    Seeded {
        name: "wrong audience",
        seed: |_| {},
        app: "{ file = \"secret\" }\naudience = \"https://api.security.microsoft.com\"",
        subject: Subject::Tenant,
        step: "api",
        found: "403",
        remedy: "`audience`",
        state: "unauthorized",
        event: "tenant.state_changed",
    },
];

async fn is_named(fault: &Seeded) {
    let (sim, house) = house(World::new(Options::default()), fault.app).await;
    sim.world().with(fault.seed);
    let findings = findings(&house, 69);
    let subject = match fault.subject {
        Subject::Tenant => name_of(&guid(1)),
        Subject::App => "app main".to_owned(),
    };
    let failed = |finding: &&Value| finding["subject"] == subject.as_str() && finding["level"] == "fail";
    let finding = findings.iter().find(failed).unwrap_or_else(|| panic!("{}: {findings:?}", fault.name));
    assert_eq!((&finding["step"], &finding["ok"]), (&fault.step.into(), &false.into()), "{}: {finding}", fault.name);
    assert_says(fault.name, finding, "detail", fault.found);
    assert_says(fault.name, finding, "remedy", fault.remedy);

    let daemon = house.start();
    let line = daemon.hear_where(fault.event, |line| line["to"] != "ok").await;
    assert_says(fault.name, &line, "reason", fault.found);
    assert_says(fault.name, &line, "remedy", fault.remedy);
    wait_until("the end of the attempt", || standing(&house)["state"] != "new").await;
    let standing = standing(&house);
    assert_eq!(standing["state"], fault.state, "{}: {standing}", fault.name);
    assert_says(fault.name, &standing, "reason", fault.found);
    assert_says(fault.name, &standing, "remedy", fault.remedy);
    let table = house.run(&["status"]).stdout;
    assert!(table.contains(fault.found), "{}: {table}", fault.name);
    daemon.stop().await;
}

#[test]
fn each_fault_is_named_by_check_status_and_log() {
    on_threads(async {
        for fault in &FAULTS {
            is_named(fault).await;
        }
    });
}

#[test]
fn a_clock_off_by_an_hour_is_named_by_check_status_and_log() {
    on_threads(async {
        let hour = Duration::from_secs(3_600);
        for (ahead, words) in [(true, "ahead"), (false, "behind")] {
            let now = World::new(Options::default()).now();
            // The service's time is right; it is this machine's that is off.
            let start = Some(if ahead { now - hour } else { now + hour });
            let (_sim, house) = house(World::new(Options { start, ..Options::default() }), GOOD).await;
            let findings = findings(&house, 69);
            let clocks: Vec<&Value> = findings.iter().filter(|finding| finding["step"] == "clock").collect();
            assert!(!clocks.is_empty(), "{findings:?}");
            for clock in clocks {
                assert_eq!(clock["ok"], false, "{clock}");
                assert_says("clock", clock, "detail", words);
                assert_says("clock", clock, "remedy", "synchronise");
            }
            let daemon = house.start();
            let seconds = daemon.hear("clock.skewed").await["seconds"].as_i64().expect("a number");
            assert!((3_500..3_700).contains(&seconds.abs()) && (seconds > 0) == ahead, "{seconds}");
            let skewed = |tenant: &Value| tenant["clock_skew_ms"].as_i64().is_some_and(|ms| (ms > 0) == ahead);
            wait_until("the standing", || skewed(&standing(&house))).await;
            let table = house.run(&["status"]).stdout;
            assert!(table.contains(&format!(" min {words}")), "{table}");
            daemon.stop().await;
        }
    });
}
