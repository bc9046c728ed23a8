//! Owns gaps: what is known to be unread, and why.

use std::fmt;

use super::{AlertId, Ticks, Window};

/// Why an interval is unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Opened at first contact with a tenant: its history.
    Initial,
    /// Ordered by the operator.
    Backfill,
    /// The rest of a head window that did not fit one answer.
    CatchUp,
    /// The daily second look at the last days.
    Sweep,
    /// The answer to this window failed again and again.
    Failed,
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Initial, Self::Backfill, Self::CatchUp, Self::Sweep, Self::Failed];

    /// The name used in logs and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Backfill => "backfill",
            Self::CatchUp => "catch_up",
            Self::Sweep => "sweep",
            Self::Failed => "failed",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Whether changes found here are history to the operator and stay out of the log unless asked for.
    #[must_use]
    pub const fn is_history(self) -> bool {
        matches!(self, Self::Initial | Self::Backfill)
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An interval of `lastUpdateTime` that is known to be unread, with how far its reading has come.
///
/// A gap is also the reader's whole memory: the next request is computed from it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its number in the store.
    pub id: i64,
    /// What is unread. Always ends.
    pub window: Window,
    /// Of the alerts at the window's first instant, those with ids up to this one have been read.
    pub after_id: Option<AlertId>,
    /// Why it is unread.
    pub reason: GapReason,
    /// How often reading it failed since it last moved.
    pub attempts: u32,
    /// The number of rows to ask for, when fewer than usual.
    pub top: Option<u32>,
    /// Not to be tried before this time of the local clock.
    pub not_before: Option<Ticks>,
}
