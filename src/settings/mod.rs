//! Owns the way from files, environment and credentials to one checked [`Settings`].
//!
//! Everything that is wrong is told at once, each with its file, line and key; nothing told holds a secret.

mod addition;
mod address;
mod admin;
mod app;
mod credentials;
mod duration;
mod environment;
mod error;
mod key_places;
mod keys;
mod layers;
mod network;
mod report;
mod retention;
mod sections;
mod suggest;
mod table;
mod tenant;
mod tenant_csv;
mod text;

use std::path::{Path, PathBuf};

use crate::domain::Tenant;
use crate::entra::App;
use crate::http::Network;

pub use addition::{Addition, NewTenant};
pub use admin::{AdminSettings, Listen};
pub use duration::{parse as parse_span, show as show_span};
pub use environment::{Environment, colour_allowed};
pub use error::{ConfigError, ConfigErrors, Excerpt};
pub use keys::key_paths;
pub use retention::{RetentionSettings, SEVERITIES, comes_back};
pub use sections::{LogFormat, LogSettings, PollSettings, StoreSettings};

use app::Apps;
use layers::Layers;
use report::{At, Report};

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the alerts are kept.
    pub store: StoreSettings,
    /// Who signs in, in the order of their names.
    pub apps: Vec<App>,
    /// The tenants in the order in which they are written; their ids are distinct and their apps exist.
    pub tenants: Vec<Tenant>,
    /// The way to the services.
    pub network: Network,
    /// When and how tenants are read.
    pub poll: PollSettings,
    /// What is said while running.
    pub log: LogSettings,
    /// What a monitoring system sees.
    pub admin: AdminSettings,
    /// How long alerts are kept.
    pub retention: RetentionSettings,
    /// Whether every login and API address is plain http on this machine: then no CA certificates are needed.
    pub loopback_only: bool,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Settings {
    /// Reads the configuration at `path`, the files beside it, and the environment.
    ///
    /// Secrets in files are not opened here: one that is missing must not stop the tenants of all other apps.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        Self::load_with(path, &Environment::of_process())
    }

    /// Reads the configuration for a command that somebody runs by hand, beside the daemon's unit: secrets that only the
    /// unit has are missed when they are needed, not here.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn load_by_hand(path: &Path) -> Result<Self, ConfigErrors> {
        Self::load_with(path, &Environment::of_process().by_hand())
    }

    /// Like [`Settings::load`], with the environment given.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load_with(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::load_all(path, None, environment)
    }

    fn load_all(path: &Path, addition: Option<&Addition>, environment: &Environment) -> Result<Self, ConfigErrors> {
        let mut report = Report::default();
        let settings = Layers::read(path, addition, environment, &mut report)
            .and_then(|layers| Self::build(path, &layers, environment, &mut report));
        match settings {
            Some(settings) if report.is_empty() => Ok(settings),
            Some(_) | None => Err(report.into_errors()),
        }
    }

    fn build(path: &Path, layers: &Layers, environment: &Environment, report: &mut Report) -> Option<Self> {
        let store = StoreSettings::read(&layers.section("store"), report);
        let network = network::read(&layers.section("network"), environment, report);
        let poll = PollSettings::read(&layers.section("poll"), report);
        let log = LogSettings::read(&layers.section("log"), report);
        let admin = AdminSettings::read(&layers.section("admin"), report);
        let retention = RetentionSettings::read(&layers.section("retention"), poll.as_ref(), report);
        let apps = Apps::read(layers.apps(), environment, report);
        if apps.facts.is_empty() {
            report
                .error(&At::Path(path.to_owned()), "app", "there is no app registration")
                .help("add a section [app.main] with client_id and secret");
        }
        let tenants = tenant::read_all(&layers.tenants, &apps, report);
        if layers.tenants.is_empty() {
            report.error(&At::Path(path.to_owned()), "tenant", "there is no tenant").help(
                "`alertferry tenant add ID --name NAME` adds one; or write a table [[tenant]], or a file in tenants.d",
            );
        }
        let plain = |url: &String| url.starts_with("http://");
        Some(Self {
            store: store?,
            apps: apps.whole,
            loopback_only: tenants.iter().all(|tenant| plain(&tenant.login_url) && plain(&tenant.api_url)),
            tenants,
            network: network?,
            poll: poll?,
            log: log?,
            admin: admin?,
            retention: retention?,
            files: report.paths(),
        })
    }
}
