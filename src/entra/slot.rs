//! Owns what is remembered about one tenant with one app: its token, its last failure, and who is asking right now.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Flight;

use super::error::TokenError;
use super::moment::Moment;
use super::token::{Freshness, Token};
use crate::clock::Clock;

/// After a replacement could not be had, the token in hand is used for so long before the next try.
const PAUSE: Duration = Duration::from_secs(30);

/// One tenant with one app at one login service.
#[derive(Default)]
pub(super) struct Slot {
    kept: Mutex<Kept>,
    /// Held by the one request that may be under way. Who is cancelled lets go of it, and the next one asks.
    pub flight: Flight<()>,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    /// How many requests have ended.
    ended: u64,
    /// How the last request failed, if it did.
    failure: Option<(Moment, TokenError)>,
    /// The token whose refusal was followed by a request that failed, and how it failed.
    in_vain: Option<(u64, TokenError)>,
}

impl Slot {
    /// The token in memory and what can be done with it.
    pub fn look(&self, clock: &Clock) -> (Freshness, Option<Token>) {
        let kept = self.kept();
        let Some(token) = &kept.token else {
            return (Freshness::Ended, None);
        };
        let freshness = match token.freshness(clock) {
            // The service was asked a moment ago, and could not.
            Freshness::Due if kept.failure.as_ref().is_some_and(|(at, _)| at.elapsed(clock) < PAUSE) => {
                Freshness::Fresh
            }
            by_age @ (Freshness::Fresh | Freshness::Due | Freshness::Ended) => by_age,
        };
        (freshness, Some(token.kept()))
    }

    /// How many requests have ended so far.
    pub fn ended(&self) -> u64 {
        self.kept().ended
    }

    /// The failure that came after `seen` requests had ended: it answers everyone who waited for that request.
    pub fn failure_since(&self, seen: u64) -> Option<TokenError> {
        let kept = self.kept();
        let (_, failure) = kept.failure.as_ref()?;
        (kept.ended > seen).then(|| failure.clone())
    }

    /// Drops the token the API refused, unless there is another one already.
    pub fn drop_refused(&self, serial: u64) {
        let mut kept = self.kept();
        if kept.token.as_ref().is_some_and(|token| token.serial == serial) {
            kept.token = None;
        }
    }

    /// How the request after this token's refusal failed, if there was one.
    pub fn failure_after(&self, serial: u64) -> Option<TokenError> {
        self.kept().in_vain.as_ref().filter(|(refused, _)| *refused == serial).map(|(_, error)| error.clone())
    }

    /// Remembers that the request after this token's refusal failed.
    pub fn set_failure_after(&self, serial: u64, error: &TokenError) {
        self.kept().in_vain = Some((serial, error.clone()));
    }

    /// The rest of a wait that the login service asked for.
    pub fn held(&self, clock: &Clock) -> Option<TokenError> {
        let kept = self.kept();
        let (at, failure) = kept.failure.as_ref()?;
        let TokenError::Refused { tenant, refusal, detail, remedy, retry_after: Some(wait) } = failure else {
            return None;
        };
        let left = wait.checked_sub(at.surely_elapsed(clock)).filter(|left| !left.is_zero())?;
        Some(TokenError::Refused {
            tenant: *tenant,
            refusal: *refusal,
            detail: detail.clone(),
            remedy: remedy.clone(),
            retry_after: Some(left),
        })
    }

    /// Remembers how a request ended. A token is kept only if it passed every check, so a tenant that consents after
    /// a failure is met with a new token and not with the old one.
    pub fn record(&self, outcome: &Result<Token, TokenError>, clock: &Clock) {
        let mut kept = self.kept();
        kept.ended += 1;
        match outcome {
            Ok(token) => *kept = Kept { token: Some(token.kept()), ended: kept.ended, ..Kept::default() },
            Err(error) => kept.failure = Some((Moment::now(clock), error.clone())),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing under this lock can panic half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
