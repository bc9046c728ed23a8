//! Owns what a refusal of the token endpoint means.
//!
//! Microsoft documents the HTTP status and `error` as what a client may act on, and the AADSTS numbers as subject to
//! change. So status and `error` decide; a number only tells apart what they leave open.

use std::time::Duration;

use super::reply::Complaint;
use crate::domain::FailureClass;

/// The wait after a 429 that does not say how long (documented: the header says 60).
const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// The wait after the service says that the tenant is blocked for a while, or that this client asks in circles.
const LONG_WAIT: Duration = Duration::from_secs(15 * 60);
/// The longest wait that is believed.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);

/// "Try again", whatever the status and `error` are (documented list of error codes).
const TRY_AGAIN: [u64; 7] = [90_006, 90_012, 90_024, 90_033, 50_033, 90_090, 90_091];
/// The tenant is throttled, or the client loops (documented).
const BLOCKED: [u64; 2] = [90_055, 50_196];
/// The app is not in the tenant, or has no service principal there (recorded; the second one is reported).
const NOT_THERE: [u64; 2] = [700_016, 7_000_229];
/// The app is switched off (documented).
const SWITCHED_OFF: [u64; 3] = [7_000_112, 70_001, 1_000_031];
/// No such tenant (recorded).
const NO_TENANT: [u64; 1] = [90_002];
/// The tenant has no service principal of the resource, or no subscription to it (documented).
const NO_SERVICE: [u64; 2] = [500_011, 650_052];
/// Conditional Access, tenant restrictions and cross-tenant policies (documented).
const POLICY: [u64; 10] = [53_000, 53_003, 530_032, 50_131, 53_011, 500_021, 500_022, 500_212, 500_213, 1_000_104];

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The credential is wrong or has expired: the same for all tenants of the app.
    Credential,
    /// The tenant's administrator has not let the app in, or has thrown it out.
    NotConsented,
    /// The app is switched off.
    SwitchedOff,
    /// There is no such tenant, or no longer.
    TenantGone,
    /// The tenant has no Defender for Endpoint.
    NoService,
    /// A policy of the tenant keeps the app out.
    Policy,
    /// The request itself is wrong: client id, audience, cloud or address.
    Request,
    /// The service asks to wait.
    Throttled,
    /// The service has trouble of its own.
    Unavailable,
    /// The answer is not the login service's.
    Foreign,
}

impl Refusal {
    /// The class of failure.
    #[must_use]
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Credential => FailureClass::App,
            Self::NotConsented | Self::SwitchedOff | Self::TenantGone | Self::Policy => FailureClass::Tenant,
            Self::NoService => FailureClass::Unlicensed,
            Self::Request => FailureClass::Config,
            Self::Throttled => FailureClass::Throttled,
            Self::Unavailable => FailureClass::Transient,
            Self::Foreign => FailureClass::Protocol,
        }
    }
}

/// A refusal with what is told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub refusal: Refusal,
    /// One line: number, description, status.
    pub detail: String,
    pub retry_after: Option<Duration>,
}

/// What an answer other than a token means. `redact` takes secrets out of a text.
pub(super) fn classify(
    status: u16,
    body: &str,
    retry_after: Option<Duration>,
    redact: impl Fn(&str) -> String,
) -> Verdict {
    let complaint = Complaint::read(body, redact);
    let refusal = match &complaint {
        _ if status == 429 => Refusal::Throttled,
        _ if status >= 500 || status == 408 => Refusal::Unavailable,
        Some(complaint) => meaning(complaint),
        // Redirects, and addresses where no login service is.
        None if (300..400).contains(&status) || matches!(status, 404 | 405) => Refusal::Request,
        None => Refusal::Foreign,
    };
    let blocked = complaint.as_ref().is_some_and(|complaint| complaint.has(&BLOCKED));
    let retry_after = match refusal {
        Refusal::Throttled => retry_after.or(Some(if blocked { LONG_WAIT } else { DEFAULT_WAIT })),
        Refusal::Unavailable => retry_after,
        Refusal::Credential
        | Refusal::NotConsented
        | Refusal::SwitchedOff
        | Refusal::TenantGone
        | Refusal::NoService
        | Refusal::Policy
        | Refusal::Request
        | Refusal::Foreign => None,
    };
    let detail = complaint.map_or_else(|| unexplained(status), |complaint| explained(status, &complaint));
    Verdict { refusal, detail, retry_after: retry_after.map(|wait| wait.min(MAX_WAIT)) }
}

fn meaning(complaint: &Complaint) -> Refusal {
    let is = |codes: &[u64]| complaint.has(codes);
    match complaint.error.as_str() {
        _ if is(&BLOCKED) => Refusal::Throttled,
        _ if is(&TRY_AGAIN) => Refusal::Unavailable,
        "temporarily_unavailable" | "server_error" => Refusal::Unavailable,
        _ if is(&NOT_THERE) => Refusal::NotConsented,
        _ if is(&SWITCHED_OFF) => Refusal::SwitchedOff,
        _ if is(&NO_TENANT) => Refusal::TenantGone,
        "invalid_client" => Refusal::Credential,
        _ if is(&NO_SERVICE) => Refusal::NoService,
        _ if is(&POLICY) => Refusal::Policy,
        "invalid_tenant" => Refusal::TenantGone,
        "unauthorized_client" | "invalid_resource" | "invalid_grant" | "consent_required" => Refusal::NotConsented,
        "access_denied" | "interaction_required" => Refusal::Policy,
        "invalid_request" | "invalid_scope" | "unsupported_grant_type" | "invalid_target" => Refusal::Request,
        _ => Refusal::Foreign,
    }
}

