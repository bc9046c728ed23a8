//! Owns finding what a command works on: the tenants that a command line names, and the store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Exit, Problem};
use crate::domain::{Tenant, TenantId};
use crate::settings::Settings;
use crate::store::Reading;

/// The store that the configuration names; a problem when there is none yet.
pub(super) fn store(config: &Path) -> Result<PathBuf, Problem> {
    there(Settings::load_by_hand(config)?.store.path)
}

/// The path of a store; a problem when there is none, or none that this user may know of.
pub(super) fn there(path: PathBuf) -> Result<PathBuf, Problem> {
    let shown = path.display();
    let (exit, message) = match path.try_exists() {
        Ok(true) => return Ok(path),
        Ok(false) => {
            (Exit::NoInput, format!("there is no store at {shown} yet; start `alertferry run` or `alertferry sync`"))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            (Exit::Permission, format!("cannot look for the store {shown}: {error}; members of its group may read it"))
        }
        Err(error) => (Exit::NoInput, format!("cannot look for the store {shown}: {error}")),
    };
    Err(Problem::new(exit, message))
}

/// The tenants named by id or by name, in any case; none named means all, which is an empty list.
pub(super) fn tenants(all: &[Tenant], named: &[String]) -> Result<Vec<TenantId>, Problem> {
    named.iter().map(|name| one(all, name)).collect()
}

fn one(all: &[Tenant], name: &str) -> Result<TenantId, Problem> {
    let fits =
        |tenant: &&Tenant| tenant.id.as_str().eq_ignore_ascii_case(name) || tenant.name.eq_ignore_ascii_case(name);
    let mut found = all.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(tenant), None) => Ok(tenant.id),
        (None, _) => {
            let message = format!(
                "no tenant in the configuration is called `{name}`; `[[tenant]]` and `tenants.d` have names and ids"
            );
            Err(Problem::new(Exit::Usage, message))
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Exit::Usage, format!("several tenants are called `{name}`; give the id instead")))
        }
    }
}

/// The id of the stored tenant that is called so.
pub(super) fn tenant_called(store: &Reading, name: &str) -> Result<String, Problem> {
    let mut found = store.tenants_called(name)?.into_iter();
    match (found.next(), found.next()) {
        (Some(tenant), None) => Ok(tenant),
        (None, _) => {
            let message = format!("no tenant in the store is called `{name}`; `alertferry status` lists names and ids");
            Err(Problem::new(Exit::Usage, message))
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Exit::Usage, format!("several tenants are called `{name}`; give the id instead")))
        }
    }
}

/// The ids of the stored tenants that are called so.
pub(super) fn tenants_called(store: &Reading, names: &[String]) -> Result<Vec<String>, Problem> {
    names.iter().map(|name| tenant_called(store, name)).collect()
}
