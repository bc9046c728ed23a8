//! A whole fleet is checked in one go: apps once, tenants side by side, files and modes.

use std::time::Duration;

use alertferry_simulator::{DEFAULT_SECRET, Fault, FaultRule, Options, Route, Simulator, World};
use serde_json::Value;

use crate::rig::guid;
use crate::support::{Config, House, name_of, on_threads};
use crate::told::{GOOD, house};

/// One wrong secret is one line, and costs a handful of sign-ins, however many tenants wait for it.
#[test]
fn a_refused_app_is_told_once_for_all_its_tenants() {
    on_threads(async {
        let mut world = World::new(Options::default());
        for tenant in 1..=40 {
            world.add_tenant(&guid(tenant));
        }
        let sim = Simulator::start(world).await.expect("a simulator");
        let house = House::with(&Config::of(&sim));
        house.write_private("secret", "not the secret");
        let table = house.run(&["check"]);
        assert_eq!(table.code, Some(69), "{table:?}");
        assert_eq!(table.stdout.matches("AADSTS7000215").count(), 1, "{table:?}");
        assert!(table.stdout.contains("40 tenant(s) wait"), "{table:?}");
        assert!(!table.stdout.contains(&name_of(&guid(7))), "{table:?}");
        let sign_ins = sim.stats().total(Route::Login);
        assert!((1..10).contains(&sign_ins), "{sign_ins}");
        house.write_private("secret", DEFAULT_SECRET);
        let table = house.run(&["check"]);
        assert_eq!(table.code, Some(0), "{table:?}");
        assert!(table.stdout.contains("signed in for 40 tenant(s)"), "{table:?}");
    });
}

/// Each tenant costs a sign-in and two calls, and no more are under way than the daemon would have.
#[test]
fn a_fleet_is_checked_within_the_daemons_bounds() {
    on_threads(async {
        let mut world = World::new(Options::default());
        for tenant in 1..=150 {
            world.add_tenant(&guid(tenant));
        }
        let sim = Simulator::start(world).await.expect("a simulator");
        sim.faults().add(FaultRule::new(Fault::Latency(Duration::from_millis(10))));
        let mut config = Config::of(&sim);
        config.poll = "max_concurrent_tenants = 8".to_owned();
        let house = House::with(&config);
        let said = house.run(&["check"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains("half of 150 tenant(s) answered"), "{said:?}");
        assert!(said.stdout.contains("all well"), "{said:?}");
        assert_eq!((sim.stats().total(Route::Login), sim.stats().total(Route::Alerts)), (150, 300));
        let most = sim.stats().max_in_flight_total();
        assert!((2..=8).contains(&most), "{most}");
    });
}

#[test]
fn files_that_others_may_write_are_told() {
    use std::os::unix::fs::PermissionsExt;
    on_threads(async {
        let (_sim, house) = house(World::new(Options::default()), GOOD).await;
        for (mode, code, level) in [(0o600, 0, "ok"), (0o620, 0, "warn"), (0o602, 77, "fail")] {
            std::fs::set_permissions(house.path("main.toml"), PermissionsExt::from_mode(mode)).expect("mode set");
            let said = house.run(&["check", "--offline", "--format", "json"]);
            assert_eq!(said.code, Some(code), "{said:?}");
            let findings: Vec<Value> = serde_json::from_str(&said.stdout).expect("JSON");
            let files: Vec<&Value> = findings.iter().filter(|finding| finding["step"] == "files").collect();
            assert!(files.len() == 1 && files[0]["level"] == level, "{mode:o}: {files:?}");
        }
    });
}
