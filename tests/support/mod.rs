//! Owns what the tests share: a simulated world, a store in a directory of its own, and the real passes between them.
#![allow(dead_code, reason = "each test file uses its own part of this")]

pub mod campaign;
pub mod derived;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::defender::{Defender, Rates};
use alertferry::domain::{Region, Tenant, TenantId, Ticks};
use alertferry::entra::{App, Credential, Endpoint, Entra};
use alertferry::http::{Http, Options as HttpOptions};
use alertferry::pass::{self, Context, Ended};
use alertferry::secret::{Secret, SecretSource};
use alertferry::stop::Stop;
use alertferry::store::{PassRecord, Store, StoreLock, WriterThread};
use alertferry_simulator::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, Simulator, World};

/// The time at which most simulated worlds begin.
pub const START: &str = "2026-11-20T12:00:00Z";

/// No limit of our own: tests ask for thousands of tiny pages.
pub const UNLIMITED: Rates = Rates { per_minute: u32::MAX, per_hour: u32::MAX };

/// A world that stands still at [`START`].
pub fn world() -> World {
    let start = alertferry_simulator::Ticks::parse(START).expect("a time");
    World::new(alertferry_simulator::Options { start: Some(start), speed: 0.0, ..Default::default() })
}

/// The n-th tenant.
pub fn guid(n: u64) -> String {
    alertferry_simulator::numbered_guid(n.into())
}

/// The default app registration with its right secret, as the simulator knows it.
pub fn app() -> App {
    app_with_secret("main", DEFAULT_SECRET)
}

/// An app registration with any secret.
pub fn app_with_secret(name: &str, secret: &str) -> App {
    let source = SecretSource::Fixed { name: "a test".to_owned(), value: Secret::new(secret.to_owned()) };
    App {
        name: name.to_owned(),
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        audience: "https://api.securitycenter.microsoft.com".to_owned(),
        endpoint: Endpoint::V2,
        credentials: vec![Credential::secret(source)],
    }
}

/// A tenant of the default app at a simulator.
pub fn tenant(sim: &Simulator, id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).expect("a GUID"),
        name: format!("Customer {}", &id[id.len() - 4..]),
        app: "main".to_owned(),
        region: Region::Eu,
        login_url: sim.login_url(),
        api_url: sim.api_url(),
        tags: Vec::new(),
        enabled: true,
    }
}

/// A store with everything that passes need, in a directory that goes with it.
pub struct Rig {
    pub ctx: Context,
    pub stop: Stop,
    pub path: PathBuf,
    _dir: Arc<tempfile::TempDir>,
    _lock: StoreLock,
    writer: Option<WriterThread>,
}

impl Rig {
    /// A new store.
    pub fn new(options: pass::Options) -> Self {
        Self::in_dir(Arc::new(tempfile::tempdir().expect("a directory")), options, vec![app()], Clock::System)
    }

    /// A store in a directory, which may hold one already.
    pub fn in_dir(dir: Arc<tempfile::TempDir>, options: pass::Options, apps: Vec<App>, clock: Clock) -> Self {
        let path = dir.path().join("alerts.db");
        let lock = StoreLock::claim(&path).expect("nobody else has it");
        let (store, writer) = Store::open(&path, clock.clone()).expect("a store");
        let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
        let ctx = Context {
            store: Arc::new(store),
            entra: Entra::new(http.clone(), clock.clone(), apps),
            defender: Defender::new(http, Duration::from_secs(10), UNLIMITED, clock.clone()),
            clock,
            options,
        };
        Self { ctx, stop: Stop::new(), path, _dir: dir, _lock: lock, writer: Some(writer) }
    }

    /// Ends this process's part and opens the same store anew, as after a crash or a restart.
    pub fn reopened(self, apps: Vec<App>) -> Self {
        let (dir, options, clock) = (Arc::clone(&self._dir), self.ctx.options.clone(), self.ctx.clock.clone());
        self.close();
        Self::in_dir(dir, options, apps, clock)
    }

    /// Waits for the last write.
    pub fn close(self) {
        let Self { ctx, writer, _dir, _lock, .. } = self;
        drop(ctx);
        writer.expect("not closed yet").join().expect("the writer ended well");
    }

