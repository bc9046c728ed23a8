//! Secrets that are wrong, rotated or expired, and how few requests that costs.

use std::path::Path;
use std::time::Duration;

use alertferry::domain::FailureClass;
use alertferry::entra::Endpoint;
use alertferry::entra::TokenError;
use alertferry_simulator::{DEFAULT_SECRET, Fault, FaultBody, FaultRule, RetryAfter, Route};
use futures_util::future::join_all;

use crate::house::{House, app, file, fixed, id, write_secret};

#[tokio::test]
async fn a_wrong_secret_is_the_apps_failure_and_is_never_shown() {
    let secret = "wr0ng~secret&with=marks";
    let house = House::with(1, vec![fixed(secret)]).await;
    let error = house.token().await.expect_err("refused");
    let failure = error.failure();
    assert_eq!(failure.class, FailureClass::App);
    assert!(failure.reason.contains("AADSTS7000215") && failure.remedy.contains("TEST"), "{failure:?}");
    for text in [format!("{error:?} {error}"), format!("{failure:?}")] {
        assert!(!text.contains("wr0ng"), "{text}");
    }
}

#[tokio::test]
async fn the_second_credential_takes_over_and_stays() {
    let house = House::with(2, vec![fixed("old"), fixed(DEFAULT_SECRET)]).await;
    house.sim.world().with(|world| {
        world.apps[0].secrets.push(alertferry_simulator::Secret { value: "old".to_owned(), expired: true });
    });
    assert!(house.token().await.is_ok());
    assert_eq!(house.logins(), 2);
    assert!(house.entra.token(&house.tenants[1]).await.is_ok());
    assert_eq!(house.logins(), 3, "the one that worked is tried first");
}

#[tokio::test]
async fn a_missing_secret_file_does_not_matter_while_another_credential_works() {
    let house = House::with(1, vec![file(Path::new("/nonexistent/secret")), fixed(DEFAULT_SECRET)]).await;
    assert!(house.token().await.is_ok());
    let house = House::with(1, vec![file(Path::new("/nonexistent/secret"))]).await;
    let (class, reason, remedy) = house.failure().await;
    assert_eq!((class, house.logins()), (FailureClass::App, 0));
    assert!(reason.contains("/nonexistent/secret") && remedy.contains("readable"), "{reason}; {remedy}");
}

#[tokio::test]
async fn a_rotated_secret_file_takes_effect_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("secret");
    write_secret(&path, "wrong");
    let house = House::with(1, vec![file(&path)]).await;
    assert_eq!(house.failure().await.0, FailureClass::App);
    assert_eq!(house.failure().await.0, FailureClass::App);
    assert_eq!(house.logins(), 1, "the refusal stands without another request");
    write_secret(&path, DEFAULT_SECRET);
    assert!(house.token().await.is_ok());
    assert_eq!(house.logins(), 2);
}

#[tokio::test]
async fn a_secret_withdrawn_while_a_request_with_it_is_on_its_way_does_no_harm() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("secret");
    write_secret(&path, DEFAULT_SECRET);
    let house = House::with(1, vec![file(&path)]).await;
    house.fault(Fault::Latency(Duration::from_millis(300)));
    let replaced = async {
        while house.logins() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        write_secret(&path, "new");
        house.sim.world().with(|world| world.apps[0].secrets[0].value = "new".to_owned());
    };
    let (token, ()) = tokio::join!(house.token(), replaced);
    assert!(token.is_ok(), "{token:?}");
    assert_eq!(house.logins(), 2, "once with the old secret, once with the new one");
}

