//! Owns an answer while its rows stream in.

use super::split::{Row, Splitter};
use super::{ApiError, Malformed, Page};
use crate::domain::{Alert, TenantId, Unusable};
use crate::http::Answer;

/// Rows are handed on in pieces of so many: enough to make a transaction worth its cost, few enough to stay small.
const PIECE_ROWS: usize = 1_000;
/// A piece is handed on early at so many bytes.
const PIECE_BYTES: usize = 4 * 1024 * 1024;

/// Some rows of an answer.
#[derive(Debug, Default)]
pub struct Piece {
    /// What can be stored.
    pub alerts: Vec<Alert>,
    /// What cannot.
    pub unusable: Vec<Unusable>,
}

/// An answer whose rows are still coming in.
#[derive(Debug)]
pub struct Reading {
    answer: Answer,
    splitter: Splitter,
    tenant: TenantId,
    thin: bool,
    lenient: bool,
    page: Page,
    piece: Piece,
    piece_bytes: usize,
}

impl Reading {
    pub(super) fn new(answer: Answer, tenant: TenantId, thin: bool, lenient: bool) -> Self {
        let page = Page::begin(answer.asked_at(), answer.date());
        let (splitter, piece) = (Splitter::new(), Piece::default());
        Self { answer, splitter, tenant, thin, lenient, page, piece, piece_bytes: 0 }
    }

    /// The next rows; `None` when the answer has come to its proper end and [`Reading::finish`] may be called.
    ///
    /// # Errors
    /// When the answer breaks off, is malformed, or holds a row of another tenant.
    pub async fn next(&mut self) -> Result<Option<Piece>, ApiError> {
        while self.piece.alerts.len() + self.piece.unusable.len() < PIECE_ROWS && self.piece_bytes < PIECE_BYTES {
            let Some(bytes) = self.answer.chunk().await? else {
                let rest = std::mem::take(&mut self.piece);
                let empty = rest.alerts.is_empty() && rest.unusable.is_empty();
                return Ok((!empty).then_some(rest));
            };
            self.splitter.feed(&bytes).map_err(malformed)?;
            for row in self.splitter.take() {
                self.take(row)?;
            }
        }
        self.piece_bytes = 0;
        Ok(Some(std::mem::take(&mut self.piece)))
    }

    /// What the rows say about their window, once the end has been seen to be a proper one.
    ///
    /// # Errors
    /// When the body was not a complete answer.
    pub fn finish(mut self) -> Result<Page, ApiError> {
        self.splitter.finish().map_err(malformed)?;
        self.page.bytes = self.answer.received();
        Ok(self.page)
    }

    /// Bytes of the body so far.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.answer.received()
    }

    fn take(&mut self, row: Row) -> Result<(), ApiError> {
        let scanned = match row {
            Row::Whole(bytes) => Alert::scan(bytes, self.thin),
            Row::Refused(why, raw) => Err(Unusable { id: None, reason: why.to_owned(), raw, damaged: false }),
        };
        match scanned {
            Ok(alert) => {
                if let Some(other) = alert.tenant.filter(|tenant| *tenant != self.tenant) {
                    return Err(ApiError::ForeignAlert(other));
                }
                self.page.count(&alert);
                self.piece_bytes += alert.raw.len();
                self.piece.alerts.push(alert);
            }
            Err(unusable) if unusable.damaged && !self.lenient => {
                return Err(ApiError::Malformed(format!("a row is broken: {}", unusable.reason)));
            }
            Err(unusable) => {
                self.page.count_unusable();
                self.piece_bytes += unusable.raw.len();
                self.piece.unusable.push(unusable);
            }
        }
        Ok(())
    }
}

fn malformed(error: Malformed) -> ApiError {
    ApiError::Malformed(error.0)
}
