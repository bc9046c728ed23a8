//! Owns the configuration that points the daemon at this simulator.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alertferry_simulator::Simulator;

use super::Args;

/// Writes `alertferry.toml` and `client-secret` into `directory`, which is made if need be; gives the former's path.
///
/// Both are for their owner alone: the daemon refuses a secret that others could read.
pub fn write(directory: &Path, args: &Args, simulator: &Simulator, tenants: &[String]) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let directory = directory.canonicalize()?;
    let secret = directory.join("client-secret");
    let config = directory.join("alertferry.toml");
    write_private(&secret, &args.secret)?;
    let mut text = text(&directory, &secret, args, simulator, tenants);
    if let Some(authority) = &args.tls_authority {
        let authority = authority.canonicalize()?;
        text.push_str(&format!("\n[network]\nca_file = {}\n", quoted(&authority.to_string_lossy())));
    }
    write_private(&config, &text)?;
    Ok(config)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // The mode above is for new files only.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

fn text(directory: &Path, secret: &Path, args: &Args, simulator: &Simulator, tenants: &[String]) -> String {
    let store = quoted(&directory.join("alerts.db").to_string_lossy());
    let mut text = format!(
        "# Written by alertferry-simulator for the world it serves; gone with it, too.\n\
         [store]\npath = {store}\n\n\
         [app.main]\nclient_id = {}\ncloud = \"commercial\"\nsecret = {{ file = {} }}\nlogin_url = {}\napi_url = {}\n\n\
         [poll]\nschedule = \"*/10 * * * * *\"\n",
        quoted(&args.client_id),
        quoted(&secret.to_string_lossy()),
        quoted(&simulator.login_url()),
        quoted(&simulator.api_url()),
    );
    for (index, tenant) in tenants.iter().enumerate() {
        let name = format!("Simulated {}", index + 1);
        text.push_str(&format!(
            "\n[[tenant]]\nid = {}\nname = {}\nregion = \"eu\"\napp = \"main\"\n",
            quoted(tenant),
            quoted(&name)
        ));
    }
    text
}

/// A TOML basic string; JSON's escapes are a part of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
