//! Owns the way from a tenant to an access token.
//!
//! Tokens live in memory only. For each tenant at most one request is under way; for an app that is not accepted yet,
//! or no longer, a few for all of its tenants together (see `guard`). Nothing here waits out a failure: whoever asks
//! gets the failure at once and decides by its class when to come back.

mod app;
mod certificate;
#[doc(hidden)]
pub mod claims;
mod classify;
mod consent;
mod credential;
mod error;
mod exchange;
mod guard;
mod inventory;
mod moment;
mod registration;
mod remedy;
#[doc(hidden)]
pub mod reply;
mod slot;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use app::{Algorithm, App, CertificateSource, Credential, CredentialKind, Endpoint};
pub use classify::Refusal;
pub use consent::{REDIRECT_URI, consent_url, partner_consent_url};
pub use error::TokenError;
pub use inventory::{Expiry, Look, Unusable, look};
pub use token::Token;

use crate::clock::Clock;
use crate::domain::{Failure, Tenant, TenantId};
use crate::http::Http;
use registration::Registration;
use slot::Slot;
use token::Freshness;

/// Gets and keeps access tokens. Clones share everything.
#[derive(Clone)]
pub struct Entra(Arc<Inner>);

struct Inner {
    http: Http,
    clock: Clock,
    apps: Mutex<HashMap<String, Arc<Registration>>>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

/// Whose token it is, from whom, for whom.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    registration: u64,
    tenant: TenantId,
    login_url: String,
}

/// A change in how the login service takes an app registration; see [`Entra::news`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppNews {
    /// The app registration.
    pub app: String,
    /// Why it is refused; `None` when it is accepted.
    pub refused: Option<Failure>,
}

impl Entra {
    /// Gets tokens with these app registrations.
    #[must_use]
    pub fn new(http: Http, clock: Clock, apps: Vec<App>) -> Self {
        let apps = apps.into_iter().map(|app| (app.name.clone(), Arc::new(Registration::new(app)))).collect();
        Self(Arc::new(Inner { http, clock, apps: Mutex::new(apps), slots: Mutex::default() }))
    }

    /// A token for the tenant: from memory while it is good, else a new one.
    ///
    /// # Errors
    /// When there is none to be had now; see [`TokenError::failure`].
    pub async fn token(&self, tenant: &Tenant) -> Result<Token, TokenError> {
        let (registration, slot) = self.find(tenant)?;
        let seen = slot.ended();
        let (freshness, old) = slot.look(&self.0.clock);
        let _flight = match (freshness, old) {
            (Freshness::Fresh, Some(token)) => return Ok(token),
            (Freshness::Due, Some(old)) => match slot.flight.try_lock() {
                Ok(flight) => flight,
                // Somebody is asking for a new one already.
                Err(_) => return Ok(old),
            },
            (Freshness::Fresh | Freshness::Due | Freshness::Ended, _) => slot.flight.lock().await,
        };
        if let (Freshness::Fresh, Some(token)) = slot.look(&self.0.clock) {
            return Ok(token);
        }
        let outcome = match slot.failure_since(seen) {
            Some(failure) => Err(failure),
            None => self.request(&registration, &slot, tenant).await,
        };
        match (&outcome, slot.look(&self.0.clock)) {
            (Err(error), (Freshness::Fresh | Freshness::Due, Some(old))) if error.may_pass() => Ok(old),
            _ => outcome,
        }
    }

    /// A token in the place of one that the API refused with 401: at most one request for each refused token, however
    /// many ask and however it ends.
    ///
    /// # Errors
    /// When there is none to be had now; see [`TokenError::failure`].
    pub async fn refresh(&self, tenant: &Tenant, refused: &Token) -> Result<Token, TokenError> {
        let (registration, slot) = self.find(tenant)?;
        let seen = slot.ended();
        slot.drop_refused(refused.serial);
        let _flight = slot.flight.lock().await;
        if let (Freshness::Fresh | Freshness::Due, Some(newer)) = slot.look(&self.0.clock) {
            return Ok(newer);
        }
        if let Some(failure) = slot.failure_after(refused.serial).or_else(|| slot.failure_since(seen)) {
            return Err(failure);
        }
        let outcome = self.request(&registration, &slot, tenant).await;
        if let Err(error) = &outcome {
            slot.set_failure_after(refused.serial, error);
        }
        outcome
    }

    /// Takes the app registrations of a configuration that was read again.
    ///
    /// Refusals are forgotten, and so is everything about apps that changed or are gone.
    pub fn replace_apps(&self, apps: Vec<App>) {
        let mut current = self.apps();
        let replaced = apps.into_iter().map(|app| match current.get(&app.name) {
            Some(same) if same.is(&app) => {
                same.guard.lift();
                (app.name, Arc::clone(same))
            }
            _ => (app.name.clone(), Arc::new(Registration::new(app))),
        });
        *current = replaced.collect();
        let live: Vec<u64> = current.values().map(|registration| registration.id).collect();
        drop(current);
        self.slots().retain(|key, _| live.contains(&key.registration));
    }

    /// Forgets everything about a tenant.
    pub fn forget(&self, tenant: TenantId) {
        self.slots().retain(|key, _| key.tenant != tenant);
    }

    /// Which app registrations are accepted or refused, as far as that was not told before. Each change is told once.
    #[must_use]
    pub fn news(&self) -> Vec<AppNews> {
        let mut news: Vec<AppNews> = self
            .apps()
            .values()
            .filter_map(|each| Some(AppNews { app: each.app.name.clone(), refused: each.guard.news()? }))
            .collect();
        news.sort_unstable_by(|one, other| one.app.cmp(&other.app));
        news
    }

    /// Every credential of every app registration as it is now, in the order of the apps' names. Reads their files.
    #[must_use]
    pub fn inventory(&self) -> Vec<Look> {
        let mut registrations: Vec<_> = self.apps().values().map(Arc::clone).collect();
        registrations.sort_unstable_by(|one, other| one.app.name.cmp(&other.app.name));
        registrations.iter().flat_map(|registration| look(&registration.app)).collect()
    }

    async fn request(&self, registration: &Registration, slot: &Slot, tenant: &Tenant) -> Result<Token, TokenError> {
        if let Some(held) = slot.held(&self.0.clock) {
            return Err(held);
        }
        let outcome = registration.acquire(&self.0.http, &self.0.clock, tenant).await;
        slot.record(&outcome, &self.0.clock);
        outcome
    }

    fn find(&self, tenant: &Tenant) -> Result<(Arc<Registration>, Arc<Slot>), TokenError> {
        let unknown = || TokenError::UnknownApp { tenant: tenant.id, app: tenant.app.clone() };
        let registration = self.apps().get(&tenant.app).map(Arc::clone).ok_or_else(unknown)?;
        let key = Key { registration: registration.id, tenant: tenant.id, login_url: tenant.login_url.clone() };
        let slot = Arc::clone(self.slots().entry(key).or_default());
        Ok((registration, slot))
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<String, Arc<Registration>>> {
        // Nothing under these locks can panic half-way.
        self.0.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
