//! Owns the two bodies of the token endpoint: a token, and a complaint.
//!
//! The v1 endpoint writes its numbers as text and the v2 endpoint as numbers (both recorded). Nothing of a body goes
//! into an error's text as it came: one of them holds a token, the other is text that somebody else chose.

use std::time::Duration;

use serde_json::{Map, Value};

use super::claims::seconds;
use crate::secret::Secret;

/// The longest description that is kept.
const MAX_DESCRIPTION_CHARS: usize = 300;
/// The longest error code that is kept; the documented ones have up to 30 characters.
const MAX_CODE_CHARS: usize = 64;

/// A token as it was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token itself.
    pub bearer: Secret,
    /// For how long it is good.
    pub expires_in: Option<Duration>,
    /// When the service wants it replaced; documented, and seen with long-lived tokens.
    pub refresh_in: Option<Duration>,
}

impl Issued {
    /// Reads a success.
    ///
    /// # Errors
    /// What is missing, without any of what is there.
    pub fn read(body: &str) -> Result<Self, String> {
        let mut object: Map<String, Value> = serde_json::from_str(body)
            .map_err(|e| format!("the answer is no JSON object (line {}, column {})", e.line(), e.column()))?;
        match object.get("token_type").and_then(Value::as_str) {
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(_) => return Err("the token is not of type Bearer".to_owned()),
            None => return Err("the answer has no `token_type`".to_owned()),
        }
        let duration = |name: &str| object.get(name).and_then(seconds).and_then(|s| u64::try_from(s).ok());
        let (expires_in, refresh_in) = (duration("expires_in"), duration("refresh_in"));
        let bearer = match object.remove("access_token") {
            // A header cannot carry anything else, and a line feed in it would be an injection.
            Some(Value::String(text)) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => text,
            Some(_) => return Err("the `access_token` is no token".to_owned()),
            None => return Err("the answer has no `access_token`".to_owned()),
        };
        let bearer = Secret::new(bearer);
        let of = |seconds: Option<u64>| seconds.map(Duration::from_secs);
        Ok(Self { bearer, expires_in: of(expires_in), refresh_in: of(refresh_in) })
    }
}

/// Why the login service refused, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The protocol's error code, the only part a client should act on (documented).
    pub error: String,
    /// The numbers behind `AADSTS`: for people, and as hints.
    pub codes: Vec<u64>,
    /// The beginning of the description, without numbers and traces; for people.
    pub description: String,
}

impl Complaint {
    /// Reads a refusal; `None` when the body is not of the token endpoint's form.
    ///
    /// `redact` takes secrets out of the texts before they are cut, since a cut secret would not be recognised.
    pub fn read(body: &str, redact: impl Fn(&str) -> String) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_str(body).ok()?;
        let error = tidy(&redact(object.get("error")?.as_str()?), MAX_CODE_CHARS);
        let described = redact(object.get("error_description").and_then(Value::as_str).unwrap_or_default());
        let (written, description) = split(&described);
        let mut codes: Vec<u64> = match object.get("error_codes") {
            Some(Value::Array(codes)) => codes.iter().filter_map(seconds).filter_map(|c| c.try_into().ok()).collect(),
            _ => Vec::new(),
        };
        if codes.is_empty() {
            codes.extend(written);
        }
        Some(Self { error, codes, description: tidy(description, MAX_DESCRIPTION_CHARS) })
    }

    /// Whether one of these codes is among them.
    pub fn has(&self, codes: &[u64]) -> bool {
        self.codes.iter().any(|code| codes.contains(code))
    }
}

/// The number at the head of a description, and its text up to the trace ids, which say nothing to an operator.
fn split(description: &str) -> (Option<u64>, &str) {
    let untraced = ["Trace ID:", "Correlation ID:", "Timestamp:"]
        .iter()
        .filter_map(|mark| description.find(mark))
        .min()
        .map_or(description, |end| &description[..end]);
    match untraced.trim().strip_prefix("AADSTS").and_then(|rest| rest.split_once(':')) {
        Some((code, text)) => (code.trim().parse().ok(), text),
        None => (None, untraced),
    }
}

/// One line of harmless text of bounded length.
pub(super) fn tidy(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|letter| if is_hostile(letter) { ' ' } else { letter }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Control characters, and those that turn the direction of text around.
fn is_hostile(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_endpoints_are_read() {
        let v1 = r#"{"token_type":"Bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"1622089429",
            "not_before":"1622085529","resource":"https://x","access_token":"eyJ0"}"#;
        let v2 =
            r#"{"token_type":"bearer","expires_in":3599,"ext_expires_in":0,"refresh_in":1800,"access_token":"eyJ0"}"#;
        for (body, refresh_in) in [(v1, None), (v2, Some(Duration::from_secs(1800)))] {
            let issued = Issued::read(body).expect("a token");
            assert_eq!(issued.expires_in, Some(Duration::from_secs(3599)));
            assert_eq!((issued.bearer.expose(), issued.refresh_in), ("eyJ0", refresh_in));
        }
    }

    #[test]
    fn what_is_no_token_is_told_without_what_it_is() {
        for (body, told) in [
            ("", "no JSON object"),
            ("<html>hunter2</html>", "no JSON object"),
            (r#"["hunter2"]"#, "no JSON object"),
            (r#"{"access_token":"hunter2"}"#, "no `token_type`"),
            (r#"{"token_type":"pop hunter2","access_token":"x"}"#, "not of type Bearer"),
            (r#"{"token_type":"Bearer"}"#, "no `access_token`"),
            (r#"{"token_type":"Bearer","access_token":7}"#, "no token"),
            ("{\"token_type\":\"Bearer\",\"access_token\":\"hunter2\\r\\nX: y\"}", "no token"),
        ] {
            let error = Issued::read(body).expect_err(body);
            assert!(error.contains(told) && !error.contains("hunter2"), "{body}: {error}");
        }
    }

    #[test]
    fn a_complaint_loses_its_traces_and_keeps_its_number() {
        let recorded = r#"{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier 'x' was not found in the directory 'y'. Trace ID: 1 Correlation ID: 2 Timestamp: 2024","error_codes":[700016]}"#;
        let complaint = Complaint::read(recorded, str::to_owned).expect("a complaint");
        assert_eq!(complaint.description, "Application with identifier 'x' was not found in the directory 'y'.");
        assert!(complaint.has(&[700_016]));
        let old = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS70002: Wrong.\\r\\nTrace ID: 1\"}";
        let complaint = Complaint::read(old, str::to_owned).expect("a complaint");
        assert_eq!((complaint.codes.as_slice(), complaint.description.as_str()), ([70_002].as_slice(), "Wrong."));
        for body in ["", "Too Many Requests", "{}", r#"{"error":{"code":"x"}}"#, "[]"] {
            assert_eq!(Complaint::read(body, str::to_owned), None, "{body}");
        }
    }

    #[test]
    fn hostile_text_becomes_one_harmless_line() {
        assert_eq!(tidy("a\u{1b}[31m\r\n\tb\u{202e}c  d", 300), "a [31m b c d");
        let long = tidy(&"ä".repeat(1000), 300);
        assert_eq!((long.chars().count(), long.ends_with('…')), (301, true));
    }
}
