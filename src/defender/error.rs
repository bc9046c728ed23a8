//! Owns what can go wrong with a request to the alerts API, and what follows from it.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::{Failure, FailureClass, TenantId};
use crate::http::{HttpError, PROXY_REMEDY, Trouble};

/// The body of an answer was not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

/// How long a throttled tenant waits when the service does not say.
const DEFAULT_THROTTLE: Duration = Duration::from_secs(60);
const WAITS: &str = "nothing: it is read again as soon as the service allows";
const RETRIES: &str = "it is tried again by itself; if it stays, check the network and the service's health";
/// So much of a message from the service is shown.
const SHOWN_CHARS: usize = 240;

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No (whole) answer came.
    #[error("the alerts API: {0}")]
    Http(#[from] HttpError),
    /// The service answered with an error.
    #[error("the alerts API answered {status}{}", detail(code, message))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The `code` of the error envelope, if there was one.
        code: String,
        /// Its `message`, shortened.
        message: String,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is no list of alerts, or is cut.
    #[error("the alerts API: {0}")]
    Malformed(String),
    /// An alert says it belongs to another tenant.
    #[error("the answer holds an alert of tenant {0}; nothing of it was stored")]
    ForeignAlert(TenantId),
    /// The call would exceed the service's limits.
    #[error("the quota of API calls is used up for {} s", .0.as_secs())]
    Quota(Duration),
    /// The service asked to wait, and the wait is not over, whatever the wall clock says.
    #[error("the API asked not to be called for another {} s", .0.as_secs())]
    Held(Duration),
}

fn detail(code: &str, message: &str) -> String {
    match (code, message) {
        ("", "") => String::new(),
        ("", message) => format!(": {message}"),
        (code, "") => format!(" {code}"),
        (code, message) => format!(" {code}: {message}"),
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: EnvelopeError,
}

#[derive(Deserialize)]
struct EnvelopeError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl ApiError {
    /// Reads an error answer. Its body may be the documented envelope, HTML, or nothing.
    pub(super) fn from_answer(status: u16, body: &str, retry_after: Option<Duration>) -> Self {
        let (code, message) = match serde_json::from_str::<Envelope>(body) {
            Ok(envelope) => (shown(&envelope.error.code), shown(&envelope.error.message)),
            Err(_) if body.trim_start().starts_with('<') => (String::new(), "an HTML page".to_owned()),
            Err(_) => (String::new(), shown(body)),
        };
        Self::Status { status, code, message, retry_after }
    }

    /// Whether the token was refused, so that a new one may help.
    #[must_use]
    pub fn refuses_token(&self) -> bool {
        matches!(self, Self::Status { status: 401, .. }) && !self.is_unlicensed()
    }

    /// Whether the request itself was refused, so that another form of it may be accepted.
    #[must_use]
    pub const fn refuses_query(&self) -> bool {
        matches!(self, Self::Status { status: 400, .. })
    }

    /// Whether the answer may fail because of what is in its window, so that a smaller window may succeed.
    #[must_use]
    pub fn may_lie_in_the_window(&self) -> bool {
        match self {
            Self::Http(error) => matches!(error.trouble, Trouble::Timeout | Trouble::Broken | Trouble::TooLarge),
            Self::Status { status, .. } => *status >= 500 || *status == 413,
            Self::Malformed(_) => true,
            Self::ForeignAlert(_) | Self::Quota(_) | Self::Held(_) => false,
        }
    }

    /// Whether the service, or the quota, said when it may be asked again: before that it is asked nothing, not even for
    /// another window.
    #[must_use]
    pub fn asks_to_wait(&self) -> bool {
        self.failure().retry_after.is_some()
    }

    /// Whether it tells of the tenant, the app or the configuration, so that no other window will do better now.
    #[must_use]
    pub fn concerns_all_windows(&self) -> bool {
        match self.failure().class {
            FailureClass::Transient | FailureClass::Protocol | FailureClass::Local => self.asks_to_wait(),
            FailureClass::Throttled
            | FailureClass::Tenant
            | FailureClass::Unlicensed
            | FailureClass::App
            | FailureClass::Config => true,
        }
    }

    fn is_unlicensed(&self) -> bool {
        // The status is 401 in one recording and 403 in another, so the message must tell.
        let Self::Status { status: 401 | 403, message, .. } = self else { return false };
        let message = message.to_ascii_lowercase();
        ["account mode is inactive", "license", "licence", "not provisioned"].iter().any(|hint| message.contains(hint))
    }

    /// The failure a pass reports.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let failure = |class| Failure::new(class, self.to_string());
        match self {
            Self::Http(error) if error.trouble == Trouble::Tls => failure(FailureClass::Config)
                .with_remedy("something on the way intercepts TLS, or the machine lacks the certificate authority"),
            Self::Http(error) if error.trouble == Trouble::Proxy => {
                failure(FailureClass::Transient).with_remedy(PROXY_REMEDY)
            }
            Self::Http(_) => failure(FailureClass::Transient).with_remedy(RETRIES),
            Self::Malformed(_) => failure(FailureClass::Protocol).with_remedy(
                "it is tried again by itself; if it stays, see whether a newer alertferry knows this answer",
            ),
            Self::ForeignAlert(_) => failure(FailureClass::Protocol)
                .with_remedy("check `api_url` and proxies: an answer for another tenant came back"),
            Self::Quota(wait) | Self::Held(wait) => {
                failure(FailureClass::Throttled).with_remedy(WAITS).with_retry_after(Some(*wait))
            }
            Self::Status { status, message, retry_after, .. } => {
                if self.is_unlicensed() {
                    return failure(FailureClass::Unlicensed).with_remedy(
                        "the tenant needs an active Defender for Endpoint licence; a first set-up can take 12 hours",
                    );
                }
                let (class, remedy) = of_status(*status, message);
                let wait = if class == FailureClass::Throttled {
                    retry_after.or(Some(DEFAULT_THROTTLE))
                } else {
                    *retry_after
                };
                failure(class).with_remedy(remedy).with_retry_after(wait)
            }
        }
    }
}

