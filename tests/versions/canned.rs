//! Owns a service that answers with just the rows it is given, even such as no service should ever send.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::domain::{Tenant, Ticks};
use alertferry::pass::Options;
use alertferry_simulator::Simulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{self, Rig, guid};

/// A row's bytes, and the time by which windows find it.
type Row = (Ticks, Vec<u8>);

/// A reader of one tenant whose login is the simulator's and whose alerts are what the test says.
pub struct Canned {
    pub rig: Rig,
    pub tenant: Tenant,
    rows: Arc<Mutex<Vec<Row>>>,
    clock: ManualClock,
    sim: Simulator,
    _serving: JoinSet<()>,
}

impl Canned {
    pub async fn new() -> Self {
        let mut world = support::world();
        world.add_tenant(&guid(1));
        let sim = Simulator::start(world).await.expect("a simulator");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let clock = ManualClock::at(support::ticks(support::START));
        let api_url = format!("http://{}", listener.local_addr().expect("bound"));
        let tenant = Tenant { api_url, ..support::tenant(&sim, &guid(1)) };
        let rows: Arc<Mutex<Vec<Row>>> = Arc::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&rows), Clock::Manual(clock.clone())));
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let rig = Rig::in_dir(dir, Options::default(), vec![support::app()], Clock::Manual(clock.clone()));
        rig.enrol(std::slice::from_ref(&tenant)).await;
        let canned = Self { rig, tenant, rows, clock, sim, _serving: serving };
        canned.rig.pass(&canned.tenant).await;
        canned
    }

    /// Answers with these rows from now on, and reads them.
    pub async fn answer(&self, rows: &[&str]) {
        let at = self.present();
        *self.rows() = rows.iter().map(|row| (at, row.as_bytes().to_vec())).collect();
        self.read().await;
    }

    /// Answers with these bytes from now on, without reading them yet.
    pub fn prepare(&self, rows: Vec<Vec<u8>>) {
        let at = self.present();
        *self.rows() = rows.into_iter().map(|row| (at, row)).collect();
    }

    /// One poll, five minutes later.
    pub async fn read(&self) -> alertferry::store::PassRecord {
        self.clock.advance(Duration::from_secs(300));
        self.sim.world().with(|world| world.advance(Duration::from_secs(300)));
        self.rig.pass(&self.tenant).await
    }

    /// The changes so far: kind, version, fields.
    pub fn changes(&self) -> Vec<[String; 3]> {
        let rows = self.rig.query_all("SELECT kind, last_update_time, fields FROM alert_changes ORDER BY seq");
        rows.into_iter().map(|row| <[String; 3]>::try_from(row).expect("three columns")).collect()
    }

    pub fn raw(&self) -> String {
        self.rig.query("SELECT raw FROM alerts")
    }

    fn present(&self) -> Ticks {
        Clock::Manual(self.clock.clone()).now()
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Vec<Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of an alert of the tenant.
pub fn alert(id: &str, second: u32, rest: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"lastUpdateTime\":\"2026-11-20T12:00:{second:02}.5Z\",\"aadTenantId\":\"{}\"{rest}}}",
        guid(1)
    )
}

async fn serve(listener: TcpListener, rows: Arc<Mutex<Vec<Row>>>, clock: Clock) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, Arc::clone(&rows), clock.clone()));
    }
}

/// One request, one answer, and the connection ends.
async fn answer(mut stream: TcpStream, rows: Arc<Mutex<Vec<Row>>>, clock: Clock) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
    }
    let request = String::from_utf8_lossy(&request).replace("%3A", ":").replace('+', " ");
    let bound = |operator: &str| {
        let from = request.find(&format!("lastUpdateTime {operator} "))? + 18;
        Ticks::parse(&request[from..from + 28]).ok()
    };
    let (from, until) = (bound("ge").unwrap_or(Ticks::MIN), bound("lt").unwrap_or(Ticks::MAX));
    let inside = |row: &&Row| from <= row.0 && row.0 < until;
    let found: Vec<Vec<u8>> = {
        let rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().filter(inside).map(|row| row.1.clone()).collect()
    };
    let body = [&b"{\"value\":["[..], &found.join(&b","[..]), b"]}"].concat();
    let since = Duration::from_secs(clock.now().unix_seconds().unsigned_abs());
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + since);
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // A reader that leaves early is none of the service's business.
    if stream.write_all(head.as_bytes()).await.is_ok() && stream.write_all(&body).await.is_ok() {}
}
