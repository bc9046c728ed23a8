//! S6: where a secret could be found after it was used: every output, every file, and the memory of the process.
//!
//! That no server can make the program repeat a secret, at any status and in any form, is in `tests/process/canary.rs` and
//! `canary_keys.rs`; that a configuration's errors do not, in `tests/settings.rs`.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

use alertferry_simulator::{App, Certificate, DEFAULT_CLIENT_ID, SelfSigned, Simulator};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::proxy;
use crate::rig::guid;
use crate::support::{Config, Daemon, House, PROGRAM, SELDOM, on_threads, real_time_world, wait_until};

/// What is planted, each of its own kind.
const SECRET: &str = "c4n4ry~0f~the~client~secret";
const PASSWORD: &str = "c4n4ry-0f-the-proxy";
/// A user that owns nothing here.
const NOBODY: u32 = 65_534;
/// `c4n4ry` begins each; so much of a key's line gives that away.
const TELLING: usize = 20;

/// Three customers: one by secret, one by certificate, one whose API lies behind the proxy.
struct Scene {
    sim: Simulator,
    house: House,
    key: String,
    proxy: crate::listeners::Server,
}

async fn scene() -> Scene {
    let mut world = real_time_world();
    world.apps = vec![App::new(DEFAULT_CLIENT_ID, SECRET)];
    let made = SelfSigned::generate("ferry").expect("a key");
    world.apps[0].certificates.push(Certificate::from_pem(&made.certificate_pem).expect("a certificate"));
    for n in 1..=3 {
        world.add_tenant(&guid(n));
        world.fill(
            &guid(n),
            5,
            &alertferry_simulator::Template { evidence: 1, bytes: 900, seed: n, ..Default::default() },
        );
    }
    let sim = Simulator::start(world).await.expect("a simulator");
    let proxy = proxy::start(BTreeMap::new(), None).await;
    let mut config = Config { schedule: SELDOM, ..Config::of(&sim) };
    config.log = "level = \"trace\"\nhistory = true".to_owned();
    config.apps.push(("signed", "SIGNED".to_owned()));
    config.customers[1].app = "signed";
    config.customers[2].lines = "api_url = \"https://api.ferry.example\"".to_owned();
    let house = House::with(&config);
    let certificate = "certificate = { key = { file = \"key.pem\" }, cert = { file = \"cert.pem\" } }";
    let network = format!(
        "[network]\nproxy = \"http://{}\"\nproxy_credentials = {{ file = \"proxy-pair\" }}\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n",
        proxy.address
    );
    house.write_private("main.toml", &(config.text().replace("secret = SIGNED", certificate) + &network));
    house.write_private("secret", SECRET);
    house.write_private("proxy-pair", &format!("ferry:{PASSWORD}\n"));
    house.write_private("key.pem", &made.private_key_pem);
    house.write("cert.pem", &made.certificate_pem);
    Scene { sim, house, key: made.private_key_pem, proxy }
}

impl Scene {
    /// Whatever gives a planted thing away.
    fn needles(&self) -> Vec<String> {
        let pair = STANDARD.encode(format!("ferry:{PASSWORD}"));
        let mut needles = vec![SECRET.to_owned(), PASSWORD.to_owned(), pair];
        let lines = self.key.lines().filter(|line| !line.starts_with("-----"));
        needles.extend(lines.map(|line| line[..line.len().min(TELLING)].to_owned()));
        // Every token begins alike.
        let token = self.sim.token(&guid(1)).expect("a token");
        needles.push(token.split_inclusive('.').next().expect("a head").to_owned());
        needles
    }

    fn assert_clean(&self, what: &str, bytes: &[u8]) {
        for needle in self.needles() {
            assert!(memchr::memmem::find(bytes, needle.as_bytes()).is_none(), "{what} holds {needle}");
        }
    }

