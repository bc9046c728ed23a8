//! Owns cron patterns: reading them, refusing bad ones with a reason, and telling their instants.

use std::fmt;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::domain::Ticks;

/// The six fields in order, with what each allows and its greatest step.
const FIELDS: [(&str, &str, u32); 6] = [
    ("seconds", "0-59", 59),
    ("minutes", "0-59", 59),
    ("hours", "0-23", 23),
    ("day-of-month", "1-31, L (last), W (nearest weekday)", 31),
    ("month", "1-12 or JAN-DEC", 12),
    ("day-of-week", "0-7 or SUN-SAT (0 and 7 are Sunday), # (n-th), L (last)", 7),
];

/// The short names and what they stand for.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 0 1 1 *"),
    ("@annually", "0 0 0 1 1 *"),
    ("@monthly", "0 0 0 1 * *"),
    ("@weekly", "0 0 0 * * 0"),
    ("@daily", "0 0 0 * * *"),
    ("@midnight", "0 0 0 * * *"),
    ("@hourly", "0 0 * * * *"),
];

/// The longest pattern that is looked at.
const MAX_PATTERN_BYTES: usize = 256;

/// A cron pattern in UTC that is known to fire.
///
/// It is read with the very parser, and the very options, that the tick's scheduler uses: what is accepted here means
/// the same there. One of those options is worth knowing: a day of the month *and* a day of the week, both given, must
/// both be met.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
    pattern: String,
    cron: Cron,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// It has not the right number of fields.
    #[error(
        "`{text}` has {count} fields; a schedule has 5 (minute hour day month weekday), 6 (second first), or is one of {}",
        nicknames()
    )]
    FieldCount {
        /// The text.
        text: String,
        /// How many fields it has.
        count: usize,
    },
    /// It is longer than any schedule needs to be.
    #[error("this is longer than the {MAX_PATTERN_BYTES} characters a schedule may have")]
    TooLong,
    /// One field cannot be read.
    #[error("`{field}` is no {name} field; allowed are {allowed}, *, lists (1,2), ranges (1-5) and steps (*/5)")]
    Field {
        /// The field as written.
        field: String,
        /// Its position among the fields as written, from 0.
        index: usize,
        /// What the field is called.
        name: &'static str,
        /// The values it takes.
        allowed: &'static str,
    },
    /// It begins with `@` but is none of the short names.
    #[error("`{0}` is no schedule; the short names are {names}", names = nicknames())]
    Nickname(String),
    /// It is well-formed, but no day of the calendar meets it.
    #[error("`{0}` never fires: no day meets its day, month and weekday together")]
    Never(String),
}

impl Schedule {
    /// Reads a pattern of 5 fields (seconds are then 0), of 6 fields, or a short name such as `@hourly`.
    ///
    /// # Errors
    /// When it cannot be read, naming the field at fault, and when it would never fire.
    pub fn parse(text: &str) -> Result<Self, BadSchedule> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(BadSchedule::TooLong);
        }
        let shown = || text.chars().take(64).collect::<String>();
        let trimmed = text.trim();
        let expanded = match NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(trimmed)) {
            Some((_, pattern)) => pattern,
            None if trimmed.starts_with('@') => return Err(BadSchedule::Nickname(shown())),
            None => trimmed,
        };
        let mut fields: Vec<&str> = expanded.split_whitespace().collect();
        let written = fields.len();
        if written == 5 {
            fields.insert(0, "0");
        }
        if fields.len() != FIELDS.len() {
            return Err(BadSchedule::FieldCount { text: shown(), count: written });
        }
        if let Some(index) = first_bad(&fields) {
            let (name, allowed, _) = FIELDS[index];
            let skipped = FIELDS.len() - written;
            return Err(BadSchedule::Field { field: fields[index].to_owned(), index: index - skipped, name, allowed });
        }
        let pattern = fields.join(" ");
        let cron = read(&pattern).ok_or_else(|| BadSchedule::Nickname(shown()))?;
        if fires(&cron) {
            Ok(Self { text: trimmed.to_owned(), pattern, cron })
        } else {
            Err(BadSchedule::Never(shown()))
        }
    }

    /// The pattern in its six-field form, as the scheduler takes it.
    #[must_use]
    pub fn as_six_fields(&self) -> &str {
        &self.pattern
    }

    /// The first instant strictly after `now`.
    #[must_use]
    pub fn next_after(&self, now: Ticks) -> Ticks {
        let found = self.cron.find_next_occurrence(&to_chrono(now), false);
        // A pattern that fires ends only with the calendar; the calendar's end is "not in this life".
        found.map_or(Ticks::MAX, |at| Ticks::from_unix_seconds(at.timestamp()))
    }

    /// The last instant at or before `now`.
    #[must_use]
    pub(super) fn last_until(&self, now: Ticks) -> Ticks {
        let found = self.cron.find_previous_occurrence(&to_chrono(now), true);
        found.map_or(Ticks::MIN, |at| Ticks::from_unix_seconds(at.timestamp()))
    }

    /// The next `n` instants after `now`.
    #[must_use]
    pub fn upcoming(&self, now: Ticks, n: usize) -> Vec<Ticks> {
        std::iter::successors(Some(self.next_after(now)), |at| Some(self.next_after(*at))).take(n).collect()
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        Self::parse(text)
    }
}