fn explained(status: u16, complaint: &Complaint) -> String {
    let number = complaint.codes.first().map_or_else(String::new, |code| format!("AADSTS{code}: "));
    let text = if complaint.description.is_empty() { "no description" } else { &complaint.description };
    format!("{number}{text} (HTTP {status}, {})", complaint.error)
}

fn unexplained(status: u16) -> String {
    match status {
        429 => "the login service asks to wait (HTTP 429)".to_owned(),
        300..400 => format!("the login service redirects (HTTP {status}), which is not followed"),
        500.. => format!("the login service has trouble (HTTP {status})"),
        _ => format!("HTTP {status} without the explanation a login service gives"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(status: u16, body: &str, retry_after: Option<Duration>) -> Verdict {
        super::classify(status, body, retry_after, str::to_owned)
    }

    fn refusal(status: u16, error: &str, code: u64) -> Refusal {
        let body = format!(
            r#"{{"error":"{error}","error_description":"AADSTS{code}: Text. Trace ID: t","error_codes":[{code}]}}"#
        );
        classify(status, &body, None).refusal
    }

    #[test]
    fn status_and_error_decide_and_numbers_refine() {
        use Refusal as R;
        for (status, error, code, expected) in [
            (401, "invalid_client", 7_000_215, R::Credential),
            (401, "invalid_client", 7_000_222, R::Credential),
            (401, "invalid_client", 700_027, R::Credential),
            (401, "invalid_client", 1, R::Credential),
            (400, "unauthorized_client", 700_016, R::NotConsented),
            (400, "unauthorized_client", 1, R::NotConsented),
            (401, "invalid_client", 700_016, R::NotConsented),
            (400, "unauthorized_client", 7_000_229, R::NotConsented),
            (400, "unauthorized_client", 7_000_112, R::SwitchedOff),
            (400, "invalid_request", 90_002, R::TenantGone),
            (400, "invalid_tenant", 1, R::TenantGone),
            (400, "invalid_request", 900_023, R::Request),
            (400, "invalid_request", 90_014, R::Request),
            (400, "invalid_scope", 70_011, R::Request),
            (400, "invalid_resource", 500_011, R::NoService),
            (400, "invalid_grant", 650_052, R::NoService),
            (400, "invalid_resource", 650_057, R::NotConsented),
            (400, "invalid_grant", 65_001, R::NotConsented),
            (400, "access_denied", 53_003, R::Policy),
            (400, "invalid_grant", 530_032, R::Policy),
            (400, "interaction_required", 1, R::Policy),
            (400, "temporarily_unavailable", 1, R::Unavailable),
            (400, "invalid_request", 90_033, R::Unavailable),
            (503, "invalid_client", 7_000_215, R::Unavailable),
            (429, "invalid_client", 7_000_215, R::Throttled),
            (400, "invalid_grant", 50_196, R::Throttled),
            (400, "invalid_request", 90_055, R::Throttled),
            (400, "brand_new", 1, R::Foreign),
        ] {
            assert_eq!(refusal(status, error, code), expected, "{status} {error} {code}");
        }
    }

    #[test]
    fn bodies_of_other_forms_are_judged_by_their_status() {
        use Refusal as R;
        for (status, body, expected) in [
            (429, "Too Many Requests", R::Throttled),
            (500, "", R::Unavailable),
            (502, "<html>Bad Gateway</html>", R::Unavailable),
            (504, "{}", R::Unavailable),
            (408, "", R::Unavailable),
            (302, "", R::Request),
            (404, "<html>", R::Request),
            (400, "<html>", R::Foreign),
            (401, "", R::Foreign),
            (403, "<html>blocked by proxy</html>", R::Foreign),
            (407, "", R::Foreign),
        ] {
            let verdict = classify(status, body, None);
            assert_eq!(verdict.refusal, expected, "{status} {body}");
            assert!(!verdict.detail.contains('<'), "{}", verdict.detail);
        }
    }

    #[test]
    fn the_wait_is_the_services_within_reason() {
        let wait = |status, body, after| classify(status, body, after).retry_after.map(|wait| wait.as_secs());
        assert_eq!(wait(429, "", None), Some(60));
        assert_eq!(wait(429, "", Some(Duration::from_secs(7))), Some(7));
        assert_eq!(wait(429, "", Some(Duration::from_secs(1_000_000))), Some(3600));
        assert_eq!(wait(503, "", Some(Duration::from_secs(7))), Some(7));
        assert_eq!(wait(503, "", None), None);
        assert_eq!(wait(400, r#"{"error":"invalid_grant","error_codes":[50196]}"#, None), Some(900));
        assert_eq!(wait(401, r#"{"error":"invalid_client"}"#, Some(Duration::from_secs(7))), None);
    }

    #[test]
    fn the_detail_is_one_line_with_number_and_status() {
        let body =
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid\\nsecret. Trace ID: 9\"}";
        assert_eq!(classify(401, body, None).detail, "AADSTS7000215: Invalid secret. (HTTP 401, invalid_client)");
        assert_eq!(classify(401, r#"{"error":"x"}"#, None).detail, "no description (HTTP 401, x)");
    }
}
