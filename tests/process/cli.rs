//! Wrong command lines, wrong configurations, wrong files: the exit code, the reason, and nothing touched.

use std::path::Path;
use std::process::{Command, Stdio};

use alertferry_simulator::{Fault, FaultRule, Licence, Route, Simulator};
use serde_json::Value;

use crate::rig::guid;
use crate::support::{Config, House, PROGRAM, Said, name_of, on_threads, said, simulator};

const STARTING: [&[&str]; 2] = [&["run"], &["sync"]];

fn ends_with(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "`{word}` is not said: {said:?}");
    }
}

async fn house(tenants: u64) -> (Simulator, House) {
    let sim = simulator(tenants, 5).await;
    let house = House::with(&Config::of(&sim));
    (sim, house)
}

#[test]
fn wrong_usage_is_64_and_help_is_none() {
    for arguments in [["frobnicate"].as_slice(), &["--frobnicate", "status"], &["status", "--format", "xml"], &[]] {
        assert_eq!(said(Command::new(PROGRAM).args(arguments)).code, Some(64), "{arguments:?}");
    }
    for arguments in [["--help"], ["--version"]] {
        assert_eq!(said(Command::new(PROGRAM).args(arguments)).code, Some(0));
    }
}

#[test]
fn a_missing_configuration_is_named() {
    for command in ["run", "sync", "check", "status"] {
        let said = said(Command::new(PROGRAM).args(["--config", "/nonexistent/ferry.toml", command]));
        ends_with(&said, 78, &["/nonexistent/ferry.toml"]);
    }
}

#[test]
fn all_errors_of_a_configuration_come_at_once_with_their_lines() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        house.write(
            "main.toml",
            "[app.main]\nclient_id = \"nope\"\nsecret = \"hunter2-in-the-file\"\n[poll]\nschedule = \"never\"\n\
             [[tenant]]\nid = \"x\"\nregoin = \"eu\"\n",
        );
        for command in ["run", "sync", "check", "status"] {
            let said = house.run(&[command]);
            ends_with(&said, 78, &["main.toml:2:", "main.toml:3:", "main.toml:5:", "main.toml:7:", "main.toml:8:"]);
            assert!(said.stderr.contains("did you mean `region`") && !said.stderr.contains("hunter2"), "{said:?}");
        }
        assert!(!house.store().exists());
    });
}

#[test]
fn a_store_that_cannot_be_is_refused() {
    on_threads(async {
        let (sim, house) = house(1).await;
        let config = Config::of(&sim).text().replace("alerts.db", "missing/alerts.db");
        house.write("main.toml", &config);
        for arguments in STARTING {
            ends_with(&house.run(arguments), 66, &["missing/alerts.db", "there is no directory", "store.path"]);
        }
        let checked = house.run(&["check", "--offline"]);
        assert_eq!(checked.code, Some(78), "{checked:?}");
        assert!(checked.stdout.contains("its directory does not exist"), "{checked:?}");
        ends_with(&house.run(&["status"]), 66, &["missing/alerts.db", "no store"]);
    });
}

#[test]
fn a_directory_is_no_store() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        std::fs::create_dir(house.store()).expect("a directory");
        for arguments in [["run"].as_slice(), &["sync"], &["status"], &["query", "SELECT 1"], &["backup", "copy.db"]] {
            ends_with(&house.run(arguments), 66, &["alerts.db", "it is a directory", "store.path"]);
        }
        let checked = house.run(&["check", "--offline"]);
        assert!(checked.code == Some(78) && checked.stdout.contains("it is a directory"), "{checked:?}");
    });
}

#[test]
fn a_configuration_that_may_not_be_read_is_a_matter_of_permission() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        let file = house.path("main.toml");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o000)).expect("mode set");
        if std::fs::read(&file).is_ok() {
            println!("skipped: this user may read anything");
            return;
        }
        for arguments in [["run"].as_slice(), &["status"], &["check", "--offline"]] {
            ends_with(&house.run(arguments), 77, &["main.toml", "a member of its group"]);
        }
    });
}

/// Asserts that every command refuses the store with 65, and that its file is as it was.
fn assert_untouched(house: &House, words: &[&str]) {
    let before = std::fs::read(house.store()).expect("a file");
    for arguments in [["run"].as_slice(), &["sync"], &["status"]] {
        ends_with(&house.run(arguments), 65, words);
        assert!(std::fs::read(house.store()).expect("a file") == before, "{arguments:?} changed the file");
    }
    let checked = house.run(&["check", "--offline"]);
    assert_eq!(checked.code, Some(65), "{checked:?}");
    assert!(std::fs::read(house.store()).expect("a file") == before, "check changed the file");
}

