//! The whole of alertferry in a minute, without credentials: a simulated Entra and Defender for five customer tenants,
//! the real daemon reading them, and what a user then asks the store.
//!
//! `cargo run --release --example demo` (`-- --seconds 20` for a shorter one)
#![expect(clippy::print_stdout, reason = "a demonstration shows things")]

use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::settings::Settings;
use alertferry::stop::Stop;
use alertferry::{command, daemon, logging, store};
use alertferry_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_SECRET, Fault, FaultRule, Options, Profile, RetryAfter, Simulator, World,
};
use clap::Parser;

/// The whole of alertferry in a minute, without credentials.
#[derive(Parser)]
struct Arguments {
    /// How long the world goes on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// The customers, in the order in which the simulator makes them up.
const CUSTOMERS: [&str; 5] = ["Contoso", "Fabrikam", "Northwind", "Adatum", "Litware"];
const CONTOSO: usize = 0;
const FABRIKAM: usize = 1;
const NORTHWIND: usize = 2;
const ADATUM: usize = 3;
const LITWARE: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(show(Duration::from_secs(arguments.seconds.max(10))))
}

async fn show(time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let (simulator, tenants) = simulate().await?;
    let (dir, config) = configure(&simulator, &tenants)?;
    println!("Five customers, simulated at {} (Entra and Defender for Endpoint on loopback):", simulator.api_url());
    println!("  Contoso, Northwind  a working day of alerts, pressed into {} s", time.as_secs());
    println!("  Fabrikam            the same, and an incident merge that touches 76 alerts at one instant");
    println!("  Adatum              never gave admin consent");
    println!("  Litware             is throttled by the service for an hour");
    println!("\nThe daemon polls them every 5 s. Its log, as on your terminal (JSON lines when piped):\n");
    let settings = Settings::load(&config)?;
    let log = logging::init(
        &logging::Options {
            format: logging::Format::Text,
            level: "info",
            terminal: std::io::stdout().is_terminal(),
            colour: false,
            clock: Clock::System,
        },
        Box::new(Short::default()),
    )?;
    let (path, stop) = (settings.store.path.clone(), Stop::new());
    let mut daemon = tokio::task::JoinSet::new();
    daemon.spawn({
        let (config, stop) = (config.clone(), stop.clone());
        async move { daemon::run(&config, settings, log, &stop).await }
    });
    go_on(&simulator, &tenants, time).await;
    catch_up(&simulator, &tenants, &path).await;
    stop.stop();
    while let Some(ended) = daemon.join_next().await {
        ended??;
    }
    let same = compare(&simulator, &tenants, &path)?;
    println!(
        "\nEvery alert the service has of the three readable customers is in the store, to the byte: {same} of {same}."
    );
    ask(&path)?;
    farewell(&dir, &config, &path);
    simulator.stop().await;
    Ok(())
}

/// A terminal's view of the log: long lines are cut, and of many alike only the first are shown.
#[derive(Default)]
struct Short {
    event: String,
    alike: usize,
}

/// So many lines of one event in a row are shown.
const SHOWN_ALIKE: usize = 5;
/// So much of a line is shown.
const SHOWN_WIDTH: usize = 150;

impl std::io::Write for Short {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let event = text.split_whitespace().nth(3).unwrap_or_default();
        self.alike = if event == self.event { self.alike + 1 } else { 0 };
        event.clone_into(&mut self.event);
        let mut out = std::io::stdout().lock();
        match self.alike {
            ..SHOWN_ALIKE => {
                let cut: String = text.trim_end().chars().take(SHOWN_WIDTH).collect();
                writeln!(out, "{cut}{}", if cut.len() < text.trim_end().len() { " …" } else { "" })?;
            }
            SHOWN_ALIKE => writeln!(out, "    … and more of these")?,
            _ => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}

/// The world before the daemon first looks: some hundred alerts a customer, from the last thirty days.
async fn simulate() -> Result<(Simulator, Vec<String>), Box<dyn std::error::Error>> {
    let profile = Profile {
        options: Options::default(),
        tenants: CUSTOMERS.len(),
        alerts_per_tenant: 150..=400,
        ..Profile::default()
    };
    let mut world = World::generate(2026, &profile);
    let tenants: Vec<String> = world.tenant_ids();
    world.set_state(&tenants[ADATUM], |state| state.consented = false);
    let simulator = Simulator::start(world).await?;
    let throttle = Fault::Throttle { retry_after: RetryAfter::Seconds(3_600) };
    simulator.faults().add(FaultRule::new(throttle).tenant(&tenants[LITWARE]));
    Ok((simulator, tenants))
}

/// A directory with what an operator would write: a configuration and a secret that only its owner may read.
fn configure(simulator: &Simulator, tenants: &[String]) -> std::io::Result<(PathBuf, PathBuf)> {
    let dir = tempfile::Builder::new().prefix("alertferry-demo-").tempdir()?.keep();
    let secret = dir.join("client-secret");
    std::fs::write(&secret, DEFAULT_SECRET)?;
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600))?;
    let url = simulator.api_url();
    let mut text = format!(
        "[store]\npath = \"alerts.db\"\n\n[app.main]\nclient_id = \"{DEFAULT_CLIENT_ID}\"\ncloud = \"commercial\"\n\
         secret = {{ file = \"client-secret\" }}\nlogin_url = \"{url}\"\napi_url = \"{url}\"\n\n\
         [poll]\nschedule = \"*/5 * * * * *\"\n"
    );
    for (name, id) in CUSTOMERS.iter().zip(tenants) {
        text.push_str(&format!("\n[[tenant]]\nid = \"{id}\"\nname = \"{name}\"\nregion = \"eu\"\n"));
    }
    let config = dir.join("alertferry.toml");
    std::fs::write(&config, text)?;
    Ok((dir, config))
}

