//! What benches build on: prepared pages, many tenants, many connections. Bounds are far from what is reached.

use std::time::{Duration, Instant};

use alertferry_simulator::{Options, PrepareError, Profile, Route, Template, World};

use crate::support::{Bench, TENANT, still_world, tiny};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_page_is_served_as_it_stands() {
    let mut world = World::new(Options::default());
    world.fill(TENANT, 10_000, &Template::default());
    let bench = Bench::of(world).await;
    let query = "$filter=lastUpdateTime ge 2020-01-01T00:00:00Z&$expand=evidence&$orderby=lastUpdateTime&$top=10000";
    let encoded = query.replace(' ', "+");
    let prepared = bench.sim.prepare(TENANT, &encoded).expect("a page");
    assert_eq!(prepared.rows, 10_000);
    assert!(prepared.bytes > 40_000_000 && prepared.gzip_bytes < prepared.bytes / 5, "{prepared:?}");
    let began = Instant::now();
    let plain = bench.request(TENANT, &format!("/api/alerts?{encoded}")).header("accept-encoding", "identity");
    let body = plain.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), prepared.bytes);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let packed = bench.request(TENANT, &format!("/api/alerts?{encoded}")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(packed.len(), prepared.bytes);
}

#[tokio::test]
async fn a_remembered_page_does_not_outlive_a_change() {
    let mut world = still_world();
    world.fill(TENANT, 100, &Template::default());
    let bench = Bench::of(world).await;
    assert_eq!(bench.ids("$top=200").await.len(), 100);
    assert_eq!(bench.ids("$top=200").await.len(), 100);
    bench
        .sim
        .world()
        .with(|world| world.add_text(TENANT, &tiny("da0_1", "2026-02-28T00:00:00Z"), Duration::ZERO))
        .unwrap();
    assert_eq!(bench.ids("$top=200").await.len(), 101);
    bench.sim.world().with(|world| world.options.page_limit = 200);
    assert!(matches!(bench.sim.prepare(TENANT, "$top=1000"), Err(PrepareError::BadQuery(_))));
    assert_eq!(bench.sim.prepare("nobody", ""), Err(PrepareError::UnknownTenant("nobody".into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tenants_at_once() {
    let profile = Profile { tenants: 1_000, alerts_per_tenant: 1..=2, ..Profile::default() };
    let bench = std::sync::Arc::new(Bench::of(World::generate(1, &profile)).await);
    let tenants = bench.sim.world().with(|world| world.tenant_ids());
    let mut asking = tokio::task::JoinSet::new();
    for slice in tenants.chunks(10) {
        let (bench, slice) = (std::sync::Arc::clone(&bench), slice.to_vec());
        asking.spawn(async move {
            for tenant in slice {
                let token = bench.token(&tenant).await;
                let url = format!("{}/api/alerts?$expand=evidence", bench.sim.api_url());
                let answer = bench.client.get(url).bearer_auth(token).send().await.expect("an answer");
                assert_eq!(answer.status(), 200);
                assert!(answer.text().await.expect("a body").contains(&tenant));
            }
        });
    }
    while let Some(done) = asking.join_next().await {
        done.expect("no failure");
    }
    assert_eq!(bench.sim.stats().total_status(Route::Alerts, 200), 1_000);
}

#[test]
fn tokens_are_quick() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bench = runtime.block_on(Bench::of(still_world()));
    let began = Instant::now();
    for _ in 0..500 {
        assert!(bench.sim.token(TENANT).is_some());
    }
    // Ten thousand a second are reached with optimisation; this only catches RSA.
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
}
