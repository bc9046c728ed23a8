//! Points in time: text and ticks are the same, in value and in order, and nothing leaves the calendar.
//!
//! Input: two numbers of eight bytes, and a text.

use std::time::Duration;

use alertferry::domain::Ticks;

use super::input::Input;

/// Fixed width: text order is time order.
const WIDTH: usize = "2026-11-23T10:15:30.1233333Z".len();

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (one, other) = (Ticks::from_ticks(input.number()), Ticks::from_ticks(input.number()));
    let text = input.line();
    let read = Ticks::parse(&text).ok();
    let times: Vec<Ticks> = [Some(one), Some(other), read].into_iter().flatten().collect();
    for time in &times {
        let printed = time.to_string();
        assert_eq!(printed.len(), WIDTH, "{printed}");
        assert_eq!(Ticks::parse(&printed), Ok(*time), "{printed}");
        assert_eq!(Ticks::from_ticks(time.as_ticks()), *time);
        assert!(time.previous() <= *time && *time <= time.next());
        for second in &times {
            pair(*time, *second);
        }
    }
    if let Some(read) = read {
        cut(&text, read);
    }
}

fn pair(one: Ticks, other: Ticks) {
    assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()), "{one} {other}");
    let middle = one.midpoint(other);
    assert!(one.min(other) <= middle && middle <= one.max(other), "{one} {middle} {other}");
    let apart = one.max(other).since(one.min(other));
    assert_eq!(one.min(other).plus(apart), one.max(other));
    assert_eq!(one.max(other).minus(apart), one.min(other));
    assert_eq!(one.min(other).since(one.max(other)), Duration::ZERO);
}

/// A time in UTC with more digits than ticks have is cut, never rounded up.
fn cut(text: &str, read: Ticks) {
    let printed = read.to_string();
    let fraction = text.split_once('.').and_then(|(_, rest)| rest.strip_suffix('Z'));
    if let Some(digits) =
        fraction.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() < 10)
    {
        let seven: String = digits.chars().chain("0000000".chars()).take(7).collect();
        assert!(printed.ends_with(&format!(".{seven}Z")), "{text} became {printed}");
    }
}
