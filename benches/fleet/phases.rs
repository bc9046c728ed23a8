//! Owns the order of what a fleet goes through, and the tables.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use alertferry::clock::Clock;
use alertferry::schedule::Schedule;

use crate::Size;
use crate::bare::{self, Bare};
use crate::lateness::Watch;
use crate::support::{self, Cell, Daemon, House, Spent, Table, at_most, count, number, ratio};
use crate::trouble::{self, Trouble};
use crate::world::{Asked, Fleet};

/// Laps of all at once, and of the bare client; the best of each counts.
const ROUNDS: usize = 2;

/// A lap: every tenant was read once.
#[derive(Debug, Clone, Copy)]
struct Lap {
    seconds: f64,
    spent: Spent,
    polls: u64,
    sign_ins: u64,
    written: u64,
}

/// What was so before a lap.
struct Before {
    at: Instant,
    spent: Spent,
    asked: Asked,
    changes: u64,
}

impl Before {
    fn look(daemon: &Daemon<'_>, fleet: &Fleet) -> Self {
        let changes = daemon.house().changes();
        Self { at: Instant::now(), spent: daemon.spent(), asked: fleet.asked(), changes }
    }

    fn lap(&self, daemon: &Daemon<'_>, fleet: &Fleet) -> Lap {
        let asked = fleet.asked();
        Lap {
            seconds: self.at.elapsed().as_secs_f64(),
            spent: daemon.spent() - self.spent,
            polls: asked.polls - self.asked.polls,
            sign_ins: asked.sign_ins - self.asked.sign_ins,
            written: daemon.house().changes() - self.changes,
        }
    }
}

/// Reads on for a while and measures nothing, for whoever looks at the daemon with a profiler.
#[expect(clippy::print_stdout, reason = "somebody waits for the process id")]
pub(crate) fn only_read(fleet: &Fleet, size: Size, time: Duration) {
    let house = House::furnish(&fleet.simulator.login_url(), &fleet.tenants, &size.poll());
    let mut daemon = house.start();
    println!("the daemon's process is {}", daemon.pid());
    let lap = first_contact(&mut daemon, fleet);
    println!("all were read after {:.1} s; it goes on for {} s", lap.seconds, time.as_secs());
    support::pause(time);
    daemon.stop();
}

/// All phases and both tables.
pub(crate) fn measure(fleet: &Fleet, size: Size) {
    let laps = Laps::begin(size);
    let house = House::furnish(&fleet.simulator.login_url(), &fleet.tenants, &size.poll());
    let mut daemon = house.start();
    laps.moment("start, the store is new", daemon.hear("daemon.ready"), &daemon);
    let first = first_contact(&mut daemon, fleet);
    assert_eq!(house.alerts(), u64::try_from(fleet.alerts()).expect("small"), "all alerts are there");
    laps.lap("first contact, all at once", &first, None);
    let quiet = interval(&mut daemon, fleet, size, None);
    laps.interval("an interval, all well", &quiet, None);
    let disturbed = Trouble::ALL.map(|trouble| {
        let run = interval(&mut daemon, fleet, size, Some(trouble));
        laps.interval(&format!("an interval, one in {} {}", size.one_in, trouble.name()), &run, Some(&quiet));
        run
    });
    let again = interval(&mut daemon, fleet, size, None);
    laps.interval("an interval, all well again", &again, Some(&quiet));
    let best = |laps: Vec<Lap>| laps.into_iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("a lap");
    let at_once = best((0..ROUNDS).map(|_| all_at_once(&mut daemon, fleet)).collect());
    daemon.signal("HUP");
    let reload = daemon.hear("config.reloaded");
    laps.moment("reload", reload, &daemon);
    let stopped = daemon.stop();
    let again_started = {
        let mut daemon = house.start();
        laps.moment("start, the store is full", daemon.hear("daemon.ready"), &daemon);
        daemon.stop()
    };
    let bare = (0..ROUNDS).map(|_| bare::poll(fleet)).min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("a lap");
    laps.limit(&bare, size.tenants);
    laps.lap("a poll of all at once", &at_once, Some(bare));
    bars(&Run { size, first, quiet, disturbed, again, at_once, stopped: stopped.max(again_started) });
}