#[test]
fn a_text_file_is_no_store() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        for text in ["just a few notes\n".to_owned(), "notes ".repeat(10_000)] {
            house.write("alerts.db", &text);
            assert_untouched(&house, &["alerts.db", "not an alertferry store"]);
        }
    });
}

#[test]
fn the_database_of_another_program_is_no_store() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        for application in [0, 7] {
            let conn = rusqlite::Connection::open(house.store()).expect("a database");
            conn.execute_batch(&format!(
                "PRAGMA application_id = {application}; CREATE TABLE IF NOT EXISTS alert (x); INSERT INTO alert VALUES (1);"
            ))
            .expect("theirs");
            drop(conn);
            assert_untouched(&house, &["alerts.db", "not an alertferry store"]);
            assert!(!house.path("alerts.db-wal").exists(), "it was put into another mode");
        }
    });
}

#[test]
fn a_newer_store_is_refused() {
    on_threads(async {
        let (_sim, house) = house(1).await;
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let conn = rusqlite::Connection::open(house.store()).expect("a store");
        conn.execute_batch(
            "INSERT INTO refinery_schema_history SELECT 99, 'future', applied_on, checksum FROM refinery_schema_history LIMIT 1;
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .expect("from the future");
        drop(conn);
        assert_untouched(&house, &["schema 99", "install a newer alertferry"]);
    });
}

/// Whether this user may write anywhere, as root may.
fn writes_anywhere(directory: &Path) -> bool {
    std::fs::write(directory.join("probe"), "x").is_ok()
}

#[test]
fn a_directory_that_may_not_be_written_is_a_matter_of_permission() {
    on_threads(async {
        let (sim, house) = house(1).await;
        let directory = house.path("closed");
        std::fs::create_dir(&directory).expect("a directory");
        std::fs::set_permissions(&directory, std::os::unix::fs::PermissionsExt::from_mode(0o500)).expect("mode set");
        if writes_anywhere(&directory) {
            println!("skipped: this user may write anywhere");
            return;
        }
        house.write("main.toml", &Config::of(&sim).text().replace("alerts.db", "closed/alerts.db"));
        for arguments in STARTING {
            ends_with(&house.run(arguments), 77, &["closed/alerts.db"]);
        }
    });
}

#[test]
fn unknown_tenants_and_missing_stores_are_told() {
    on_threads(async {
        let (sim, house) = house(2).await;
        ends_with(&house.run(&["sync", "--tenant", "nobody"]), 64, &["`nobody`", "`[[tenant]]`"]);
        ends_with(&house.run(&["check", "--tenant", "nobody"]), 64, &["`nobody`"]);
        ends_with(&house.run(&["status"]), 66, &["alerts.db", "alertferry sync"]);
        assert_eq!(sim.stats().total(Route::Any), 0);
        let said = house.run(&["sync", "--tenant", "customer 0002", "--format", "json"]);
        let lines: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!((said.code, lines.as_array().map(Vec::len)), (Some(0), Some(1)), "{said:?}");
        assert_eq!((&lines[0]["tenant_id"], &lines[0]["created"]), (&guid(2).into(), &5.into()));
        ends_with(&house.run(&["status", "--tenant", "nobody"]), 64, &["`nobody`"]);
    });
}

#[test]
fn a_sync_with_a_failing_tenant_reads_the_others_and_says_why() {
    on_threads(async {
        let (sim, house) = house(3).await;
        sim.world().with(|world| world.set_state(&guid(2), |state| state.consented = false));
        let said = house.run(&["sync", "--format", "json"]);
        assert_eq!(said.code, Some(75), "{said:?}");
        let lines: Value = serde_json::from_str(&said.stdout).expect("JSON");
        let ends: Vec<_> = (0..3).map(|n| lines[n]["end"].as_str().expect("an end")).collect();
        assert_eq!(ends, ["read", "failed", "read"]);
        assert!(lines[1]["reason"].as_str().is_some_and(|reason| reason.contains("AADSTS700016")), "{lines}");
        assert!(lines[1]["remedy"].as_str().is_some_and(|remedy| remedy.contains("adminconsent")), "{lines}");
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(75), "{said:?}");
        for word in ["failed", "AADSTS700016", "2 of 3 tenants read"] {
            assert!(said.stdout.contains(word), "`{word}` is not said: {said:?}");
        }
        let status = house.run(&["status"]);
        assert_eq!(status.code, Some(0));
        assert!(status.stdout.contains("unauthorized") && status.stdout.contains("3 tenants, 2 ok"), "{status:?}");
    });
}

