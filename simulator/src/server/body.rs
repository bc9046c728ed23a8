//! Owns sending a body: in pieces of 64 KiB, dripping, cut, stalled, or followed by a reset.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::reply::{Content, Delivery, Ending};
use crate::stats::{Held, Ticket};

/// One piece of a chunked body.
const PIECE: usize = 64 * 1024;
/// How long a body waits before it breaks off, so that what was sent before reaches the client.
const BEFORE_BREAKING: Duration = Duration::from_millis(15);

/// The body broke off on purpose.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was broken off on purpose")
    }
}

impl std::error::Error for BrokenOff {}

impl From<Infallible> for BrokenOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A body on its way; keeps the request counted as in flight until it is gone.
#[derive(Debug)]
pub(crate) struct Sending {
    content: Content,
    delivery: Delivery,
    sent: u64,
    /// 64 KiB of filler, cut from instead of copied.
    filler: Bytes,
    pause: Option<Pin<Box<Sleep>>>,
    breaking: bool,
    reset: Arc<AtomicBool>,
    ticket: Option<Ticket>,
    held: Option<Held>,
}

impl Sending {
    pub(crate) fn new(content: Content, delivery: Delivery, reset: Arc<AtomicBool>, ticket: Option<Ticket>) -> Self {
        let filler = match &content {
            Content::Inflated { filler, .. } => Bytes::from(vec![*filler; PIECE]),
            Content::Sized(_) | Content::Chunked(_) => Bytes::new(),
        };
        Self { content, delivery, sent: 0, filler, pause: None, breaking: false, reset, ticket, held: None }
    }

    /// The next bytes, at most `limit`.
    fn piece(&self, limit: usize) -> Bytes {
        let cut = |bytes: &Bytes, from: u64| {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            bytes.slice(from..(from + limit).min(bytes.len()))
        };
        match &self.content {
            Content::Sized(bytes) | Content::Chunked(bytes) => cut(bytes, self.sent),
            Content::Inflated { head, count, tail, .. } => {
                let head_len = u64::try_from(head.len()).unwrap_or(u64::MAX);
                if self.sent < head_len {
                    return cut(head, self.sent);
                }
                let left = (head_len + count).saturating_sub(self.sent);
                if left > 0 {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(limit).min(self.filler.len());
                    return self.filler.slice(..take);
                }
                cut(tail, self.sent - head_len - count)
            }
        }
    }

    /// How many bytes may still be sent before the body has to end otherwise than well.
    fn allowance(&self) -> Option<(u64, Ending)> {
        self.delivery.stop_at.map(|(at, ending)| (at.saturating_sub(self.sent), ending))
    }

    fn hold(&mut self) {
        self.held = self.held.take().or_else(|| self.ticket.as_ref().map(Ticket::hold));
    }

    fn break_off(&mut self, ending: Ending, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.hold();
        if ending == Ending::Stall {
            return Poll::Pending;
        }
        if !self.breaking {
            self.breaking = true;
            self.pause = Some(Box::pin(sleep(BEFORE_BREAKING)));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
        }
        if ending == Ending::Reset {
            self.reset.store(true, Ordering::SeqCst);
        }
        Poll::Ready(Some(Err(BrokenOff)))
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some((0, ending)) = self.allowance() {
            return self.break_off(ending, cx);
        }
        let mut limit = PIECE;
        if let Some((bytes, every)) = self.delivery.drip {
            limit = bytes.max(1);
            self.hold();
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
            }
            self.pause = Some(Box::pin(sleep(every)));
        }
        if let Some((left, _)) = self.allowance() {
            limit = limit.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let piece = self.piece(limit);
        if piece.is_empty() {
            return Poll::Ready(None);
        }
        self.sent += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.delivery.stop_at.is_none() && self.sent >= self.content.len()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Sized(_) => SizeHint::with_exact(self.content.len().saturating_sub(self.sent)),
            Content::Chunked(_) | Content::Inflated { .. } => SizeHint::new(),
        }
    }
}
