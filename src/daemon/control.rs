//! Owns what an operator tells a running daemon: stop, reload, poll now.

use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::{Works, plan};
use crate::event::Event;
use crate::fleet::Plan;
use crate::logging::LogHandle;
use crate::notify;
use crate::settings::{ConfigErrors, Settings};
use crate::stop::Stop;
use crate::store::StoreError;

/// What an operator can tell the daemon by signals.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
    poll_now: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
            poll_now: signal(SignalKind::user_defined1())?,
        })
    }
}

/// Carries out what signals ask for.
pub(super) struct Control<'a> {
    /// Where the configuration is read from again.
    pub config: PathBuf,
    /// The settings in force.
    pub settings: Settings,
    /// The parts that are told.
    pub works: &'a Works,
    /// The log, whose level may change.
    pub log: &'a LogHandle,
    /// Told when the credentials may be others.
    pub credentials: &'a Notify,
    /// A way to ask for the end without a signal.
    pub asked: &'a Stop,
}

impl Control<'_> {
    /// Serves signals until one asks to end; its name.
    pub(super) async fn until_stopped(&mut self, signals: &mut Signals) -> &'static str {
        loop {
            tokio::select! {
                () = self.asked.stopped() => return "request",
                _ = signals.terminate.recv() => return "SIGTERM",
                _ = signals.interrupt.recv() => return "SIGINT",
                _ = signals.reload.recv() => {
                    notify::reloading();
                    self.reload().await;
                    notify::ready();
                }
                _ = signals.poll_now.recv() => {
                    if let Err(error) = self.works.store.retry_all().await {
                        tell_store_failure(&error);
                    }
                }
            }
        }
    }

    /// Takes over a changed configuration whole, or not at all.
    async fn reload(&mut self) {
        let config = self.config.clone();
        let loaded = tokio::task::spawn_blocking(move || Settings::load(&config)).await;
        match loaded {
            Ok(Ok(settings)) => match needs_restart(&self.settings, &settings) {
                None => self.take_over(settings).await,
                Some(key) => {
                    let reason = format!("`{key}` changes only with a restart; nothing was taken over");
                    Event::ConfigRejected { reason: &reason }.emit();
                }
            },
            Ok(Err(errors)) => reject(&errors),
            Err(error) => Event::ConfigRejected { reason: &error.to_string() }.emit(),
        }
    }

    async fn take_over(&mut self, settings: Settings) {
        if let Err(error) = self.log.set_level(&settings.log.level) {
            return Event::ConfigRejected { reason: &error.to_string() }.emit();
        }
        let fleet = &self.works.fleet;
        let (before, ctx) = (fleet.plan(), fleet.plan().ctx.clone());
        ctx.entra.replace_apps(settings.apps.clone());
        fleet.replace(plan(ctx, &settings));
        self.credentials.notify_one();
        self.settings = settings;
        match fleet.enrol().await {
            Ok(roster) => {
                let now = fleet.plan();
                let name =
                    |plan: &Plan, id| plan.tenants.get(id).map_or_else(String::new, |tenant| tenant.name.clone());
                for id in &roster.added {
                    Event::TenantAdded { tenant: *id, name: &name(&now, id) }.emit();
                }
                for id in &roster.removed {
                    Event::TenantRemoved { tenant: *id, name: &name(&before, id) }.emit();
                    // Nobody will ask for this tenant's token again.
                    now.ctx.entra.forget(*id);
                }
                let (added, removed) = (roster.added.len() as u64, roster.removed.len() as u64);
                Event::ConfigReloaded { tenants: now.tenants.len() as u64, added, removed }.emit();
            }
            Err(error) => tell_store_failure(&error),
        }
    }
}

/// The first changed key that a running daemon cannot take over.
fn needs_restart(old: &Settings, new: &Settings) -> Option<&'static str> {
    let changed = [
        ("store.path", old.store.path != new.store.path),
        ("log.format", old.log.format != new.log.format),
        ("log.history", old.log.history != new.log.history),
        // The client was built with them.
        ("network", old.network != new.network),
        ("admin", old.admin != new.admin),
        // The client was built without certificate authorities, because only this machine was asked.
        ("login_url, api_url", old.loopback_only && !new.loopback_only),
    ];
    changed.into_iter().find_map(|(key, changed)| changed.then_some(key))
}

fn reject(errors: &ConfigErrors) {
    Event::ConfigRejected { reason: &errors.to_string() }.emit();
}

pub(super) fn tell_store_failure(error: &StoreError) {
    let failure = error.failure();
    Event::StoreFailed { reason: &failure.reason, class: failure.class }.emit();
}
