//! Owns one app registration at work: its guard, its credentials in turn, and the check of what it gets.

use std::hash::RandomState;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::app::App;
use super::claims::{Claims, Objection};
use super::classify::Refusal;
use super::consent::consent_url;
use super::credential::{CredentialError, Proofs, are_same};
use super::error::TokenError;
use super::exchange::{Answered, Denied, ask, endpoint};
use super::guard::{AppFailure, Guard, NoPass};
use super::remedy;
use super::token::{Span, Token};
use crate::clock::Clock;
use crate::domain::{Tenant, Ticks};
use crate::http::Http;

/// A request that takes longer than this no longer keeps others waiting.
const SLOW: Duration = Duration::from_secs(5);
/// The longest life of a token that is believed; longer ones do not exist.
const MAX_LIFETIME: Duration = Duration::from_secs(28 * 60 * 60);

/// Numbers registrations and tokens, so that two of them are never taken for each other.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// One app registration at work.
pub(super) struct Registration {
    /// Unique in this process; a changed app is another registration.
    pub id: u64,
    pub app: App,
    pub guard: Guard,
    /// The credential that worked last.
    preferred: AtomicUsize,
    keys: RandomState,
}

impl Registration {
    pub fn new(app: App) -> Self {
        Self { id: serial(), app, guard: Guard::new(), preferred: AtomicUsize::new(0), keys: RandomState::new() }
    }

    /// Whether `app` is configured just like this one.
    pub fn is(&self, app: &App) -> bool {
        self.app.name == app.name
            && self.app.client_id == app.client_id
            && self.app.audience == app.audience
            && self.app.endpoint == app.endpoint
            && are_same(&self.app.credentials, &app.credentials)
    }

    /// Gets a new token for a tenant, as far as the guard allows.
    pub async fn acquire(&self, http: &Http, clock: &Clock, tenant: &Tenant) -> Result<Token, TokenError> {
        let digest = || Proofs::digest(&self.app.credentials, &self.keys);
        let mut pass = self.guard.admit(tenant.id, clock, digest).await.map_err(|no| self.not_admitted(no, tenant))?;
        let (outcome, digest) = {
            let mut asking = pin!(self.try_as_they_are(http, clock, tenant));
            match tokio::time::timeout(SLOW, &mut asking).await {
                Ok(ended) => ended,
                Err(_) => {
                    pass.lend();
                    asking.await
                }
            }
        };
        match &outcome {
            Ok(_) => self.guard.accepted(),
            Err(error) if error.was_signed_in() => self.guard.accepted(),
            Err(TokenError::App { reason, remedy, .. }) => {
                let why = AppFailure { reason: reason.clone(), remedy: remedy.clone() };
                self.guard.refused(tenant.id, clock, why, digest);
            }
            Err(_) => {}
        }
        outcome
    }

    fn not_admitted(&self, no: NoPass, tenant: &Tenant) -> TokenError {
        let (tenant, app) = (tenant.id, self.app.name.clone());
        match no {
            NoPass::Refused(AppFailure { reason, remedy }) => TokenError::App { tenant, app, reason, remedy },
            NoPass::Waited => TokenError::Waited { tenant, app },
        }
    }

    /// Tries the credentials; the outcome, with the digest of those that were tried last.
    ///
    /// A file may be replaced, and the old secret withdrawn, while a request with it is on its way: then the refusal
    /// says nothing about the new one, which is tried before anybody is told.
    async fn try_as_they_are(&self, http: &Http, clock: &Clock, tenant: &Tenant) -> (Result<Token, TokenError>, u64) {
        let proofs = Proofs::read(&self.app.credentials, &self.keys);
        let outcome = self.try_each(http, clock, tenant, &proofs).await;
        if !matches!(outcome, Err(TokenError::App { .. })) {
            return (outcome, proofs.digest);
        }
        let now = Proofs::read(&self.app.credentials, &self.keys);
        if now.digest == proofs.digest {
            return (outcome, proofs.digest);
        }
        (self.try_each(http, clock, tenant, &now).await, now.digest)
    }