/// Lets the world go on: alerts come, get evidence, are edited and resolved; half-way two incidents become one.
async fn go_on(simulator: &Simulator, tenants: &[String], time: Duration) {
    let mut random: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(7);
    let step = Duration::from_millis(1_500);
    let steps = u32::try_from(time.as_millis() / step.as_millis()).unwrap_or(u32::MAX).max(4);
    for n in 0..steps {
        tokio::time::sleep(step).await;
        // The daemon gets the last steps' time to catch up.
        if n + 4 > steps {
            continue;
        }
        simulator.world().with(|world| {
            let tenant = &tenants[[CONTOSO, FABRIKAM, NORTHWIND][n as usize % 3]];
            // What cannot happen to this tenant just now happens to nobody.
            let _happened = world.step(tenant, &mut random).ok();
            if n == steps / 2 {
                let seen = world.truth(&tenants[FABRIKAM]).into_iter().filter(|alert| alert.is_visible());
                let ids: Vec<String> = seen.map(|alert| alert.id).take(76).collect();
                let _merged = world.merge_incidents(&tenants[FABRIKAM], &ids, 419).ok();
            }
        });
    }
}

/// Waits until the daemon has polled whatever happened last; the comparison after it is the judge.
async fn catch_up(simulator: &Simulator, tenants: &[String], path: &Path) {
    for _ in 0..60 {
        if compare(simulator, tenants, path).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Compares the store with what the simulator knows, to the byte: how many alerts are the same, if all are.
fn compare(simulator: &Simulator, tenants: &[String], path: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let store = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut same = 0;
    for tenant in [CONTOSO, FABRIKAM, NORTHWIND].map(|customer| &tenants[customer]) {
        let truth = simulator.world().with(|world| world.truth(tenant));
        for alert in truth.iter().filter(|alert| alert.is_visible()) {
            let mut statement =
                store.prepare_cached("SELECT raw FROM alerts WHERE tenant_id = ?1 AND alert_id = ?2")?;
            let raw: String = statement.query_row([tenant, &alert.id], |row| row.get(0))?;
            if *raw != *alert.expanded {
                return Err(format!("alert {} differs from what the service has", alert.id).into());
            }
            same += 1;
        }
    }
    Ok(same)
}

const QUESTIONS: [(&str, &str); 3] = [
    (
        "Which alerts of high severity are open, newest first?",
        "SELECT tenant_name, status, title, computer_dns_name, last_update_time FROM alerts\n\
         WHERE severity = 'High' AND status <> 'Resolved' ORDER BY last_update_time DESC LIMIT 5",
    ),
    (
        "How many alerts are open, by customer and severity?",
        "SELECT tenant_name, severity, count(*) AS open FROM alerts\n\
         WHERE status <> 'Resolved' GROUP BY 1, 2 ORDER BY 1, 3 DESC",
    ),
    (
        "Which change touched many alerts at one instant?",
        "SELECT t.name, c.last_update_time, count(*) AS alerts, min(c.fields ->> '$.incident_id[1]') AS new_incident\n\
         FROM alert_changes AS c JOIN tenants AS t USING (tenant_id)\n\
         WHERE c.kind = 'updated' GROUP BY 1, 2 HAVING alerts > 10",
    ),
];

/// What a user asks the store.
fn ask(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("\n$ alertferry status\n{}", command::status_table(&store::read_report(path)?));
    let store = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    for (question, sql) in QUESTIONS {
        println!("\n{question}\n\n{sql};\n");
        let mut statement = store.prepare(sql)?;
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_header(statement.column_names());
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cell = |at| row.get::<_, rusqlite::types::Value>(at).map(shown);
            table.add_row((0..columns).map(cell).collect::<Result<Vec<_>, _>>()?);
        }
        println!("{table}");
    }
    Ok(())
}

fn shown(value: rusqlite::types::Value) -> String {
    match value {
        rusqlite::types::Value::Null => "–".to_owned(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Real(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn farewell(dir: &Path, config: &Path, path: &Path) {
    println!("\nThe database stays at {} (sqlite3 -readonly, any tool).", path.display());
    println!("The configuration of this run is {}; delete {} when done.", config.display(), dir.display());
    println!(
        "\nFor a real tenant: register an app, have its consent given, write its id and secret into a configuration"
    );
    println!(
        "like config/alertferry.minimal.toml, then run `alertferry --config FILE check` and `alertferry --config FILE run`."
    );
    println!("The README goes through it step by step.");
}
