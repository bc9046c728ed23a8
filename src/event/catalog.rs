//! Owns the table of events itself.

use super::message::{self, of_pass, or_unnamed, remedied, window};
use super::{EventDoc, FieldDoc, FieldValue, Json, TARGET};
use crate::domain::{FailureClass, GapReason, TenantId, TenantState, Ticks};

/// Every event there is.
pub const CATALOG: &[EventDoc] = Event::<'static>::DOCS;

events! {
    /// The daemon has read its configuration and begins to work.
    DaemonStarted = "daemon.started" [INFO] {
        /// The version of the program.
        version: &'a str,
        /// Its process id.
        pid: u32,
        /// The path of the database.
        store: &'a str,
        /// How many tenants are configured and enabled.
        tenants: u64,
    } => format_args!("alertferry {version} started for {tenants} tenants");

    /// Start-up is done: the store is open and the first tenants are being read.
    DaemonReady = "daemon.ready" [INFO] {} => "ready";

    /// The daemon makes no progress: health says so, and the watchdog is not fed any more until it does again.
    DaemonStuck = "daemon.stuck" [ERROR] {
        /// What does not go on.
        reason: &'a str,
    } => format_args!("stuck: {reason}");

    /// Monitoring systems can ask from now on.
    AdminListening = "admin.listening" [INFO] {
        /// Where: an address with its port, or `unix:` and a path.
        address: &'a str,
    } => format_args!("serving metrics and health at {address}");

    /// A stop was asked for; passes that are under way are finished or rolled back.
    DaemonStopping = "daemon.stopping" [INFO] {
        /// What asked: `SIGTERM`, `SIGINT`, or the name of the part that failed.
        signal: &'a str,
    } => format_args!("stopping on {signal}");

    /// Everything has ended; the process exits.
    DaemonStopped = "daemon.stopped" [INFO] {
        /// Milliseconds since the stop was asked for.
        ms: u64,
    } => format_args!("stopped after {ms} ms");

    /// The configuration was read again and is in effect.
    ConfigReloaded = "config.reloaded" [INFO] {
        /// How many tenants are configured and enabled now.
        tenants: u64,
        /// How many of them are new.
        added: u64,
        /// How many are gone.
        removed: u64,
    } => format_args!("configuration reloaded: {tenants} tenants, {added} added, {removed} removed");

    /// The configuration was read again and is wrong; the one before stays in effect.
    ConfigRejected = "config.rejected" [ERROR] {
        /// What is wrong, with file, line and key.
        reason: &'a str,
    } => format_args!("configuration rejected, the old one stays: {reason}");

    /// No tick of the schedule came for much longer than it should take; the clock was set or the process was stopped.
    ScheduleStalled = "schedule.stalled" [WARN] {
        /// Seconds since the last tick.
        seconds: u64,
    } => format_args!("no tick of the schedule for {seconds} s");

    /// Ticks came while the work of an earlier one was still going on; they were merged into it.
    ScheduleOverrun = "schedule.overrun" [WARN] {
        /// How many ticks were merged.
        missed: u64,
    } => format_args!("the schedule is faster than the work: {missed} ticks merged");

    /// A tenant is polled from now on.
    TenantAdded = "tenant.added" [INFO] {
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
    } => format_args!("tenant {} added", or_unnamed(name));

    /// A tenant is no longer polled; its rows stay.
    TenantRemoved = "tenant.removed" [INFO] {
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
    } => format_args!("tenant {} removed", or_unnamed(name));

    /// It stands otherwise with a tenant than before. `info` when the new state is `ok`, else `warn`.
    TenantStateChanged = "tenant.state_changed" [INFO WARN; message::level_of_state(*to)] {
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
        /// The state before: `new`, `ok`, `degraded`, `throttled`, `unauthorized`, `unlicensed`, `unreachable` or `disabled`.
        from: TenantState,
        /// The state now.
        to: TenantState,
        /// Why.
        reason: Option<&'a str>,
        /// What can be done about it.
        remedy: Option<&'a str>,
    } => format_args!("tenant {} is {to} (was {from}){}", or_unnamed(name), remedied(*reason, *remedy));

    /// A tenant was read once. `debug` when nothing happened, `info` when alerts were stored or gaps moved, `warn` when it failed.
    PassFinished = "pass.finished" [DEBUG INFO WARN; message::level_of_pass(*class, &[*created, *updated, *quarantined], *gaps_moved)] {
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
        /// How it ended: `read`, `partial` (the budget ended before the work) or `failed`.
        outcome: &'a str,
        /// Requests made to the alerts API.
        requests: u64,
        /// Alerts received.
        rows: u64,
        /// Alerts seen for the first time.
        created: u64,
        /// Alerts that came in a new version.
        updated: u64,
        /// Alerts that were stored already.
        unchanged: u64,
        /// Alerts that could not be stored and were set aside.
        quarantined: u64,
        /// Bytes received.
        bytes: u64,
        /// Milliseconds it took.
        ms: u64,
        /// Everything updated before this time has been read, except inside the open gaps.
        covered_until: Option<Ticks>,
        /// Gaps that are still open.
        open_gaps: u64,
        /// Whether a gap shrank or closed.
        gaps_moved: bool,
        /// When the tenant is read next.
        next_attempt_at: Option<Ticks>,
        /// The class of the failure.
        class: Option<FailureClass>,
        /// Why it failed.
        reason: Option<&'a str>,
    } => of_pass(name, *created, *updated, *open_gaps, *reason);

    /// A new access token was issued.
    TokenAcquired = "token.acquired" [DEBUG] {
        /// The tenant's id.
        tenant: TenantId,
        /// The app registration that signed in.
        app: &'a str,
        /// When the token ends, by this machine's clock.
        expires_at: Ticks,
    } => format_args!("token for {tenant} acquired");

    /// No access token could be had for a tenant.
    TokenFailed = "token.failed" [WARN] {
        /// The tenant's id.
        tenant: TenantId,
        /// The app registration that tried to sign in.
        app: &'a str,
        /// The class of the failure.
        class: FailureClass,
        /// Why.
        reason: &'a str,
        /// What can be done about it.
        remedy: Option<&'a str>,
    } => format_args!("no token for {tenant}{}", remedied(Some(reason), *remedy));

    /// The login service refuses the app registration itself: no tenant of it can get a new token. Said once, not for each tenant.
    AppRefused = "app.refused" [ERROR] {
        /// The app registration.
        app: &'a str,
        /// Why.
        reason: &'a str,
        /// What can be done about it.
        remedy: Option<&'a str>,
    } => format_args!("app {app} is refused{}", remedied(Some(reason), *remedy));

    /// The login service accepts the app registration, for the first time or again.
    AppAccepted = "app.accepted" [INFO] {
        /// The app registration.
        app: &'a str,
    } => format_args!("app {app} is accepted");

    /// A credential of an app registration cannot be used. Said at the start and after a reload; others of the app are tried.
    CredentialUnusable = "credential.unusable" [WARN] {
        /// The app registration.
        app: &'a str,
        /// What it is: `secret`, `certificate` or `federated_token`.
        kind: &'a str,
        /// Where it is found: a path or the name of a variable.
        place: &'a str,
        /// Why.
        reason: &'a str,
        /// What can be done about it.
        remedy: &'a str,
    } => format_args!("a credential of app {app} cannot be used{}", remedied(Some(reason), Some(remedy)));

    /// A credential comes to its end: said at 60, 30 and 7 days, then every day, and again after a restart.
    CredentialExpiring = "credential.expiring" [WARN] {
        /// The app registration.
        app: &'a str,
        /// What it is: `secret` or `certificate`.
        kind: &'a str,
        /// Where it is found: a path or the name of a variable.
        place: &'a str,
        /// When it ends: of a certificate by itself, of a secret by `expires_at`.
        ends_at: Ticks,
        /// Whole days until then.
        days: u64,
    } => format_args!("the {kind} of app {app} in {place} ends in {days} days");

    /// A credential has ended, by itself or by `expires_at`. Said once a day.
    CredentialExpired = "credential.expired" [ERROR] {
        /// The app registration.
        app: &'a str,
        /// What it is: `secret` or `certificate`.
        kind: &'a str,
        /// Where it is found: a path or the name of a variable.
        place: &'a str,
        /// When it ended.
        ended_at: Ticks,
    } => format_args!("the {kind} of app {app} in {place} has ended");

    /// An interval of a tenant's `lastUpdateTime` is known to be unread from now on.
    GapOpened = "gap.opened" [INFO] {
        /// The tenant's id.
        tenant: TenantId,
        /// The first time inside.
        from: Ticks,
        /// The first time after it.
        until: Ticks,
        /// Why it is unread: `initial`, `backfill`, `catch_up`, `sweep` or `failed`.
        reason: GapReason,
    } => format_args!("gap opened ({reason}): {}", window(*from, *until));

    /// A gap has been read.
    GapClosed = "gap.closed" [DEBUG] {
        /// The tenant's id.
        tenant: TenantId,
        /// The first time that was still unread.
        from: Ticks,
        /// The first time after it.
        until: Ticks,
        /// Why it was unread.
        reason: GapReason,
    } => format_args!("gap closed ({reason}): {}", window(*from, *until));

    /// A gap became older than the service keeps alerts: what is in it cannot be read any more.
    GapExpired = "gap.expired" [ERROR] {
        /// The tenant's id.
        tenant: TenantId,
        /// The first time inside.
        from: Ticks,
        /// The first time after it.
        until: Ticks,
        /// Why it was unread.
        reason: GapReason,
    } => format_args!("gap expired unread ({reason}): {}", window(*from, *until));

    /// Reading a gap fails again and again; the tenant's other windows go on.
    GapStuck = "gap.stuck" [WARN] {
        /// The tenant's id.
        tenant: TenantId,
        /// The first time inside.
        from: Ticks,
        /// The first time after it.
        until: Ticks,
        /// How often in a row reading it failed.
        attempts: u32,
        /// Why it failed last.
        reason: &'a str,
    } => format_args!("gap unread after {attempts} attempts: {}: {reason}", window(*from, *until));

    /// An alert was seen for the first time. Written after it is committed; after a crash it may come twice with the same `seq`.
    AlertCreated = "alert.created" [INFO] {
        /// The number of the change in `alert_changes`; never used twice.
        seq: i64,
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
        /// The alert's id, unique within the tenant.
        alert: &'a str,
        /// `severity` as the service wrote it.
        severity: Option<&'a str>,
        /// `status` as the service wrote it.
        status: Option<&'a str>,
        /// `category` as the service wrote it.
        category: Option<&'a str>,
        /// `detectionSource` as the service wrote it.
        detection_source: Option<&'a str>,
        /// The title.
        title: Option<&'a str>,
        /// The name of the device (`computerDnsName`).
        device: Option<&'a str>,
        /// The number of its incident.
        incident: Option<i64>,
        /// The version of the alert.
        last_update_time: Ticks,
    } => format_args!("new alert for {}: {}", or_unnamed(name), title.unwrap_or(alert));

    /// A new version of an alert was seen. Written after it is committed; after a crash it may come twice with the same `seq`.
    AlertUpdated = "alert.updated" [INFO] {
        /// The number of the change in `alert_changes`; never used twice.
        seq: i64,
        /// The tenant's id.
        tenant: TenantId,
        /// The operator's name for it.
        name: &'a str,
        /// The alert's id, unique within the tenant.
        alert: &'a str,
        /// `severity` as the service wrote it.
        severity: Option<&'a str>,
        /// `status` as the service wrote it.
        status: Option<&'a str>,
        /// `category` as the service wrote it.
        category: Option<&'a str>,
        /// `detectionSource` as the service wrote it.
        detection_source: Option<&'a str>,
        /// The title.
        title: Option<&'a str>,
        /// The name of the device (`computerDnsName`).
        device: Option<&'a str>,
        /// The number of its incident.
        incident: Option<i64>,
        /// The version of the alert.
        last_update_time: Ticks,
        /// What changed: each field's name to `[old, new]`. Large values are shortened to `"…"`; `alert_changes` has them whole.
        fields: Json<'a>,
    } => format_args!("alert updated for {}: {}", or_unnamed(name), title.unwrap_or(alert));

    /// An alert could not be stored; it was set aside with its text and the reason, and the others go on.
    AlertQuarantined = "alert.quarantined" [WARN] {
        /// The tenant's id.
        tenant: TenantId,
        /// The alert's id, where one could be read.
        alert: Option<&'a str>,
        /// Why it cannot be stored.
        reason: &'a str,
    } => format_args!("alert {} set aside: {reason}", alert.unwrap_or("without id"));

    /// This machine's clock differs from the service's. What is read is decided by the service's clock, so nothing is lost.
    ClockSkewed = "clock.skewed" [WARN] {
        /// Seconds by which this machine is ahead; negative when it is behind.
        seconds: i64,
        /// The tenant in whose answer it was seen.
        tenant: TenantId,
    } => format_args!(
        "the local clock is {} s {} the service's",
        seconds.unsigned_abs(),
        if *seconds < 0 { "behind" } else { "ahead of" }
    );

    /// The database is open.
    StoreOpened = "store.opened" [INFO] {
        /// Its path.
        path: &'a str,
        /// The version of its schema.
        schema_version: u32,
    } => format_args!("store {path} opened, schema {schema_version}");

    /// The database was brought to a newer schema.
    StoreMigrated = "store.migrated" [INFO] {
        /// The version before.
        from: u32,
        /// The version now.
        to: u32,
        /// The copy that was taken before.
        backup: Option<&'a str>,
    } => format_args!("store migrated from schema {from} to {to}");

    /// The database cannot be written. Passes wait until it can; nothing counts as read meanwhile.
    StoreFailed = "store.failed" [ERROR] {
        /// What the database said.
        reason: &'a str,
        /// The class of the failure.
        class: FailureClass,
    } => format_args!("the store cannot be written: {reason}");

    /// The database can be written again.
    StoreRecovered = "store.recovered" [INFO] {} => "the store can be written again";

    /// `alert.*` lines could not be written; they stay due and are tried again.
    OutboxFailed = "outbox.failed" [ERROR] {
        /// Why.
        reason: &'a str,
    } => format_args!("alert lines could not be written: {reason}");
}
