//! Owns what those see who watch the daemon: systemd's watchdog, and whoever asks at `admin.listen`.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::admin::{Admin, AdminError, Ends, Pulse, View};
use crate::event::Event;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::notify;
use crate::schedule::{Tick, Ticker};
use crate::settings::AdminSettings;
use crate::stop::Stop;
use crate::store::Store;

/// What can be seen of the daemon, from before its store is open.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pulse: Arc<Pulse>,
    store: Arc<OnceLock<Arc<Store>>>,
    /// When credentials end.
    pub ends: Arc<Ends>,
    /// Told when the credentials may be others.
    pub credentials: Arc<Notify>,
}

impl Watched {
    /// Answers where monitoring systems ask, if such a place is configured, until the stop signal.
    ///
    /// # Errors
    /// When the place is taken or not allowed.
    pub(super) async fn serve(
        &self,
        settings: &AdminSettings,
        metrics: &Arc<Metrics>,
        stop: &Stop,
    ) -> Result<JoinSet<()>, AdminError> {
        let view = View {
            store: Arc::clone(&self.store),
            metrics: Arc::clone(metrics),
            pulse: Arc::clone(&self.pulse),
            ends: Arc::clone(&self.ends),
            tenant_series_limit: settings.tenant_series_limit,
        };
        let mut serving = JoinSet::new();
        if let Some(admin) = Admin::open(settings, view).await? {
            Event::AdminListening { address: &admin.address() }.emit();
            let until = stop.clone();
            serving.spawn(async move { admin.serve(&until).await });
        }
        Ok(serving)
    }

    /// The store is open: from now on ticks are expected.
    pub(super) fn begin(&self, store: &Arc<Store>) {
        // It is opened once.
        drop(self.store.set(Arc::clone(store)));
        self.pulse.begin();
    }

    /// Passes ticks on, tells of stalls, and feeds the watchdog as long as the fleet deals with its ticks and the store's
    /// writer comes to the end of its transactions.
    pub(super) async fn beat(&self, fleet: &Fleet, ticker: &mut Ticker, tick: &Notify) {
        let watchdog = notify::watchdog_interval().map(|interval| interval / 3);
        let mut told = 0;
        let (mut last, mut fed) = (Instant::now(), Instant::now());
        let mut stuck = false;
        while let Some(Tick { missed, .. }) = ticker.next().await {
            tick.notify_one();
            if missed > 0 {
                Event::ScheduleOverrun { missed }.emit();
            }
            let stalls = ticker.stats().stalls + ticker.stats().rebuilds;
            if stalls > told {
                told = stalls;
                Event::ScheduleStalled { seconds: last.elapsed().as_secs() }.emit();
            }
            last = Instant::now();
            let ctx = &fleet.plan().ctx;
            self.pulse.feel(fleet.ticks(), ctx.store.is_stuck(), ctx.clock.now());
            let trouble = self.pulse.trouble();
            if let Some(reason) = trouble
                && !stuck
            {
                Event::DaemonStuck { reason }.emit();
            }
            stuck = trouble.is_some();
            if !stuck && watchdog.is_some_and(|interval| fed.elapsed() >= interval) {
                fed = Instant::now();
                notify::alive();
            }
        }
    }
}
