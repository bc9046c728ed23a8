//! Owns what must be true of the way the services are asked: nobody is called before the time it asked for, and no more
//! often than may be.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Tenants that were read on with a token that was still good after the login service refused to renew it: what it
    /// asked for is known to the process alone.
    read_on: BTreeSet<String>,
    /// Until then, calls that no process remembers may add to those that are counted.
    forgotten_until: Option<Ticks>,
    /// Whether the machine's clock is wrong: it is what a date counts from in an answer without one of its own.
    clock_is_wrong: bool,
}

impl Manners {
    /// Holds requests against what was asked for; with `died`, what these answers asked for was heard by nobody.
    pub fn look(&mut self, log: &[RequestRecord], begun: &[(usize, Trouble)], died: bool) {
        for request in log {
            let place = (request.tenant.clone(), request.route == Route::Login);
            if let Some(until) = self.until.get(&place) {
                assert!(request.at >= *until, "called before {until}: {request:?}");
            }
            if place.1 {
                self.read_on.remove(&place.0);
            } else {
                self.read_on.insert(place.0.clone());
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
                // From where the date counted is not known.
                [Wait::Date(_)] if self.clock_is_wrong && begun.iter().any(|(_, t)| *t == Trouble::NoDate) => {
                    self.until.remove(&place);
                }
                [wait] if !died => {
                    let until = request.at + wait.asked(place.1);
                    self.until.insert(place, until);
                }
                // Which of several it was is not known.
                _ => {}
            }
        }
    }

    /// The machine's clock was set: it no longer tells how long anybody has waited. `wrong` says whether it is.
    pub fn clock_was_set(&mut self, now: Ticks, wrong: bool) {
        self.clock_is_wrong = wrong;
        self.until.clear();
        self.forgotten_until = Some(now + HOUR);
    }

    /// A process died without a word of its last pass.
    pub fn died(&mut self, now: Ticks) {
        self.forgotten_until = Some(now + HOUR);
    }

    /// Another process goes on.
    pub fn began_anew(&mut self) {
        self.until.retain(|(tenant, login), _| !(*login && self.read_on.contains(tenant)));
    }
}

/// What this trouble asks for at the login service, or at the other one.
fn told(trouble: Trouble, login: bool) -> Option<Wait> {
    let (Trouble::Throttled(wait) | Trouble::LoginThrottled(wait)) = trouble else { return None };
    (login == matches!(trouble, Trouble::LoginThrottled(_))).then_some(wait)
}