/// Waits until each tenant was read to the end.
fn first_contact(daemon: &mut Daemon<'_>, fleet: &Fleet) -> Lap {
    let before = Before { at: Instant::now(), spent: daemon.spent(), asked: fleet.asked(), changes: 0 };
    let mut unread: HashSet<&str> = fleet.tenants.iter().map(String::as_str).collect();
    daemon.wait_until("the first contact", |daemon| {
        for pass in daemon.passes().iter().filter(|pass| pass.read) {
            unread.remove(pass.tenant.as_str());
        }
        unread.is_empty()
    });
    before.lap(daemon, fleet)
}

/// Makes all tenants due and waits until each was read.
fn all_at_once(daemon: &mut Daemon<'_>, fleet: &Fleet) -> Lap {
    daemon.passes();
    let (before, since) = (Before::look(daemon, fleet), Clock::System.now());
    daemon.signal("USR1");
    let mut unread: HashSet<&str> = fleet.tenants.iter().map(String::as_str).collect();
    daemon.wait_until("a poll of all at once", |daemon| {
        for pass in daemon.passes().iter().filter(|pass| pass.read && pass.began >= since) {
            unread.remove(pass.tenant.as_str());
        }
        unread.is_empty()
    });
    before.lap(daemon, fleet)
}

/// An interval from its begin until all spared tenants were read.
struct Interval {
    watch: Watch,
    lap: Lap,
    passes: usize,
    changed: u64,
}

fn interval(daemon: &mut Daemon<'_>, fleet: &Fleet, size: Size, trouble: Option<Trouble>) -> Interval {
    let schedule = Schedule::parse(&size.schedule()).expect("a schedule");
    let from = schedule.next_after(Clock::System.now());
    let spared = fleet.tenants.iter().enumerate().filter(|(at, _)| trouble::is_spared(*at, size.one_in));
    let mut watch = Watch::new(spared.map(|(_, tenant)| tenant), &schedule, from);
    daemon.wait_until("the interval", |_| Clock::System.now() >= from);
    daemon.passes();
    if let Some(trouble) = trouble {
        trouble.begin(fleet, size.one_in);
    }
    let before = Before::look(daemon, fleet);
    Spent::forget_peak(daemon.pid());
    let (mut passes, mut changed) = (0, 0);
    let until = from.plus(size.interval());
    daemon.wait_until("the end of the interval", |daemon| {
        let news = daemon.passes();
        passes += news.len();
        changed += news.iter().map(|pass| pass.changed).sum::<u64>();
        watch.see(&news);
        watch.missing() == 0 && Clock::System.now() >= until
    });
    fleet.simulator.faults().clear();
    let mut lap = before.lap(daemon, fleet);
    lap.seconds = watch.last.since(from).as_secs_f64();
    Interval { watch, lap, passes, changed }
}

/// The table of laps.
struct Laps {
    table: Table,
    size: Size,
}

impl Laps {
    fn begin(size: Size) -> Self {
        let columns = [
            "tenants",
            "s",
            "begins late p50 ms",
            "begins late p99 ms",
            "ends late p50 ms",
            "ends late p99 ms",
            "p99, x all well",
            "latest ms",
            "requests a poll",
            "sign-ins",
            "rows written",
            "CPU s",
            "CPU ms a poll",
            "peak MiB",
            "x limit",
        ];
        Self { table: Table::begin("fleet", "what", &columns), size }
    }

    fn print(&self, what: &str, late: [Cell; 6], rest: [Cell; 7], seconds: f64) {
        let mut cells = vec![count(self.size.tenants), number(seconds, 2)];
        cells.extend(late);
        cells.extend(rest);
        self.table.row(what, &cells);
    }

    /// Something that takes time and reads nobody.
    fn moment(&self, what: &str, took: Duration, daemon: &Daemon<'_>) {
        let nothing = || Cell::Nothing;
        let spent = daemon.spent();
        let rest = [
            nothing(),
            nothing(),
            nothing(),
            number(spent.cpu_seconds(), 2),
            nothing(),
            number(spent.peak_mib(), 1),
            nothing(),
        ];
        self.print(what, std::array::from_fn(|_| nothing()), rest, took.as_secs_f64());
    }

    fn lap(&self, what: &str, lap: &Lap, limit: Option<Bare>) {
        let limit = ratio(lap.seconds, limit.map(|bare| bare.seconds));
        let polls = per(lap.polls, self.size.tenants);
        self.print(
            what,
            std::array::from_fn(|_| Cell::Nothing),
            rest(lap, polls, self.size.tenants, limit),
            lap.seconds,
        );
    }

