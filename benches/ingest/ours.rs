//! Owns the thing itself: passes of the daemon over the same pages, into a new store, once more unchanged, and once more
//! with one alert in a hundred changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alertferry::clock::Clock;
use alertferry::defender::{Defender, Rates};
use alertferry::domain::{GapReason, Region, Tenant, TenantId, Ticks, Window};
use alertferry::entra::{App, Credential, Endpoint, Entra};
use alertferry::http::{Http, Options as HttpOptions};
use alertferry::pass::{self, Context, Ended};
use alertferry::secret::{Secret, SecretSource};
use alertferry::stop::Stop;
use alertferry::store::{Batch, CoverageMove, GapEdit, NewGap, Store};

use crate::{ALERTS, pages, report};

/// Reads the history, then opens it as a backfill and reads it again, and again.
pub(crate) fn ingest(url: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, writer) = Store::open(&dir.path().join("alerts.db"), Clock::System).expect("a store");
        let ctx = context(Arc::new(store));
        let tenant = tenant(url);
        ctx.store.enrol(vec![tenant.clone()]).await.expect("enrolled");
        let alerts = u64::try_from(ALERTS).expect("small");
        let changed = alerts / u64::try_from(pages::CHANGED_ONE_IN).expect("small");
        assert_eq!(read_and_report(&ctx, &tenant).await, (alerts, 0), "all are new");
        open_again(&ctx, &tenant).await;
        assert_eq!(read_and_report(&ctx, &tenant).await, (0, 0), "nothing is new");
        open_again(&ctx, &tenant).await;
        assert_eq!(read_and_report(&ctx, &tenant).await, (0, changed), "some have changed");
        drop(ctx);
        writer.join().expect("all is written");
    });
}

fn context(store: Arc<Store>) -> Context {
    let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
    let value = Secret::new("secret".to_owned());
    let app = App {
        name: "main".to_owned(),
        client_id: "11111111-1111-1111-1111-111111111111".to_owned(),
        audience: "https://api.securitycenter.microsoft.com".to_owned(),
        endpoint: Endpoint::V2,
        credentials: vec![Credential::secret(SecretSource::Fixed { name: "bench".to_owned(), value })],
    };
    Context {
        store,
        entra: Entra::new(http.clone(), Clock::System, vec![app]),
        defender: Defender::new(http, Duration::from_secs(60), Rates::default(), Clock::System),
        clock: Clock::System,
        options: pass::Options { sweep: Duration::ZERO, ..pass::Options::default() },
    }
}

fn tenant(url: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(&pages::tenant()).expect("a GUID"),
        name: "Bench".to_owned(),
        app: "main".to_owned(),
        region: Region::Global,
        login_url: url.to_owned(),
        api_url: url.to_owned(),
        tags: Vec::new(),
        enabled: true,
    }
}

/// How many alerts were new, and how many changed.
async fn read_and_report(ctx: &Context, tenant: &Tenant) -> (u64, u64) {
    let begun = Instant::now();
    let (mut rows, mut created, mut updated) = (0, 0, 0);
    loop {
        let standing = ctx.store.standing(tenant.id).await.expect("readable").expect("enrolled");
        let ended = pass::run(ctx, tenant, &standing, |_| Ticks::MAX, &Stop::new()).await.expect("recorded");
        let Ended::Recorded(record) = ended else { panic!("nobody stopped it") };
        assert!(record.failure.is_none(), "{:?}", record.failure);
        rows += record.rows;
        created += record.counts.created;
        updated += record.counts.updated;
        if record.outcome == "read" {
            break;
        }
    }
    report(begun.elapsed().as_secs_f64(), usize::try_from(rows).expect("a count"));
    (created, updated)
}

async fn open_again(ctx: &Context, tenant: &Tenant) {
    let key = ctx.store.standing(tenant.id).await.expect("readable").expect("enrolled").key;
    let window = Window::new(Ticks::from_unix_seconds(1_700_000_000), Ticks::from_unix_seconds(1_800_000_000));
    let gap = NewGap { window: window.expect("not empty"), reason: GapReason::Backfill, attempts: 0, top: None };
    let change = CoverageMove { gaps: vec![GapEdit::Open(gap)], ..CoverageMove::default() };
    ctx.store.land(key, Batch::default(), change).await.expect("opened");
}
