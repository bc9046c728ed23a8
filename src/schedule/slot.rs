//! Owns each tenant's own instant: where between two instants of the pattern it is due.

use crate::domain::Ticks;

use super::Schedule;

impl Schedule {
    /// The first instant strictly after `now` at which the tenant with this `hash` is due.
    ///
    /// Between two consecutive instants `a` and `b` of the pattern every tenant has exactly one slot, at
    /// `a + phase * (b - a)` with `phase = hash / 2^64`. So a thousand tenants on one pattern come one after the other
    /// instead of all at `a`, and each keeps its place over restarts.
    #[must_use]
    pub fn slot_after(&self, now: Ticks, hash: u64) -> Ticks {
        let from = self.last_until(now);
        let until = self.next_after(now);
        let slot = slot_between(from, until, hash);
        if slot > now { slot } else { slot_between(until, self.next_after(until), hash) }
    }
}

/// The slot in `[from, until)`.
fn slot_between(from: Ticks, until: Ticks, hash: u64) -> Ticks {
    let width = i128::from(until.as_ticks()) - i128::from(from.as_ticks());
    let offset = (width * i128::from(hash)) >> 64;
    // Below `width`, and the calendar has fewer ticks than an i64.
    Ticks::from_ticks(from.as_ticks().saturating_add(i64::try_from(offset).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Ticks {
        Ticks::parse(text).expect("a time")
    }

    #[test]
    fn a_slot_keeps_its_place_between_two_instants() {
        let schedule = Schedule::parse("0 */5 * * * *").expect("a schedule");
        let half = 1_u64 << 63;
        for (now, hash, slot) in [
            ("2026-11-23T10:15:00Z", half, "2026-11-23T10:17:30Z"),
            ("2026-11-23T10:17:29.9999999Z", half, "2026-11-23T10:17:30Z"),
            ("2026-11-23T10:17:30Z", half, "2026-11-23T10:22:30Z"),
            ("2026-11-23T10:14:59.9999999Z", 0, "2026-11-23T10:15:00Z"),
            ("2026-11-23T10:15:00Z", 0, "2026-11-23T10:20:00Z"),
            ("2026-11-23T10:15:00Z", u64::MAX, "2026-11-23T10:19:59.9999999Z"),
        ] {
            assert_eq!(schedule.slot_after(at(now), hash), at(slot), "{now} {hash}");
        }
    }

    #[test]
    fn tenants_are_spread_evenly() {
        let schedule = Schedule::parse("0 */5 * * * *").expect("a schedule");
        let now = at("2026-11-23T10:14:59.9999999Z");
        let mut per_second = [0_u32; 300];
        for n in 0..30_000_u64 {
            let hash = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let offset = schedule.slot_after(now, hash).since(at("2026-11-23T10:15:00Z"));
            per_second[usize::try_from(offset.as_secs()).expect("below 300")] += 1;
        }
        assert!(per_second.iter().all(|count| (80..=120).contains(count)), "{per_second:?}");
    }

    proptest! {
        #[test]
        fn slots_increase_and_each_interval_has_one(
            pattern in prop::sample::select(vec![
                "* * * * * *", "0 */5 * * * *", "*/7 * * * * *", "0 0,10,11 * * * *", "0 30 9 * * MON-FRI", "0 0 0 L * *",
            ]),
            seconds in 1_000_000_000_i64..2_500_000_000,
            fraction in 0_i64..10_000_000,
            hash: u64,
        ) {
            let schedule = Schedule::parse(pattern).expect("a schedule");
            let mut now = Ticks::from_ticks(seconds * 10_000_000 + fraction);
            let mut interval = None;
            for _ in 0..5 {
                let slot = schedule.slot_after(now, hash);
                prop_assert!(slot > now);
                let opened = schedule.last_until(slot);
                if let Some(before) = interval {
                    prop_assert_eq!(schedule.next_after(before), opened, "an interval was left out or used twice");
                }
                // Asking again from anywhere before the slot gives the same slot.
                prop_assert_eq!(schedule.slot_after(slot.previous(), hash), slot);
                interval = Some(opened);
                now = slot;
            }
        }
    }
}
