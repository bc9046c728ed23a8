//! Owns the watch over credentials: which cannot be used, and which come to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;

use crate::admin::Ends;
use crate::domain::Ticks;
use crate::entra::{Expiry, Look};
use crate::event::Event;
use crate::fleet::Fleet;
use crate::stop::Stop;

/// How often it is looked: a certificate whose file is replaced is known within so much.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Days before the end at which it is said that a credential comes to its end; in the last days, every day.
const STAGES: [i64; 3] = [60, 30, 7];

/// What was said last about a credential: the stage, by the days that are left.
type Told = BTreeMap<(String, String, i64), i64>;

/// Looks at the credentials, now and then and whenever the configuration `changed`, until the stop signal: tells which
/// cannot be used and which come to their end, and keeps what is shown of it. What was told is forgotten with the
/// process.
pub(super) async fn watch(fleet: &Fleet, ends: &Ends, changed: &Notify, stop: &Stop) {
    let mut told = Told::new();
    let mut new = true;
    loop {
        let (entra, clock) = (fleet.plan().ctx.entra.clone(), fleet.plan().ctx.clock.clone());
        // Files may lie on a disk that hangs, which is no reason for ticks to wait.
        let looking = tokio::task::spawn_blocking(move || entra.inventory());
        let Ok(found) = stop.or(looking).await else { return };
        if let Ok(looks) = found {
            if new {
                tell_unusable(&looks);
            }
            let expiries: Vec<Expiry> = looks.iter().filter_map(Look::expiry).collect();
            tell_ends(&expiries, clock.now(), &mut told);
            ends.know(expiries);
        }
        new = tokio::select! {
            () = stop.stopped() => return,
            () = changed.notified() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
    }
}

fn tell_unusable(looks: &[Look]) {
    for look in looks {
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

fn tell_ends(expiries: &[Expiry], now: Ticks, told: &mut Told) {
    for expiry in expiries {
        let left = expiry.days_left(now);
        let Expiry { app, place, kind, ends_at, .. } = expiry;
        let Some(stage) = stage(left) else { continue };
        if told.insert((app.clone(), place.clone(), ends_at.unix_seconds()), stage) == Some(stage) {
            continue;
        }
        let (app, place, kind, ends_at) = (app.as_str(), place.as_str(), kind.name(), *ends_at);
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
