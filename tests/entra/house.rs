//! A simulated login service with some tenants, and the daemon's side of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::domain::{Cloud, FailureClass, Region, Tenant, TenantId, Ticks};
use alertferry::entra::{App, Credential, Endpoint};
use alertferry::entra::{Entra, Token, TokenError};
use alertferry::http::{Http, Options as HttpOptions};
use alertferry::secret::{Secret, SecretSource};
use alertferry_simulator::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, Fault, FaultRule, Options, Route, Simulator, World};

pub const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// The time at which the daemon's and the login service's clocks begin.
const START: &str = "2026-11-18T11:06:40Z";

/// A login service with some tenants, and the daemon's side of it with a clock set by hand.
pub struct House {
    pub sim: Simulator,
    pub entra: Entra,
    pub clock: ManualClock,
    pub tenants: Vec<Tenant>,
}

pub fn id(number: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{number:012}")
}

pub fn fixed(value: &str) -> Credential {
    Credential::secret(SecretSource::Fixed { name: "TEST".to_owned(), value: Secret::new(value.to_owned()) })
}

pub fn file(path: &Path) -> Credential {
    Credential::secret(SecretSource::File(path.to_owned()))
}

pub fn write_secret(path: &Path, secret: &str) {
    std::fs::write(path, secret).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode set");
}

pub fn app(endpoint: Endpoint, credentials: Vec<Credential>) -> App {
    App {
        name: "main".to_owned(),
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        audience: Cloud::Commercial.audience().to_owned(),
        endpoint,
        credentials,
    }
}

impl House {
    pub async fn with(count: usize, credentials: Vec<Credential>) -> Self {
        Self::at(Endpoint::V2, count, credentials).await
    }

    pub async fn at(endpoint: Endpoint, count: usize, credentials: Vec<Credential>) -> Self {
        let start = alertferry_simulator::Ticks::parse(START).expect("a time");
        let mut world = World::new(Options { start: Some(start), speed: 0.0, ..Options::default() });
        for number in 1..=count {
            world.add_tenant(&id(number));
        }
        let sim = Simulator::start(world).await.expect("a listener");
        let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
        let clock = ManualClock::at(Ticks::parse(START).expect("a time"));
        let entra = Entra::new(http, Clock::Manual(clock.clone()), vec![app(endpoint, credentials)]);
        let tenants = (1..=count).map(|number| tenant(&sim, &id(number))).collect();
        Self { sim, entra, clock, tenants }
    }

    /// One tenant, the right secret.
    pub async fn plain() -> Self {
        Self::with(1, vec![fixed(DEFAULT_SECRET)]).await
    }

    pub async fn token(&self) -> Result<Token, TokenError> {
        self.entra.token(&self.tenants[0]).await
    }

    pub async fn failure(&self) -> (FailureClass, String, String) {
        let failure = self.token().await.expect_err("no token").failure();
        (failure.class, failure.reason, failure.remedy)
    }

    pub fn logins(&self) -> u64 {
        self.sim.stats().total(Route::Login)
    }

    pub fn fault(&self, fault: Fault) {
        self.sim.faults().add(FaultRule::new(fault).on(Route::Login));
    }

    pub fn change(&self, change: impl FnOnce(&mut alertferry_simulator::TenantState)) {
        self.sim.world().with(|world| world.set_state(TENANT, change));
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Sets the life of tokens issued from now on.
    pub fn lifetime(&self, seconds: i64, refresh_in: Option<i64>) {
        self.sim.world().with(|world| {
            world.apps[0].token_lifetime = seconds..=seconds;
            world.apps[0].refresh_in = refresh_in;
        });
    }
}

fn tenant(sim: &Simulator, id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).expect("a GUID"),
        name: "Contoso".to_owned(),
        app: "main".to_owned(),
        region: Region::Global,
        login_url: sim.login_url(),
        api_url: sim.api_url(),
        tags: Vec::new(),
        enabled: true,
    }
}
