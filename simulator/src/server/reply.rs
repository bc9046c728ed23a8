//! Owns an answer before it is sent: status, headers, bytes, and how they are delivered.

use std::time::Duration;

use bytes::Bytes;

use crate::fault::{FaultBody, RetryAfter};
use crate::ids;
use crate::json::quoted;
use crate::ticks::{TICKS_PER_SECOND, Ticks};

/// How alert lists announce themselves in recordings.
pub(crate) const JSON_ODATA: &str = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8";
/// How the token endpoint announces its JSON.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// What a body is made of.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bytes sent with a `Content-Length`.
    Sized(Bytes),
    /// Bytes sent in chunks without one, as the alerts API does.
    Chunked(Bytes),
    /// A head, so many repetitions of one byte, a tail; in chunks, never in memory as a whole.
    Inflated { head: Bytes, filler: u8, count: u64, tail: Bytes },
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        let size = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self {
            Self::Sized(bytes) | Self::Chunked(bytes) => size(bytes),
            Self::Inflated { head, count, tail, .. } => size(head) + count + size(tail),
        }
    }
}

/// What becomes of the body on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delivery {
    /// Ends after so many bytes.
    pub(crate) stop_at: Option<(u64, Ending)>,
    /// So many bytes, so often.
    pub(crate) drip: Option<(usize, Duration)>,
}

/// How a body that does not come whole ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The connection is closed.
    Cut,
    /// Nothing more comes.
    Stall,
    /// The connection is reset.
    Reset,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
    pub(crate) delivery: Delivery,
    /// Alerts inside, for the statistics.
    pub(crate) rows: usize,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        let content = Content::Sized(Bytes::new());
        Self { status, headers: Vec::new(), content, delivery: Delivery::default(), rows: 0 }
    }

    pub(crate) fn sized(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.push(("content-type", kind.to_owned()));
        reply.content = Content::Sized(body.into());
        reply
    }

    /// The API's error envelope; its target has the recorded form and not the documented GUID.
    pub(crate) fn envelope(status: u16, code: &str, message: &str) -> Self {
        let target = ids::error_target();
        let body = format!(
            "{{\"error\":{{\"code\":{},\"message\":{},\"target\":\"{target}\"}}}}",
            quoted(code),
            quoted(message)
        );
        let mut reply = Self::sized(status, JSON_ODATA, body);
        if let Content::Sized(bytes) = &reply.content {
            reply.content = Content::Chunked(bytes.clone());
        }
        reply
    }

    pub(crate) fn invented(status: u16, body: &FaultBody) -> Self {
        match body {
            FaultBody::Envelope(code, message) => Self::envelope(status, code, message),
            FaultBody::Html => Self::sized(
                status,
                "text/html",
                format!(
                    "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
                ),
            ),
            FaultBody::Empty => Self::empty(status),
            FaultBody::Text(text) => Self::sized(status, "text/plain; charset=utf-8", text.clone()),
        }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn retry_after(self, when: RetryAfter, now: Ticks) -> Self {
        match when {
            RetryAfter::Absent => self,
            RetryAfter::Raw(text) => self.header("retry-after", text),
            RetryAfter::Seconds(seconds) => self.header("retry-after", &seconds.to_string()),
            RetryAfter::HttpDate(seconds) => {
                // Rounded up, so that nobody who obeys comes too early.
                let up = now.unix_ticks().rem_euclid(TICKS_PER_SECOND) > 0;
                self.header("retry-after", &http_date(now.unix_seconds() + seconds + i64::from(up)))
            }
        }
    }
}

/// An HTTP date of seconds since 1970; the year 1970 for anything before it.
pub(crate) fn http_date(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}
