//! Owns the oracle: what a perfect reader of the API would hold.

use super::tenant::{Alert, Visibility};
use super::{World, WorldError};

/// One alert as it truly is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The alert's id.
    pub id: String,
    /// `lastUpdateTime` as printed, of the visible version (or of the first to come).
    pub last_update_time: String,
    /// The text exactly as served with `$expand=evidence`.
    pub expanded: String,
    /// The text exactly as served in a list without `$expand`.
    pub thin: String,
    /// How many versions have become visible so far: the creation and each update. Zero while pending.
    pub versions: usize,
    /// Whether the API shows it.
    pub visibility: Visibility,
}

impl Truth {
    /// Whether the API shows the alert now.
    pub fn is_visible(&self) -> bool {
        self.visibility == Visibility::Visible
    }
}

/// One version of an alert, in the order they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionTruth {
    /// `lastUpdateTime` as printed.
    pub last_update_time: String,
    /// The text exactly as served with `$expand=evidence`.
    pub expanded: String,
    /// Whether the API ever showed this version.
    pub shown: bool,
}

impl World {
    /// Every alert of a tenant in id order, at the world's present; empty for an unknown tenant.
    pub fn truth(&mut self, tenant: &str) -> Vec<Truth> {
        let Some(tenant) = self.settle(tenant) else { return Vec::new() };
        tenant.alerts.values().filter_map(Truth::of).collect()
    }

    /// Every version of one alert, oldest first.
    pub fn history(&mut self, tenant: &str, id: &str) -> Result<Vec<VersionTruth>, WorldError> {
        self.settle(tenant);
        let alert = self.known(tenant)?.alerts.get(id).ok_or_else(|| WorldError::UnknownAlert(id.to_owned()))?;
        let entries = alert.entries.iter();
        Ok(entries
            .map(|entry| VersionTruth {
                last_update_time: entry.version.last_update.to_string(),
                expanded: entry.version.expanded(),
                shown: entry.shown,
            })
            .collect())
    }
}

impl Truth {
    fn of(alert: &Alert) -> Option<Self> {
        let face = alert.face()?;
        Some(Self {
            id: face.version.id.to_string(),
            last_update_time: face.version.last_update.to_string(),
            expanded: face.version.expanded(),
            thin: face.version.thin(),
            versions: alert.entries.iter().filter(|entry| entry.shown).count(),
            visibility: alert.visibility(),
        })
    }
}
