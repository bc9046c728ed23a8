//! Owns which characters must not reach a terminal as they are: alerts carry text that an attacker chose.

/// Whether `letter` steers a terminal, turns the direction of text around, or hides: to be shown by its number.
///
/// Joiners (U+200C, U+200D) are left alone, since scripts and emoji need them.
pub(crate) fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
