//! Owns one tenant: what Entra and the API think of it, and its alerts with their versions and visibility.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::alert::Version;
use crate::ticks::Ticks;

/// What the alerts API says about the tenant's licence.
///
/// The same envelope (`Unauthorized`, "Account mode is inactive") was recorded with both statuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Licence {
    /// The API answers.
    #[default]
    Active,
    /// 401 with "Account mode is inactive".
    Inactive401,
    /// 403 with "Account mode is inactive".
    Inactive403,
    /// 401 with "No Tvm license".
    NoTvm,
}

/// What a tenant's directory grants, and how the services see it. The default tenant lets everything through.
#[derive(Clone, Debug)]
pub struct TenantState {
    /// The app was consented to; otherwise the token endpoint answers AADSTS700016.
    pub consented: bool,
    /// When set, only these client ids were consented to.
    pub consented_apps: Option<BTreeSet<String>>,
    /// The app's principal is switched off in this directory (AADSTS7000112).
    pub app_disabled: bool,
    /// Application roles in new tokens. Without any, a token is still issued and the API answers 403.
    pub roles: Vec<String>,
    /// What the API says of the licence.
    pub licence: Licence,
    /// The directory is gone (AADSTS90002).
    pub deleted: bool,
    /// A Conditional Access policy for workload identities blocks the login (AADSTS53003).
    pub conditional_access: bool,
    /// The directory has the API's service principal; otherwise AADSTS500011.
    pub service_principal: bool,
}

impl Default for TenantState {
    fn default() -> Self {
        Self {
            consented: true,
            consented_apps: None,
            app_disabled: false,
            roles: vec!["Alert.Read.All".to_owned()],
            licence: Licence::Active,
            deleted: false,
            conditional_access: false,
            service_principal: true,
        }
    }
}

/// Whether the API shows an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Written, but the API does not show it yet.
    Pending,
    /// The API shows it.
    Visible,
    /// It was shown once and has left by retention.
    AgedOut,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version: Arc<Version>,
    pub(crate) shown: bool,
    visible_at: Ticks,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Alert {
    pub(crate) entries: Vec<Entry>,
    /// The newest entry that became visible.
    pub(crate) current: Option<usize>,
    pub(crate) aged_out: bool,
    /// Loaded alerts are usually older than any retention and stay.
    keeps: bool,
}

impl Alert {
    pub(crate) fn visibility(&self) -> Visibility {
        match (self.current, self.aged_out) {
            (_, true) => Visibility::AgedOut,
            (Some(_), false) => Visibility::Visible,
            (None, false) => Visibility::Pending,
        }
    }

    /// What the API shows, or what it will show first.
    pub(crate) fn face(&self) -> Option<&Entry> {
        self.entries.get(self.current.unwrap_or(0))
    }
}

/// One customer tenant of the simulated world.
#[derive(Debug)]
pub struct Tenant {
    /// Consent, roles, licence and the rest; free to change at any time.
    pub state: TenantState,
    /// How long after its stamp a new alert or change becomes visible; zero by default.
    pub visibility_lag: Duration,
    pub(crate) id: Arc<str>,
    pub(crate) object_id: String,
    pub(crate) alerts: BTreeMap<Arc<str>, Alert>,
    pub(crate) visible: BTreeMap<Arc<str>, Arc<Version>>,
    pub(crate) by_update: BTreeMap<(i64, Arc<str>), Arc<Version>>,
    /// The part of `by_update` that retention may take away.
    ageable: BTreeSet<(i64, Arc<str>)>,
    pending: BTreeMap<(Ticks, u64), (Arc<str>, usize)>,
    pub(crate) revision: u64,
    sequence: u64,
    stored_precision: bool,
}

impl Tenant {
    pub(crate) fn new(id: Arc<str>, object_id: String, stored_precision: bool) -> Self {
        Self {
            state: TenantState::default(),
            visibility_lag: Duration::ZERO,
            id,
            object_id,
            alerts: BTreeMap::new(),
            visible: BTreeMap::new(),
            by_update: BTreeMap::new(),
            ageable: BTreeSet::new(),
            pending: BTreeMap::new(),
            revision: 0,
            sequence: 0,
            stored_precision,
        }
    }

