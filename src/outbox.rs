//! Owns turning committed changes into log lines, at least once each, in order.
//!
//! Lines are written from `alert_change` behind a stored cursor, after the commit that made the change. The cursor
//! moves only when the lines are out; a process that dies in between writes them again.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{ChangeKind, TenantId, Ticks};
use crate::event::{Event, Json};
use crate::logging::LogHandle;
use crate::stop::Stop;
use crate::store::{Change, Store, StoreError};

/// The cursor's name in the store.
const CURSOR: &str = "log";
/// Changes are written in groups of so many.
const GROUP: usize = 500;
/// A wake-up that was missed, and a log that failed, are made good after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// Writes changes as they are committed until the stop signal, and then what is left.
///
/// With `history`, changes found while reading a tenant's past are written too. While the store cannot move the cursor,
/// because its disk is full or somebody else has locked it, lines may be written again.
///
/// # Errors
/// When the store can no longer be trusted.
pub async fn run(store: &Arc<Store>, log: &LogHandle, history: bool, stop: &Stop) -> Result<(), StoreError> {
    let committed = store.committed();
    let mut seq = store.cursor(CURSOR).await?;
    loop {
        let woken = committed.notified();
        let last_round = stop.is_stopped();
        let (moved, out) = match write_group(store, log, history, seq).await {
            Err(error) if !error.is_fatal() => {
                Event::OutboxFailed { reason: &error.to_string() }.emit();
                (seq, false)
            }
            done => done?,
        };
        if out && moved > seq {
            seq = moved;
            continue;
        }
        if last_round {
            return Ok(());
        }
        // A stop signal ends the wait; the round after it writes what the last passes have left.
        let _stopped = stop.or(tokio::time::timeout(AGAIN, woken)).await;
    }
}

/// Writes the next changes; how far it came, and whether the lines are out.
async fn write_group(store: &Arc<Store>, log: &LogHandle, history: bool, seq: i64) -> Result<(i64, bool), StoreError> {
    let changes = store.changes_after(seq, GROUP).await?;
    let Some(last) = changes.last().map(|change| change.seq) else { return Ok((seq, true)) };
    for change in changes.iter().filter(|change| history || !change.history) {
        say(change);
    }
    if let Err(error) = log.flush() {
        Event::OutboxFailed { reason: &error.to_string() }.emit();
        return Ok((seq, false));
    }
    store.move_cursor(CURSOR, last).await?;
    Ok((last, true))
}

fn say(change: &Change) {
    let Ok(tenant) = TenantId::parse(&change.tenant_id) else { return };
    let last_update_time = Ticks::parse(&change.last_update_time).unwrap_or(Ticks::MIN);
    let (seq, name, alert) = (change.seq, change.tenant_name.as_str(), change.alert_id.as_str());
    let (severity, status) = (change.severity.as_deref(), change.status.as_deref());
    let (category, detection_source) = (change.category.as_deref(), change.detection_source.as_deref());
    let (title, device, incident) = (change.title.as_deref(), change.computer_dns_name.as_deref(), change.incident_id);
    match change.kind {
        ChangeKind::Created => Event::AlertCreated {
            seq,
            tenant,
            name,
            alert,
            severity,
            status,
            category,
            detection_source,
            title,
            device,
            incident,
            last_update_time,
        }
        .emit(),
        ChangeKind::Updated => Event::AlertUpdated {
            seq,
            tenant,
            name,
            alert,
            severity,
            status,
            category,
            detection_source,
            title,
            device,
            incident,
            last_update_time,
            fields: Json(change.fields.as_deref().unwrap_or("{}")),
        }
        .emit(),
    }
}
