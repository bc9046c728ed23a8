//! Owns the command line: the world it asks for, serving it, and letting it live until Ctrl-C.

mod banner;
mod config;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use alertferry_simulator::{
    App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Options, Profile, RateLimits, Simulator, World, WorldHandle, numbered_guid,
};
use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::signal::unix::{SignalKind, signal};

/// In a living world each tenant sees one thing happen in about this many world seconds.
const SECONDS_PER_STEP: f64 = 600.0;
/// The most things that happen at once, however fast the world runs.
const MAX_STEPS: usize = 2_000;
/// How often a living world is looked after, in real time.
const LIVE_TICK: Duration = Duration::from_millis(250);

/// A loopback double of Entra's token endpoint and of the Defender for Endpoint alerts API.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The same seed makes the same tenants.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// How many tenants to make up [default: 3, or none with --alerts].
    #[arg(long, value_name = "NUMBER")]
    tenants: Option<usize>,
    /// How many alerts each made-up tenant has.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    alerts_per_tenant: usize,
    /// Serve alerts from a file, one JSON object a line, byte for byte.
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// Let the world go on by itself: new alerts, evidence, edits, merges.
    #[arg(long)]
    live: bool,
    /// World seconds per real second.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// The app registration's client id.
    #[arg(long, default_value = DEFAULT_CLIENT_ID, value_name = "GUID")]
    client_id: String,
    /// The app registration's secret.
    #[arg(long, default_value = DEFAULT_SECRET, value_name = "TEXT")]
    secret: String,
    /// The largest $top, and where an answer without it ends.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER")]
    page_limit: usize,
    /// Do not answer 429 after 100 calls a minute or 1,500 an hour.
    #[arg(long)]
    no_rate_limit: bool,
    /// Serve https, and write the certificate of the authority that clients have to believe into this file.
    #[arg(long, value_name = "FILE")]
    tls_authority: Option<PathBuf>,
    /// Write a configuration for the daemon and the secret into this directory.
    #[arg(long, value_name = "DIR")]
    write_config: Option<PathBuf>,
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    // Caught from here on: whoever reads the block below may interrupt at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let world = world(&args)?;
    let tenants = world.tenant_ids();
    let simulator = match &args.tls_authority {
        None => Simulator::bind(world, args.listen).await?,
        Some(file) => {
            let simulator = Simulator::bind_tls(world, args.listen).await?;
            let written = fs::write(file, simulator.authority().unwrap_or_default());
            written.map_err(|error| format!("{}: {error}", file.display()))?;
            simulator
        }
    };
    let config = match &args.write_config {
        Some(directory) => Some(config::write(directory, &args, &simulator, &tenants)?),
        None => None,
    };
    let text = banner::text(&args, &simulator, &tenants, config.as_deref());
    io::stdout().write_all(text.as_bytes())?;
    io::stdout().flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = live(&args, simulator.world()) => {}
    }
    simulator.stop().await;
    Ok(())
}

fn world(args: &Args) -> Result<World, Box<dyn Error>> {
    if !args.speed.is_finite() || args.speed < 0.0 {
        return Err("--speed must be a number that is not negative".into());
    }
    let profile = Profile {
        options: Options {
            speed: args.speed,
            page_limit: args.page_limit,
            rate_limits: (!args.no_rate_limit).then(RateLimits::default),
            ..Options::default()
        },
        tenants: args.tenants.unwrap_or(if args.alerts.is_some() { 0 } else { 3 }),
        alerts_per_tenant: args.alerts_per_tenant..=args.alerts_per_tenant,
        ..Profile::default()
    };
    let mut world = World::generate(args.seed, &profile);
    world.apps = vec![App::new(&args.client_id, &args.secret)];
    if let Some(file) = &args.alerts {
        let told = |error: &dyn Error| format!("{}: {error}{}", file.display(), cause(error));
        world.load_file(file, &numbered_guid(1)).map_err(|error| told(&error))?;
    }
    Ok(world)
}

/// What lies behind an error, as the end of a sentence.
fn cause(error: &dyn Error) -> String {
    error.source().map(|source| format!(": {source}")).unwrap_or_default()
}

/// Lets things happen at the pace of the world's clock; for ever, and doing nothing unless asked to.
async fn live(args: &Args, world: WorldHandle) {
    if !args.live {
        return std::future::pending().await;
    }
    let mut rng = StdRng::seed_from_u64(args.seed);
    let mut due = 0.0;
    let mut ticks = tokio::time::interval(LIVE_TICK);
    loop {
        ticks.tick().await;
        world.with(|world| {
            let tenants = u32::try_from(world.tenant_ids().len()).unwrap_or(u32::MAX);
            due += LIVE_TICK.as_secs_f64() * args.speed * f64::from(tenants) / SECONDS_PER_STEP;
            let mut steps = 0;
            while due >= 1.0 && steps < MAX_STEPS {
                due -= 1.0;
                steps += 1;
            }
            due = due.min(1.0);
            world.live(&mut rng, steps);
        });
    }
}
