//! Owns instants at the service's resolution: 100 ns, printed with trailing zeros trimmed.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// How many 100 ns ticks make one second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;

/// One SQL `datetime` step is 1/300 s, which is 100,000 thirds of a tick.
const GRID_IN_THIRDS: i64 = 100_000;

/// 100 ns ticks between 0001-01-01 (where .NET counts from) and 1970-01-01.
const DOTNET_UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// An instant in UTC, counted in 100 ns ticks since 1970-01-01.
///
/// Recorded alerts print every time in this resolution with zero to seven fraction digits and a `Z`; `Display`
/// does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(i64);

impl Ticks {
    /// The instant `ticks` 100 ns steps after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// 100 ns steps since 1970-01-01T00:00:00Z.
    pub const fn unix_ticks(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down: the form of JWT claims and of HTTP dates.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(TICKS_PER_SECOND)
    }

    /// Ticks since year 1, the 18 digits inside the older alert ids.
    pub const fn dotnet(self) -> i64 {
        self.0.saturating_add(DOTNET_UNIX_EPOCH)
    }

    /// The wall clock of this computer.
    #[allow(
        clippy::disallowed_methods,
        reason = "a free-running world starts at the real time; this is the simulator's only look at it"
    )]
    pub fn wall_now() -> Self {
        let nanos = Timestamp::now().as_nanosecond();
        Self(i64::try_from(nanos / 100).unwrap_or(i64::MAX))
    }

    /// Reads `YYYY-MM-DDThh:mm:ss[.1-7 digits](Z|±hh:mm)`; anything else is `None`.
    ///
    /// Eight or more fraction digits are refused because the service's own type cannot hold them.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 20 || bytes.get(10) != Some(&b'T') || text.contains('[') {
            return None;
        }
        let fraction =
            text.get(19..)?.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        if fraction > 7 {
            return None;
        }
        let parsed: Timestamp = text.parse().ok()?;
        i64::try_from(parsed.as_nanosecond() / 100).ok().map(Self)
    }

    /// This instant as SQL `datetime` keeps it: moved to the nearest 1/300 s, then printed-rounded to a tick.
    ///
    /// In recordings every `lastUpdateTime` was such a value (`.xx`, `.xx3333`, `.xx6667`).
    #[must_use]
    pub fn on_sql_grid(self) -> Self {
        let step = div_round(self.thirds(), GRID_IN_THIRDS);
        Self(div_round(step.saturating_mul(GRID_IN_THIRDS), 3))
    }

    /// Exact thirds of a tick of the *printed* value.
    pub(crate) const fn thirds(self) -> i64 {
        self.0.saturating_mul(3)
    }

    /// Exact thirds of a tick of the *stored* SQL `datetime` behind this printed value.
    ///
    /// A value that is on no 1/300 s step (it came from a file) is taken as it is.
    pub(crate) fn stored_thirds(self) -> i64 {
        let stored = div_round(self.thirds(), GRID_IN_THIRDS).saturating_mul(GRID_IN_THIRDS);
        if (stored - self.thirds()).abs() <= 1 { stored } else { self.thirds() }
    }

    /// The same instant as seconds and nanoseconds text: `2026-03-01T08:00:00.1233333Z`.
    fn write(self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 100;
        let Ok(stamp) = Timestamp::from_nanosecond(nanos) else {
            return out.write_str("0001-01-01T00:00:00Z");
        };
        write!(out, "{}", stamp.strftime("%Y-%m-%dT%H:%M:%S"))?;
        let fraction = format!("{:07}", self.0.rem_euclid(TICKS_PER_SECOND));
        let trimmed = fraction.trim_end_matches('0');
        if trimmed.is_empty() { out.write_str("Z") } else { write!(out, ".{trimmed}Z") }
    }
}

/// Division to the nearest integer, halves upwards.
const fn div_round(value: i64, by: i64) -> i64 {
    (value + by / 2).div_euclid(by)
}

/// A duration in ticks, rounded down and saturating.
pub(crate) fn duration_ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

impl Add<Duration> for Ticks {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(duration_ticks(rhs)))
    }
}

impl Sub<Duration> for Ticks {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(duration_ticks(rhs)))
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_with_trimmed_zeros_and_reads_back() {
        for text in [
            "2023-04-25T22:52:11Z",
            "2021-01-26T20:33:59.2Z",
            "2019-09-01T13:13:29.0566667Z",
            "2020-07-20T10:53:48.765Z",
        ] {
            let parsed = Ticks::parse(text).expect(text);
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_the_service_has_no_type_for() {
        for text in [
            "2021-01-26",
            "2021-01-26T20:33:59",
            "2021-01-26T20:33:59.12345678Z",
            "x",
            "2021-13-26T20:33:59Z",
            "2021-01-26T20:33:59Z[UTC]",
        ] {
            assert_eq!(Ticks::parse(text), None, "{text}");
        }
        let zulu = Ticks::parse("2021-01-26T20:33:59Z");
        assert_eq!(Ticks::parse("2021-01-26T22:33:59+02:00"), zulu);
    }

    #[test]
    fn the_grid_has_three_endings() {
        let base = Ticks::parse("2026-03-01T00:00:00Z").expect("valid");
        for step in 0..600_i64 {
            let exact = base.thirds() + step * GRID_IN_THIRDS;
            let printed = Ticks(div_round(exact, 3));
            assert_eq!(printed.on_sql_grid(), printed);
            assert_eq!(printed.stored_thirds(), exact);
        }
        let sevens = Ticks::parse("2026-03-01T00:00:00.6666667Z").expect("valid");
        assert!(sevens.stored_thirds() < sevens.thirds());
        let threes = Ticks::parse("2026-03-01T00:00:00.3333333Z").expect("valid");
        assert!(threes.stored_thirds() > threes.thirds());
    }

    #[test]
    fn dotnet_ticks_match_a_published_id() {
        // The 18 digits of the published id da637308392288907382_-880718168.
        let decoded = Ticks::parse("2020-07-20T10:53:48.8907382Z").expect("valid");
        assert_eq!(decoded.dotnet(), 637_308_392_288_907_382);
    }
}
