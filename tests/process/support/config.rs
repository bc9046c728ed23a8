//! Owns configurations as text: a simulator's tenants, its addresses, and what a test wants different.

use alertferry_simulator::{DEFAULT_CLIENT_ID, Simulator};

/// A schedule on which nothing is polled twice during a test.
pub const SELDOM: &str = "0 0 0 1 1 *";
/// A schedule of one poll a second.
pub const EACH_SECOND: &str = "* * * * * *";

/// A tenant in a configuration.
#[derive(Clone)]
pub struct Customer {
    pub id: String,
    pub app: &'static str,
    /// Further lines of its table.
    pub lines: String,
}

/// A configuration to be written.
#[derive(Clone)]
pub struct Config {
    pub login_url: String,
    pub api_url: String,
    /// Names of apps with the place of their secret, as TOML.
    pub apps: Vec<(&'static str, String)>,
    pub customers: Vec<Customer>,
    pub schedule: &'static str,
    /// Further lines of `[poll]`.
    pub poll: String,
    /// Lines of `[log]`.
    pub log: String,
}

impl Config {
    /// The default app with the right secret in a file, and the simulator's tenants.
    pub fn of(sim: &Simulator) -> Self {
        let customer = |id: String| Customer { id, app: "main", lines: String::new() };
        Self {
            login_url: sim.login_url(),
            api_url: sim.api_url(),
            apps: vec![("main", "{ file = \"secret\" }".to_owned())],
            customers: sim.world().with(|world| world.tenant_ids()).into_iter().map(customer).collect(),
            schedule: EACH_SECOND,
            poll: String::new(),
            log: "history = true".to_owned(),
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text = format!(
            "[store]\npath = \"alerts.db\"\n[poll]\nschedule = \"{}\"\n{}\n[log]\n{}\n",
            self.schedule, self.poll, self.log
        );
        for (name, secret) in &self.apps {
            text += &format!(
                "[app.{name}]\nclient_id = \"{DEFAULT_CLIENT_ID}\"\nsecret = {secret}\nlogin_url = \"{}\"\n\
                 api_url = \"{}\"\nallow_custom_hosts = true\n",
                self.login_url, self.api_url
            );
        }
        for Customer { id, app, lines } in &self.customers {
            text += &format!("[[tenant]]\nid = \"{id}\"\nname = \"{}\"\napp = \"{app}\"\n{lines}\n", name_of(id));
        }
        text
    }
}

/// What the configuration calls a tenant.
pub fn name_of(id: &str) -> String {
    format!("Customer {}", &id[id.len() - 4..])
}
