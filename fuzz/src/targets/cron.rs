//! Schedules: what is accepted fires, again and again, and means the same when it is written back.
//!
//! Input: a number of eight bytes, a moment; and a pattern.

use alertferry::domain::Ticks;
use alertferry::schedule::{BadSchedule, Schedule};

use super::input::Input;

/// What a message may repeat of the pattern, with what it says around it.
const MOST_MESSAGE: usize = 1024;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    // Between 1970 and 2106: far from where a calendar ends.
    let now = Ticks::from_unix_seconds(input.number().rem_euclid(1 << 32));
    let text = String::from_utf8_lossy(input.rest()).into_owned();
    match Schedule::parse(&text) {
        Ok(schedule) => accepted(&schedule, now),
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && told.len() < MOST_MESSAGE, "{told}");
            if let BadSchedule::Field { field, index, .. } = &error {
                assert_eq!(
                    text.split_whitespace().nth(*index),
                    Some(field.as_str()),
                    "the field at fault is named: {text:?}"
                );
            }
        }
    }
}

fn accepted(schedule: &Schedule, now: Ticks) {
    for text in [schedule.to_string(), schedule.as_six_fields().to_owned()] {
        let again = Schedule::parse(&text).expect("what was accepted is accepted again");
        assert_eq!(again.as_six_fields(), schedule.as_six_fields());
    }
    let instants = schedule.upcoming(now, 3);
    assert_eq!(instants.len(), 3);
    let mut before = now;
    for instant in instants {
        assert!(before < instant, "`{schedule}` goes from {before} to {instant}");
        assert_eq!(instant.as_ticks() % 10_000_000, 0, "a whole second");
        assert_eq!(schedule.next_after(instant.previous()), instant, "it is an instant of its own");
        before = instant;
    }
}
