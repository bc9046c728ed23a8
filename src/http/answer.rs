//! Owns the answer to an exchange: its head, and its body piece by piece under the limits.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{HttpError, Limits, Trouble};
use crate::domain::Ticks;

/// A longer wish is taken for a mistake, and must not overflow a clock. Whoever waits has a shorter limit of its own.
pub const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3_600);

/// A head that has arrived and a body that may still be on its way.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    sent: Instant,
    head_after: Duration,
    limits: Limits,
    received: u64,
}

impl Answer {
    pub(super) fn new(response: reqwest::Response, sent: Instant, limits: Limits) -> Self {
        Self { response, sent, head_after: sent.elapsed(), limits, received: 0 }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The service's clock when it wrote the head (`Date`, whole seconds).
    #[must_use]
    pub fn date(&self) -> Option<Ticks> {
        http_date(self.header("date")?)
    }

    /// A time of the service's clock that is not after the moment the request was sent.
    ///
    /// The head was written no earlier than `Date` says and no later than it arrived, so `Date` less the time waited
    /// is a moment at which the service had not yet looked at its alerts.
    #[must_use]
    pub fn asked_at(&self) -> Option<Ticks> {
        Some(self.date()?.minus(self.head_after))
    }

    /// How long the head took.
    #[must_use]
    pub const fn head_after(&self) -> Duration {
        self.head_after
    }

    /// How long the service asks to wait: `Retry-After` in seconds, or as a date against its own clock; a day at most.
    /// Without a `Date`, `now` stands for it, as RFC 9110 has it (section 6.6.1).
    #[must_use]
    pub fn retry_after(&self, now: Ticks) -> Option<Duration> {
        wait_asked(self.header("retry-after")?, self.header("date"), now)
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Bytes of the body so far, after decompression.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// The next piece of the body; `None` at its proper end.
    ///
    /// # Errors
    /// When the body breaks off, stalls, takes too long or grows too large.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let left = self.limits.total.saturating_sub(self.sent.elapsed());
        let piece = match tokio::time::timeout(self.limits.idle.min(left), self.response.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err(HttpError::body(&error)),
            Err(_) if left <= self.limits.idle => {
                return Err(HttpError::new(Trouble::Timeout, "the answer took longer than the time limit"));
            }
            Err(_) => return Err(HttpError::new(Trouble::Timeout, "the answer stalled")),
        };
        self.received += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.received > self.limits.body_bytes {
            let limit = self.limits.body_bytes;
            return Err(HttpError::new(Trouble::TooLarge, format!("the answer has more than {limit} bytes")));
        }
        Ok(piece)
    }

    /// The whole body as text, when it is expected to be small.
    ///
    /// # Errors
    /// As [`Answer::chunk`].
    pub async fn text(&mut self) -> Result<String, HttpError> {
        let mut body = Vec::new();
        while let Some(piece) = self.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok(String::from_utf8(body).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }
}

/// What `Retry-After` asks for, in an answer of this `Date`, or that came `now` and has none.
#[must_use]
pub fn wait_asked(text: &str, date: Option<&str>, now: Ticks) -> Option<Duration> {
    let text = text.trim();
    let written = date.and_then(http_date).unwrap_or(now);
    let asked = seconds(text).or_else(|| Some(http_date(text)?.since(written)))?;
    Some(asked.min(LONGEST_ASKED))
}

fn http_date(text: &str) -> Option<Ticks> {
    let epoch = std::time::UNIX_EPOCH;
    let seconds = httpdate::parse_http_date(text).ok()?.duration_since(epoch).ok()?.as_secs();
    Some(Ticks::from_unix_seconds(i64::try_from(seconds).ok()?))
}

/// Whole seconds; more of them than a number holds are for ever, and not an unknown text that would mean a short while.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_to_wait_are_digits_and_nothing_else() {
        let all = ["0", "120", "18446744073709551616000", "-5", "+5", "4.5", "", "soon"];
        let told = all.map(|text| seconds(text).map(|wait| wait.as_secs()));
        assert_eq!(told, [Some(0), Some(120), Some(u64::MAX), None, None, None, None, None]);
    }

    #[test]
    fn a_date_to_come_back_at_counts_from_the_services_date_and_without_one_from_now() {
        let until = "Sun, 01 Mar 2026 09:30:00 GMT";
        let now = http_date("Sun, 01 Mar 2026 09:29:00 GMT").expect("a date");
        let waits = [Some("Sun, 01 Mar 2026 09:00:00 GMT"), Some("yesterday"), None, Some(until)];
        let waits = waits.map(|date| wait_asked(until, date, now).map(|wait| wait.as_secs()));
        assert_eq!(waits, [Some(1_800), Some(60), Some(60), Some(0)]);
        assert_eq!(wait_asked("soon", None, now), None);
    }
}
