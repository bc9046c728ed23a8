//! Owns how many passes run at once, and for whom. Plain state without I/O.

use std::collections::{HashMap, VecDeque};

use crate::store::{Due, Lane, TenantKey};

/// So many due tenants are fetched at a time; each fetch sorts all that are due.
pub(super) const FETCH: usize = 256;

/// The passes under way and the tenants next in line.
///
/// Failing tenants have a lane of their own with a quarter of the places. However many of them hang until their time
/// limit, they hold up each other and nobody else.
#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    running: HashMap<TenantKey, Lane>,
    healthy: VecDeque<Due>,
    failing: VecDeque<Due>,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), running: HashMap::new(), healthy: VecDeque::new(), failing: VecDeque::new() }
    }

    /// Changes how many passes may run; those under way go on.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.max(1);
    }

    /// Whether a lane has places but nobody in line.
    pub(super) fn wants(&self, lane: Lane) -> bool {
        self.queue(lane).is_empty() && self.has_place(lane)
    }

    /// How many due tenants to fetch for a lane: those under way are due too, as long as they run.
    pub(super) fn fetch(&self) -> usize {
        FETCH + self.running.len()
    }

    /// Puts due tenants in line, but for those under way.
    pub(super) fn queue_up(&mut self, lane: Lane, due: Vec<Due>) {
        let running = &self.running;
        let waiting: Vec<Due> = due.into_iter().filter(|due| !running.contains_key(&due.key)).collect();
        self.queue_mut(lane).extend(waiting);
    }

    /// The next tenant to start, if there is a place and somebody in line. The healthy ones go first.
    pub(super) fn start(&mut self) -> Option<Due> {
        for lane in [Lane::Healthy, Lane::Failing] {
            if self.has_place(lane)
                && let Some(due) = self.queue_mut(lane).pop_front()
            {
                self.running.insert(due.key, lane);
                return Some(due);
            }
        }
        None
    }

    /// A pass has ended.
    pub(super) fn end(&mut self, tenant: TenantKey) {
        self.running.remove(&tenant);
    }

    /// Forgets who is in line, because the configuration has changed.
    pub(super) fn forget_queue(&mut self) {
        self.healthy.clear();
        self.failing.clear();
    }

    fn has_place(&self, lane: Lane) -> bool {
        let in_lane = self.running.values().filter(|running| **running == lane).count();
        let failing_most = (self.most / 4).max(1);
        match lane {
            Lane::Healthy => in_lane < self.most,
            Lane::Failing => in_lane < failing_most,
        }
    }

    const fn queue(&self, lane: Lane) -> &VecDeque<Due> {
        match lane {
            Lane::Healthy => &self.healthy,
            Lane::Failing => &self.failing,
        }
    }

    const fn queue_mut(&mut self, lane: Lane) -> &mut VecDeque<Due> {
        match lane {
            Lane::Healthy => &mut self.healthy,
            Lane::Failing => &mut self.failing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantId;

    fn due(n: i64) -> Due {
        let id = TenantId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("a GUID");
        Due { key: TenantKey::for_tests(n), id }
    }

    #[test]
    fn no_tenant_runs_twice_and_no_more_run_than_may() {
        let mut slots = Slots::new(2);
        assert!(slots.wants(Lane::Healthy));
        slots.queue_up(Lane::Healthy, vec![due(1), due(2), due(3)]);
        assert_eq!([slots.start(), slots.start(), slots.start()], [Some(due(1)), Some(due(2)), None]);
        slots.forget_queue();
        slots.queue_up(Lane::Healthy, vec![due(1), due(2), due(3)]);
        slots.end(due(1).key);
        assert_eq!([slots.start(), slots.start()], [Some(due(3)), None]);
        assert!(!slots.wants(Lane::Healthy), "no place is free");
    }

    #[test]
    fn the_failing_have_a_quarter_of_the_places() {
        let mut slots = Slots::new(8);
        slots.queue_up(Lane::Failing, (0..20).map(due).collect());
        assert_eq!(std::iter::from_fn(|| slots.start()).count(), 2);
        slots.queue_up(Lane::Healthy, (20..40).map(due).collect());
        assert_eq!(std::iter::from_fn(|| slots.start()).count(), 8);
        slots.end(due(0).key);
        assert_eq!(slots.start(), Some(due(2)));
    }

    #[test]
    fn even_a_fleet_of_one_place_reads_a_failing_tenant() {
        let mut slots = Slots::new(0);
        slots.queue_up(Lane::Failing, vec![due(1)]);
        assert_eq!(slots.start(), Some(due(1)));
    }
}
