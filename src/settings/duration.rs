//! Owns spans of time as they are written in the configuration: `90s`, `30m`, `1h`, `180d`, `2d12h`.

use std::time::Duration;

/// The longest span that is accepted anywhere: beyond it, somebody mistook the unit.
const MAX_DAYS: u64 = 3653;

const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a span.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Duration, String> {
    let bad =
        |why: &str| Err(format!("`{text}` is no span of time: {why}; write for example 90s, 30m, 1h, 180d or 2d12h"));
    if text.starts_with('-') {
        return bad("it is negative");
    }
    let mut seconds = 0_u64;
    let mut last_unit = u64::MAX;
    let mut rest = text.trim();
    if rest.is_empty() {
        return bad("it is empty");
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let Some(letter) = after.chars().next() else { return bad("the unit is missing") };
        let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == letter) else {
            return bad("the units are w, d, h, m and s");
        };
        if number.is_empty() {
            return bad("the number is missing");
        }
        if *unit >= last_unit {
            return bad("larger units come first, each once");
        }
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit));
        let Some(sum) = part.and_then(|part| seconds.checked_add(part)).filter(|sum| *sum <= MAX_DAYS * 86_400) else {
            return bad("it is longer than ten years");
        };
        seconds = sum;
        last_unit = *unit;
        rest = &after[letter.len_utf8()..];
    }
    Ok(Duration::from_secs(seconds))
}

/// Writes a span as it would be written in the configuration.
#[must_use]
pub fn show(span: Duration) -> String {
    let seconds = span.as_secs();
    let largest = UNITS.iter().skip(1).find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit));
    largest.map_or_else(|| format!("{seconds}s"), |(name, unit)| format!("{}{name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("1h", 3_600),
            ("180d", 15_552_000),
            ("2d12h", 216_000),
            ("1w", 604_800),
            ("1h0m5s", 3_605),
            ("0s", 0),
            ("3650d", 315_360_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for (text, why) in [
            ("", "empty"),
            ("-1h", "negative"),
            ("60", "unit is missing"),
            ("h", "number is missing"),
            ("1 h", "units are"),
            ("1y", "units are"),
            ("1m1h", "larger units come first"),
            ("1h1h", "larger units come first"),
            ("4000d", "ten years"),
            ("99999999999999999999s", "ten years"),
            ("1.5h", "units are"),
            ("1ü", "units are"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seconds in 0_u64..MAX_DAYS * 86_400) {
            let span = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&show(span)), Ok(span));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,12}") {
            drop(parse(&text));
        }
    }
}
