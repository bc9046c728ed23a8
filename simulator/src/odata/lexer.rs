//! Owns cutting a `$filter` text into words, literals and parentheses.

use super::BadQuery;
use crate::ticks::Ticks;

/// One piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Open,
    Close,
    /// A field name, an operator, `and`, `or`, `not` or `null`.
    Word(String),
    /// A quoted string, `''` already undone.
    Text(String),
    Number(i64),
    Time(Ticks),
}

/// Cuts `text` into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, BadQuery> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' => {
                out.push(Token::Open);
                1
            }
            ')' => {
                out.push(Token::Close);
                1
            }
            '\'' => {
                let (value, length) = quoted(rest).ok_or_else(|| unreadable(text))?;
                out.push(Token::Text(value));
                length
            }
            _ => {
                let length = rest.find(|c: char| c.is_whitespace() || "()',".contains(c)).unwrap_or(rest.len());
                let bare = rest.get(..length).filter(|bare| !bare.is_empty()).ok_or_else(|| unreadable(text))?;
                out.push(bare_token(bare).ok_or_else(|| unreadable(text))?);
                length
            }
        };
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(out)
}

fn unreadable(text: &str) -> BadQuery {
    BadQuery::new(&format!("Syntax error in '{text}'."))
}

/// A string in single quotes and its length in the text; a doubled quote stands for one.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut at = 1;
    loop {
        let rest = text.get(at..)?;
        let end = rest.find('\'')?;
        value.push_str(rest.get(..end)?);
        at += end + 1;
        if !text.get(at..)?.starts_with('\'') {
            return Some((value, at));
        }
        value.push('\'');
        at += 1;
    }
}

fn bare_token(bare: &str) -> Option<Token> {
    if let Ok(number) = bare.parse() {
        return Some(Token::Number(number));
    }
    if bare.starts_with(|c: char| c.is_ascii_digit()) {
        return Ticks::parse(bare).map(Token::Time);
    }
    let wordy = bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    wordy.then(|| Token::Word(bare.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_every_kind() {
        let found = tokens("(id gt 'a''b' and x ge 2026-01-01T00:00:00.5Z)or n eq -7").expect("valid");
        assert_eq!(found.len(), 13);
        assert_eq!(found[3], Token::Text("a'b".into()));
        assert_eq!(found[12], Token::Number(-7));
        assert_eq!(found[7], Token::Time(Ticks::parse("2026-01-01T00:00:00.5Z").expect("valid")));
    }

    #[test]
    fn refuses_open_strings_and_odd_times() {
        for text in
            ["id eq 'x", "x ge 2026-01-01", "x ge 2026-01-01T00:00:00", "a eq $b", "contains(title,'x')", "é eq 1"]
        {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
