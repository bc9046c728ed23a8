//! Owns the peaks of memory with big answers and with hostile ones.

use alertferry_simulator::{Cut, Fault, FaultRule, Options, Route, Simulator, Template, World, numbered_guid};

use crate::runtime;
use crate::support::{Cell, Daemon, House, Table, at_most, count, number, ratio};

/// What reading answers of 10,000 rows may take, in MiB.
const MOST_MIB: f64 = 64.0;
/// What a hostile body may take beyond a daemon that met nothing hostile, in MiB; docs/RELIABILITY.md says the same.
const BEYOND_MIB: f64 = 48.0;
/// Twice what an answer may have.
const HUGE: u64 = 512 << 20;

/// What a daemon meets.
struct Case {
    name: &'static str,
    alerts: usize,
    bytes: usize,
    fault: Option<Fault>,
}

fn cases() -> Vec<Case> {
    let big = |name, alerts, bytes| Case { name, alerts, bytes, fault: None };
    let hostile = |name, fault| Case { name, alerts: 20, bytes: 2_400, fault: Some(fault) };
    vec![
        big("20 alerts", 20, 2_400),
        big("pages of 10,000 alerts of 2.4 KB", 30_000, 2_400),
        big("a page of 10,000 alerts of 6 KB: 60 MB", 10_000, 6_000),
        big("200 alerts of 300 KB: 60 MB", 200, 300_000),
        hostile("an alert of 512 MiB", Fault::HugeAlert { bytes: HUGE }),
        hostile("512 MiB of white space", Fault::HugeBody { bytes: HUGE }),
        hostile("512 MiB out of a small compressed body", Fault::GzipBomb { decoded_bytes: HUGE }),
        hostile("a million arrays inside each other", Fault::DeepJson { depth: 1_000_000 }),
        hostile("an answer that is cut in the middle", Fault::CutBody(Cut::Fraction(0.5))),
    ]
}

/// Prints the table.
pub(crate) fn measure() {
    let columns = ["alerts stored", "s", "CPU s", "peak MiB", "x 20 alerts", "bar"];
    let table = Table::begin("memory", "a daemon of one tenant meets", &columns);
    let mut least: Option<f64> = None;
    for case in cases() {
        let runtime = runtime();
        let simulator = runtime.block_on(serve(&case));
        let hostile = case.fault.is_some();
        // Who meets something hostile is to meet it again.
        let poll = if hostile { "schedule = \"* * * * * *\"" } else { "" };
        let house = House::furnish(&simulator.login_url(), &[numbered_guid(1)], poll);
        let begun = std::time::Instant::now();
        let mut daemon = house.start();
        meet(&mut daemon, hostile);
        let spent = daemon.spent();
        let seconds = begun.elapsed().as_secs_f64();
        daemon.stop();
        let most = if hostile { least.unwrap_or_default() + BEYOND_MIB } else { MOST_MIB };
        let cells: [Cell; 6] = [
            count(house.alerts()),
            number(seconds, 1),
            number(spent.cpu_seconds(), 2),
            number(spent.peak_mib(), 1),
            ratio(spent.peak_mib(), least),
            at_most(spent.peak_mib(), most.round(), "MiB"),
        ];
        table.row(case.name, &cells);
        least.get_or_insert(spent.peak_mib());
        if !hostile {
            assert_eq!(house.alerts(), u64::try_from(case.alerts).expect("small"), "{}", case.name);
        }
    }
}

async fn serve(case: &Case) -> Simulator {
    let mut world = World::new(Options { log_capacity: 1, ..Options::default() });
    world.fill(&numbered_guid(1), case.alerts, &Template { bytes: case.bytes, ..Template::default() });
    let simulator = Simulator::start(world).await.expect("a simulator");
    if let Some(fault) = case.fault.clone() {
        simulator.faults().add(FaultRule::new(fault).on(Route::Alerts));
    }
    simulator
}

/// Waits until all was read, or until two passes have met what is hostile, however they took it.
fn meet(daemon: &mut Daemon<'_>, hostile: bool) {
    let mut met = 0;
    daemon.wait_until("the end of reading", |daemon| {
        let passes = daemon.passes();
        met += passes.len();
        if hostile { met >= 2 } else { passes.iter().any(|pass| pass.read) }
    });
}
