//! Counters, the log, hooks, the clock and `Date`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, NewAlert, Options, RetryAfter, Route, World};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::support::{Bench, OTHER, TENANT, start, still_world, tiny};

#[tokio::test]
async fn counts_and_logs_per_tenant_and_route() {
    let bench =
        Bench::with_alerts(&[tiny("da1_1", "2026-02-01T00:00:00Z"), tiny("da2_1", "2026-02-01T00:00:00Z")]).await;
    bench.login(TENANT).await;
    bench.ids("$filter=id ge 'da1_1'&$top=5").await;
    bench.get("/api/alerts?$top=x").await;
    bench.get("/api/alerts/da1_1").await;
    bench.get("/api/other").await;
    let stats = bench.sim.stats();
    assert_eq!(stats.requests(TENANT, Route::Login), 1);
    let lists = stats.counts(&TENANT.to_uppercase(), Route::Alerts);
    assert_eq!((lists.requests, lists.rows, lists.by_status[&200], lists.by_status[&400]), (2, 2, 1, 1));
    assert_eq!(stats.requests(TENANT, Route::Alert), 1);
    assert_eq!(stats.requests(TENANT, Route::Any), 5);
    assert_eq!((stats.total(Route::Any), stats.total(Route::Alerts), stats.requests(OTHER, Route::Any)), (5, 2, 0));
    assert_eq!(stats.total_status(Route::Any, 404), 1);
    let log = stats.log_of(TENANT, Route::Alerts);
    assert_eq!(log[0].query, "$filter=id ge 'da1_1'&$top=5");
    assert_eq!((log[0].status, log[0].rows, log[0].at), (Some(200), 2, start()));
    assert_eq!(log[0].target, "GET /api/alerts");
    assert_eq!(stats.log().len(), 5);
    stats.reset();
    assert_eq!((stats.total(Route::Any), stats.log().len()), (0, 0));
}

#[tokio::test]
async fn the_log_is_bounded() {
    let mut world = still_world();
    world.options.log_capacity = 3;
    let bench = Bench::of(world).await;
    for top in 0..5 {
        bench.ids(&format!("$top={top}")).await;
    }
    let queries: Vec<String> = bench.sim.stats().log().into_iter().map(|record| record.query).collect();
    assert_eq!(queries, ["$top=2", "$top=3", "$top=4"]);
    assert!(bench.sim.stats().log().iter().all(|record| record.status == Some(200)));
}

#[tokio::test]
async fn requests_in_flight_are_counted_to_the_end_of_the_body() {
    let bench = Bench::with_alerts(&[]).await;
    bench.sim.faults().add(Fault::Latency(Duration::from_millis(60)));
    let ask = || bench.request(TENANT, "/api/alerts").send();
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    drop((one.unwrap().text().await, two.unwrap().text().await, three.unwrap().text().await));
    assert_eq!(bench.sim.stats().max_in_flight(TENANT, Route::Alerts), 3);
    assert_eq!(bench.sim.stats().max_in_flight_total(), 3);
    assert_eq!(bench.sim.stats().connections(), 3);
    ask().await.unwrap();
    assert_eq!(bench.sim.stats().connections(), 3, "connections are kept");
}

#[tokio::test]
async fn hooks_change_the_world_before_and_during_a_read() {
    let bench = Bench::with_alerts(&[tiny("da5_1", "2026-02-01T00:00:00Z")]).await;
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    bench.sim.on_request(Box::new(move |info, world| {
        counted.store(info.number, Ordering::SeqCst);
        assert_eq!((info.tenant.as_str(), info.route, info.rows), (TENANT, Route::Alerts, 0));
        let new = NewAlert { id: Some(format!("da{}_1", info.number)), ..NewAlert::default() };
        world.new_alert(TENANT, &mut StdRng::seed_from_u64(info.number), &new).expect("new");
    }));
    assert_eq!(bench.ids("").await, ["da1_1", "da5_1"], "before the answer");
    bench.sim.clear_hooks();
    bench.sim.on_snapshot(Box::new(|info, world| {
        assert_eq!(info.rows, 2);
        world.forget_alert(TENANT, "da1_1").expect("known");
    }));
    assert_eq!(bench.ids("").await, ["da1_1", "da5_1"], "the content was fixed before");
    bench.sim.clear_hooks();
    assert_eq!(bench.ids("").await, ["da5_1"]);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_date_is_the_worlds_and_can_be_off_or_missing() {
    let mut world = still_world();
    world.options.date_skew = 3_600;
    let bench = Bench::of(world).await;
    let date =
        async || bench.get("/api/alerts").await.headers().get("date").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(date().await.as_deref(), Some("Sun, 01 Mar 2026 09:00:00 GMT"));
    bench.sim.faults().add(Fault::SkewDate { seconds: -7_200 });
    assert_eq!(date().await.as_deref(), Some("Sun, 01 Mar 2026 07:00:00 GMT"));
    bench.sim.faults().clear();
    bench.sim.faults().add(FaultRule::new(Fault::NoDateHeader).once());
    assert_eq!(date().await, None);
    bench.sim.world().with(|world| world.set_now(start() + Duration::from_secs(60)));
    assert_eq!(date().await.as_deref(), Some("Sun, 01 Mar 2026 09:01:00 GMT"));
}

#[tokio::test]
async fn a_date_to_come_back_at_is_of_the_same_clock_as_the_date() {
    let mut world = still_world();
    world.options.date_skew = 3_600;
    let bench = Bench::of(world).await;
    bench.sim.faults().add(Fault::Throttle { retry_after: RetryAfter::HttpDate(45) });
    let answer = bench.get("/api/alerts").await;
    let dates = ["date", "retry-after"].map(|name| answer.headers()[name].to_str().unwrap().to_owned());
    assert_eq!(dates, ["Sun, 01 Mar 2026 09:00:00 GMT", "Sun, 01 Mar 2026 09:00:45 GMT"]);
}

#[tokio::test]
async fn a_world_can_run_compressed() {
    let world = World::new(Options { start: Some(start()), speed: 36_000.0, ..Options::default() });
    let bench = Bench::of(world).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let now = bench.sim.world().with(|world| world.now());
    assert!(now >= start() + Duration::from_secs(720), "{now}");
}

#[tokio::test]
async fn stopping_drops_connections_and_frees_the_port() {
    let bench = Bench::of(still_world()).await;
    bench.sim.faults().add(Fault::Hang);
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let token = bench.sim.token(TENANT).unwrap();
    let address = bench.sim.address();
    let client = bench.client.clone();
    let hanging = client.get(&url).bearer_auth(token).send();
    let (answer, ()) = tokio::join!(hanging, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.sim.stop().await;
    });
    assert!(answer.is_err());
    assert!(tokio::net::TcpListener::bind(address).await.is_ok() || client.get(&url).send().await.is_err());
}
