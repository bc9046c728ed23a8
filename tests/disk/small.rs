//! Row D4 on a disk that really is full: a small one in memory, in a mount namespace of its own, made larger later.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::rig::campaign::Row;
use crate::stand;
use crate::support::{Config, House, PROGRAM, on_threads, settle, simulator, wait_until};

/// A process that keeps a namespace with a small disk; both go with it.
struct Disk(Child);

impl Disk {
    /// A disk at `directory`; `None` where this user may not make one.
    fn at(directory: &Path, size: &str) -> Option<Self> {
        let script = "mount -t tmpfs -o size=$1 tmpfs \"$0\" && echo mounted && exec sleep 900";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).arg(directory).arg(size);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut disk = Self(child);
        let mut line = String::new();
        BufReader::new(disk.0.stdout.take()?).read_line(&mut line).ok()?;
        (line.trim() == "mounted").then_some(disk)
    }

    /// A command that sees the disk.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-t").arg(self.0.id().to_string()).args(["-m", program]).stdin(Stdio::null());
        command
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn d4_a_small_disk_that_is_full_is_waited_for_until_it_is_larger() {
    on_threads(async {
        let row = Row::begin("D4");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let sim = simulator(3, 60).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        house.write_private("main.toml", &config.text().replace("alerts.db", "small/alerts.db"));
        std::fs::create_dir(house.path("small")).expect("a directory");
        let Some(disk) = Disk::at(&house.path("small"), "4m") else {
            println!("skipped: this user may not mount a small disk in a namespace of its own");
            return;
        };
        let ferry = |command: &str| {
            let mut ferry = disk.command(PROGRAM);
            ferry.arg("--config").arg(house.path("main.toml")).arg(command);
            ferry
        };
        let mut daemon = house.start_by(ferry("run"));
        wait_until("a full disk", || {
            assert!(daemon.is_alive(), "{}", daemon.spoken());
            sim.world().with(|world| drop(world.live(&mut rng, 20)));
            daemon.lines().iter().any(|line| line["event"] == "store.failed")
        })
        .await;
        let reasons: Vec<_> = daemon.lines().into_iter().filter(|line| line["event"] == "store.failed").collect();
        assert_eq!(reasons[0]["reason"], "the disk with the store is full");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(daemon.is_alive(), "{}", daemon.spoken());
        let larger = disk.command("mount").args(["-o", "remount,size=256m"]).arg(house.path("small")).status();
        assert!(larger.expect("mount").success());
        daemon.hear("store.recovered").await;
        settle(&sim);
        daemon.stop().await;
        let said = stand::run(ferry("sync"));
        assert_eq!(said.code, Some(0), "{said:?}");
        let mut copied = disk.command("sh");
        copied.args(["-c", "cp \"$0\"/alerts.db* \"$1\""]);
        let copied = copied.arg(house.path("small")).arg(house.path("")).status();
        assert!(copied.expect("cp").success());
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
        row.held(1, format!("a disk of 4 MiB, {} alerts, 0 lost", house.number("SELECT count(*) FROM alerts")));
    });
}
