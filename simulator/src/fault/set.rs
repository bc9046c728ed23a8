//! Owns the rules in force: adding, clearing, counting, and which of them strike a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Fault, FaultRule, PoisonScope, Route, Stage};
use crate::alert::Version;
use crate::odata::Query;

/// Names a rule that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(u64);

#[derive(Debug)]
struct Armed {
    id: RuleId,
    rule: FaultRule,
    fitting: u64,
    struck: u64,
}

#[derive(Debug)]
struct Inner {
    rules: Vec<Armed>,
    next: u64,
    rng: StdRng,
}

/// A handle on the simulator's fault rules; clones look at the same.
#[derive(Clone, Debug)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

/// What is known of a request when rules are asked about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'r> {
    pub(crate) tenant: &'r str,
    pub(crate) route: Route,
    /// The decoded query text.
    pub(crate) decoded: &'r str,
    pub(crate) query: Option<&'r Query>,
    pub(crate) rows: &'r [Arc<Version>],
}

impl Faults {
    pub(crate) fn new() -> Self {
        let inner = Inner { rules: Vec::new(), next: 0, rng: StdRng::seed_from_u64(0xFA17) };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a rule in force. Several may strike one request: delays add up, then the first refusal wins, and spoilt
    /// bodies are spoilt one after the other.
    pub fn add(&self, rule: impl Into<FaultRule>) -> RuleId {
        let mut inner = self.lock();
        inner.next += 1;
        let id = RuleId(inner.next);
        inner.rules.push(Armed { id, rule: rule.into(), fitting: 0, struck: 0 });
        id
    }

    /// Takes one rule out of force; false when it is none.
    pub fn remove(&self, id: RuleId) -> bool {
        let mut inner = self.lock();
        let before = inner.rules.len();
        inner.rules.retain(|armed| armed.id != id);
        inner.rules.len() < before
    }

    /// Takes all rules out of force: the world heals. Connections that hang or stall already go on doing so.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// How often a rule struck; zero for one that is gone.
    pub fn struck(&self, id: RuleId) -> u64 {
        self.lock().rules.iter().find(|armed| armed.id == id).map_or(0, |armed| armed.struck)
    }

    /// Seeds the draws of rules with a probability.
    pub fn seed(&self, seed: u64) {
        self.lock().rng = StdRng::seed_from_u64(seed);
    }

    /// The faults that strike at this stage, in the order their rules were added.
    pub(crate) fn strike(&self, stage: Stage, seen: Circumstances<'_>) -> Vec<Fault> {
        let mut guard = self.lock();
        let Inner { rules, rng, .. } = &mut *guard;
        let mut out = Vec::new();
        for armed in rules.iter_mut().filter(|armed| armed.rule.fault.stage() == stage && fits(&armed.rule, seen)) {
            armed.fitting += 1;
            let when = armed.rule.when;
            let due = armed.fitting > when.skip_first && when.times.is_none_or(|times| armed.struck < times);
            if due && when.probability.is_none_or(|chance| rng.random_bool(chance.clamp(0.0, 1.0))) {
                armed.struck += 1;
                out.push(armed.rule.fault.clone());
            }
        }
        out
    }
}

fn fits(rule: &FaultRule, seen: Circumstances<'_>) -> bool {
    rule.route.covers(seen.route)
        && rule.tenant.as_deref().is_none_or(|tenant| tenant.eq_ignore_ascii_case(seen.tenant))
        && rule.query_contains.as_deref().is_none_or(|text| seen.decoded.contains(text))
        && fault_fits(&rule.fault, seen)
}

/// Whether the fault can have its effect on this request at all.
fn fault_fits(fault: &Fault, seen: Circumstances<'_>) -> bool {
    let ordered = || seen.query.is_some_and(|query| !query.order.is_empty());
    let expanded = || seen.query.is_some_and(|query| query.expand);
    let list = seen.route == Route::Alerts;
    if let Fault::PoisonAlert { id, scope } = fault {
        let inside = seen.rows.iter().any(|row| *row.id == **id);
        let reached = match scope {
            PoisonScope::Lists => list,
            PoisonScope::ExpandedLists => list && expanded(),
            PoisonScope::ExpandedListsAndGet => !list || expanded(),
            PoisonScope::Everything => true,
        };
        return inside && reached;
    }
    if let Fault::PoisonWindow { from, until } = fault {
        return seen.rows.iter().any(|row| (*from..*until).contains(&row.last_update));
    }
    if let Fault::TooLarge { max_rows } = fault {
        return list && seen.rows.len() > *max_rows;
    }
    if matches!(fault, Fault::RefuseOrderBy | Fault::IgnoreOrderBy { .. }) {
        return ordered();
    }
    if *fault == Fault::RefuseIdRange {
        return seen.query.is_some_and(Query::has_id_range);
    }
    !matches!(fault, Fault::ForeignAlert { .. }) || !seen.rows.is_empty()
}