    /// The tenant's GUID in lower case.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many alerts the API shows now.
    pub fn visible_count(&self) -> usize {
        self.visible.len()
    }

    /// Moves whenever the answer to some request could have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The value `$filter` and `$orderby` compare for a row's `lastUpdateTime`, in thirds of a tick.
    pub(crate) fn update_key(&self, last_update: Ticks) -> i64 {
        if self.stored_precision { last_update.stored_thirds() } else { last_update.thirds() }
    }

    /// Adds a version that becomes visible at `visible_at`.
    pub(crate) fn add(&mut self, version: Version, visible_at: Ticks, now: Ticks, keeps: bool) {
        let id = Arc::clone(&version.id);
        let alert = self.alerts.entry(Arc::clone(&id)).or_default();
        alert.keeps |= keeps;
        alert.entries.push(Entry { version: Arc::new(version), shown: false, visible_at });
        let index = alert.entries.len() - 1;
        if visible_at <= now {
            self.show(&id, index);
        } else {
            self.sequence += 1;
            self.pending.insert((visible_at, self.sequence), (id, index));
        }
    }

    /// When a change to this alert can be seen at the earliest: never before the alert itself.
    pub(crate) fn earliest_visible(&self, id: &str, at: Ticks) -> Ticks {
        let first = self.alerts.get(id).filter(|alert| alert.current.is_none()).and_then(|alert| alert.entries.first());
        first.map_or(at, |entry| entry.visible_at.max(at))
    }

    /// Lets become visible what is due, and leave what is older than the retention.
    pub(crate) fn settle(&mut self, now: Ticks, retention: Option<Duration>) {
        while let Some(due) = self.pending.first_entry().filter(|first| first.key().0 <= now) {
            let (id, index) = due.remove();
            self.show(&id, index);
        }
        if let Some(retention) = retention {
            self.age_out((now - retention).thirds());
        }
    }

    fn age_out(&mut self, cutoff: i64) {
        while let Some(key) = self.ageable.first().filter(|key| key.0 < cutoff).cloned() {
            self.ageable.remove(&key);
            self.by_update.remove(&key);
            self.visible.remove(&key.1);
            if let Some(alert) = self.alerts.get_mut(&key.1) {
                alert.aged_out = true;
            }
            self.revision += 1;
        }
    }

    fn unlist(&mut self, version: &Version) {
        let key = (self.update_key(version.last_update), Arc::clone(&version.id));
        self.by_update.remove(&key);
        self.ageable.remove(&key);
    }

    fn show(&mut self, id: &Arc<str>, index: usize) {
        let Some(alert) = self.alerts.get_mut(id) else { return };
        // A late older version never replaces a newer one that overtook it.
        if alert.current.is_some_and(|current| current > index) {
            return;
        }
        let Some(entry) = alert.entries.get_mut(index) else { return };
        entry.shown = true;
        let version = Arc::clone(&entry.version);
        alert.current = Some(index);
        alert.aged_out = false;
        let keeps = alert.keeps;
        if let Some(before) = self.visible.insert(Arc::clone(id), Arc::clone(&version)) {
            self.unlist(&before);
        }
        let key = (self.update_key(version.last_update), Arc::clone(id));
        if !keeps {
            self.ageable.insert(key.clone());
        }
        self.by_update.insert(key, version);
        self.revision += 1;
    }

    /// Takes an alert away without a trace in the API, as if it had never been.
    pub(crate) fn forget(&mut self, id: &str) -> bool {
        let Some(alert) = self.alerts.remove(id) else { return false };
        self.pending.retain(|_, (pending, _)| pending.as_ref() != id);
        if let Some(version) = self.visible.remove(id) {
            self.unlist(&version);
        }
        self.revision += 1;
        !alert.entries.is_empty()
    }
}

/// The tenants of a world by GUID.
pub(crate) type Tenants = HashMap<Arc<str>, Tenant>;
