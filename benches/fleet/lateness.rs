//! Owns how late tenants are read: the instants at which they are due against the passes that the daemon tells of.

use std::collections::HashMap;
use std::time::Duration;

use alertferry::domain::{TenantId, Ticks};
use alertferry::schedule::Schedule;

use crate::support::Pass;

/// When each of some tenants is due in one interval, and how late it was read.
#[derive(Debug)]
pub(crate) struct Watch {
    due: HashMap<String, Ticks>,
    /// Milliseconds from there to the begin and the end of the pass.
    late: HashMap<String, [f64; 2]>,
    /// The last end.
    pub(crate) last: Ticks,
}

impl Watch {
    /// The interval that begins at `from`.
    pub(crate) fn new<'a>(tenants: impl Iterator<Item = &'a String>, schedule: &Schedule, from: Ticks) -> Self {
        let due = |tenant: &String| {
            let hash = TenantId::parse(tenant).expect("a GUID").stable_hash();
            (tenant.clone(), schedule.slot_after(from.previous(), hash))
        };
        Self { due: tenants.map(due).collect(), late: HashMap::new(), last: from }
    }

    /// Takes note of passes: the first one that begins when a tenant is due, or later, is what it was due for.
    ///
    /// The daemon tells how long a pass took in whole milliseconds, so its begin may seem to be one too early.
    pub(crate) fn see(&mut self, passes: &[Pass]) {
        for pass in passes {
            let Some(due) = self.due.get(&pass.tenant) else { continue };
            let began = pass.began.plus(Duration::from_millis(1));
            if began >= *due && !self.late.contains_key(&pass.tenant) {
                let late = [began, pass.ended.max(began)].map(|at| at.since(*due).as_secs_f64() * 1_000.0);
                self.late.insert(pass.tenant.clone(), late);
                self.last = self.last.max(pass.ended);
            }
        }
    }

    /// How many are still to be read.
    pub(crate) fn missing(&self) -> usize {
        self.due.len() - self.late.len()
    }

    /// Milliseconds of lateness at this part of the tenants, of begins and of ends.
    pub(crate) fn percentiles(&self, part: f64) -> [f64; 2] {
        [0, 1].map(|which| {
            let mut sorted: Vec<f64> = self.late.values().map(|late| late[which]).collect();
            sorted.sort_by(f64::total_cmp);
            sorted.get(place(sorted.len(), part)).copied().unwrap_or(f64::NAN)
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place among some thousand"
)]
fn place(count: usize, part: f64) -> usize {
    ((count as f64 * part).ceil() as usize).saturating_sub(1)
}
