//! The call limits, on the world's clock.

use std::time::Duration;

use alertferry_simulator::{RateLimits, Route};

use crate::support::{Bench, OTHER, TENANT, envelope, still_world};

#[tokio::test]
async fn too_many_calls_wait_for_the_worlds_clock() {
    let mut world = still_world();
    world.options.rate_limits = Some(RateLimits { per_minute: 3, per_hour: 100 });
    world.add_tenant(OTHER);
    let bench = Bench::of(world).await;
    for _ in 0..3 {
        assert_eq!(bench.get("/api/alerts").await.status(), 200);
    }
    let refused = bench.get("/api/alerts/da1_1").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "60");
    let (_, code, _) = envelope(refused).await;
    assert_eq!(code, "TooManyRequests");
    let other = bench.request(OTHER, "/api/alerts").send().await.unwrap();
    assert_eq!(other.status(), 200, "a neighbour has its own");
    bench.sim.world().with(|world| world.advance(Duration::from_secs(60)));
    assert_eq!(bench.get("/api/alerts").await.status(), 200);
    assert_eq!(bench.sim.stats().counts(TENANT, Route::Any).by_status[&429], 1);
}

#[tokio::test]
async fn the_documented_limits() {
    let mut world = still_world();
    world.options.rate_limits = Some(RateLimits::default());
    let bench = Bench::of(world).await;
    let token = bench.sim.token(TENANT).unwrap();
    let url = format!("{}/api/alerts?$top=0", bench.sim.api_url());
    let ask = async || bench.client.get(&url).bearer_auth(&token).send().await.unwrap().status().as_u16();
    for _ in 0..15 {
        for _ in 0..100 {
            assert_eq!(ask().await, 200);
        }
        bench.sim.world().with(|world| world.advance(Duration::from_secs(61)));
    }
    assert_eq!(ask().await, 429, "the 1,501st in an hour");
    bench.sim.reset_rate_limits();
    assert_eq!(ask().await, 200);
}
