//! Owns points in time on a command line: a time, a day, or how long ago.

use crate::clock::Clock;
use crate::domain::Ticks;
use crate::settings::parse_span;

/// Reads `2026-11-23T10:15:30Z`, `2026-11-23`, or a span such as `24h`, which means so long ago.
pub(super) fn parse(text: &str) -> Result<Ticks, String> {
    parse_at(text, Clock::System.now())
}

fn parse_at(text: &str, now: Ticks) -> Result<Ticks, String> {
    let time = Ticks::parse(text).or_else(|_| Ticks::parse(&format!("{text}T00:00:00Z")));
    time.or_else(|_| parse_span(text).map(|span| now.minus(span))).map_err(|_| {
        format!("`{text}` is neither a time like 2026-11-23T10:15:30Z or 2026-11-23, nor a span like 24h or 7d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_days_and_spans_are_read() {
        let now = Ticks::parse("2026-11-23T10:15:30.5Z").expect("a time");
        for (text, time) in [
            ("2026-11-20T01:02:03Z", "2026-11-20T01:02:03.0000000Z"),
            ("2026-11-20T01:02:03.5+01:00", "2026-11-20T00:02:03.5000000Z"),
            ("2026-11-20", "2026-11-20T00:00:00.0000000Z"),
            ("24h", "2026-11-22T10:15:30.5000000Z"),
            ("1d12h", "2026-11-21T22:15:30.5000000Z"),
        ] {
            assert_eq!(parse_at(text, now).map(|time| time.to_string()), Ok(time.to_owned()), "{text}");
        }
        for text in ["", "yesterday", "-1h", "24", "2026-13-01"] {
            assert!(parse_at(text, now).is_err(), "{text}");
        }
    }
}
