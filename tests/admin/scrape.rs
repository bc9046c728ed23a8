//! The numbers: they can be parsed, they are what the store says, and no name of a customer is among them.

use alertferry_simulator::{NewAlert, Route};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::client::{ask, get, request, scrape, start};
use crate::rig::guid;
use crate::support::{Config, SELDOM, on_threads, simulator, wait_until};

#[test]
#[expect(clippy::float_cmp, reason = "counts are whole numbers")]
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn counters_are_what_the_store_says() {
    on_threads(async {
        let sim = simulator(3, 25).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let (house, daemon, address) = start(&config, "").await;
        house.wait_until_read_once().await;
        sim.world().with(|world| {
            world.new_alert(&guid(1), &mut StdRng::seed_from_u64(1), &NewAlert::default()).expect("an alert");
        });
        daemon.signal("USR1");
        wait_until("the new alert", || house.number("SELECT count(*) FROM alerts") == 76).await;
        // A pass is counted when its end is committed, and nothing is due any more then.
        let quiet = "SELECT count(*) FROM tenants WHERE next_attempt_at < strftime('%Y-%m-%dT%H:%M:%f', 'now')";
        wait_until("quiet", || house.number(quiet) == 0).await;
        wait_until("the last pass", || {
            scrape(&address).value("alertferry_alerts_total", &[("outcome", "created")]) == 76.0
        })
        .await;
        let seen = scrape(&address);
        let number = |sql: &str| house.number(sql) as f64;
        for kind in ["created", "updated"] {
            let sql = format!("SELECT count(*) FROM alert_changes WHERE kind = '{kind}'");
            assert_eq!(seen.value("alertferry_alerts_total", &[("outcome", kind)]), number(&sql), "{kind}");
        }
        assert_eq!(seen.value("alertferry_stored_alerts", &[]), number("SELECT count(*) FROM alerts"));
        assert_eq!(seen.value("alertferry_tenants", &[("state", "ok")]), 3.0);
        let [all, logins] = [Route::Any, Route::Login].map(|route| sim.stats().total(route));
        assert_eq!(seen.value("alertferry_token_requests_total", &[("outcome", "ok")]), logins as f64);
        assert_eq!(seen.value("alertferry_api_requests_total", &[("outcome", "ok")]), (all - logins) as f64);
        let passes = seen.value("alertferry_passes_total", &[("outcome", "read")]);
        assert_eq!(
            seen.value("alertferry_pass_duration_seconds_count", &[]),
            passes + seen.value("alertferry_passes_total", &[("outcome", "partial")])
        );
        let told = daemon.lines().iter().filter(|line| line["event"] == "alert.created").count();
        assert_eq!(
            seen.value("alertferry_events_total", &[("event", "alert.created"), ("level", "info")]),
            told as f64
        );
        for n in 1..=3 {
            let id = guid(n);
            let column =
                |name: &str| number(&format!("SELECT unixepoch({name}) FROM tenants WHERE tenant_id = '{id}'"));
            let labels = [("tenant", id.as_str())];
            assert_eq!(
                seen.value("alertferry_tenant_last_success_timestamp_seconds", &labels),
                column("last_success_at")
            );
            assert_eq!(
                seen.value("alertferry_tenant_covered_until_timestamp_seconds", &labels),
                column("covered_until")
            );
            assert_eq!(seen.value("alertferry_tenant_consecutive_failures", &labels), 0.0);
        }
        let length = std::fs::metadata(house.store()).expect("a store").len();
        assert_eq!(seen.value("alertferry_store_database_bytes", &[]), length as f64);
        assert!(seen.value("alertferry_store_free_disk_bytes", &[]) > 0.0);
        assert_eq!(seen.value("alertferry_store_readable", &[]), 1.0);
        let text = get(&address, "/metrics").body;
        assert!(!text.contains("Customer"), "names of customers stay in the store: {text}");
        daemon.stop().await;
    });
}

#[test]
fn everything_that_can_be_counted_is_there_from_the_start() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let (_house, daemon, address) = start(&Config::of(&sim), "").await;
        let seen = scrape(&address);
        for event in alertferry::event::CATALOG {
            for level in event.levels {
                let level = level.to_string().to_lowercase();
                seen.value("alertferry_events_total", &[("event", event.name), ("level", &level)]);
            }
        }
        for (name, label, values) in [
            ("alertferry_passes_total", "outcome", ["read", "partial", "failed"].as_slice()),
            ("alertferry_alerts_total", "outcome", &["created", "updated", "unchanged", "quarantined"]),
            ("alertferry_token_requests_total", "outcome", &["ok", "refused", "throttled", "no_answer"]),
            ("alertferry_api_requests_total", "outcome", &["ok", "unauthorized", "forbidden", "server_error"]),
            ("alertferry_store_errors_total", "kind", &["disk_full", "io", "corrupt", "busy", "other"]),
            ("alertferry_gaps_open", "reason", &["initial", "backfill", "catch_up", "sweep", "failed"]),
        ] {
            for value in values {
                seen.value(name, &[(label, value)]);
            }
        }
        let answer = get(&address, "/metrics");
        let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(answer.head.contains(kind), "{answer:?}");
        let old = ask(&address, &request(&address, "GET", "/metrics", "Accept: text/plain; version=0.0.4\r\n"))
            .expect("answered");
        assert!(old.head.contains("content-type: text/plain; version=0.0.4"), "{old:?}");
        assert!(
            old.body.contains("# TYPE alertferry_passes_total counter\n") && !old.body.contains("# EOF"),
            "{old:?}"
        );
        daemon.stop().await;
    });
}

#[test]
#[expect(clippy::float_cmp, reason = "counts are whole numbers")]
fn above_the_limit_no_tenant_has_series_of_its_own() {
    on_threads(async {
        let sim = simulator(3, 2).await;
        for (limit, shown) in [(3, 1.0), (2, 0.0), (0, 0.0)] {
            let (house, daemon, address) = start(&Config::of(&sim), &format!("tenant_series_limit = {limit}")).await;
            house.wait_until_read_once().await;
            let seen = scrape(&address);
            assert_eq!(seen.value("alertferry_tenant_series_shown", &[]), shown);
            let labels = [("tenant", guid(2))];
            let own = seen.find("alertferry_tenant_consecutive_failures", &[("tenant", &labels[0].1)]);
            assert_eq!(own.is_some(), shown == 1.0, "{limit}");
            assert_eq!(seen.value("alertferry_tenant_lag_seconds_count", &[]), 3.0, "lags are always spread");
            daemon.stop().await;
        }
    });
}
