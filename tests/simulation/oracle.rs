//! Owns what must be true of the way the services are asked: nobody is called before the time it asked for, and no more
//! often than may be.

use std::collections::BTreeMap;
use std::time::Duration;

use alertferry_simulator::{RequestRecord, Route, Ticks};

use crate::trouble::{Trouble, Wait};

const HOUR: Duration = Duration::from_secs(3_600);

/// A tenant at one of the two services.
type Place = (String, bool);

/// What was asked for and is still to be kept.
#[derive(Default)]
pub struct Manners {
    until: BTreeMap<Place, Ticks>,
    /// Until then, calls that no process remembers may add to those that are counted.
    forgotten_until: Option<Ticks>,
}

impl Manners {
    /// Holds requests against what was asked for; with `died`, what these answers asked for was heard by nobody.
    pub fn look(&mut self, log: &[RequestRecord], begun: &[(usize, Trouble)], died: bool) {
        for request in log {
            let place = (request.tenant.clone(), request.route == Route::Login);
            if let Some(until) = self.until.get(&place) {
                assert!(request.at >= *until, "called before {until}: {request:?}");
            }
            if request.status != Some(429) {
                continue;
            }
            let waits: Vec<Wait> = begun.iter().filter_map(|(_, trouble)| told(*trouble, place.1)).collect();
            match waits[..] {
                [] if place.1 => panic!("nobody throttles the login: {request:?}"),
                [] => assert!(
                    self.forgotten_until.is_some_and(|until| request.at < until),
                    "more calls than may be: {request:?}"
                ),
                // Which of several it was is not known.
                [wait] if !died => {
                    let until = request.at + wait.asked(place.1);
                    self.until.insert(place, until);
                }
                _ => {}
            }
        }
    }

    /// The machine's clock was set: it no longer tells how long anybody has waited.
    pub fn clock_was_set(&mut self, now: Ticks) {
        self.until.clear();
        self.forgotten_until = Some(now + HOUR);
    }

    /// A process died without a word of its last pass.
    pub fn died(&mut self, now: Ticks) {
        self.forgotten_until = Some(now + HOUR);
    }
}

/// What this trouble asks for at the login service, or at the other one.
fn told(trouble: Trouble, login: bool) -> Option<Wait> {
    let (Trouble::Throttled(wait) | Trouble::LoginThrottled(wait)) = trouble else { return None };
    (login == matches!(trouble, Trouble::LoginThrottled(_))).then_some(wait)
}
