//! Owns whole numbers on a command line.

use std::str::FromStr;

/// Reads a whole number from 0 on.
pub(super) fn parse<T: FromStr>(text: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(format!("`{text}` is no whole number from 0 on"));
    }
    text.parse().map_err(|_| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_and_others_named() {
        assert_eq!((parse::<u64>("0"), parse::<i64>("48213")), (Ok(0), Ok(48_213)));
        for wrong in ["", "-1", "+1", "1.5", "abc", "99999999999999999999999"] {
            assert!(parse::<i64>(wrong).is_err(), "{wrong}");
        }
    }
}
