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
    healthy: Line,
    failing: Line,
}

/// The tenants of one lane that are next.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Due>,
    /// Whether the store had no more of them. It is not asked again before the next tick: asking costs a look at every
    /// tenant, and would otherwise be done at the end of each pass.
    complete: bool,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), running: HashMap::new(), healthy: Line::default(), failing: Line::default() }
    }

    /// Changes how many passes may run; those under way go on.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.max(1);
    }

    /// How many passes are under way.
    pub(super) fn under_way(&self) -> usize {
        self.running.len()
    }

    /// Whether a lane has places but nobody in line, and there may be somebody.
    pub(super) fn wants(&self, lane: Lane) -> bool {
        let line = self.line(lane);
        line.waiting.is_empty() && !line.complete && self.has_place(lane)
    }

    /// How many due tenants to fetch for a lane: those under way are due too, as long as they run.
    pub(super) fn fetch(&self) -> usize {
        FETCH + self.running.len()
    }

    /// Puts due tenants in line, but for those under way. They are all there are if they are fewer than were fetched.
    pub(super) fn queue_up(&mut self, lane: Lane, due: Vec<Due>) {
        let complete = due.len() < self.fetch();
        let running = &self.running;
        let waiting: Vec<Due> = due.into_iter().filter(|due| !running.contains_key(&due.key)).collect();
        let line = self.line_mut(lane);
        line.waiting.extend(waiting);
        line.complete = complete;
    }

    /// The next tenant to start, if there is a place and somebody in line. The healthy ones go first.
    pub(super) fn start(&mut self) -> Option<Due> {
        for lane in [Lane::Healthy, Lane::Failing] {
            if self.has_place(lane)
                && let Some(due) = self.line_mut(lane).waiting.pop_front()
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

    /// Forgets who is in line: time has passed, or the configuration has changed.
    pub(super) fn forget_queue(&mut self) {
        self.healthy = Line::default();
        self.failing = Line::default();
    }

    fn has_place(&self, lane: Lane) -> bool {
        let in_lane = self.running.values().filter(|running| **running == lane).count();
        let failing_most = (self.most / 4).max(1);
        match lane {
            Lane::Healthy => in_lane < self.most,
            Lane::Failing => in_lane < failing_most,
        }
    }

    const fn line(&self, lane: Lane) -> &Line {
        match lane {
            Lane::Healthy => &self.healthy,
            Lane::Failing => &self.failing,
        }
    }

    const fn line_mut(&mut self, lane: Lane) -> &mut Line {
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
    fn the_store_is_asked_once_a_tick_unless_it_had_more() {
        let mut slots = Slots::new(2);
        let wants = |slots: &Slots| [Lane::Healthy, Lane::Failing].map(|lane| slots.wants(lane));
        slots.queue_up(Lane::Healthy, vec![due(1)]);
        slots.queue_up(Lane::Failing, Vec::new());
        assert_eq!(slots.start(), Some(due(1)));
        slots.end(due(1).key);
        assert_eq!(wants(&slots), [false, false], "nobody has become due meanwhile");
        slots.forget_queue();
        assert_eq!(wants(&slots), [true, true], "a tick has come");

        let many = i64::try_from(slots.fetch()).expect("small");
        slots.queue_up(Lane::Healthy, (0..many).map(due).collect());
        while let Some(due) = slots.start() {
            slots.end(due.key);
        }
        assert!(slots.wants(Lane::Healthy), "there may be more than were fetched");
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
