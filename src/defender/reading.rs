//! Owns an answer while its rows stream in.

use std::collections::VecDeque;

use tokio::task::JoinHandle;

use super::split::{Row, Splitter};
use super::{ApiError, Malformed, Page};
use crate::domain::{Alert, TenantId, Unusable};
use crate::http::Answer;

/// Rows are handed on in pieces of so many: enough to make a transaction worth its cost, few enough to stay small.
const PIECE_ROWS: usize = 1_000;
/// A piece is handed on early at so many bytes: a thousand rows of the usual size fit, and three pieces are held at once.
const PIECE_BYTES: usize = 5 * 512 * 1024;

/// Some rows of an answer.
#[derive(Debug, Default)]
pub struct Piece {
    /// What can be stored.
    pub alerts: Vec<Alert>,
    /// What cannot.
    pub unusable: Vec<Unusable>,
    /// Whether it is the last one: the body has come to its end.
    pub last: bool,
}

/// Fewer rows than this are not worth handing to another thread.
const WORTH_A_THREAD: usize = 64;

/// An answer whose rows are still coming in.
///
/// Rows are looked at beside the task that downloads, decompresses and splits them: each of the two takes about as long.
#[derive(Debug)]
pub struct Reading {
    answer: Answer,
    splitter: Splitter,
    scan: Scan,
    page: Page,
    rows: Vec<Row>,
    row_bytes: usize,
    scanning: VecDeque<Scanning>,
    ended: bool,
}

/// How the rows of an answer are looked at.
#[derive(Debug, Clone, Copy)]
struct Scan {
    tenant: TenantId,
    thin: bool,
    lenient: bool,
}

#[derive(Debug)]
enum Scanning {
    Done(Scanned),
    Running(JoinHandle<Scanned>),
}

/// Rows that were looked at, in the order in which they came.
type Scanned = Result<Vec<Result<Alert, Unusable>>, ApiError>;

impl Reading {
    pub(super) fn new(answer: Answer, tenant: TenantId, thin: bool, lenient: bool) -> Self {
        let page = Page::begin(answer.asked_at(), answer.date());
        Self {
            answer,
            splitter: Splitter::default(),
            scan: Scan { tenant, thin, lenient },
            page,
            rows: Vec::new(),
            row_bytes: 0,
            scanning: VecDeque::new(),
            ended: false,
        }
    }

    /// The next rows; `None` when the answer has come to its proper end and [`Reading::finish`] may be called. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// When the answer breaks off, is malformed, or holds a row of another tenant.
    pub async fn next(&mut self) -> Result<Option<Piece>, ApiError> {
        loop {
            // One piece is looked at while the next one is downloaded.
            if self.scanning.len() > 1 || self.ended {
                return self.scanned().await;
            }
            self.download().await?;
            if !self.rows.is_empty() {
                self.look_at_rows();
            }
        }
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

    /// Takes in rows until they make a piece or the body ends.
    async fn download(&mut self) -> Result<(), ApiError> {
        while self.rows.len() < PIECE_ROWS && self.row_bytes < PIECE_BYTES {
            let Some(bytes) = self.answer.chunk().await? else {
                self.ended = true;
                return Ok(());
            };
            self.splitter.feed(&bytes).map_err(malformed)?;
            for row in self.splitter.take() {
                self.row_bytes += row.bytes().len();
                self.rows.push(row);
            }
        }
        Ok(())
    }

    fn look_at_rows(&mut self) {
        self.row_bytes = 0;
        let (rows, scan) = (std::mem::take(&mut self.rows), self.scan);
        self.scanning.push_back(if rows.len() < WORTH_A_THREAD {
            Scanning::Done(scan.all(rows))
        } else {
            Scanning::Running(tokio::task::spawn_blocking(move || scan.all(rows)))
        });
    }

    /// The oldest piece that was looked at.
    async fn scanned(&mut self) -> Result<Option<Piece>, ApiError> {
        let rows = match self.scanning.front_mut() {
            None => return Ok(None),
            Some(Scanning::Done(done)) => std::mem::replace(done, Ok(Vec::new())),
            Some(Scanning::Running(task)) => {
                task.await.map_err(|_| ApiError::Malformed("looking at the rows broke down".to_owned()))?
            }
        };
        self.scanning.pop_front();
        let mut piece = Piece { last: self.ended && self.scanning.is_empty(), ..Piece::default() };
        for row in rows? {
            match row {
                Ok(alert) => {
                    self.page.count(&alert);
                    piece.alerts.push(alert);
                }
                Err(unusable) => {
                    self.page.count_unusable();
                    piece.unusable.push(unusable);
                }
            }
        }
        Ok(Some(piece))
    }
}

impl Scan {
    fn all(self, rows: Vec<Row>) -> Scanned {
        rows.into_iter().map(|row| self.one(row)).collect()
    }

    /// Looks at a row; an error makes the whole answer untrusted.
    fn one(self, row: Row) -> Result<Result<Alert, Unusable>, ApiError> {
        let scanned = match row {
            Row::Whole(bytes) => Alert::scan(bytes, self.thin),
            Row::Refused(why, raw) => Err(Unusable { id: None, reason: why.to_owned(), raw, damaged: false }),
        };
        match scanned {
            Ok(Alert { tenant: Some(other), .. }) if other != self.tenant => Err(ApiError::ForeignAlert(other)),
            Err(unusable) if unusable.damaged && !self.lenient => {
                Err(ApiError::Malformed(format!("a row is broken: {}", unusable.reason)))
            }
            looked_at => Ok(looked_at),
        }
    }
}

fn malformed(error: Malformed) -> ApiError {
    ApiError::Malformed(error.0)
}
