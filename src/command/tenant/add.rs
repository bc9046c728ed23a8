//! Owns `alertferry tenant add`: one tenant more in the configuration.

use std::io::ErrorKind;
use std::path::Path;

use super::placed::{self, Placed};
use crate::command::unwritten::unwritten;
use crate::command::{Exit, Problem};
use crate::domain::{Region, TenantId};
use crate::settings::{Addition, NewTenant, Settings};

/// The command line of `tenant add`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// Its tenant id.
    #[arg(value_name = "ID", value_parser = TenantId::parse)]
    id: TenantId,
    /// What you call the customer.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Where its alerts are served: global, us, eu, uk, au, swa, ina or aea.
    #[arg(long, value_name = "REGION", value_parser = str::parse::<Region>)]
    region: Option<Region>,
    /// Which app registration signs in for it; may be left out while there is only one.
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// A label; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let tenant = NewTenant {
        id: arguments.id.as_str(),
        name: Some(&arguments.name),
        region: arguments.region.map(Region::name),
        app: arguments.app.as_deref(),
        tags: &arguments.tags,
    };
    let _alone = placed::alone(config)?;
    let place = placed::beside(config);
    // A name that is taken by another customer's file gives way to the id.
    let ids = [file_name(&arguments.name), Some(arguments.id.to_string())];
    for stem in ids.into_iter().flatten() {
        let addition = Addition { path: place.join(format!("{stem}.toml")), text: tenant.text() };
        if addition.path.symlink_metadata().is_ok() && stem != arguments.id.as_str() {
            continue;
        }
        let settings = placed::checked(config, &addition)?;
        name_is_free(&settings, arguments)?;
        match placed::write(config, &addition.path, &addition.text) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && stem != arguments.id.as_str() => {}
            Err(error) => return Err(unwritten(&addition.path, &error)),
            Ok(()) => return placed::told(&Placed { path: &addition.path, tenants: 1, all: settings.tenants.len() }),
        }
    }
    Err(Problem::new(Exit::Usage, format!("{} is there already; nothing was written", place.display())))
}

/// Commands find tenants by their names.
fn name_is_free(settings: &Settings, arguments: &Arguments) -> Result<(), Problem> {
    let same = |name: &str| name.trim().eq_ignore_ascii_case(arguments.name.trim());
    match settings.tenants.iter().find(|other| other.id != arguments.id && same(&other.name)) {
        Some(other) => {
            let message = format!("the tenant {} is called `{}` already; nothing was written", other.id, other.name);
            Err(Problem::new(Exit::Usage, message))
        }
        None => Ok(()),
    }
}

/// The name of a file made of a tenant's name; none for names that do not lend themselves to it.
fn file_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let stem = name.trim().to_ascii_lowercase().replace(' ', "-");
    let begins = stem.starts_with(|c: char| c.is_ascii_alphanumeric());
    (begins && name.trim().chars().all(plain) && stem.len() <= 100).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names_that_cannot_lead_elsewhere() {
        for (name, file) in [
            ("Contoso", Some("contoso")),
            (" Contoso Ltd. ", Some("contoso-ltd.")),
            ("A_1-b", Some("a_1-b")),
            ("", None),
            (".hidden", None),
            ("../../etc/passwd", None),
            ("株式", None),
            ("a\nb", None),
        ] {
            assert_eq!(file_name(name).as_deref(), file, "{name}");
        }
    }
}
