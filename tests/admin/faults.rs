//! What is seen when something goes wrong: the daemon stays healthy and ready, and the numbers say what it is.

use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, RetryAfter, Route};

use crate::client::{asked, get, scrape, start};
use crate::rig::guid;
use crate::support::{Config, House, on_threads, simulator, wait_until};

#[test]
fn a_dead_network_leaves_the_daemon_ready() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let mut config = Config::of(&sim);
        // Nobody has listened at this port of this machine since the system gave it back.
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        (config.login_url, config.api_url) = (format!("http://{nobody}"), format!("http://{nobody}"));
        let (_house, daemon, address) = start(&config, "").await;
        wait_until("requests that nobody answers", || {
            scrape(&address).value("alertferry_token_requests_total", &[("outcome", "no_answer")]) >= 2.0
        })
        .await;
        wait_until("failed passes", || {
            scrape(&address).value("alertferry_passes_total", &[("outcome", "failed")]) >= 2.0
        })
        .await;
        wait_until("readiness", || get(&address, "/readyz").status == 200).await;
        assert_eq!(get(&address, "/healthz").status, 200);
        let seen = scrape(&address);
        assert!(seen.value("alertferry_tenant_consecutive_failures", &[("tenant", &guid(1))]) >= 1.0);
        assert!(seen.value("alertferry_tenant_last_success_timestamp_seconds", &[("tenant", &guid(1))]) < 1.0);
        assert!(seen.value("alertferry_tenant_lag_seconds_count", &[]) < 1.0, "nothing is covered yet");
        daemon.stop().await;
    });
}

#[test]
fn refusals_throttles_and_storms_are_told_apart() {
    on_threads(async {
        let sim = simulator(4, 5).await;
        sim.world().with(|world| world.set_state(&guid(1), |state| state.consented = false));
        let throttle = Fault::Throttle { retry_after: RetryAfter::Seconds(3_600) };
        sim.faults().add(FaultRule::new(throttle).tenant(&guid(2)));
        sim.faults().add(FaultRule::new(Fault::Hang).tenant(&guid(3)));
        let mut config = Config::of(&sim);
        config.poll = "request_timeout = \"2s\"".to_owned();
        let (_house, daemon, address) = start(&config, "").await;
        let at_least_one = |name: &str, labels: &[(&str, &str)]| scrape(&address).value(name, labels) >= 1.0;
        wait_until("a tenant without consent", || at_least_one("alertferry_tenants", &[("state", "unauthorized")]))
            .await;
        wait_until("a refused sign-in", || {
            at_least_one("alertferry_token_requests_total", &[("outcome", "refused")])
                || at_least_one("alertferry_token_requests_total", &[("outcome", "unauthorized")])
        })
        .await;
        wait_until("a throttled tenant", || at_least_one("alertferry_tenants", &[("state", "throttled")])).await;
        assert!(at_least_one("alertferry_throttled_passes_total", &[]));
        assert!(at_least_one("alertferry_api_requests_total", &[("outcome", "throttled")]));
        wait_until("a hanging request", || at_least_one("alertferry_api_requests_total", &[("outcome", "no_answer")]))
            .await;
        wait_until("a healthy tenant", || at_least_one("alertferry_tenants", &[("state", "ok")])).await;
        assert_eq!((get(&address, "/healthz").status, get(&address, "/readyz").status), (200, 200));
        daemon.stop().await;
    });
}

#[test]
fn a_store_that_somebody_else_locked_is_seen_and_survived() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, daemon, address) = start(&Config::of(&sim), "").await;
        house.wait_until_read_once().await;
        let other = rusqlite::Connection::open(house.store()).expect("opened");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let busy = || scrape(&address).value("alertferry_store_errors_total", &[("kind", "busy")]);
        wait_until("a transaction that came to nothing", || busy() >= 1.0).await;
        let seen = scrape(&address);
        assert!(seen.value("alertferry_store_readable", &[]) > 0.0, "reading goes on");
        assert_eq!(get(&address, "/healthz").status, 200);
        daemon.hear("store.failed").await;
        other.execute_batch("ROLLBACK").expect("unlocked");
        daemon.hear("store.recovered").await;
        house.wait_until_read().await;
        daemon.stop().await;
    });
}

#[test]
fn a_rejected_reload_is_seen_until_a_good_one() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let config = Config::of(&sim);
        let (house, daemon, address) = start(&config, "").await;
        let taken_over = || scrape(&address).value("alertferry_config_last_reload_success", &[]) > 0.0;
        assert!(taken_over());
        house.write("main.toml", &asked(&config, "listne = \"\""));
        daemon.signal("HUP");
        wait_until("the rejection", || !taken_over()).await;
        house.write("main.toml", &asked(&config, ""));
        daemon.signal("HUP");
        wait_until("the good one", taken_over).await;
        daemon.stop().await;
    });
}

/// The service hangs for everybody, all the places are taken, and the daemon is alive all the same: who watches it must
/// not restart it.
#[test]
fn a_service_that_hangs_for_all_is_no_reason_to_restart() {
    on_threads(async {
        let sim = simulator(6, 1).await;
        sim.faults().add(FaultRule::new(Fault::Hang).on(Route::Any));
        let mut config = Config::of(&sim);
        config.poll = "max_concurrent_tenants = 2\nrequest_timeout = \"10m\"".to_owned();
        let house = House::with(&config);
        house.write("main.toml", &asked(&config, ""));
        let daemon = house.start();
        let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
        wait_until("readiness", || get(&address, "/readyz").status == 200).await;
        // Longer than a fleet that makes no progress is borne.
        tokio::time::sleep(Duration::from_secs(22)).await;
        assert_eq!(get(&address, "/healthz").status, 200);
        let tick = scrape(&address).value("alertferry_last_tick_timestamp_seconds", &[]);
        wait_until("the next tick", || scrape(&address).value("alertferry_last_tick_timestamp_seconds", &[]) > tick)
            .await;
        daemon.stop().await;
    });
}