    /// Tries the credentials, the one that worked last first, until one is not refused as such.
    async fn try_each(
        &self,
        http: &Http,
        clock: &Clock,
        tenant: &Tenant,
        proofs: &Proofs,
    ) -> Result<Token, TokenError> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let others = (0..proofs.each.len()).filter(|index| *index != preferred);
        let url = endpoint(&self.app, tenant);
        let mut refused = Vec::new();
        for index in std::iter::once(preferred).chain(others) {
            let (Some(proof), Some(credential)) = (proofs.each.get(index), self.app.credentials.get(index)) else {
                continue;
            };
            let unusable =
                |why: &CredentialError| (index, why.to_string(), remedy::for_unusable(&self.app, credential, why));
            let sent = match proof.as_ref().map(|proof| proof.sent(&self.app, &url, clock.now())) {
                Ok(Ok(sent)) => sent,
                Ok(Err(why)) => {
                    refused.push(unusable(&why));
                    continue;
                }
                Err(why) => {
                    refused.push(unusable(why));
                    continue;
                }
            };
            match ask(http, clock, &self.app, &url, &sent).await {
                Ok(answered) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return self.inspect(answered, tenant);
                }
                Err(Denied::Refused(verdict)) if verdict.refusal == Refusal::Credential => {
                    let reason = format!("{}: {}", credential.label(), verdict.detail);
                    refused.push((index, reason, remedy::for_refused(&self.app, credential)));
                }
                Err(denied) => return Err(self.denied(denied, tenant)),
            }
        }
        Err(self.all_refused(refused, tenant))
    }

    fn denied(&self, denied: Denied, tenant: &Tenant) -> TokenError {
        match denied {
            Denied::Unreachable(source) => {
                TokenError::Unreachable { tenant: tenant.id, login_url: tenant.login_url.clone(), source }
            }
            Denied::Malformed(detail) => TokenError::Malformed { tenant: tenant.id, detail },
            Denied::Refused(verdict) => TokenError::Refused {
                tenant: tenant.id,
                refusal: verdict.refusal,
                detail: verdict.detail,
                remedy: remedy::for_tenant(verdict.refusal, &self.app, tenant),
                retry_after: verdict.retry_after,
            },
        }
    }

    fn all_refused(&self, mut refused: Vec<(usize, String, String)>, tenant: &Tenant) -> TokenError {
        // Told in the configured order, whichever was tried first.
        refused.sort_unstable();
        let (reason, remedy) = match refused.first() {
            Some((_, _, remedy)) => {
                let reasons: Vec<&str> = refused.iter().map(|(_, reason, _)| reason.as_str()).collect();
                (reasons.join("; "), remedy.clone())
            }
            None => ("it has no credential".to_owned(), format!("add `secret` to [app.{}]", self.app.name)),
        };
        TokenError::App { tenant: tenant.id, app: self.app.name.clone(), reason, remedy }
    }

    /// Checks a token and how long it is good.
    fn inspect(&self, answered: Answered, tenant: &Tenant) -> Result<Token, TokenError> {
        let Answered { issued, asked, date } = answered;
        let claims = Claims::of(issued.bearer.expose());
        if let Some(claims) = &claims {
            claims.check(tenant.id, &self.app.audience).map_err(|objection| self.objected(objection, tenant))?;
        }
        // Both ends of this difference are the service's clock, so a wrong local clock does not matter.
        let claimed = claims
            .as_ref()
            .and_then(|claims| claims.expires)
            .zip(date)
            .map(|(expires, date)| Ticks::from_unix_seconds(expires).since(date));
        let lifetime = match (issued.expires_in, claimed) {
            (Some(told), Some(claimed)) => told.min(claimed),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => {
                let detail = "it does not say for how long the token is good".to_owned();
                return Err(TokenError::Malformed { tenant: tenant.id, detail });
            }
        }
        .min(MAX_LIFETIME);
        if lifetime < Duration::from_secs(1) {
            return Err(TokenError::Ended { tenant: tenant.id });
        }
        Ok(Token {
            expires_at: asked.at().plus(lifetime),
            acquired_at: asked.at(),
            checked: claims.is_some(),
            roles: claims.map(|claims| claims.roles).unwrap_or_default(),
            fresh: true,
            serial: serial(),
            span: Span::new(lifetime, issued.refresh_in, tenant),
            bearer: issued.bearer,
            asked,
        })
    }

    fn objected(&self, objection: Objection, tenant: &Tenant) -> TokenError {
        let (id, asked) = (tenant.id, self.app.audience.clone());
        match objection {
            Objection::ForeignTenant(found) => TokenError::ForeignTenant { tenant: id, found },
            Objection::WrongAudience(found) => TokenError::WrongAudience { tenant: id, asked, found },
            Objection::RoleMissing(roles) => {
                TokenError::RoleMissing { tenant: id, roles, consent: consent_url(&self.app, tenant) }
            }
        }
    }
}

fn serial() -> u64 {
    SERIAL.fetch_add(1, Ordering::Relaxed)
}
