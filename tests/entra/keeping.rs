//! When a token is asked for, kept and replaced.

use std::time::Duration;

use alertferry::domain::FailureClass;
use alertferry::entra::Endpoint;
use alertferry_simulator::{DEFAULT_SECRET, Fault, FaultBody, FaultRule, RetryAfter, Route};
use futures_util::future::join_all;

use crate::house::{House, app, fixed};

#[tokio::test]
async fn both_endpoints_issue_a_checked_token_that_is_kept() {
    for (endpoint, path) in [(Endpoint::V1, "/oauth2/token"), (Endpoint::V2, "/oauth2/v2.0/token")] {
        let house = House::at(endpoint, 1, vec![fixed(DEFAULT_SECRET)]).await;
        let first = house.token().await.expect("a token");
        assert!(first.checked && first.fresh && first.roles.iter().any(|role| role == "Alert.Read.All"));
        let lifetime = first.expires_at.since(first.acquired_at).as_secs();
        assert!((3_598..=5_400).contains(&lifetime), "{lifetime}");
        let second = house.token().await.expect("a token");
        assert!(!second.fresh && second.bearer.expose() == first.bearer.expose());
        assert_eq!(house.logins(), 1);
        assert!(house.sim.stats().log()[0].target.ends_with(path), "{path}");
    }
}

#[tokio::test]
async fn fifty_callers_at_once_make_one_request() {
    let house = House::plain().await;
    house.fault(Fault::Latency(Duration::from_millis(100)));
    let tokens = join_all((0..50).map(|_| house.token())).await;
    let fresh = tokens.iter().filter(|token| token.as_ref().expect("a token").fresh).count();
    assert_eq!((house.logins(), fresh), (1, 1));
}

#[tokio::test]
async fn fifty_callers_at_once_share_one_failure() {
    let house = House::plain().await;
    house.change(|state| state.consented = false);
    house.fault(Fault::Latency(Duration::from_millis(100)));
    let outcomes = join_all((0..50).map(|_| house.token())).await;
    assert!(
        outcomes.iter().all(|outcome| *outcome.as_ref().expect_err("refused") == *outcomes[0].as_ref().unwrap_err())
    );
    assert_eq!(house.logins(), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_way_free() {
    let house = House::plain().await;
    house.sim.faults().add(FaultRule::new(Fault::Hang).on(Route::Login).once());
    let given_up = tokio::time::timeout(Duration::from_millis(200), house.token()).await;
    assert!(given_up.is_err());
    assert!(house.token().await.is_ok());
}

#[tokio::test]
async fn an_ageing_token_is_replaced_and_serves_while_it_cannot_be() {
    let house = House::plain().await;
    house.lifetime(3_600, None);
    let first = house.token().await.expect("a token");
    house.advance(3_600 - 361);
    assert!(!house.token().await.expect("kept").fresh);
    house.fault(Fault::Status { status: 503, body: FaultBody::Html, retry_after: RetryAfter::Absent });
    house.advance(62);
    for _ in 0..3 {
        assert_eq!(house.token().await.expect("the old one").bearer.expose(), first.bearer.expose());
    }
    assert_eq!(house.logins(), 2, "a failed replacement is not tried with every call");
    house.advance(31);
    assert!(house.token().await.is_ok());
    assert_eq!(house.logins(), 3);
    house.advance(300);
    assert_eq!(house.failure().await.0, FailureClass::Transient);
    house.sim.faults().clear();
    assert!(house.token().await.expect("a new one").fresh);
}

#[tokio::test]
async fn short_lives_and_early_wishes_do_not_cost_a_request_per_call() {
    let house = House::plain().await;
    house.lifetime(60, None);
    for _ in 0..5 {
        assert!(house.token().await.is_ok());
    }
    assert_eq!(house.logins(), 1);
    house.advance(31);
    assert!(house.token().await.expect("a new one").fresh);

    let house = House::plain().await;
    house.lifetime(3_600, Some(1_800));
    assert!(house.token().await.is_ok());
    house.advance(1_799);
    assert!(!house.token().await.expect("kept").fresh);
    house.advance(2);
    assert!(house.token().await.expect("a new one").fresh);
}

#[tokio::test]
async fn a_refused_token_is_replaced_exactly_once() {
    let house = House::plain().await;
    let refused = house.token().await.expect("a token");
    let replaced = join_all((0..20).map(|_| house.entra.refresh(&house.tenants[0], &refused))).await;
    let bearers: Vec<_> = replaced.iter().map(|token| token.as_ref().expect("a token").bearer.expose()).collect();
    assert!(bearers.iter().all(|bearer| *bearer == bearers[0] && *bearer != refused.bearer.expose()));
    assert_eq!(house.logins(), 2);
    // Long after, whoever still holds the old one gets the new one from memory.
    assert!(!house.entra.refresh(&house.tenants[0], &refused).await.expect("a token").fresh);
    assert_eq!(house.logins(), 2);
}

#[tokio::test]
async fn a_refused_token_is_not_asked_for_twice_when_that_fails() {
    let house = House::plain().await;
    let refused = house.token().await.expect("a token");
    house.fault(Fault::Status { status: 500, body: FaultBody::Empty, retry_after: RetryAfter::Absent });
    for _ in 0..3 {
        let failure = house.entra.refresh(&house.tenants[0], &refused).await.expect_err("no token").failure();
        assert_eq!(failure.class, FailureClass::Transient);
    }
    assert_eq!(house.logins(), 2);
    house.sim.faults().clear();
    assert!(house.token().await.expect("a token").fresh, "the refused token is not handed out again");
}

#[tokio::test]
async fn a_changed_app_and_a_forgotten_tenant_start_anew() {
    let house = House::with(2, vec![fixed(DEFAULT_SECRET)]).await;
    assert!(house.token().await.is_ok());
    house.entra.replace_apps(vec![app(Endpoint::V2, vec![fixed(DEFAULT_SECRET)])]);
    assert!(!house.token().await.expect("kept").fresh, "the same app keeps its tokens");
    house.entra.replace_apps(vec![app(Endpoint::V1, vec![fixed(DEFAULT_SECRET)])]);
    assert!(house.token().await.expect("a token").fresh);
    house.entra.forget(house.tenants[1].id);
    assert!(!house.token().await.expect("kept").fresh);
    house.entra.forget(house.tenants[0].id);
    assert!(house.token().await.expect("a token").fresh);
}
