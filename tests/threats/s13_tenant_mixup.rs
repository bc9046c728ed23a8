//! S13: one customer's tokens or alerts that come for another.
//!
//! A single foreign token or alert, and what becomes of the pass, is in `tests/versions/foreign.rs`; which claims of a token
//! are looked at, beside `src/entra/claims.rs`.

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::rig::guid;
use crate::scene::house;
use crate::support::{Config, EACH_SECOND, House, on_threads, simulator, wait_until};

const TENANTS: u64 = 12;
/// How many are to be caught in the act before the storm ends.
const CAUGHT: i64 = 6;

/// Rows that name another tenant than the one they stand under.
fn misplaced(house: &House) -> Vec<Vec<String>> {
    house.query("SELECT tenant_id, alert_id FROM alerts WHERE raw ->> '$.aadTenantId' IS NOT tenant_id")
}

#[test]
fn s13_no_alert_is_stored_under_another_tenant_in_a_storm_of_swaps() {
    on_threads(async {
        let sim = simulator(TENANTS, 30).await;
        for n in 1..=TENANTS {
            // Each is given its neighbours' tokens and alerts by turns, so that every pair of them meets.
            for (step, odds) in [(1, 0.3), (5, 0.3)] {
                let other = guid((n + step - 1) % TENANTS + 1);
                let token = Fault::ForeignTenantToken { tid: other.clone() };
                let alert = Fault::ForeignAlert { aad_tenant_id: other };
                for (route, fault) in [(Route::Login, token), (Route::Alerts, alert)] {
                    sim.faults().add(FaultRule::new(fault).on(route).tenant(&guid(n)).with_probability(odds));
                }
            }
        }
        let house = House::with(&Config { schedule: EACH_SECOND, ..Config::of(&sim) });
        let daemon = house.start();
        let refused = "SELECT count(DISTINCT tenant_id) FROM passes WHERE reason LIKE '%another tenant%' \
                       OR reason LIKE '%00000000-0000-%'";
        wait_until("refusals", || house.store_is_there() && house.number(refused) >= CAUGHT).await;
        assert_eq!(misplaced(&house), Vec::<Vec<String>>::new());
        let failing = house.query("SELECT DISTINCT state, reason FROM tenants WHERE reason IS NOT NULL");
        for row in &failing {
            assert!(row[0] == "degraded" && row[1].contains("tenant"), "{row:?}");
        }
        sim.faults().clear();
        daemon.signal("USR1");
        house.wait_until_read().await;
        daemon.stop().await;
        assert_eq!(misplaced(&house), Vec::<Vec<String>>::new());
        let all: Vec<String> = (1..=TENANTS).map(guid).collect();
        house.assert_equals_truth(&sim, &all);
    });
}

#[test]
fn s13_a_tenant_is_a_guid_and_never_a_word_for_all_of_them() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        let plain = std::fs::read_to_string(house.path("main.toml")).expect("written");
        for word in ["common", "organizations", "consumers", "contoso.onmicrosoft.com", "", "../common", "{00000000}"] {
            let text = plain.replace(&format!("id = \"{}\"", guid(1)), &format!("id = \"{word}\""));
            assert_ne!(text, plain);
            house.write_private("main.toml", &text);
            let line = text.lines().position(|line| line == format!("id = \"{word}\"")).expect("a line") + 1;
            for command in ["run", "sync", "check"] {
                let said = house.run(&[command]);
                assert_eq!(said.code, Some(78), "{word}: {said:?}");
                assert!(said.stderr.contains(&format!("main.toml:{line}:")), "{word}: {said:?}");
            }
            let said = house.run(&["consent", word]);
            assert!(said.code.is_some_and(|code| code != 0) && said.stdout.is_empty(), "{word}: {said:?}");
        }
        assert_eq!(sim.stats().total(Route::Login), 0);
    });
}