    /// Makes the tenants known.
    pub async fn enrol(&self, tenants: &[Tenant]) {
        self.ctx.store.enrol(tenants.to_vec()).await.expect("enrolled");
    }

    /// One pass.
    pub async fn pass(&self, tenant: &Tenant) -> PassRecord {
        let standing = self.ctx.store.standing(tenant.id).await.expect("readable").expect("enrolled");
        let slot = |begun: Ticks| begun.plus(Duration::from_secs(300));
        match pass::run(&self.ctx, tenant, &standing, slot, &self.stop).await.expect("recorded") {
            Ended::Recorded(record) => *record,
            Ended::Stopped => panic!("nobody stopped it"),
        }
    }

    /// Passes until one finds nothing left to read; panics when that takes too many.
    pub async fn pass_until_read(&self, tenant: &Tenant) -> PassRecord {
        for _ in 0..200 {
            let record = self.pass(tenant).await;
            let open = self.query::<i64>("SELECT count(*) FROM gap");
            if record.outcome == "read" && open == 0 {
                return record;
            }
        }
        panic!("still not read after 200 passes: {:?}", self.query_all("SELECT * FROM gaps"));
    }

    /// One value from the store.
    pub fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        open(&self.path).query_row(sql, [], |row| row.get(0)).expect(sql)
    }

    /// All rows of a query as text.
    pub fn query_all(&self, sql: &str) -> Vec<Vec<String>> {
        query_all(&self.path, sql)
    }

    /// The stored alerts of a tenant: id to raw text.
    pub fn stored(&self, tenant: &str) -> BTreeMap<String, String> {
        stored(&self.path, tenant)
    }
}

/// A second, read-only connection, as any user of the store would open one.
pub fn open(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a store")
}

/// All rows of a query as text.
pub fn query_all(path: &Path, sql: &str) -> Vec<Vec<String>> {
    rows(&open(path), sql)
}

/// All rows of a query as text, over a connection that is open already.
pub fn rows(conn: &rusqlite::Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = conn.prepare(sql).expect(sql);
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|at| {
                Ok(match row.get_ref(at)? {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                    rusqlite::types::ValueRef::Real(n) => n.to_string(),
                    rusqlite::types::ValueRef::Text(text) | rusqlite::types::ValueRef::Blob(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                })
            })
            .collect()
    });
    rows.expect(sql).collect::<Result<_, _>>().expect(sql)
}

/// The stored alerts of a tenant: id to raw text.
pub fn stored(path: &Path, tenant: &str) -> BTreeMap<String, String> {
    let sql = format!("SELECT alert_id, raw FROM alerts WHERE tenant_id = '{tenant}'");
    query_all(path, &sql).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// What a perfect reader would have stored of a tenant.
pub fn truth(sim: &Simulator, tenant: &str) -> BTreeMap<String, String> {
    sim.world().with(|world| {
        let visible = world.truth(tenant).into_iter().filter(alertferry_simulator::Truth::is_visible);
        visible.map(|truth| (truth.id, truth.expanded.to_string())).collect()
    })
}

/// Asserts that the store equals the truth for a tenant: every alert, at its newest version, to the byte, one row
/// and one `created` change each.
pub fn assert_equals_truth(path: &Path, sim: &Simulator, tenant: &str) {
    let (stored, truth) = (stored(path, tenant), truth(sim, tenant));
    let missing: Vec<_> = truth.keys().filter(|id| !stored.contains_key(*id)).collect();
    let extra: Vec<_> = stored.keys().filter(|id| !truth.contains_key(*id)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, not in the truth {extra:?}");
    for (id, text) in &truth {
        assert_eq!(&stored[id], text, "the text of {id}");
    }
    let created = query_all(
        path,
        &format!(
            "SELECT alert_id, count(*) FROM alert_changes WHERE tenant_id = '{tenant}' AND kind = 'created' GROUP BY 1"
        ),
    );
    assert_eq!(created.len(), truth.len(), "one `created` for each alert");
    assert!(created.iter().all(|row| row[1] == "1"), "{created:?}");
}

/// A time of the world as the store writes it.
pub fn ticks(text: &str) -> Ticks {
    Ticks::parse(text).expect("a time")
}
