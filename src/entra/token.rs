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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Region, TenantId};

    fn tenant(number: u32) -> Tenant {
        Tenant {
            id: TenantId::parse(&format!("00000000-0000-0000-0000-{number:012}")).expect("a GUID"),
            name: String::new(),
            app: String::new(),
            region: Region::Global,
            login_url: String::new(),
            api_url: String::new(),
            tags: Vec::new(),
            enabled: true,
        }
    }

    fn due(lifetime: u64, refresh_in: Option<u64>, number: u32) -> u64 {
        Span::new(Duration::from_secs(lifetime), refresh_in.map(Duration::from_secs), &tenant(number)).due.as_secs()
    }

    #[test]
    fn the_margin_is_five_to_six_minutes_and_never_more_than_half() {
        for number in 0..200 {
            assert!((3_600 - 360..=3_600 - 300).contains(&due(3_600, None, number)));
            assert_eq!(due(3_600, None, number), due(3_600, None, number), "the same each time");
            assert_eq!(due(600, None, number), 300);
            assert_eq!(due(60, None, number), 30);
            assert_eq!(due(3_600, Some(1_800), number), 1_800);
            assert_eq!(due(3_600, Some(0), number), 900);
            assert!(due(3_600, Some(100_000), number) <= 3_300);
        }
        let all: Vec<u64> = (0..200).map(|number| due(3_600, None, number)).collect();
        let spread = all.iter().max().expect("some") - all.iter().min().expect("some");
        assert!(spread > 40, "{spread}");
    }

    #[test]
    fn a_token_is_fresh_then_due_then_ended() {
        let span = Span { lifetime: Duration::from_secs(3_600), due: Duration::from_secs(3_300) };
        let short = Span { lifetime: Duration::from_secs(40), due: Duration::from_secs(20) };
        for (span, age, freshness) in [
            (span, 0, Freshness::Fresh),
            (span, 3_299, Freshness::Fresh),
            (span, 3_300, Freshness::Due),
            (span, 3_569, Freshness::Due),
            (span, 3_570, Freshness::Ended),
            (span, 9_999, Freshness::Ended),
            (short, 19, Freshness::Fresh),
            (short, 34, Freshness::Due),
            (short, 35, Freshness::Ended),
        ] {
            assert_eq!(span.freshness(Duration::from_secs(age)), freshness, "{age}");
        }
    }
}
