//! Owns the classes of failure and the tenant states that follow from them.

use std::fmt;
use std::time::Duration;

/// What kind of failure it is; the class alone decides when to try again and what state a tenant gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Passes by itself: network, 5xx, timeouts, a cut answer. Backoff with jitter.
    Transient,
    /// The service asked to wait.
    Throttled,
    /// The tenant's administrator must act: consent or role missing, tenant gone, blocked by policy. Slow re-probe.
    Tenant,
    /// The tenant has no (active) licence for Defender for Endpoint. Slow re-probe.
    Unlicensed,
    /// The app registration itself is refused: one probe stands for all of its tenants.
    App,
    /// The operator's configuration is wrong for this tenant.
    Config,
    /// The service answered something that this version does not understand or must not trust.
    Protocol,
    /// This machine cannot store what was read: disk full, database damaged.
    Local,
}

impl FailureClass {
    /// The name used in logs and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Tenant => "tenant",
            Self::Unlicensed => "unlicensed",
            Self::App => "app",
            Self::Config => "config",
            Self::Protocol => "protocol",
            Self::Local => "local",
        }
    }

    /// The state of a tenant whose pass failed this way, `failures` times in a row.
    #[must_use]
    pub const fn state(self, failures: u32) -> TenantState {
        match self {
            Self::Transient if failures >= UNREACHABLE_AFTER => TenantState::Unreachable,
            Self::Transient | Self::Protocol | Self::Local => TenantState::Degraded,
            Self::Throttled => TenantState::Throttled,
            Self::Tenant | Self::App | Self::Config => TenantState::Unauthorized,
            Self::Unlicensed => TenantState::Unlicensed,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// So many transient failures in a row make a tenant `unreachable` instead of `degraded`.
pub const UNREACHABLE_AFTER: u32 = 3;

/// A failure as a fact for a decision: what class, why, what to do, and how long the service asked to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class, which decides.
    pub class: FailureClass,
    /// What happened, in one line without secrets.
    pub reason: String,
    /// What the operator or the customer can do about it; empty when waiting is all.
    pub remedy: String,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without remedy or wait.
    #[must_use]
    pub fn new(class: FailureClass, reason: impl Into<String>) -> Self {
        Self { class, reason: reason.into(), remedy: String::new(), retry_after: None }
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The same failure with how long to wait.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

/// How it stands with a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TenantState {
    /// Never read yet.
    New,
    /// The last pass read all there was.
    Ok,
    /// Passes fail now and then, or a window cannot be read.
    Degraded,
    /// The service asked to wait.
    Throttled,
    /// Consent, role, secret or configuration is missing or wrong.
    Unauthorized,
    /// No active Defender for Endpoint licence.
    Unlicensed,
    /// Several passes in a row met a dead network or service.
    Unreachable,
    /// Switched off, or no longer in the configuration.
    Disabled,
}

impl TenantState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Ok,
        Self::Degraded,
        Self::Throttled,
        Self::Unauthorized,
        Self::Unlicensed,
        Self::Unreachable,
        Self::Disabled,
    ];

    /// The name used in logs and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Unlicensed => "unlicensed",
            Self::Unreachable => "unreachable",
            Self::Disabled => "disabled",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_decides_the_state() {
        use FailureClass as C;
        use TenantState as S;
        for (class, failures, state) in [
            (C::Transient, 1, S::Degraded),
            (C::Transient, UNREACHABLE_AFTER, S::Unreachable),
            (C::Throttled, 9, S::Throttled),
            (C::Tenant, 1, S::Unauthorized),
            (C::Unlicensed, 1, S::Unlicensed),
            (C::App, 1, S::Unauthorized),
            (C::Config, 1, S::Unauthorized),
            (C::Protocol, 9, S::Degraded),
            (C::Local, 1, S::Degraded),
        ] {
            assert_eq!(class.state(failures), state, "{class} x{failures}");
        }
    }

    #[test]
    fn state_names_read_back() {
        for state in TenantState::ALL {
            assert_eq!(TenantState::named(state.name()), Some(state));
        }
    }
}
