//! Owns the watch over credentials: which cannot be used, and which come to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::entra::{Entra, Expiry};
use crate::event::Event;
use crate::fleet::Fleet;
use crate::stop::Stop;

/// How often it is looked; a stage is told within so much of when it is reached.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// Days before the end at which it is said that a credential comes to its end; in the last days, every day.
const STAGES: [i64; 3] = [60, 30, 7];

/// What was said last about a credential: the stage, by the days that are left.
type Told = BTreeMap<(String, String, i64), i64>;

/// Tells which credentials cannot be used, and why.
pub(super) fn tell_unusable(entra: &Entra) {
    for look in entra.inventory() {
        if let Err(why) = &look.found {
            Event::CredentialUnusable {
                app: &look.app,
                kind: look.kind.name(),
                place: &look.place,
                reason: &why.reason,
                remedy: &why.remedy,
            }
            .emit();
        }
    }
}

/// Tells which credentials come to their end, until the stop signal. What was told is forgotten with the process.
pub(super) async fn watch(fleet: &Fleet, stop: &Stop) {
    tell_unusable(&fleet.plan().ctx.entra);
    let mut told = Told::new();
    loop {
        tell_ends(fleet, &mut told);
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

fn tell_ends(fleet: &Fleet, told: &mut Told) {
    let ctx = &fleet.plan().ctx;
    let now = ctx.clock.now();
    for expiry in ctx.entra.expiries() {
        let left = expiry.days_left(now);
        let Expiry { app, place, kind, ends_at } = expiry;
        let Some(stage) = stage(left) else { continue };
        if told.insert((app.clone(), place.clone(), ends_at.unix_seconds()), stage) == Some(stage) {
            continue;
        }
        let (app, place, kind) = (app.as_str(), place.as_str(), kind.name());
        if left < 0 {
            Event::CredentialExpired { app, kind, place, ended_at: ends_at }.emit();
        } else {
            Event::CredentialExpiring { app, kind, place, ends_at, days: left.unsigned_abs() }.emit();
        }
    }
}

/// What is said once: a stage, or a single one of the last days. `None` while the end is far.
fn stage(left: i64) -> Option<i64> {
    let last = STAGES[STAGES.len() - 1];
    if left <= last { Some(left) } else { STAGES.into_iter().rev().find(|stage| left <= *stage) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_and_each_of_the_last_days_is_said_once() {
        let said: Vec<i64> = (-2..=100).rev().filter_map(stage).collect();
        let mut once = said.clone();
        once.dedup();
        assert_eq!(once, [60, 30, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2]);
        assert_eq!(
            (stage(61), stage(60), stage(31), stage(30), stage(8)),
            (None, Some(60), Some(60), Some(30), Some(30))
        );
    }
}
