//! Owns the simulated world: its clock, apps, tenants and alerts, and what it would answer.

mod live;
mod load;
mod populate;
pub(crate) mod tenant;
mod truth;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::{BadAlert, Version};
use crate::clock::WorldClock;
use crate::draft::Draft;
use crate::entra::App;
use crate::ids;
use crate::limits::RateLimits;
use crate::ticks::Ticks;

pub use live::{Edit, NewAlert, Step};
pub use load::{LoadError, Loaded};
pub use populate::{Profile, Template, TieRow};
pub use tenant::{Licence, Tenant, TenantState, Visibility};
pub use truth::{Truth, VersionTruth};

use tenant::Tenants;

/// How the world behaves. The default is a real-time world without rate limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// The first instant of the world; `None` takes this computer's time.
    pub start: Option<Ticks>,
    /// World seconds per real second: 1 real time, 0 a clock that only tests move, 600 ten minutes a second.
    pub speed: f64,
    /// Compare `lastUpdateTime` as the stored SQL `datetime` (exact 1/300 s) and not as the printed seven digits.
    ///
    /// Which of the two the service does is unknown. When on, a row printed `.6666667` is *before* that literal.
    pub stored_precision: bool,
    /// How long after its last update an alert leaves the API; `None` keeps all. 180 days is documented.
    ///
    /// Alerts loaded from a file stay.
    pub retention: Option<Duration>,
    /// The largest `$top`, and what an answer without `$top` is cut to. 10,000 is documented.
    pub page_limit: usize,
    /// Calls per app and tenant; `None` switches the limits off.
    pub rate_limits: Option<RateLimits>,
    /// The host inside `@odata.context`; recordings show a scale unit's host, not the one called.
    pub context_host: String,
    /// Seconds added to every `Date` header.
    pub date_skew: i64,
    /// Token audiences the API accepts (403 for every other).
    pub audiences: Vec<String>,
    /// How many requests the log keeps.
    pub log_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: None,
            speed: 1.0,
            stored_precision: false,
            retention: Some(Duration::from_secs(180 * 86_400)),
            page_limit: 10_000,
            rate_limits: None,
            context_host: "api-eu3.securitycenter.microsoft.com".to_owned(),
            date_skew: 0,
            audiences: [
                "https://api.securitycenter.microsoft.com",
                "https://api.securitycenter.windows.com",
                "https://securitycenter.onmicrosoft.com/windowsatpservice",
                "https://api-gcc.securitycenter.microsoft.us",
                "https://api-gov.securitycenter.microsoft.us",
                "fc780465-2017-40d4-a0c5-307022471b92",
            ]
            .map(str::to_owned)
            .into(),
            log_capacity: 100_000,
        }
    }
}

/// Why the world could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// The tenant does not exist.
    #[error("tenant {0} is not in this world")]
    UnknownTenant(String),
    /// The alert does not exist.
    #[error("alert {0} is not in this tenant")]
    UnknownAlert(String),
    /// The text is not an alert.
    #[error("not an alert")]
    BadAlert(#[from] BadAlert),
}

/// Tenants, apps, alerts and the time they live in.
#[derive(Debug)]
pub struct World {
    /// All but `start`, `speed`, `stored_precision` and `log_capacity`, which count at the beginning alone, may be
    /// changed at any time.
    pub options: Options,
    /// The world's time.
    pub clock: WorldClock,
    /// The app registrations that may log in. A new world has [`App::default`].
    pub apps: Vec<App>,
    pub(crate) tenants: Tenants,
    order: Vec<Arc<str>>,
    domains: HashMap<String, Arc<str>>,
}

impl World {
    /// An empty world with the default app.
    pub fn new(options: Options) -> Self {
        let clock = WorldClock::new(options.start.unwrap_or_else(Ticks::wall_now), options.speed);
        Self {
            options,
            clock,
            apps: vec![App::default()],
            tenants: Tenants::new(),
            order: Vec::new(),
            domains: HashMap::new(),
        }
    }

