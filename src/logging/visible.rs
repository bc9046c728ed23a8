//! Owns which characters must not reach a terminal as they are, and how they are shown instead: alerts carry text that
//! an attacker chose, and who reads it must see what is there.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Scripts put up to this many marks on one letter; more are piled up to spill over the lines above and below.
const MOST_MARKS: usize = 6;

/// Whether `letter` steers a terminal, turns the direction of text around, or cannot be seen: to be shown by its number.
///
/// Blanks of all widths are none of these, and what joins letters only sometimes is: see [`visible`].
pub(crate) fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Soft hyphen, grapheme joiner, fillers of alphabets, a vowel separator.
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Direction, invisible operators, line and paragraph ends, annotations, byte order mark.
            | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            // The blank of Braille, and what formats shorthand and music.
            | '\u{2800}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tags and further variation selectors, in which whole messages are hidden.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `letter` joins its neighbours or selects the form of the one before, as some scripts and emoji need.
const fn is_joining(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}')
}

/// What is known of a text so far: whether its next letter is to be shown by its number depends on those before.
#[derive(Default)]
struct Seen {
    before: char,
    marks: usize,
}

impl Seen {
    /// Whether the next letter steers or hides. So do joiners and selectors of forms behind a letter that has no other
    /// forms, such as those of ASCII, and marks piled higher than any script does.
    fn is_hidden(&mut self, letter: char) -> bool {
        self.marks = if letter.width() == Some(0) { self.marks + 1 } else { 0 };
        let before = std::mem::replace(&mut self.before, letter);
        is_hostile(letter) || self.marks > MOST_MARKS || (is_joining(letter) && before.is_ascii())
    }
}

/// The text with everything that steers or hides shown as `\n`, `\r`, `\t` or by its number, as in `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut seen = Seen::default();
    for letter in text.chars() {
        let hidden = seen.is_hidden(letter);
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if hidden => shown.extend(letter.escape_unicode()),
            _ => shown.push(letter),
        }
    }
    shown
}

/// JSON in which everything that steers or hides is written by its number: it means the same. Line ends, which can
/// only be those of the layout, stay.
pub(crate) fn visible_json(json: &str) -> Cow<'_, str> {
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len());
    let mut seen = Seen::default();
    for letter in json.chars() {
        if seen.is_hidden(letter) && letter != '\n' {
            let units =
                letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            shown.push_str(&units);
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_shown() {
        for (text, shown) in [
            ("a\u{1b}[31mb\u{9b}c\u{7f}\0", "a\\u{1b}[31mb\\u{9b}c\\u{7f}\\u{0}"),
            ("a\nb\r\tc\u{b}", "a\\nb\\r\\tc\\u{b}"),
            ("\u{202e}gnp.exe\u{2066}", "\\u{202e}gnp.exe\\u{2066}"),
            ("po\u{200b}wer\u{ad}shell\u{feff}\u{3164}", "po\\u{200b}wer\\u{ad}shell\\u{feff}\\u{3164}"),
            ("ok\u{e0069}\u{e0100}", "ok\\u{e0069}\\u{e0100}"),
            ("pay\u{200d}pal\u{200c}.exe\u{fe0f}", "pay\\u{200d}pal\\u{200c}.exe\\u{fe0f}"),
            ("\u{200d}", "\\u{200d}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_is_left() {
        for text in [
            "Größe – ok",
            "می\u{200c}خواهم שלום",
            "नमस्ते ไทย 検出：한국어",
            "👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨",
            "e\u{301}\u{323}",
            "a\u{a0}b\u{3000}c",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn piles_of_marks_are_cut_down() {
        let pile = format!("z{}", "\u{300}".repeat(9));
        assert_eq!(visible(&pile), format!("z{}{}", "\u{300}".repeat(6), "\\u{300}".repeat(3)));
    }

    #[test]
    fn json_has_two_numbers_for_what_is_beyond_the_first_plane() {
        assert_eq!(
            visible_json("[\"\u{9b}\u{e0069}\",\n\"a\u{200d}Größe\"]"),
            "[\"\\u009b\\udb40\\udc69\",\n\"a\\u200dGröße\"]"
        );
    }

    proptest::proptest! {
        #[test]
        fn json_means_the_same(text: String) {
            let json = serde_json::to_string(&text).expect("JSON");
            let shown = visible_json(&json);
            proptest::prop_assert!(!shown.contains(is_hostile));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
        }
    }
}
