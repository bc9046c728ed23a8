//! Ticks against the known failures of the scheduler underneath: each test is named after one.
#![expect(clippy::print_stdout, reason = "the ticking child speaks to its parent through its output")]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use alertferry::schedule::{Job, MAX_JOBS, Schedule, Ticker, TickerError};
use alertferry::stop::Stop;

/// The variable that makes a test the child of another.
const CHILD: &str = "TICKING_CHILD";

fn sweep() -> Job {
    Job { name: "sweep", schedule: Schedule::parse("* * * * * *").expect("a schedule") }
}

async fn ticking(stop: &Stop) -> Ticker {
    Ticker::start(&[sweep()], stop.clone()).await.expect("started")
}

#[tokio::test]
async fn ticks_come_every_second() {
    let mut ticker = ticking(&Stop::new()).await;
    ticker.next().await.expect("a tick");
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(ticker.next().await.map(|tick| tick.job), Some("sweep"));
    }
    let took = started.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(6)).contains(&took), "{took:?}");
    assert!(ticker.shutdown().await);
}

#[tokio::test]
async fn an_overrunning_taker_meets_one_tick_and_no_backlog() {
    let mut ticker = ticking(&Stop::new()).await;
    ticker.next().await.expect("a tick");
    tokio::time::sleep(Duration::from_millis(3_600)).await;
    let tick = ticker.next().await.expect("the ticks of the meantime");
    assert!(tick.missed >= 1, "{tick:?}");
    assert!(tokio::time::timeout(Duration::from_millis(100), ticker.next()).await.is_err(), "a second one was queued");
    assert_eq!(ticker.stats().coalesced, tick.missed);
    assert_eq!((ticker.stats().rebuilds, ticker.stats().panics), (0, 0));
    assert!(ticker.shutdown().await);
}

/// The scheduler's own shutdown returns at once and leaves its tasks running.
#[tokio::test]
async fn shutdown_ends_everything() {
    let threads = || {
        std::fs::read_dir("/proc/self/task")
            .expect("this process")
            .filter(|task| {
                let name = task.as_ref().ok().and_then(|task| std::fs::read_to_string(task.path().join("comm")).ok());
                name.is_some_and(|name| name.trim() == "ticks")
            })
            .count()
    };
    let before = threads();
    let ticker = ticking(&Stop::new()).await;
    assert!(threads() > 0, "no thread of ours");
    let started = Instant::now();
    assert!(ticker.shutdown().await);
    assert!(started.elapsed() < Duration::from_secs(2));
    // Tests beside this one have such threads, too, for a while.
    while threads() > before && started.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(threads() <= before, "a thread was left behind");
}

#[tokio::test]
async fn the_stop_signal_ends_a_wait() {
    let stop = Stop::new();
    let mut ticker = ticking(&stop).await;
    stop.stop();
    assert_eq!(ticker.next().await, None);
    assert_eq!(ticker.next().await, None);
    assert!(ticker.shutdown().await);
}

/// A scheduler that was shut down refuses to start again; a ticker is a new one each time.
#[tokio::test]
async fn start_after_shutdown() {
    let stop = Stop::new();
    for _ in 0..2 {
        let mut ticker = ticking(&stop).await;
        assert!(ticker.next().await.is_some());
        assert!(ticker.shutdown().await);
    }
}

#[tokio::test]
async fn too_many_jobs_are_refused() {
    let jobs = vec![sweep(); MAX_JOBS + 1];
    assert!(matches!(Ticker::start(&jobs, Stop::new()).await, Err(TickerError::TooManyJobs(11))));
    let none = Ticker::start(&[], Stop::new()).await.expect("started");
    assert!(none.shutdown().await);
}

/// The runtime's only worker is blocked, as by a page of JSON that is parsed in the wrong place.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the blocked worker is what is tested")]
async fn a_stalled_runtime_is_survived() {
    let mut ticker = ticking(&Stop::new()).await;
    ticker.next().await.expect("a tick");
    std::thread::sleep(Duration::from_secs(5));
    let tick = ticker.next().await.expect("the ticks of the meantime");
    assert!(tick.missed >= 2, "{tick:?}");
    for _ in 0..2 {
        assert_eq!(ticker.next().await.map(|tick| tick.missed), Some(0));
    }
    assert_eq!((ticker.stats().rebuilds, ticker.stats().stalls), (0, 0));
    assert!(ticker.shutdown().await);
}

/// A stopped process, a suspended machine: the scheduler's repeated jobs never fire again after it.
#[test]
#[expect(clippy::disallowed_methods, reason = "a variable tells the child from its parent")]
fn a_stopped_process_ticks_on_when_it_goes_on() {
    if std::env::var_os(CHILD).is_some() {
        return tick_until_killed();
    }
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["a_stopped_process_ticks_on_when_it_goes_on", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = lines(child.stdout.take().expect("a pipe"));
    let tick = |within| lines.recv_timeout(Duration::from_secs(within));
    tick(20).expect("a first tick");
    signal(&child, "STOP");
    while tick(1).is_ok() {}
    assert!(tick(6).is_err(), "a stopped process does not tick");
    signal(&child, "CONT");
    let after: Vec<_> = (0..4).map(|_| tick(20)).collect();
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(after.iter().all(Result::is_ok), "{after:?}");
}

fn tick_until_killed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut ticker = ticking(&Stop::new()).await;
        while let Some(tick) = ticker.next().await {
            println!("\ntick {tick:?} {:?}", ticker.stats());
        }
    });
}

fn lines(pipe: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let ticks = BufReader::new(pipe).lines().map_while(Result::ok).filter(|line| line.starts_with("tick "));
        for line in ticks {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
    assert!(status.expect("kill runs").success());
}