    /// The world's time.
    pub fn now(&self) -> Ticks {
        self.clock.now()
    }

    /// Moves the world's time forward.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    /// Jumps to a time.
    pub fn set_now(&mut self, now: Ticks) {
        self.clock.set_now(now);
    }

    /// Makes sure a tenant exists and gives it for changing; the id is put into lower case.
    ///
    /// Whether the id is a GUID is the caller's affair.
    pub fn add_tenant(&mut self, id: &str) -> &mut Tenant {
        let id: Arc<str> = id.to_ascii_lowercase().into();
        let precise = self.options.stored_precision;
        if !self.tenants.contains_key(&id) {
            self.order.push(Arc::clone(&id));
        }
        self.tenants.entry(Arc::clone(&id)).or_insert_with(|| Tenant::new(id, ids::guid(&mut rand::rng()), precise))
    }

    /// Lets the token endpoint find a tenant by a verified domain, too.
    pub fn add_domain(&mut self, domain: &str, tenant: &str) {
        let id = Arc::clone(&self.add_tenant(tenant).id);
        self.domains.insert(domain.to_ascii_lowercase(), id);
    }

    /// The tenants' ids in the order they came.
    pub fn tenant_ids(&self) -> Vec<String> {
        self.order.iter().map(|id| id.to_string()).collect()
    }

    /// One tenant.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(id.to_ascii_lowercase().as_str())
    }

    /// One tenant, for changing.
    pub fn tenant_mut(&mut self, id: &str) -> Option<&mut Tenant> {
        self.tenants.get_mut(id.to_ascii_lowercase().as_str())
    }

    /// Changes what the services think of a tenant, which is created if need be.
    pub fn set_state(&mut self, tenant: &str, change: impl FnOnce(&mut TenantState)) {
        change(&mut self.add_tenant(tenant).state);
    }

    /// Finds a tenant by GUID or verified domain.
    pub(crate) fn find_tenant(&self, name: &str) -> Option<&Tenant> {
        let name = name.to_ascii_lowercase();
        let id = self.domains.get(&name).map_or(name.as_str(), AsRef::as_ref);
        self.tenants.get(id)
    }

    /// Writes a drafted alert, visible after the tenant's lag; an id that exists becomes its next version.
    ///
    /// Gives the id back. The tenant is created if need be.
    pub fn add_alert(&mut self, tenant: &str, draft: &Draft) -> Result<String, WorldError> {
        let lag = self.add_tenant(tenant).visibility_lag;
        self.add_text(tenant, &draft.render(), lag)
    }

    /// Writes an alert from its JSON text, which is served byte for byte; visible `lag` from now.
    pub fn add_text(&mut self, tenant: &str, text: &str, lag: Duration) -> Result<String, WorldError> {
        let version = Version::parse(text.to_owned())?;
        let id = version.id.to_string();
        self.put(tenant, version, lag, false);
        Ok(id)
    }

    /// Removes an alert as if it had never been; no version of it is served or told by the truth any more.
    pub fn forget_alert(&mut self, tenant: &str, id: &str) -> Result<(), WorldError> {
        let found = self.known(tenant)?.forget(id);
        found.then_some(()).ok_or_else(|| WorldError::UnknownAlert(id.to_owned()))
    }

    pub(crate) fn put(&mut self, tenant: &str, version: Version, lag: Duration, keeps: bool) {
        let now = self.now();
        self.add_tenant(tenant).add(version, now + lag, now, keeps);
    }

    pub(crate) fn known(&mut self, tenant: &str) -> Result<&mut Tenant, WorldError> {
        self.tenant_mut(tenant).ok_or_else(|| WorldError::UnknownTenant(tenant.to_owned()))
    }

    /// Brings one tenant to the present: what is due becomes visible, what is too old leaves.
    pub(crate) fn settle(&mut self, tenant: &str) -> Option<&mut Tenant> {
        let (now, retention) = (self.now(), self.options.retention);
        let tenant = self.tenant_mut(tenant)?;
        tenant.settle(now, retention);
        Some(tenant)
    }
}