#[test]
fn an_offline_check_asks_nobody() {
    on_threads(async {
        let (sim, house) = house(2).await;
        let said = house.run(&["check", "--offline"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains("all well"), "{said:?}");
        std::fs::set_permissions(house.path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .expect("set");
        let said = house.run(&["check", "--offline"]);
        assert_eq!(said.code, Some(77), "{said:?}");
        assert!(said.stdout.contains("chmod 600"), "{said:?}");
        assert_eq!(sim.stats().total(Route::Any), 0);
        assert!(!house.store().exists(), "a check creates no store");
    });
}

#[test]
fn a_check_names_the_step_that_fails() {
    on_threads(async {
        let sim = simulator(6, 1).await;
        sim.world().with(|world| {
            world.set_state(&guid(2), |state| state.consented = false);
            world.set_state(&guid(3), |state| state.roles = vec!["Machine.Read.All".to_owned()]);
            world.set_state(&guid(4), |state| state.licence = Licence::Inactive401);
        });
        let mut config = Config::of(&sim);
        config.apps.push(("second", "{ file = \"wrong\" }".to_owned()));
        config.customers[4].app = "second";
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        config.customers[5].lines = format!("api_url = \"http://{}\"", nobody.expect("an address"));
        let house = House::with(&config);
        house.write_private("wrong", "not the secret");
        let said = house.run(&["check", "--format", "json"]);
        assert_eq!(said.code, Some(69), "{said:?}");
        let findings: Vec<Value> = serde_json::from_str(&said.stdout).expect("JSON");
        for (n, step, detail, remedy) in [
            (1, "api", "role Alert.Read.All", ""),
            (2, "login", "AADSTS700016", "adminconsent"),
            (3, "login", "lacks the role Alert.Read.All", "adminconsent"),
            (4, "api", "Account mode is inactive", "licence"),
            (5, "login", "AADSTS7000215", "new client secret"),
            (6, "network", "not asked: the way to http://127.0.0.1:", "this host first"),
        ] {
            let name = name_of(&guid(n));
            let found = findings.iter().find(|finding| finding["subject"] == name.as_str()).expect("a finding");
            assert_eq!((&found["step"], &found["ok"]), (&step.into(), &(n == 1).into()), "{found}");
            let text = |key: &str| found[key].as_str().unwrap_or_default();
            assert!(text("detail").contains(detail) && text("remedy").contains(remedy), "{found}");
        }
        let table = house.run(&["check"]);
        assert_eq!(table.code, Some(69));
        // Three tenants, the app of the fifth, and the host of the sixth.
        assert!(table.stdout.contains("5 of "), "{table:?}");
    });
}

#[test]
fn a_check_waits_for_nobody_for_ever() {
    on_threads(async {
        let sim = simulator(2, 1).await;
        sim.faults().add(FaultRule::new(Fault::Hang).tenant(&guid(1)));
        let mut config = Config::of(&sim);
        config.poll = "request_timeout = \"1s\"".to_owned();
        let said = House::with(&config).run(&["check"]);
        assert_eq!(said.code, Some(69), "{said:?}");
        assert!(said.stdout.contains("no answer within the time limit") && said.stdout.contains("1 of "), "{said:?}");
    });
}

#[test]
fn output_that_nobody_reads_is_no_defect() {
    on_threads(async {
        let (_sim, house) = house(2).await;
        let closed = || Stdio::from(std::io::pipe().expect("a pipe").1);
        for arguments in
            [["sync"].as_slice(), &["status"], &["status", "--format", "json"], &["check", "--offline"], &["--help"]]
        {
            let output = house.command(arguments).stdout(closed()).stderr(Stdio::piped()).spawn().expect("started");
            let output = output.wait_with_output().expect("ended");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
            assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        }
        // A reason that cannot be told does not change how the program ends.
        for (arguments, code) in [(["sync", "--tenant", "nobody"].as_slice(), 64), (&["frobnicate"], 64)] {
            let status = house.command(arguments).stdout(closed()).stderr(closed()).status().expect("ended");
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
        let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let status = house.command(&["status"]).stdout(full()).stderr(Stdio::null()).status().expect("ended");
        assert_eq!(status.code(), Some(74));
    });
}
