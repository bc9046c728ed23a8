//! Owns what the program says once: where it is, who lives there, how to ask.

use std::path::Path;

use alertferry_simulator::Simulator;

use super::Args;

/// Tenants that are listed one by one; more are only counted.
const LISTED: usize = 10;

/// The whole block.
pub fn text(args: &Args, simulator: &Simulator, tenants: &[String], config: Option<&Path>) -> String {
    let mut out = String::new();
    let lines = [
        format!("alertferry-simulator is serving {} tenants", tenants.len()),
        format!("  login      {}", simulator.login_url()),
        format!("  api        {}", simulator.api_url()),
        format!("  client id  {}", args.client_id),
        format!("  secret     {}", args.secret),
        format!("  limits     {}", if args.no_rate_limit { "off" } else { "100 calls a minute, 1500 an hour" }),
        format!("  clock      {} x real time{}", args.speed, if args.live { ", alive" } else { "" }),
    ];
    for line in lines {
        add(&mut out, &line);
    }
    let counts = simulator.world().with(|world| {
        let count = |id: &String| world.tenant(id).map_or(0, alertferry_simulator::Tenant::visible_count);
        tenants.iter().take(LISTED).map(count).collect::<Vec<_>>()
    });
    for (tenant, count) in tenants.iter().zip(counts) {
        add(&mut out, &format!("  tenant     {tenant}  {count} alerts"));
    }
    if tenants.len() > LISTED {
        add(&mut out, &format!("  tenant     … and {} more", tenants.len() - LISTED));
    }
    if let Some(authority) = &args.tls_authority {
        add(&mut out, &format!("  authority  {}", authority.display()));
    }
    if let Some(config) = config {
        add(&mut out, &format!("  config     {}", config.display()));
        add(&mut out, &format!("  run        alertferry --config {} run", config.display()));
    }
    if let Some(tenant) = tenants.first() {
        usage(&mut out, args, simulator, tenant);
    }
    add(&mut out, "Ctrl-C stops it.");
    out
}

fn usage(out: &mut String, args: &Args, simulator: &Simulator, tenant: &str) {
    let (login, api) = (simulator.login_url(), simulator.api_url());
    add(out, "Try:");
    let curl = match &args.tls_authority {
        None => "curl -s".to_owned(),
        Some(authority) => format!("curl -s --cacert '{}'", authority.display()),
    };
    add(out, &format!("  TOKEN=$({curl} --data-urlencode grant_type=client_credentials \\"));
    add(
        out,
        &format!(
            "    --data-urlencode client_id={} --data-urlencode 'client_secret={}' \\",
            args.client_id, args.secret
        ),
    );
    add(out, "    --data-urlencode scope=https://api.securitycenter.microsoft.com/.default \\");
    add(out, &format!("    {login}/{tenant}/oauth2/v2.0/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"));
    add(out, &format!("  {curl} -H \"Authorization: Bearer $TOKEN\" '{api}/api/alerts?$top=2&$expand=evidence'"));
}

fn add(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
