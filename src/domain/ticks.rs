//! Owns points in time: 100 ns ticks, their reading from the wire and their fixed-width text.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

/// Ticks in one second.
const PER_SECOND: i64 = 10_000_000;

/// A point in time as a count of 100 ns ticks since 1970-01-01T00:00:00Z.
///
/// The service prints alert times with up to seven fraction digits, trailing zeros trimmed. Text of such times does
/// not sort (`….2Z` against `….2010001Z`), and a microsecond type cuts the seventh digit; so times are compared as
/// whole ticks and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(i64);

/// A text that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time like 2026-11-23T10:15:30.1233333Z")]
pub struct BadTime(String);

impl Ticks {
    /// The earliest time that is read and printed: year 1.
    pub const MIN: Self = Self(-62_135_596_800 * PER_SECOND);
    /// The latest time that is read and printed: 9999-12-30, the last day of the time library.
    pub const MAX: Self = Self(253_402_207_200 * PER_SECOND - 1);

    /// Reads an RFC 3339 time with 0 to 9 fraction digits; a missing zone means UTC.
    ///
    /// Digits below 100 ns are dropped downwards, so the result is never later than the text.
    ///
    /// # Errors
    /// When the text is no such time, or lies outside the years 1 to 9999 (less their last day).
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime(text.chars().take(64).collect());
        let stamp: Timestamp = match text.parse() {
            Ok(stamp) => stamp,
            Err(_) => format!("{text}Z").parse().map_err(|_| bad())?,
        };
        let ticks = i64::try_from(stamp.as_nanosecond().div_euclid(100)).map_err(|_| bad())?;
        if (Self::MIN.0..=Self::MAX.0).contains(&ticks) { Ok(Self(ticks)) } else { Err(bad()) }
    }

    /// A time from whole seconds since 1970, held inside the years 1 to 9999.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(PER_SECOND)).clamped()
    }

    /// A time from ticks since 1970, held inside the years 1 to 9999.
    #[must_use]
    pub fn from_ticks(ticks: i64) -> Self {
        Self(ticks).clamped()
    }

    /// Ticks since 1970.
    #[must_use]
    pub const fn as_ticks(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(PER_SECOND)
    }

    /// The next tick, 100 ns later.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1).clamped()
    }

    /// The tick before, 100 ns earlier.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1).clamped()
    }

    /// The time `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(ticks_of(by))).clamped()
    }

    /// The time `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(ticks_of(by))).clamped()
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let ticks = self.0.saturating_sub(earlier.0).max(0);
        // Whole nanoseconds in 64 bits end after 584 years; the calendar does not.
        let seconds = u64::try_from(ticks / PER_SECOND).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(ticks % PER_SECOND).unwrap_or(0) * 100)
    }

    /// The point half-way to `other`, rounded down.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }

    fn clamped(self) -> Self {
        self.clamp(Self::MIN, Self::MAX)
    }
}

fn ticks_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

/// Fixed width, seven fraction digits, `Z`: text order is time order.
impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Timestamp::from_second(self.unix_seconds()).map_err(|_| fmt::Error)?;
        let at = Offset::UTC.to_datetime(whole);
        let (year, month, day) = (at.year(), at.month(), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let fraction = self.0.rem_euclid(PER_SECOND);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Ticks {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_and_padded() {
        for (wire, column) in [
            ("2026-11-23T10:15:30.1233333Z", "2026-11-23T10:15:30.1233333Z"),
            ("2026-11-23T10:15:30.2Z", "2026-11-23T10:15:30.2000000Z"),
            ("2023-04-25T22:52:11Z", "2023-04-25T22:52:11.0000000Z"),
            ("2023-04-25T22:52:11", "2023-04-25T22:52:11.0000000Z"),
            ("2023-04-25T22:52:11.123456789Z", "2023-04-25T22:52:11.1234567Z"),
            ("2023-04-26T00:52:11.5+02:00", "2023-04-25T22:52:11.5000000Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.9999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"),
            ("9999-12-30T21:59:59.9999999Z", "9999-12-30T21:59:59.9999999Z"),
        ] {
            assert_eq!(Ticks::parse(wire).expect(wire).to_string(), column);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "null", "2026-13-01T00:00:00Z", "12:00", "2026-11-23", "9999-12-31T23:59:59.9Z9"] {
            assert!(Ticks::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_order_is_time_order() {
        let early = Ticks::parse("2026-01-01T00:00:00.2Z").expect("a time");
        let late = Ticks::parse("2026-01-01T00:00:00.2010001Z").expect("a time");
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.since(early), Duration::from_nanos(1_000_100));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.next().previous(), early);
    }

    #[test]
    fn the_ends_hold() {
        assert_eq!(Ticks::MAX.next(), Ticks::MAX);
        assert_eq!(Ticks::MIN.previous(), Ticks::MIN);
        assert_eq!(Ticks::MIN.minus(Duration::MAX), Ticks::MIN);
        assert_eq!(Ticks::MIN.plus(Ticks::MAX.since(Ticks::MIN)), Ticks::MAX, "longer than 584 years");
        assert_eq!(Ticks::MAX.to_string(), "9999-12-30T21:59:59.9999999Z");
    }
}
