//! `Retry-After`: never longer than the cap, never guessed, and what it says when it says something.
//!
//! Input: the header's text, and on the next line that of `Date`.

use alertferry::domain::Ticks;
use alertferry::http::{LONGEST_ASKED, wait_asked};

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (text, date) = (input.line(), input.line());
    let now = Ticks::from_unix_seconds(1_772_355_540);
    let asked = wait_asked(&text, Some(&date), now);
    assert!(asked.is_none_or(|wait| wait <= LONGEST_ASKED), "{asked:?}");
    let bare = wait_asked(&text, None, now);
    assert!(bare.is_none_or(|wait| wait <= LONGEST_ASKED), "{bare:?}");
    match seconds(&text) {
        Some(seconds) => {
            assert_eq!(asked.map(|wait| wait.as_secs()), Some(seconds.min(LONGEST_ASKED.as_secs())));
            assert_eq!(bare, asked, "seconds need no date");
        }
        None => assert_eq!(bare.is_some(), asked.is_some(), "a date is one whatever it counts from"),
    }
    // The date that was the answer's own is no time to wait.
    assert!(wait_asked(&date, Some(&date), now).is_none_or(|wait| wait.is_zero() || seconds(&date).is_some()));
}

/// What is written in digits alone; more than a number holds is for ever.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
