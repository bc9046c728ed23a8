//! What becomes of refusals and of answers that are no use.

use std::time::Duration;

use alertferry::domain::{FailureClass, Tenant};
use alertferry::entra::TokenError;
use alertferry::entra::{App, Endpoint};
use alertferry_simulator::{Cut, DEFAULT_SECRET, Fault, FaultBody, FaultRule, RetryAfter, Route};

use crate::house::{House, TENANT, app, fixed, id};

#[tokio::test]
async fn each_trouble_of_a_tenant_has_its_class_and_remedy() {
    use FailureClass as Class;
    type Change = fn(&mut alertferry_simulator::TenantState);
    let troubles: [(Change, Class, &str, &str); 6] = [
        (|state| state.consented = false, Class::Tenant, "AADSTS700016", "/v2.0/adminconsent?client_id="),
        (|state| state.deleted = true, Class::Tenant, "AADSTS90002", "remove the tenant"),
        (|state| state.app_disabled = true, Class::Tenant, "AADSTS7000112", "enable application"),
        (|state| state.conditional_access = true, Class::Tenant, "AADSTS53003", "exempt application"),
        (|state| state.service_principal = false, Class::Unlicensed, "AADSTS500011", "licence"),
        (|state| state.roles.clear(), Class::Tenant, "Alert.Read.All", "/v2.0/adminconsent?client_id="),
    ];
    for (change, class, reason, remedy) in troubles {
        let house = House::plain().await;
        house.change(change);
        let (seen, told, help) = house.failure().await;
        assert_eq!(seen, class, "{told}");
        assert!(told.contains(reason) && !told.contains("Trace ID"), "{told}");
        assert!(help.contains(remedy), "{help}");
    }
}

#[tokio::test]
async fn a_consent_takes_effect_with_the_next_call() {
    let house = House::plain().await;
    house.change(|state| state.roles = vec!["Machine.Read.All".to_owned()]);
    assert!(house.failure().await.1.contains("Machine.Read.All"));
    house.change(|state| state.roles = vec!["Alert.ReadWrite.All".to_owned()]);
    assert!(house.token().await.is_ok());
    assert_eq!(house.logins(), 2);
    assert!(house.entra.news().iter().all(|news| news.refused.is_none()), "the app itself was accepted all along");
}

#[tokio::test]
async fn another_tenants_token_is_dropped() {
    let house = House::plain().await;
    let tid = id(7);
    house.sim.faults().add(FaultRule::new(Fault::ForeignTenantToken { tid: tid.clone() }).once());
    let error = house.token().await.expect_err("a foreign token");
    assert!(matches!(error, TokenError::ForeignTenant { found: Some(found), .. } if found.as_str() == tid));
    assert_eq!(error.failure().class, FailureClass::Protocol);
    assert!(house.token().await.expect("the right one").fresh);
}

#[tokio::test]
async fn throttling_is_obeyed_for_the_tenant_alone() {
    let house = House::with(2, vec![fixed(DEFAULT_SECRET)]).await;
    let rule = FaultRule::new(Fault::Throttle { retry_after: RetryAfter::Seconds(90) }).on(Route::Login);
    house.sim.faults().add(rule.tenant(&id(1)).once());
    let failure = house.token().await.expect_err("throttled").failure();
    assert_eq!((failure.class, failure.retry_after), (FailureClass::Throttled, Some(Duration::from_secs(90))));
    house.advance(60);
    let failure = house.token().await.expect_err("still throttled").failure();
    assert_eq!((failure.retry_after, house.logins()), (Some(Duration::from_secs(30)), 1));
    assert!(house.entra.token(&house.tenants[1]).await.is_ok());
    house.advance(31);
    assert!(house.token().await.is_ok());
}

