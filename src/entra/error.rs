//! Owns why there is no token, as a fact for a decision: class, reason, remedy.

use std::time::Duration;

use super::claims::ROLES;
use super::classify::Refusal;
use super::reply::tidy;
use crate::domain::{Failure, FailureClass, TenantId};
use crate::http::{HttpError, PROXY_REMEDY, Trouble};

/// The longest piece of a token that is shown.
const MAX_SHOWN_CHARS: usize = 120;

/// Why there is no token for a tenant. No variant holds a secret or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The tenant names an app registration that is not configured.
    #[error("tenant {tenant}: there is no app `{app}`")]
    UnknownApp {
        /// The tenant.
        tenant: TenantId,
        /// The name it uses.
        app: String,
    },
    /// No answer came.
    #[error("tenant {tenant}: no answer from {login_url}")]
    Unreachable {
        /// The tenant.
        tenant: TenantId,
        /// Whom the request was sent to.
        login_url: String,
        /// What went wrong on the way.
        source: HttpError,
    },
    /// The login service refused for a reason that concerns this tenant.
    #[error("tenant {tenant}: {detail}")]
    Refused {
        /// The tenant.
        tenant: TenantId,
        /// What the refusal means.
        refusal: Refusal,
        /// The service's words.
        detail: String,
        /// What can be done; empty when waiting is all.
        remedy: String,
        /// How long the service asked to wait.
        retry_after: Option<Duration>,
    },
    /// The app registration itself is refused, or has nothing to prove itself with.
    #[error("tenant {tenant}: app `{app}` cannot sign in: {reason}")]
    App {
        /// The tenant.
        tenant: TenantId,
        /// The app registration.
        app: String,
        /// Why, for each of its credentials.
        reason: String,
        /// What can be done.
        remedy: String,
    },
    /// Other tenants' sign-ins with the same app were waited for, and none of them ended.
    #[error("tenant {tenant}: the sign-ins of app `{app}` that came first take too long")]
    Waited {
        /// The tenant.
        tenant: TenantId,
        /// The app registration.
        app: String,
    },
    /// The login service said yes, in a form that cannot be read.
    #[error("tenant {tenant}: {detail}")]
    Malformed {
        /// The tenant.
        tenant: TenantId,
        /// What is wrong with the form.
        detail: String,
    },
    /// The token is another tenant's; it was dropped.
    #[error("tenant {tenant}: the token is for {}", found.map_or_else(|| "no tenant".to_owned(), |id| format!("tenant {id}")))]
    ForeignTenant {
        /// The tenant that was asked for.
        tenant: TenantId,
        /// The tenant in the token.
        found: Option<TenantId>,
    },
    /// The token is for another service; the API would answer 403.
    #[error("tenant {tenant}: the token is for another audience than {asked}")]
    WrongAudience {
        /// The tenant.
        tenant: TenantId,
        /// The audience that was asked for.
        asked: String,
        /// The audiences in the token.
        found: Vec<String>,
    },
    /// The token does not allow alerts to be read; the API would answer 403.
    #[error("tenant {tenant}: the token has no role to read alerts")]
    RoleMissing {
        /// The tenant.
        tenant: TenantId,
        /// The roles in the token.
        roles: Vec<String>,
        /// The admin consent link.
        consent: String,
    },
    /// The token had ended when it arrived.
    #[error("tenant {tenant}: the token had ended when it arrived")]
    Ended {
        /// The tenant.
        tenant: TenantId,
    },
}

