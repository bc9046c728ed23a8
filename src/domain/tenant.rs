//! Owns what is configured about one tenant.

use super::{Region, TenantId};

/// One customer tenant, with everything resolved that a pass needs to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The customer's tenant id.
    pub id: TenantId,
    /// The operator's name for the customer.
    pub name: String,
    /// Which `[app.NAME]` signs in for it.
    pub app: String,
    /// Where its alerts are served.
    pub region: Region,
    /// Scheme, host and port of the login service, without a trailing slash.
    pub login_url: String,
    /// Scheme, host and port of the alerts API, without a trailing slash.
    pub api_url: String,
    /// The operator's labels.
    pub tags: Vec<String>,
    /// Whether it is polled; a disabled tenant keeps its rows.
    pub enabled: bool,
}