fn of_status(status: u16, message: &str) -> (FailureClass, &'static str) {
    match status {
        429 => (FailureClass::Throttled, WAITS),
        401 => {
            (FailureClass::Tenant, "a new token was refused too; check that the tenant still has Defender for Endpoint")
        }
        403 if message.contains("Missing application roles") => (
            FailureClass::Tenant,
            "grant Alert.Read.All (WindowsDefenderATP, application permission) to the app and consent again",
        ),
        403 => (
            FailureClass::Tenant,
            "check the app's `audience`, then its permission Alert.Read.All and the tenant's consent",
        ),
        404 | 405 => (FailureClass::Config, "check `region` and `api_url`: this host has no alerts API"),
        300..=399 => (FailureClass::Config, "redirects are not followed; set `api_url` to the final host"),
        500..=599 | 408 => (FailureClass::Transient, RETRIES),
        _ => (FailureClass::Protocol, "see whether a newer alertferry knows this answer"),
    }
}

/// Text of the service in one line, without control characters, shortened.
fn shown(text: &str) -> String {
    let clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = clean.take(SHOWN_CHARS + 1).collect();
    if shown.chars().count() > SHOWN_CHARS {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass as C;

    fn class(status: u16, message: &str) -> FailureClass {
        let body = format!("{{\"error\":{{\"code\":\"X\",\"message\":\"{message}\",\"target\":\"|1.2.\"}}}}");
        ApiError::from_answer(status, &body, None).failure().class
    }

    #[test]
    fn answers_are_classified() {
        for (status, message, expected) in [
            (401, "", C::Tenant),
            (401, "Unauthorized request - reason of failure: Account mode is inactive", C::Unlicensed),
            (403, "Unauthorized request - reason of failure: Account mode is inactive", C::Unlicensed),
            (401, "reason of failure: No Tvm license", C::Unlicensed),
            (403, "Missing application roles. API required roles: Alert.Read.All", C::Tenant),
            (403, "", C::Tenant),
            (404, "", C::Config),
            (405, "", C::Config),
            (302, "", C::Config),
            (429, "", C::Throttled),
            (500, "", C::Transient),
            (503, "", C::Transient),
            (400, "", C::Protocol),
            (418, "", C::Protocol),
        ] {
            assert_eq!(class(status, message), expected, "{status} {message}");
        }
    }

    #[test]
    fn a_throttle_without_a_time_waits_a_minute() {
        let told = ApiError::from_answer(429, "", Some(Duration::from_secs(7))).failure();
        assert_eq!(told.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(ApiError::from_answer(429, "", None).failure().retry_after, Some(DEFAULT_THROTTLE));
    }

    #[test]
    fn what_is_no_fault_of_a_window_is_known() {
        let minute = Some(Duration::from_secs(60));
        for (status, told, waits, concerns_all) in [
            (500, None, false, false),
            (503, None, false, false),
            (503, minute, true, true),
            (429, None, true, true),
            (400, None, false, false),
            (401, None, false, true),
            (403, None, false, true),
            (404, None, false, true),
        ] {
            let error = ApiError::from_answer(status, "", told);
            assert_eq!(
                (error.asks_to_wait(), error.concerns_all_windows()),
                (waits, concerns_all),
                "{status} {told:?}"
            );
        }
        assert!(ApiError::Quota(Duration::ZERO).asks_to_wait());
        assert!(!ApiError::Malformed(String::new()).concerns_all_windows());
    }

    #[test]
    fn bodies_of_any_kind_are_shown_short_and_in_one_line() {
        let html = ApiError::from_answer(502, "<html>\n<body>…", None);
        assert_eq!(html.to_string(), "the alerts API answered 502: an HTML page");
        assert_eq!(ApiError::from_answer(404, "", None).to_string(), "the alerts API answered 404");
        let long = ApiError::from_answer(500, &"x\u{1b}\n".repeat(500), None).to_string();
        assert!(long.chars().count() < 300 && !long.contains(['\u{1b}', '\n']), "{long}");
    }

    #[test]
    fn what_stood_in_the_way_has_its_own_class_and_remedy() {
        let told = |trouble| {
            let failure = ApiError::Http(HttpError::new(trouble, "why")).failure();
            (failure.class, failure.remedy)
        };
        let (class, remedy) = told(Trouble::Tls);
        assert!(class == C::Config && remedy.contains("certificate authority"), "{remedy}");
        assert_eq!(told(Trouble::Proxy), (C::Transient, PROXY_REMEDY.to_owned()));
        assert_eq!(told(Trouble::Connect), (C::Transient, RETRIES.to_owned()));
        let remedy = |message| ApiError::from_answer(403, message, None).failure().remedy;
        assert!(
            remedy("Missing application roles. API required roles: Alert.Read.All").starts_with("grant Alert.Read.All")
        );
        assert!(remedy("no").starts_with("check the app's `audience`"));
    }

    #[test]
    fn a_smaller_window_may_succeed_where_size_or_one_row_is_the_trouble() {
        let may = |status| ApiError::from_answer(status, "", None).may_lie_in_the_window();
        let all = [400, 403, 404, 413, 414, 429, 499, 500, 504];
        assert_eq!(all.into_iter().filter(|status| may(*status)).collect::<Vec<_>>(), [413, 500, 504]);
        let troubles = [Trouble::Timeout, Trouble::Broken, Trouble::TooLarge, Trouble::Connect, Trouble::Tls];
        let may = troubles.map(|trouble| ApiError::Http(HttpError::new(trouble, "")).may_lie_in_the_window());
        assert_eq!(may, [true, true, true, false, false]);
    }

    #[test]
    fn texts_are_cut_where_they_are_too_long_and_not_before() {
        let whole = "x".repeat(SHOWN_CHARS);
        assert_eq!(shown(&whole), whole);
        assert_eq!(shown(&format!("{whole}yz")), format!("{whole}…"));
        assert_eq!(shown("  a\u{1b}b\n"), "a b");
    }
}
