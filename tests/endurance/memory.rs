//! P4: little memory. A thousand tenants and more are read by a process that gets no more than 512 MiB of it, with hostile
//! answers beside.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::field::Field;
use crate::gauge;
use crate::rig::campaign::{Row, times};
use crate::rig::{guid, truth};
use crate::support::{Daemon, House, on_threads, wait_until};

const MIB: u64 = 1024 * 1024;
/// What the process may have, in MiB: memory of its own that it can write, by the system's limit.
const CAP: u64 = 512;
/// All are read in this time, unless they never are: so many seconds for a thousand of them.
const PATIENCE: u64 = 150;

/// The daemon, whose memory the system limits.
fn capped(house: &House) -> Command {
    let mut command = Command::new("sh");
    let limited = format!("ulimit -d {} && exec \"$0\" \"$@\"", CAP * 1024);
    command.args(["-c", &limited]);
    let whole = house.command(&["run"]);
    command.arg(whole.get_program()).args(whole.get_args()).stdin(std::process::Stdio::null());
    command
}

/// Waits until tenants were read to the end: those behind the first `but`, and since this time. The most files and threads
/// that were seen meanwhile.
async fn read(field: &Field, daemon: &mut Daemon, tenants: u64, but: u64, since: &str) -> [u64; 2] {
    let well = format!(
        "SELECT count(*) FROM tenants
         WHERE tenant_id > '{}' AND state = 'ok' AND open_gaps = 0 AND last_success_at > '{since}'",
        guid(but)
    );
    let (begun, patience) = (Instant::now(), Duration::from_secs(PATIENCE * tenants.div_ceil(1_000)));
    let mut most = [0, 0];
    wait_until("a store", || field.house.store_is_there()).await;
    while field.house.number(&well) < i64::try_from(tenants - but).expect("few") {
        assert!(daemon.is_alive(), "{}", daemon.spoken().chars().rev().take(2_000).collect::<String>());
        assert!(begun.elapsed() < patience, "{} of {tenants} tenants are read", field.house.number(&well));
        if let Some(now) = gauge::Gauge::of(daemon, &field.house.store()) {
            most = [most[0].max(now.files), most[1].max(now.threads)];
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    most
}

/// The oracle for many tenants: the same, with one question for all of them.
fn assert_whole(field: &Field) {
    let tenants: Vec<String> = field.config.customers.iter().map(|customer| customer.id.clone()).collect();
    let truth: BTreeSet<_> = tenants
        .iter()
        .flat_map(|tenant| truth(&field.sim, tenant).into_iter().map(|(id, text)| vec![tenant.clone(), id, text]))
        .collect();
    let stored = field.house.query("SELECT tenant_id, alert_id, raw FROM alerts");
    assert_eq!(stored.len(), truth.len(), "alerts in the store, and in the truth");
    assert!(stored.into_iter().collect::<BTreeSet<_>>() == truth, "the store is not the truth");
    let created = "SELECT count(*), count(DISTINCT tenant_id || alert_id) FROM alert_changes WHERE kind = 'created'";
    let all = truth.len().to_string();
    assert_eq!(field.house.query(created), [[all.clone(), all]], "one `created` for each alert");
    field.house.assert_equals_truth(&field.sim, &[]);
    field.assert_sound();
}

#[test]
fn p4_a_thousand_tenants_fit_512_mib_with_hostile_answers_beside() {
    on_threads(async {
        let row = Row::begin("P4");
        let (tenants, hostile) = (times(1_000, 10_000), times(6, 24));
        let mut field = Field::new(&row, tenants, 2, |config| {
            config.schedule = "0 */5 * * * *";
            config.poll = "request_timeout = \"20s\"".to_owned();
        })
        .await;
        let bodies = [
            Fault::HugeBody { bytes: 500 * MIB },
            Fault::GzipBomb { decoded_bytes: 1024 * MIB },
            Fault::HugeAlert { bytes: 64 * MIB },
        ];
        let rules: Vec<_> = (1..=hostile)
            .zip(bodies.iter().cycle())
            .map(|(n, fault)| field.sim.faults().add(FaultRule::new(fault.clone()).on(Route::Alerts).tenant(&guid(n))))
            .collect();
        let mut daemon = field.house.start_by(capped(&field.house));
        let begun = Instant::now();
        let [files, threads] = read(&field, &mut daemon, tenants, hostile, "").await;
        let took = begun.elapsed();
        let struck: u64 = rules.iter().map(|rule| field.sim.faults().struck(*rule)).sum();
        assert!(struck >= hostile, "{struck} hostile answers");
        let peak = gauge::status(daemon.pid(), "VmHWM").expect("alive");
        let data = gauge::status(daemon.pid(), "VmData").expect("alive");
        assert!(peak < CAP * 1024, "{peak} KiB");
        assert!(daemon.is_alive(), "{}", daemon.spoken());
        daemon.stop().await;
        // The answers are good again, and everybody is due once more.
        field.sim.faults().clear();
        field.live(200);
        field.house.time_passes();
        let now = field.house.query("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")[0][0].clone();
        let mut daemon = field.house.start_by(capped(&field.house));
        read(&field, &mut daemon, tenants, 0, &now).await;
        daemon.stop().await;
        assert_whole(&field);
        let (peak, data) = (peak / 1024, data / 1024);
        row.held(
            tenants,
            format!(
                "tenants within {CAP} MiB in {took:.1?}: peak {peak} MiB resident, {data} MiB of data, {struck} hostile \
                 answers, at most {files} files and {threads} threads"
            ),
        );
    });
}