impl TokenError {
    /// The fact that the scheduler acts on and the operator reads.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (class, reason) = (self.class(), self.reason());
        Failure::new(class, reason).with_remedy(self.remedy()).with_retry_after(self.retry_after())
    }

    /// The class, which decides.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::UnknownApp { .. } | Self::WrongAudience { .. } => FailureClass::Config,
            Self::Unreachable { source, .. } => match source.trouble {
                Trouble::Setup => FailureClass::Config,
                Trouble::TooLarge => FailureClass::Protocol,
                Trouble::Connect | Trouble::Proxy | Trouble::Tls | Trouble::Timeout | Trouble::Broken => {
                    FailureClass::Transient
                }
            },
            Self::Refused { refusal, .. } => refusal.class(),
            Self::App { .. } => FailureClass::App,
            Self::Waited { .. } => FailureClass::Transient,
            Self::Malformed { .. } | Self::ForeignTenant { .. } | Self::Ended { .. } => FailureClass::Protocol,
            Self::RoleMissing { .. } => FailureClass::Tenant,
        }
    }

    /// Whether the login service had accepted the app's credential before this went wrong.
    pub(super) const fn was_signed_in(&self) -> bool {
        match self {
            Self::ForeignTenant { .. } | Self::WrongAudience { .. } | Self::RoleMissing { .. } | Self::Ended { .. } => {
                true
            }
            Self::UnknownApp { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::App { .. }
            | Self::Waited { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// Whether it may pass by itself within the time a token in hand still has.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self.class(), FailureClass::Transient | FailureClass::Throttled)
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::UnknownApp { .. }
            | Self::Unreachable { .. }
            | Self::App { .. }
            | Self::Waited { .. }
            | Self::Malformed { .. }
            | Self::ForeignTenant { .. }
            | Self::WrongAudience { .. }
            | Self::RoleMissing { .. }
            | Self::Ended { .. } => None,
        }
    }

    /// What happened, without the tenant, which every line and row carries anyway.
    fn reason(&self) -> String {
        match self {
            Self::UnknownApp { app, .. } => format!("there is no app `{app}`"),
            Self::Unreachable { login_url, source, .. } => format!("no token from {login_url}: {source}"),
            Self::Refused { detail, .. } => detail.clone(),
            Self::App { app, reason, .. } => format!("app `{app}` cannot sign in: {reason}"),
            Self::Waited { app, .. } => format!("the sign-ins of app `{app}` that came first take too long"),
            Self::Malformed { detail, .. } => format!("the login service's answer cannot be used: {detail}"),
            Self::ForeignTenant { found, .. } => {
                let whose = found.map_or_else(|| "names no tenant".to_owned(), |id| format!("is for tenant {id}"));
                format!("the token {whose}; it was not used")
            }
            Self::WrongAudience { found, asked, .. } => {
                format!("the token is for {} instead of {asked}", shown(found, "no audience"))
            }
            Self::RoleMissing { roles, .. } => {
                format!("the token lacks the role {}; it has {}", ROLES.join(" or "), shown(roles, "no roles"))
            }
            Self::Ended { .. } => "the token had ended when it arrived".to_owned(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::UnknownApp { app, .. } => {
                format!("add [app.{app}] to the configuration, or correct the tenant's `app`")
            }
            Self::Unreachable { source, .. } if source.trouble == Trouble::Tls => {
                "check this machine's time, its CA certificates, and whether a proxy opens TLS".to_owned()
            }
            Self::Unreachable { source, .. } if source.trouble == Trouble::Proxy => PROXY_REMEDY.to_owned(),
            Self::Refused { remedy, .. } | Self::App { remedy, .. } => remedy.clone(),
            Self::ForeignTenant { .. } => "check the tenant's id and login_url".to_owned(),
            Self::WrongAudience { .. } => "check the app's `cloud` and `audience`".to_owned(),
            Self::RoleMissing { consent, .. } => format!(
                "give the app registration the application permission {} of WindowsDefenderATP, then have an \
                 administrator of the tenant open {consent}",
                ROLES[0]
            ),
            Self::Ended { .. } => "check the login service's clock".to_owned(),
            Self::Unreachable { .. } | Self::Waited { .. } | Self::Malformed { .. } => String::new(),
        }
    }
}

fn shown(texts: &[String], none: &str) -> String {
    if texts.is_empty() { none.to_owned() } else { tidy(&texts.join(", "), MAX_SHOWN_CHARS) }
}