fn read(pattern: &str) -> Option<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Optional).dom_and_dow(true).build();
    parser.parse(pattern).ok()
}

/// The first field that the parser refuses when all others are `*`: its own errors do not say which one it was.
fn first_bad(fields: &[&str]) -> Option<usize> {
    (0..fields.len()).find(|&index| {
        let mut alone = ["*"; FIELDS.len()];
        alone[index] = fields[index];
        // The parser takes `,` for a list of nothing, which never fires.
        let is_bad = |part: &str| part.is_empty() || oversteps(part, FIELDS[index].2);
        read(&alone.join(" ")).is_none() || fields[index].split(',').any(is_bad)
    })
}

/// Whether a step is beyond the field's range. The parser takes `*/90` for "at 0": whoever wrote it meant something else.
fn oversteps(part: &str, greatest: u32) -> bool {
    part.split_once('/').is_some_and(|(_, step)| step.parse::<u32>().is_ok_and(|step| step > greatest))
}

/// Whether any day meets the pattern.
///
/// The calendar repeats itself after 28 years within a century; every combination of day, month and weekday that
/// exists comes up in that time. Asking the parser for the next instant instead would search to the year 5000.
fn fires(cron: &Cron) -> bool {
    (2000..2028).any(|year| {
        (1..=12)
            .filter(|month| cron.pattern.month_match(*month).unwrap_or(false))
            .any(|month| (1..=days(year, month)).any(|day| cron.pattern.day_match(year, month, day).unwrap_or(false)))
    })
}

const fn days(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn to_chrono(at: Ticks) -> DateTime<Utc> {
    // Whole seconds, rounded down: the instants of a pattern are whole seconds, so neither search direction changes.
    DateTime::from_timestamp(at.unix_seconds(), 0).unwrap_or_default()
}

fn nicknames() -> String {
    NICKNAMES.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Ticks {
        Ticks::parse(text).expect("a time")
    }

    #[test]
    fn instants_come_in_order() {
        for (pattern, now, next) in [
            ("0 */5 * * * *", "2026-11-23T10:15:30Z", "2026-11-23T10:20:00Z"),
            ("*/5 * * * *", "2026-11-23T10:20:00Z", "2026-11-23T10:25:00Z"),
            ("*/5 * * * *", "2026-11-23T10:19:59.9999999Z", "2026-11-23T10:20:00Z"),
            ("* * * * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-11-23T10:15:30Z", "2026-11-23T11:00:00Z"),
            ("@Weekly", "2026-11-23T10:15:30Z", "2026-11-29T00:00:00Z"),
            ("30 9 * * MON-FRI", "2026-11-20T09:30:00Z", "2026-11-23T09:30:00Z"),
            ("0 0 13 * FRI", "2026-11-23T00:00:00Z", "2027-08-13T00:00:00Z"),
            ("0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        ] {
            let schedule = Schedule::parse(pattern).expect(pattern);
            assert_eq!(schedule.next_after(at(now)), at(next), "{pattern}");
            assert_eq!(schedule.last_until(at(next)), at(next), "{pattern}");
            assert_eq!(schedule.last_until(at(next).next()), at(next), "{pattern}");
        }
    }

    #[test]
    fn upcoming_is_next_after_next() {
        let schedule = Schedule::parse("0 0,30 * * * *").expect("a schedule");
        let found = schedule.upcoming(at("2026-11-23T10:15:30Z"), 3);
        let wanted = ["2026-11-23T10:30:00Z", "2026-11-23T11:00:00Z", "2026-11-23T11:30:00Z"].map(at);
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_error_points_at_the_field() {
        for (pattern, said) in [
            ("0 61 * * * *", "`61` is no minutes field; allowed are 0-59"),
            ("61 * * * *", "`61` is no minutes field"),
            ("0 * 24 * * *", "`24` is no hours field"),
            ("0 * * 32 * *", "`32` is no day-of-month field"),
            ("0 * * * MAYBE *", "`MAYBE` is no month field"),
            ("0 * * * * 9", "`9` is no day-of-week field"),
            ("*/0 * * * * *", "`*/0` is no seconds field"),
            ("*/90 * * * * *", "`*/90` is no seconds field"),
            ("0 5-1 * * * *", "`5-1` is no minutes field"),
            (", * * * *", "`,` is no minutes field"),
            ("0 1,,2 * * * *", "`1,,2` is no minutes field"),
            ("5", "has 1 fields"),
            ("", "has 0 fields"),
            ("0 * * * * * 2027", "has 7 fields"),
            ("@often", "short names are @yearly"),
            ("0 0 31 2 *", "never fires"),
            ("0 0 0 31 4,6,9,11 *", "never fires"),
        ] {
            let error = Schedule::parse(pattern).expect_err(pattern).to_string();
            assert!(error.contains(said), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9*/,#@LWa-z? -]{0,24}") {
            drop(Schedule::parse(&text));
        }

        #[test]
        fn an_instant_is_whole_and_later(step in 1_u32..60, seconds in 0_i64..4_000_000_000) {
            let schedule = Schedule::parse(&format!("*/{step} * * * * *")).expect("a schedule");
            let now = Ticks::from_unix_seconds(seconds);
            let next = schedule.next_after(now);
            prop_assert!(next > now && next.since(now).as_secs() <= 60);
            prop_assert_eq!(schedule.last_until(next), next);
            prop_assert!(schedule.last_until(next.previous()) <= now);
        }
    }
}