#[tokio::test]
async fn throttling_without_a_time_means_a_minute() {
    let house = House::plain().await;
    house.fault(Fault::Throttle { retry_after: RetryAfter::Absent });
    assert_eq!(house.token().await.expect_err("throttled").failure().retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn answers_of_no_use_have_their_class() {
    let status = |status, body| Fault::Status { status, body, retry_after: RetryAfter::Absent };
    for (fault, class) in [
        (status(502, FaultBody::Html), FailureClass::Transient),
        (status(500, FaultBody::Empty), FailureClass::Transient),
        (status(403, FaultBody::Html), FailureClass::Protocol),
        (status(404, FaultBody::Empty), FailureClass::Config),
        (Fault::Redirect { status: 302, location: "http://127.0.0.1:1/".to_owned() }, FailureClass::Config),
        (Fault::MalformedJson, FailureClass::Protocol),
        (Fault::CutBody(Cut::Fraction(0.5)), FailureClass::Transient),
        (Fault::ResetBeforeHeaders, FailureClass::Transient),
        (Fault::HugeBody { bytes: 1 << 20 }, FailureClass::Protocol),
    ] {
        let house = House::plain().await;
        let label = format!("{fault:?}");
        house.fault(fault);
        let (seen, reason, _) = house.failure().await;
        assert_eq!(seen, class, "{label}: {reason}");
        assert!(!reason.contains('<') && !reason.contains("eyJ"), "{reason}");
    }
}

fn answer(status: u16, body: String) -> Fault {
    Fault::Status { status, body: FaultBody::Text(body), retry_after: RetryAfter::Absent }
}

#[tokio::test]
async fn a_token_that_is_no_jwt_is_used_unchecked() {
    let house = House::plain().await;
    house.fault(answer(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}"#.to_owned()));
    let token = house.token().await.expect("a token");
    assert!(!token.checked && token.roles.is_empty() && token.bearer.expose() == "opaque");
}

#[tokio::test]
async fn answers_that_promise_nothing_are_not_tokens() {
    for (body, told) in [
        (r#"{"token_type":"Bearer","access_token":"opaque"}"#, "for how long"),
        (r#"{"token_type":"Bearer","expires_in":0,"access_token":"opaque"}"#, "had ended"),
        (r#"{"token_type":"Bearer","expires_in":-5,"access_token":"opaque"}"#, "for how long"),
        (r#"{"token_type":"mac","expires_in":60,"access_token":"opaque"}"#, "Bearer"),
        ("", "no JSON"),
    ] {
        let house = House::plain().await;
        house.fault(answer(200, body.to_owned()));
        let (class, reason, _) = house.failure().await;
        assert!(class == FailureClass::Protocol && reason.contains(told), "{body}: {reason}");
        assert!(!reason.contains("opaque"), "{reason}");
    }
}

#[tokio::test]
async fn a_token_for_another_service_is_a_mistake_in_the_configuration() {
    let house = House::plain().await;
    let other = Tenant { app: "other".to_owned(), ..house.tenants[0].clone() };
    let odd = App {
        name: "other".to_owned(),
        // The simulated service trims the slashes and the client compares without them; the rest has to fit.
        audience: "https://api.securitycenter.microsoft.com/".to_owned(),
        ..app(Endpoint::V1, vec![fixed(DEFAULT_SECRET)])
    };
    house.entra.replace_apps(vec![app(Endpoint::V2, vec![fixed(DEFAULT_SECRET)]), odd]);
    assert!(house.entra.token(&other).await.is_ok());
    let stranger = house.sim.token(TENANT).expect("a token");
    let body = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{stranger}"}}"#);
    house.entra.replace_apps(vec![App {
        audience: "https://api-gov.securitycenter.microsoft.us".to_owned(),
        ..app(Endpoint::V2, vec![fixed(DEFAULT_SECRET)])
    }]);
    house.fault(answer(200, body));
    let (class, reason, remedy) = house.failure().await;
    assert_eq!(class, FailureClass::Config);
    assert!(reason.contains("api.securitycenter.microsoft.com") && remedy.contains("`audience`"), "{reason}; {remedy}");
}

#[tokio::test]
async fn an_echoed_secret_is_redacted_before_anything_is_cut() {
    let house = House::with(1, vec![fixed("S3cr3t~value/with+marks")]).await;
    for padding in [0, 285, 290] {
        let description = format!("AADSTS7000215: {}S3cr3t~value/with+marks bad", "x".repeat(padding));
        let body = serde_json::json!({"error": "S3cr3t~value/with+marks", "error_description": description});
        house.sim.faults().clear();
        house.fault(answer(400, body.to_string()));
        let (class, reason, _) = house.failure().await;
        assert!(class == FailureClass::Protocol && !reason.contains("S3c"), "{reason}");
        assert!(reason.chars().count() < 420, "{reason}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_a_transient_failure() {
    let house = House::plain().await;
    let nowhere = Tenant { login_url: "http://127.0.0.1:1".to_owned(), ..house.tenants[0].clone() };
    let failure = house.entra.token(&nowhere).await.expect_err("nobody there").failure();
    assert_eq!(failure.class, FailureClass::Transient);
    assert!(failure.reason.contains("http://127.0.0.1:1"), "{}", failure.reason);
}

#[tokio::test]
async fn an_unknown_app_is_a_mistake_in_the_configuration() {
    let house = House::plain().await;
    let stray = Tenant { app: "other".to_owned(), ..house.tenants[0].clone() };
    let failure = house.entra.token(&stray).await.expect_err("no such app").failure();
    assert!(failure.class == FailureClass::Config && failure.remedy.contains("[app.other]"), "{failure:?}");
}
