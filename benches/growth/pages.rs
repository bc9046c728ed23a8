//! Owns what an alert costs as answers grow: the daemon reads the same history with pages that double in size.

use alertferry_simulator::{Options, Simulator, Template, World, numbered_guid};

use crate::support::{Cell, House, Spent, Table, count, number, ratio};

/// Alerts of the one tenant that is read.
const ALERTS: usize = 40_000;
/// The smallest page; each further one is twice as large.
const FIRST_PAGE: u64 = 625;

/// Reads with pages up to `most` rows.
pub(crate) fn double(most: u64) {
    println!("\n{ALERTS} alerts of one tenant, read by the daemon with pages that double");
    let columns = [
        "requests",
        "CPU µs an alert",
        "CPU µs, x first",
        "peak MiB",
        "peak, x first",
        "KiB written an alert",
        "written, x first",
    ];
    let table = Table::begin("growth", "rows of a page", &columns);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut first: Option<Read> = None;
    let sizes = std::iter::successors(Some(FIRST_PAGE.min(most)), |size| Some(size * 2));
    for size in sizes.take_while(|size| *size <= most) {
        let simulator = runtime.block_on(serve());
        let read = read(&simulator, size);
        let with_ratio = |value: f64, of: fn(&Read) -> f64, digits: usize| -> [Cell; 2] {
            [number(value, digits), ratio(value, first.as_ref().map(of))]
        };
        let [cpu, cpu_ratio] = with_ratio(read.cpu_us(), Read::cpu_us, 1);
        let [peak, peak_ratio] = with_ratio(read.spent.peak_mib(), |read| read.spent.peak_mib(), 1);
        let [kib, kib_ratio] = with_ratio(read.kib(), Read::kib, 1);
        table.row(&size.to_string(), &[count(read.requests), cpu, cpu_ratio, peak, peak_ratio, kib, kib_ratio]);
        first.get_or_insert(read);
        runtime.block_on(simulator.stop());
    }
}

/// What reading the history took.
struct Read {
    requests: u64,
    spent: Spent,
}

impl Read {
    fn cpu_us(&self) -> f64 {
        self.spent.cpu_us_each(ALERTS)
    }

    fn kib(&self) -> f64 {
        self.spent.kib_each(ALERTS)
    }
}

async fn serve() -> Simulator {
    let mut world = World::new(Options { log_capacity: 1, ..Options::default() });
    let template = Template { bytes: 2_400, ..Template::default() };
    world.fill(&numbered_guid(1), ALERTS, &template);
    Simulator::start(world).await.expect("a simulator")
}

fn read(simulator: &Simulator, page: u64) -> Read {
    let tenants = [numbered_guid(1)];
    let house = House::furnish(&simulator.login_url(), &tenants, &format!("page_size = {page}"));
    let mut daemon = house.start();
    daemon.wait_until("the end of the history", |daemon| daemon.passes().iter().any(|pass| pass.read));
    let spent = daemon.spent();
    daemon.stop();
    assert_eq!(house.alerts(), u64::try_from(ALERTS).expect("small"), "all alerts are there");
    Read { requests: simulator.stats().total(alertferry_simulator::Route::Alerts), spent }
}
