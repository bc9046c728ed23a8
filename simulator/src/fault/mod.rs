//! Owns fault rules: which fault, on which requests, how often.

mod kind;
mod set;

pub(crate) use kind::Stage;
pub use kind::{Cut, Fault, FaultBody, LicenceFault, PoisonScope, RetryAfter, Shape};
pub(crate) use set::Circumstances;
pub use set::{Faults, RuleId};

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// The token endpoint, both versions.
    Login,
    /// The list of alerts.
    Alerts,
    /// One alert by id.
    Alert,
    /// All of them, and every other path.
    Any,
}

impl Route {
    /// The routes a request can be counted under.
    pub(crate) const CONCRETE: [Self; 4] = [Self::Login, Self::Alerts, Self::Alert, Self::Any];

    /// Whether a rule or question about `self` includes requests of `other`.
    pub(crate) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

/// Which of the requests that fit a rule it strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct When {
    /// Lets so many pass first.
    pub skip_first: u64,
    /// Strikes so many and is spent; `None` never is.
    pub times: Option<u64>,
    /// Strikes with this probability (the draws come from a fixed seed); `None` always.
    pub probability: Option<f64>,
}

/// A fault with its place and time.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// Only requests of this tenant.
    pub tenant: Option<String>,
    /// Only this route.
    pub route: Route,
    /// Only requests whose decoded query contains this text.
    pub query_contains: Option<String>,
    /// Which of those.
    pub when: When,
    /// What happens.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule that strikes every request of every tenant on the route the fault belongs to: the list of alerts, but
    /// the token endpoint for [`Fault::ForeignTenantToken`] and every route for [`Fault::PoisonAlert`].
    ///
    /// [`FaultRule::on`] chooses another.
    pub fn new(fault: Fault) -> Self {
        let route = if fault.stage() == Stage::Token { Route::Login } else { Route::Alerts };
        let route = if matches!(fault, Fault::PoisonAlert { .. }) { Route::Any } else { route };
        Self { tenant: None, route, query_contains: None, when: When::default(), fault }
    }

    /// Only requests of this tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.to_ascii_lowercase());
        self
    }

    /// Only requests of this route.
    #[must_use]
    pub fn on(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// Only requests whose decoded query contains `text`.
    #[must_use]
    pub fn query(mut self, text: &str) -> Self {
        self.query_contains = Some(text.to_owned());
        self
    }

    /// Lets the first `count` pass.
    #[must_use]
    pub fn after(mut self, count: u64) -> Self {
        self.when.skip_first = count;
        self
    }

    /// Strikes `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.when.times = Some(count);
        self
    }

    /// Strikes once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Strikes with a probability.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.when.probability = Some(probability.clamp(0.0, 1.0));
        self
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}
