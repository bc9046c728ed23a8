//! Owns carrying rows from the service into the store: one request at a time, its rows written while they stream in.

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::{Context, plan};
use crate::defender::{ApiError, Look, Page, Piece, Query, Reading};
use crate::domain::{Alert, AlertId, Failure, Tenant, Ticks};
use crate::entra::{Token, TokenError};
use crate::event::Event;
use crate::stop::{Stop, Stopped};
use crate::store::{Batch, Counts, Coverage, CoverageMove, Landed, StoreError, TenantKey};

/// So many pieces of one answer are being written while the next is read: more would only hold memory, the writer
/// takes one after the other.
const WRITES_IN_FLIGHT: usize = 2;

/// Why a pass cannot go on as it wanted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stumble {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Stumble {
    pub(super) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Api(error) => Some(error.failure()),
            Self::Token(error) => Some(error.failure()),
            Self::Store(error) => Some(error.failure()),
            Self::Stopped(_) => None,
        }
    }
}

/// What a pass has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// API requests sent.
    pub requests: u32,
    /// Rows answered, repeats included.
    pub rows: u64,
    /// What became of them.
    pub counts: Counts,
    /// Bytes of bodies after decompression.
    pub bytes: u64,
    /// Whether what is known to be unread changed.
    pub gaps_moved: bool,
}

/// An answer that came to its proper end, with its last rows not yet written: they land together with what the
/// answer proves.
#[derive(Debug)]
pub(super) struct Answered {
    pub page: Page,
    rest: Batch,
}

/// Reads one tenant for the length of a pass.
pub(super) struct Reader<'a> {
    pub ctx: &'a Context,
    pub tenant: &'a Tenant,
    pub key: TenantKey,
    pub last_success_at: Option<Ticks>,
    pub token: Token,
    pub tally: Tally,
    pub stop: &'a Stop,
}

impl Reader<'_> {
    /// A time that the service told, held to what can be.
    pub(super) fn plausible(&self, told: Ticks, coverage: &Coverage) -> Ticks {
        plan::plausible(told, coverage.covered_until, self.last_success_at, self.ctx.clock.now())
    }

    /// Sends a request and writes its rows as they come in, all but the last piece.
    pub(super) async fn ask(&mut self, query: &Query, history: bool) -> Result<Answered, Stumble> {
        let mut reading = self.begin(query).await?;
        let outcome = self.stream(&mut reading, history).await;
        self.tally.bytes += reading.received();
        let rest = outcome?;
        let page = reading.finish()?;
        self.tally.rows += page.rows;
        Ok(Answered { page, rest })
    }

    /// Writes the last rows of an answer together with what it proves; returns the coverage that is now committed.
    pub(super) async fn land(&mut self, answered: Answered, change: CoverageMove) -> Result<Coverage, Stumble> {
        self.commit(answered.rest, change).await
    }

    /// Changes coverage without rows.
    pub(super) async fn change(&mut self, change: CoverageMove) -> Result<Coverage, Stumble> {
        self.commit(Batch::default(), change).await
    }

    /// Writes alerts that prove nothing about their window.
    pub(super) async fn write(&mut self, batch: Batch) -> Result<(), Stumble> {
        self.commit(batch, CoverageMove::default()).await.map(drop)
    }

    async fn commit(&mut self, batch: Batch, change: CoverageMove) -> Result<Coverage, Stumble> {
        self.tally.gaps_moved |= !change.gaps.is_empty();
        let landed = self.ctx.store.land(self.key, batch, change).await?;
        Ok(self.account(landed))
    }

    /// Fetches an alert by itself; it comes with its evidence.
    pub(super) async fn fetch(&mut self, id: &AlertId) -> Result<Alert, Stumble> {
        let mut sent = self.stop.or(self.ctx.defender.alert(self.tenant, &self.token.bearer, id)).await?;
        if self.renews_token(&sent).await? {
            sent = self.stop.or(self.ctx.defender.alert(self.tenant, &self.token.bearer, id)).await?;
            self.count(&sent);
        }
        Ok(sent?)
    }

    /// Asks the service for a sign of life and its time.
    pub(super) async fn look(&mut self) -> Result<Look, Stumble> {
        let mut sent = self.stop.or(self.ctx.defender.look(self.tenant, &self.token.bearer)).await?;
        if self.renews_token(&sent).await? {
            sent = self.stop.or(self.ctx.defender.look(self.tenant, &self.token.bearer)).await?;
            self.count(&sent);
        }
        Ok(sent?)
    }

    /// Sends the request for a list.
    async fn begin(&mut self, query: &Query) -> Result<Reading, Stumble> {
        let mut sent = self.stop.or(self.ctx.defender.read(self.tenant, &self.token.bearer, query)).await?;
        if self.renews_token(&sent).await? {
            sent = self.stop.or(self.ctx.defender.read(self.tenant, &self.token.bearer, query)).await?;
            self.count(&sent);
        }
        Ok(sent?)
    }

    /// Counts a request; if its token was refused, gets another and says that the request is worth repeating once.
    async fn renews_token<T>(&mut self, sent: &Result<T, ApiError>) -> Result<bool, Stumble> {
        self.count(sent);
        if !sent.as_ref().is_err_and(ApiError::refuses_token) {
            return Ok(false);
        }
        self.token = self.stop.or(self.ctx.entra.refresh(self.tenant, &self.token)).await??;
        Ok(true)
    }

    /// Counts a request that was really sent.
    fn count<T>(&mut self, sent: &Result<T, ApiError>) {
        self.tally.requests += u32::from(!matches!(sent, Err(ApiError::Quota(_) | ApiError::Held(_))));
    }

    /// Writes piece after piece, all but the last, which is returned.
    async fn stream(&mut self, reading: &mut Reading, history: bool) -> Result<Batch, Stumble> {
        let (store, key) = (&self.ctx.store, self.key);
        let mut writing = FuturesUnordered::new();
        let mut written = Vec::new();
        let outcome = loop {
            let next = tokio::select! {
                biased;
                () = self.stop.stopped() => break Err(Stumble::Stopped(Stopped)),
                Some(done) = writing.next(), if !writing.is_empty() => {
                    written.push(done);
                    continue;
                }
                next = reading.next(), if writing.len() < WRITES_IN_FLIGHT => next,
            };
            match next {
                Ok(Some(Piece { alerts, unusable, last })) => {
                    let batch = Batch { alerts, unusable, history };
                    if last {
                        break Ok(batch);
                    }
                    writing.push(store.land(key, batch, CoverageMove::default()));
                }
                Ok(None) => break Ok(Batch::default()),
                Err(error) => break Err(Stumble::Api(error)),
            }
        };
        // What was handed to the writer is written whatever happens here; only its counts would be lost.
        while let Some(done) = writing.next().await {
            written.push(done);
        }
        drop(writing);
        for done in written {
            self.account(done?);
        }
        outcome
    }

    /// Adds up what became of rows, and tells what was set aside.
    fn account(&mut self, landed: Landed) -> Coverage {
        self.tally.counts += landed.counts;
        for (alert, reason) in &landed.quarantined {
            Event::AlertQuarantined { tenant: self.tenant.id, alert: alert.as_deref(), reason }.emit();
        }
        landed.coverage
    }
}