    /// Waits until all three were tried, and the two that can be read are.
    async fn read(&self) {
        wait_until("every attempt", || {
            self.house.store_is_there()
                && self.house.number("SELECT count(*) FROM tenants WHERE last_attempt_at IS NOT NULL") == 3
                && self.house.number("SELECT count(*) FROM tenants WHERE last_success_at IS NOT NULL") == 2
        })
        .await;
        let asked = String::from_utf8_lossy(&self.proxy.seen.bytes()).into_owned();
        assert!(asked.contains(&STANDARD.encode(format!("ferry:{PASSWORD}"))), "the password was used: {asked}");
    }
}

#[test]
fn s06_no_output_or_file_holds_what_was_planted() {
    on_threads(async {
        let scene = scene().await;
        let daemon = scene.house.start();
        let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
        scene.read().await;
        for name in ["cmdline", "environ"] {
            // Closed to its own user, which is better still.
            if let Ok(bytes) = std::fs::read(format!("/proc/{}/{name}", daemon.pid())) {
                scene.assert_clean(name, &bytes);
            }
        }
        for path in ["/metrics", "/status"] {
            scene.assert_clean(path, &asked(&address, path));
        }
        let at = |name: &str| scene.house.path(name).display().to_string();
        let (copy, ndjson, parquet) = (at("copy.db"), at("alerts.ndjson"), at("changes.parquet"));
        for arguments in [
            ["backup", &copy].as_slice(),
            &["export", "alerts", "--out", &ndjson],
            &["export", "changes", "--out", &parquet],
            &["status", "--format", "json"],
            &["check"],
            &["consent", &guid(1)],
            &["tenant", "list"],
        ] {
            let said = scene.house.run(arguments);
            assert!(said.code.is_some_and(|code| code != 101), "{arguments:?}: {said:?}");
            scene.assert_clean(&format!("{arguments:?}"), (said.stdout + &said.stderr).as_bytes());
        }
        scene.assert_clean("the log", daemon.spoken().as_bytes());
        assert!(daemon.lines().iter().any(|line| line["level"] == "trace"), "the log is at its loudest");
        // While it runs and after it has ended: the database, its log, its index, and whatever else lies there.
        for _ in 0..2 {
            let mut searched = 0;
            for entry in std::fs::read_dir(scene.house.path(".")).expect("a directory").map(|entry| entry.expect("it"))
            {
                let name = entry.file_name().into_string().expect("a name");
                if !["secret", "key.pem", "proxy-pair"].contains(&name.as_str()) && entry.path().is_file() {
                    scene.assert_clean(&name, &std::fs::read(entry.path()).expect("readable"));
                    searched += 1;
                }
            }
            assert!(searched >= 8, "{searched} files");
            if daemon_is_alive(daemon.pid()) {
                daemon.signal("TERM");
                wait_until("the end", || scene.house.all_lines().iter().any(|line| line["event"] == "daemon.stopped"))
                    .await;
            }
        }
    });
}

fn daemon_is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn asked(address: &str, path: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).expect("sent");
    let mut told = Vec::new();
    stream.read_to_end(&mut told).expect("an answer");
    told
}

/// A secret of the environment sits there, and the check says so; one in a file or a credential does not.
#[test]
fn s06_a_secret_of_the_environment_is_warned_of() {
    on_threads(async {
        let scene = scene().await;
        let plain = std::fs::read_to_string(scene.house.path("main.toml")).expect("written");
        let credentials = scene.house.path("credentials");
        std::fs::create_dir(&credentials).expect("a directory");
        scene.house.write_private("credentials/ferry", SECRET);
        for (place, warned) in
            [("{ env = \"FERRY\" }", true), ("{ file = \"secret\" }", false), ("{ credential = \"ferry\" }", false)]
        {
            scene.house.write_private("main.toml", &plain.replace("{ file = \"secret\" }", place));
            let mut check = scene.house.command(&["check", "--offline", "--format", "json"]);
            check.env("CREDENTIALS_DIRECTORY", &credentials);
            if warned {
                check.env("FERRY", SECRET);
            }
            let said = crate::support::said(&mut check);
            assert_eq!(said.code, Some(0), "{place}: {said:?}");
            assert_eq!(said.stdout.contains("stands in the environment"), warned, "{place}: {said:?}");
            scene.assert_clean(place, (said.stdout + &said.stderr).as_bytes());
        }
    });
}

