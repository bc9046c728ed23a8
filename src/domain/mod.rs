//! The words of this house: identifiers, times, places, windows, gaps, alerts, changes and failures.
//!
//! Everything here is plain data with its invariants; nothing does I/O.

mod alert;
mod change;
mod columns;
mod enumeration;
mod evidence;
mod failure;
mod findable;
mod gap;
mod ids;
mod indicator;
mod observable;
mod place;
mod tenant;
mod ticks;
mod window;

pub use alert::{Alert, Unusable, digest};
pub use change::{ChangeKind, difference};
pub use columns::{Columns, Outline};
pub use enumeration::{RESOLVED, SEVERITIES, STATUSES, as_served};
pub use evidence::{evidence_of, members_of, with_evidence_of};
pub use failure::{Failure, FailureClass, TenantState, UNREACHABLE_AFTER};
pub use findable::{FINDABLE_VERSION, Findable};
pub use gap::{Gap, GapReason};
pub use ids::{AlertId, BadGuid, MAX_ALERT_ID_BYTES, TenantId};
pub use indicator::{BadIndicator, Indicator};
pub use observable::{ObservableKind, comparable};
pub use place::{Cloud, Region};
pub use tenant::Tenant;
pub use ticks::{BadTime, Ticks};
pub use window::Window;
