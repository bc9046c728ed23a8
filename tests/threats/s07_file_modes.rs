//! S7: files that others of this machine may read or write.
//!
//! Who may read the store in which state is in `tests/process/readers.rs`, how a secret's mode is judged beside
//! `src/secret.rs`, and the modes of drafts beside their writers.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use alertferry_simulator::{Certificate, Fault, FaultRule, RetryAfter, Route, SelfSigned};

use crate::scene::house;
use crate::support::{House, PROGRAM, on_threads, said, simulator, wait_until};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode set");
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o7777
}

/// The program under a parent that withholds nothing.
fn openly(house: &House, arguments: &[&str]) -> Command {
    under("0", house, arguments)
}

/// The program under a parent with this umask.
fn under(umask: &str, house: &House, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).args([PROGRAM, "--config"]);
    command.arg(house.path("main.toml")).args(arguments);
    command
}

/// What a process withholds from the files that it makes, if it is there.
fn umask_of(pid: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Umask:")).map(|umask| umask.trim().to_owned())
}

#[test]
fn s07_a_secret_that_others_may_read_is_never_sent() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let made = SelfSigned::generate("ferry").expect("a key");
        let known = Certificate::from_pem(&made.certificate_pem).expect("a certificate");
        sim.world().with(|world| world.apps[0].certificates.push(known));
        let house = house(&sim, &sim.login_url());
        let plain = std::fs::read_to_string(house.path("main.toml")).expect("written");
        house.write_private("key.pem", &format!("{}{}", made.private_key_pem, made.certificate_pem));
        house.write_private("token", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJmZXJyeSJ9.c2ln");
        for (file, line) in [
            ("secret", "secret = { file = \"secret\" }"),
            ("key.pem", "certificate = { file = \"key.pem\" }"),
            ("token", "federated_token = { file = \"token\" }"),
        ] {
            house.write_private("main.toml", &plain.replace("secret = { file = \"secret\" }", line));
            for mode in [0o640, 0o620, 0o604, 0o602, 0o666] {
                set_mode(&house.path(file), mode);
                let (checked, synced) = (house.run(&["check", "--offline"]), house.run(&["sync"]));
                assert_eq!(
                    (checked.code, synced.code),
                    (Some(77), Some(75)),
                    "{file} {mode:o}: {checked:?} {synced:?}"
                );
                assert!(checked.stdout.contains("chmod 600") && checked.stdout.contains(file), "{checked:?}");
                assert!(synced.stdout.contains("chmod 600"), "{synced:?}");
            }
            assert_eq!(sim.stats().total(Route::Login), 0, "{file} was sent");
            set_mode(&house.path(file), 0o600);
        }
    });
}

#[test]
fn s07_a_configuration_that_everybody_may_write_fails_the_check() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        let offline = || house.run(&["check", "--offline"]);
        assert_eq!(offline().code, Some(0), "{:?}", offline());
        for (name, own) in [("main.toml", 0o600), (".", 0o700)] {
            set_mode(&house.path(name), own | 0o022);
            let told = offline();
            assert_eq!(told.code, Some(77), "{name}: {told:?}");
            assert!(told.stdout.contains("everybody on this machine may write it"), "{told:?}");
            set_mode(&house.path(name), own);
        }
    });
}

/// Whatever the parent's umask, what the program makes is closed to everybody else.
#[test]
fn s07_what_is_made_is_closed_under_a_umask_of_nothing() {
    on_threads(async {
        let sim = simulator(1, 20).await;
        let house = house(&sim, &sim.login_url());
        let listen = format!("unix:{}", house.path("admin.sock").display());
        std::fs::create_dir_all(house.path("conf.d")).expect("a directory");
        house.write("conf.d/admin.toml", &format!("[admin]\nlisten = \"{listen}\"\n"));
        let daemon = house.start_by(openly(&house, &["run"]));
        house.wait_until_read_once().await;
        for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm", "alerts.db.lock"] {
            assert_eq!(mode_of(&house.path(name)), 0o640, "{name}");
        }
        assert_eq!(mode_of(&house.path("admin.sock")), 0o660);
        let at = |name: &str| house.path(name).display().to_string();
        for (arguments, file, mode) in [
            (vec!["backup".to_owned(), at("copy.db")], "copy.db", 0o600),
            (
                ["export", "alerts", "--out"].map(str::to_owned).into_iter().chain([at("a.csv")]).collect(),
                "a.csv",
                0o640,
            ),
            (
                ["export", "changes", "--out"].map(str::to_owned).into_iter().chain([at("c.parquet")]).collect(),
                "c.parquet",
                0o640,
            ),
            (vec!["init".to_owned(), "--dir".to_owned(), at("new")], "new/client-secret", 0o600),
        ] {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let told = said(&mut openly(&house, &words));
            assert_eq!(told.code, Some(0), "{words:?}: {told:?}");
            assert_eq!(mode_of(&house.path(file)), mode, "{file}");
        }
        daemon.stop().await;
        let open: Vec<_> = walk(&house.path("."))
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"alerts.db")))
            .filter(|path| mode_of(path) & 0o027 != 0)
            .collect();
        assert!(open.is_empty(), "{open:?}");
        for path in walk(&house.path("new")) {
            assert_eq!(mode_of(&path) & 0o022, 0, "{} may be written by others", path.display());
        }
    });
}

/// Not only what is made with a mode of its own: whatever `run` and `sync`, and the libraries in them, will ever make.
#[test]
fn s07_run_and_sync_keep_others_from_what_they_make_and_widen_nothing() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        let waits = Fault::Throttle { retry_after: RetryAfter::Seconds(60) };
        sim.faults().add(FaultRule::new(waits).on(Route::Login));
        for (umask, expected) in [("0", "0027"), ("022", "0027"), ("027", "0027"), ("070", "0077"), ("077", "0077")] {
            let daemon = house.start_by(under(umask, &house, &["run"]));
            daemon.hear("daemon.ready").await;
            assert_eq!(umask_of(daemon.pid()).as_deref(), Some(expected), "run under {umask}");
            daemon.stop().await;
            let mut sync = under(umask, &house, &["sync"]).spawn().expect("started");
            wait_until(&format!("sync under {umask} to withhold {expected}"), || {
                umask_of(sync.id()).as_deref() == Some(expected)
            })
            .await;
            sync.kill().expect("killed");
            sync.wait().expect("gone");
        }
    });
}

/// The daemon reads what an administrator adds as a member of its group, whatever his shell withholds from groups.
#[test]
fn s07_added_tenants_are_for_the_readers_of_the_configuration_under_any_umask() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        for umask in ["0", "027", "077"] {
            let house = house(&sim, &sim.login_url());
            set_mode(&house.path("."), 0o750);
            set_mode(&house.path("main.toml"), 0o640);
            let added = ["tenant", "add", "00000000-0000-0000-0000-0000000000aa", "--name", "Added", "--region", "eu"];
            let told = said(&mut under(umask, &house, &added));
            assert_eq!(told.code, Some(0), "{umask}: {told:?}");
            assert_eq!(mode_of(&house.path("tenants.d")), 0o750, "under {umask}");
            let files = walk(&house.path("tenants.d"));
            assert_eq!(files.iter().map(|file| mode_of(file)).collect::<Vec<_>>(), [0o640], "under {umask}");
        }
    });
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