#[tokio::test]
async fn ten_thousand_wrong_sign_ins_become_a_handful() {
    let house = House::with(2_000, vec![fixed("wrong")]).await;
    let outcomes = join_all(house.tenants.iter().map(|tenant| house.entra.token(tenant))).await;
    for (outcome, tenant) in outcomes.iter().zip(&house.tenants) {
        let error = outcome.as_ref().expect_err("refused");
        assert!(matches!(error, TokenError::App { tenant: of, .. } if *of == tenant.id), "{error}");
    }
    assert!(house.logins() <= 8, "{} requests", house.logins());
    let news = house.entra.news();
    assert!(news.len() == 1 && news[0].refused.is_some(), "{news:?}");
    assert!(house.entra.news().is_empty(), "told once");

    let before = house.logins();
    house.advance(59);
    join_all(house.tenants.iter().map(|tenant| house.entra.token(tenant))).await;
    assert_eq!(house.logins(), before, "not before the probe is due");
    house.advance(2);
    join_all(house.tenants.iter().map(|tenant| house.entra.token(tenant))).await;
    let probes = house.logins() - before;
    assert!((1..=8).contains(&probes), "{probes} probes");
    house.advance(61);
    join_all(house.tenants.iter().map(|tenant| house.entra.token(tenant))).await;
    assert_eq!(house.logins(), before + probes, "the interval doubles");

    house.sim.world().with(|world| world.apps[0].secrets[0].value = "wrong".to_owned());
    house.entra.replace_apps(vec![app(Endpoint::V2, vec![fixed("wrong")])]);
    let outcomes = join_all(house.tenants.iter().map(|tenant| house.entra.token(tenant))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(house.logins(), before + probes + 2_000);
    assert!(house.entra.news()[0].refused.is_none());
}

#[tokio::test]
async fn a_secret_that_expires_under_way_stops_all_without_a_storm() {
    let house = House::with(1_000, vec![fixed(DEFAULT_SECRET)]).await;
    assert!(house.token().await.is_ok());
    house.sim.world().with(|world| world.apps[0].secrets[0].expired = true);
    let outcomes = join_all(house.tenants[1..].iter().map(|tenant| house.entra.token(tenant))).await;
    assert!(outcomes.iter().all(Result::is_err));
    assert!(house.logins() <= 1 + 64 + 8, "{} requests", house.logins());
    assert!(house.token().await.is_ok(), "a token in hand is good until it ends");
}

#[tokio::test]
async fn one_tenants_refused_sign_in_does_not_lock_out_the_others() {
    let house = House::with(3, vec![fixed(DEFAULT_SECRET)]).await;
    assert!(house.token().await.is_ok());
    let invalid = FaultBody::Text(r#"{"error":"invalid_client","error_description":"AADSTS1: odd"}"#.to_owned());
    let fault = Fault::Status { status: 401, body: invalid, retry_after: RetryAfter::Absent };
    house.sim.faults().add(FaultRule::new(fault).on(Route::Login).tenant(&id(2)));
    for _ in 0..3 {
        let failure = house.entra.token(&house.tenants[1]).await.expect_err("refused").failure();
        assert_eq!(failure.class, FailureClass::App);
    }
    assert_eq!(house.logins(), 2, "the tenant itself has to wait");
    assert!(house.entra.token(&house.tenants[2]).await.is_ok());
    assert!(house.entra.news().iter().all(|news| news.refused.is_none()));
}

#[tokio::test]
async fn hanging_sign_ins_hold_up_the_others_only_briefly() {
    let house = House::with(6, vec![fixed(DEFAULT_SECRET)]).await;
    for number in 1..=4 {
        house.sim.faults().add(FaultRule::new(Fault::Hang).on(Route::Login).tenant(&id(number)));
    }
    let began = tokio::time::Instant::now();
    let hanging = join_all(house.tenants[..4].iter().map(|tenant| house.entra.token(tenant)));
    let others = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        join_all(house.tenants[4..].iter().map(|tenant| house.entra.token(tenant))).await
    };
    let others = tokio::select! {
        _ = hanging => panic!("a hanging sign-in ended first"),
        others = others => others,
    };
    assert!(others.iter().all(Result::is_ok));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