/// The user of the tests; for root, somebody without rights, because root may look into everything.
fn plain_user() -> u32 {
    match std::fs::metadata("/proc/self").expect("a process").uid() {
        0 => NOBODY,
        own => own,
    }
}

/// A command of the plain user, without a limit for core files where that can be lifted.
fn plainly(program: &str, arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -c unlimited 2>/dev/null || ulimit -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\"",
        program,
    ]);
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    if plain_user() == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The daemon as a plain user's, in a directory that is his, with a copy of the program that he can reach.
fn start_plainly(house: &House) -> Daemon {
    let reachable = house.path("alertferry");
    std::fs::copy(PROGRAM, &reachable).expect("copied");
    for entry in std::fs::read_dir(house.path(".")).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        chown(entry, Some(plain_user()), None).expect("given");
    }
    chown(house.path("."), Some(plain_user()), None).expect("given");
    let config = house.path("main.toml").display().to_string();
    house.start_by(plainly(&reachable.display().to_string(), &["--config", &config, "run"], &house.path(".")))
}

/// Whether the plain user can read this file of a process.
fn readable(pid: u32, name: &str, directory: &Path) -> bool {
    let file = format!("if=/proc/{pid}/{name}");
    let mut look = plainly("dd", &[&file, "of=/dev/null", "bs=1", "count=1"], directory);
    look.stderr(Stdio::null()).status().expect("started").success()
}

#[test]
fn s06_another_process_of_the_same_user_cannot_look_into_the_daemon() {
    on_threads(async {
        let scene = scene().await;
        let daemon = start_plainly(&scene.house);
        scene.read().await;
        // It ends with its input, and so with this test, however that ends.
        let mut other = plainly("cat", &[], Path::new("/")).stdin(Stdio::piped()).spawn().expect("started");
        for name in ["environ", "maps", "auxv"] {
            assert!(readable(other.id(), name, Path::new("/")), "a process as any other has its {name} open");
            assert!(!readable(daemon.pid(), name, Path::new("/")), "{name} of the daemon");
        }
        assert!(!readable(daemon.pid(), "mem", Path::new("/")));
        other.kill().expect("killed");
        other.wait().expect("gone");
        daemon.stop().await;
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "a machine that makes no core files, or gives them to a program, says so")]
fn s06_an_aborted_daemon_leaves_no_core() {
    on_threads(async {
        let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
        let scene = scene().await;
        let mut daemon = start_plainly(&scene.house);
        scene.read().await;
        daemon.signal("ABRT");
        let status = daemon.ended().await;
        assert_eq!(status.signal(), Some(6), "{status}");
        assert!(!status.core_dumped(), "a core was made; core_pattern is {pattern}");
        // The same end of a process as any other makes one, where this machine makes any.
        let aside = scene.house.path("aside");
        std::fs::create_dir(&aside).expect("a directory");
        chown(&aside, Some(plain_user()), None).expect("given");
        let other = plainly("sh", &["-c", "kill -ABRT $$"], &aside).status().expect("started");
        println!("core_pattern {}: a plain process dumps: {}", pattern.trim(), other.core_dumped());
        let kept = ["secret", "proxy-pair", "key.pem", "alertferry", "aside"];
        for entry in
            std::fs::read_dir(scene.house.path(".")).expect("a directory").map(|entry| entry.expect("an entry"))
        {
            let name = entry.file_name().into_string().expect("a name");
            assert!(!name.starts_with("core"), "{name}");
            if !kept.contains(&name.as_str()) && entry.path().is_file() {
                scene.assert_clean(&name, &std::fs::read(entry.path()).expect("readable"));
            }
        }
    });
}
