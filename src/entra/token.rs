//! Owns an access token and for how long it is used.

use std::time::Duration;

use super::moment::Moment;
use crate::clock::Clock;
use crate::domain::{Tenant, Ticks};
use crate::secret::Secret;

/// A token with less life than this left is replaced.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// Each tenant adds its own share of this, so that tokens that were issued together are not replaced together.
const JITTER: Duration = Duration::from_secs(60);
/// While a replacement is being asked for or cannot be had, a token with more life than this is still handed out.
const RESERVE: Duration = Duration::from_secs(30);

/// An access token for one tenant.
#[derive(Debug, Clone)]
pub struct Token {
    /// What goes into the `Authorization` header.
    pub bearer: Secret,
    /// When it ends, by this machine's clock.
    pub expires_at: Ticks,
    /// When it was asked for, by this machine's clock.
    pub acquired_at: Ticks,
    /// The application roles in it; empty when it could not be looked into.
    pub roles: Vec<String>,
    /// Whether tenant, audience and roles in it were checked. A token that is no JWT is opaque and is not.
    pub checked: bool,
    /// Whether this very call got it from the login service, and not from memory.
    pub fresh: bool,
    pub(super) serial: u64,
    pub(super) asked: Moment,
    pub(super) span: Span,
}

/// For how long a token is good, counted from when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Until it ends.
    pub lifetime: Duration,
    /// Until it is to be replaced.
    pub due: Duration,
}

/// What can be done with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Use it.
    Fresh,
    /// Replace it; until then it can be used.
    Due,
    /// It has ended, or will before a request is through.
    Ended,
}

impl Token {
    pub(super) fn freshness(&self, clock: &Clock) -> Freshness {
        self.span.freshness(self.asked.elapsed(clock))
    }

    /// The same token, handed out from memory.
    pub(super) fn kept(&self) -> Self {
        Self { fresh: false, ..self.clone() }
    }
}

impl Span {
    /// The span of a token that ends after `lifetime`, and that the service wants replaced after `refresh_in`.
    ///
    /// Short-lived tokens (a tenant's policy may say ten minutes) are used for half their life at least, or every call
    /// would ask for a new one.
    pub fn new(lifetime: Duration, refresh_in: Option<Duration>, tenant: &Tenant) -> Self {
        let share = f64::from(u32::try_from(tenant.id.stable_hash() >> 32).unwrap_or(0)) / f64::from(u32::MAX);
        let latest = lifetime.saturating_sub(MARGIN + JITTER.mul_f64(share)).max(lifetime / 2);
        let due = refresh_in.map_or(latest, |wanted| wanted.max(lifetime / 4).min(latest));
        Self { lifetime, due }
    }

    pub fn freshness(self, age: Duration) -> Freshness {
        let reserve = RESERVE.min(self.lifetime / 8);
        if age < self.due {
            Freshness::Fresh
        } else if age + reserve < self.lifetime {
            Freshness::Due
        } else {
            Freshness::Ended
        }
    }
}