    fn interval(&self, what: &str, run: &Interval, quiet: Option<&Interval>) {
        let ([begin50, end50], [begin99, end99]) = (run.watch.percentiles(0.5), run.watch.percentiles(0.99));
        let late = [
            number(begin50, 0),
            number(begin99, 0),
            number(end50, 0),
            number(end99, 0),
            ratio(end99, quiet.map(|quiet| quiet.watch.percentiles(0.99)[1])),
            number(run.watch.percentiles(1.0)[1], 0),
        ];
        let polls = per(run.lap.polls, run.passes);
        self.print(what, late, rest(&run.lap, polls, run.passes, Cell::Nothing), run.lap.seconds);
    }

    fn limit(&self, bare: &Bare, polls: usize) {
        let rest = [
            number(1.0, 2),
            count(0_u64),
            Cell::Nothing,
            number(bare.cpu_seconds, 2),
            number(bare.cpu_seconds * 1_000.0 / f64_of(polls), 2),
            number(bare.peak_mib, 1),
            number(1.0, 2),
        ];
        self.print(
            "as many polls by a bare client (limit)",
            std::array::from_fn(|_| Cell::Nothing),
            rest,
            bare.seconds,
        );
    }
}

fn rest(lap: &Lap, polls: Cell, passes: usize, limit: Cell) -> [Cell; 7] {
    [
        polls,
        count(lap.sign_ins),
        count(lap.written),
        number(lap.spent.cpu_seconds(), 2),
        number(lap.spent.cpu_us_each(passes) / 1_000.0, 2),
        number(lap.spent.peak_mib(), 1),
        limit,
    ]
}

fn per(requests: u64, polls: usize) -> Cell {
    number(f64_of(usize::try_from(requests).expect("small")) / f64_of(polls.max(1)), 3)
}

#[expect(clippy::cast_precision_loss, reason = "figures are for people")]
fn f64_of(count: usize) -> f64 {
    count as f64
}

/// All that was measured.
struct Run {
    size: Size,
    first: Lap,
    quiet: Interval,
    disturbed: [Interval; 3],
    again: Interval,
    at_once: Lap,
    stopped: Duration,
}

impl Run {
    /// The peak of all phases.
    fn peak_mib(&self) -> f64 {
        let intervals = [&self.quiet, &self.again].into_iter().chain(&self.disturbed);
        let laps = intervals.map(|interval| interval.lap).chain([self.first, self.at_once]);
        laps.map(|lap| lap.spent.peak_mib()).fold(0.0, f64::max)
    }
}

/// What we set ourselves.
fn bars(run: &Run) {
    let Run { size, quiet, .. } = run;
    let table = Table::begin("fleet", "bar", &["tenants", "measured", "became"]);
    let row = |what: &str, measured: f64, became: Cell| {
        table.row(what, &[count(size.tenants), number(measured, 3), became]);
    };
    let interval = size.interval().as_secs_f64();
    let seconds = |interval: &Interval, part: f64| interval.watch.percentiles(part)[1] / 1_000.0;
    let (latest, p99) = (seconds(quiet, 1.0), seconds(quiet, 0.99));
    row("each is read within an interval of its instant, s", latest, at_most(latest, interval, "s"));
    let lap = run.at_once.seconds;
    row("all at once are read within an interval, s", lap, at_most(lap, interval, "s"));
    row("p99 of lateness, s", p99, at_most(p99, 30.0, "s"));
    let well = f64::midpoint(p99, seconds(&run.again, 0.99));
    for (trouble, disturbed) in Trouble::ALL.iter().zip(&run.disturbed) {
        let shift = seconds(disturbed, 0.99) / well;
        let what = format!("p99 of the others, some {}, x the two intervals with all well", trouble.name());
        row(&what, shift, at_most(shift, 1.05, "x"));
    }
    let noise = seconds(&run.again, 0.99) / p99;
    row("p99 of the second interval with all well, x the first: the noise of this run", noise, Cell::Nothing);
    let requests = f64_of(usize::try_from(quiet.lap.polls).expect("small")) / f64_of(quiet.passes.max(1));
    row("requests a poll", requests, at_most((requests * 100.0).round() / 100.0, 1.0, ""));
    let written = f64_of(usize::try_from(quiet.lap.written + quiet.changed).expect("small"));
    row("alert rows written in an interval", written, at_most(written, 0.0, ""));
    let most = if size.tenants <= 1_000 { 128.0 } else { 384.0 };
    row("peak memory, MiB", run.peak_mib(), at_most(run.peak_mib(), most, "MiB"));
    let stopped = run.stopped.as_secs_f64();
    row("stopping, s", stopped, at_most(stopped, 2.0, "s"));
}
