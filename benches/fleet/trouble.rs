//! Owns what is wrong with some tenants for the length of an interval.

use alertferry_simulator::{Fault, FaultBody, FaultRule, RetryAfter, Route};

use crate::world::Fleet;

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Requests are read and never answered.
    Hung,
    /// 429 that asks to wait for a minute.
    Throttled,
    /// 503 at once.
    Failing,
}

impl Trouble {
    pub(crate) const ALL: [Self; 3] = [Self::Hung, Self::Throttled, Self::Failing];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hung => "hung",
            Self::Throttled => "throttled (429)",
            Self::Failing => "failing (503)",
        }
    }

    /// Whether the tenant at this place of the fleet has it when it strikes; each kind has tenants of its own.
    fn strikes(self, at: usize, one_in: usize) -> bool {
        at % one_in == self as usize % one_in
    }

    /// From now on, its tenants have it.
    pub(crate) fn begin(self, fleet: &Fleet, one_in: usize) {
        let fault = match self {
            Self::Hung => Fault::Hang,
            Self::Throttled => Fault::Throttle { retry_after: RetryAfter::Seconds(60) },
            Self::Failing => Fault::Status {
                status: 503,
                body: FaultBody::Envelope("ServiceUnavailable".to_owned(), "later".to_owned()),
                retry_after: RetryAfter::Absent,
            },
        };
        for (_, tenant) in fleet.tenants.iter().enumerate().filter(|(at, _)| self.strikes(*at, one_in)) {
            fleet.simulator.faults().add(FaultRule::new(fault.clone()).on(Route::Alerts).tenant(tenant));
        }
    }
}

/// Whether a tenant is spared by every kind of trouble.
pub(crate) fn is_spared(at: usize, one_in: usize) -> bool {
    !Trouble::ALL.iter().any(|trouble| trouble.strikes(at, one_in))
}
