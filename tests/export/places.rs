//! Files get their names when they are whole, and what cannot be written leaves nothing.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use alertferry_simulator::Edit;

use crate::filled::filled;
use crate::read_back::{expected, names_in, ndjson, seqs};
use crate::rig::guid;
use crate::support::{Config, House, on_threads, simulator, wait_until};

#[test]
fn what_is_no_file_is_refused_and_left_alone() {
    filled(1, async |filled| {
        let path = |name: &str| filled.house.path(name).to_string_lossy().into_owned();
        std::fs::create_dir(filled.house.path("dir")).expect("a directory");
        let listener = std::os::unix::net::UnixListener::bind(filled.house.path("socket")).expect("a socket");
        symlink("nowhere", filled.house.path("dangling")).expect("a link");
        let before = std::fs::read(filled.house.store()).expect("a store");
        symlink("alerts.db", filled.house.path("link.db")).expect("a link");
        for (out, code, word) in [
            (path("dir"), 64, "that is a directory"),
            (path("dir/"), 64, "names no file"),
            (path("socket"), 64, "no regular file"),
            ("/dev/null".to_owned(), 64, "no regular file"),
            (path("dangling"), 66, "dangling"),
            (path("nowhere/file"), 66, "nowhere"),
            (path("main.toml/file"), 64, "main.toml"),
            (path("{seq}/file"), 64, "{seq} may stand in the name of the file"),
            (path("alerts.db"), 64, "belongs to the store"),
            (path("alerts.db-wal"), 64, "belongs to the store"),
            (path("alerts.db-journal"), 64, "belongs to the store"),
            (path("dir/../alerts.db.lock"), 64, "belongs to the store"),
            (path("link.db"), 64, "belongs to the store"),
        ] {
            let said = filled.fails(&["export", "alerts", "--cursor", "c", "--out", &out], code, &[word]);
            assert_eq!(said.stdout, "", "{out}");
        }
        drop(listener);
        assert!(std::fs::read(filled.house.store()).expect("a store") == before, "the store was touched");
        assert_eq!(filled.json(&["export", "cursor", "list"]), serde_json::json!([]), "a cursor moved");
        assert_eq!(names_in(&filled.house.path("dir"), ""), [""; 0]);
        assert_eq!(names_in(&filled.house.path("."), ".dangling"), [""; 0]);
    });
}

#[test]
fn standard_output_has_two_names_and_links_lead_to_their_file() {
    filled(1, async |filled| {
        let text = filled.shows(&["export", "alerts"]);
        for out in ["-", "/dev/stdout"] {
            assert_eq!(filled.shows(&["export", "alerts", "--out", out]), text, "{out}");
        }
        let [real, link] = ["real.ndjson", "link.ndjson"].map(|name| filled.house.path(name));
        std::fs::write(&real, "old").expect("written");
        std::fs::set_permissions(&real, PermissionsExt::from_mode(0o604)).expect("mode set");
        symlink("real.ndjson", &link).expect("a link");
        filled.shows(&["export", "alerts", "--out", &link.to_string_lossy()]);
        assert_eq!(std::fs::read_to_string(&real).expect("text"), text);
        assert!(link.symlink_metadata().expect("a link").is_symlink());
        assert_eq!(real.metadata().expect("a file").permissions().mode() & 0o777, 0o604);
        let new = filled.house.path("new.ndjson");
        filled.shows(&["export", "alerts", "--out", &new.to_string_lossy()]);
        assert_eq!(new.metadata().expect("a file").permissions().mode() & 0o137, 0, "for the owner and his group");
    });
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_file_and_the_cursor() {
    on_threads(async {
        let sim = simulator(1, 1_500).await;
        let house = House::with(&Config::of(&sim));
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let out = house.path("out.ndjson");
        std::fs::write(&out, "old").expect("written");
        let program = house.command(&["export", "alerts", "--cursor", "c", "--out", &out.to_string_lossy()]);
        for format in ["ndjson", "csv", "parquet"] {
            // A limit on the size of files stands for a full disk: writing fails in the middle.
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"]);
            shell.arg(program.get_program()).args(program.get_args()).args(["--format", format]);
            let said = crate::support::said(&mut shell);
            assert_eq!((said.code, said.stdout.as_str()), (Some(74), ""), "{said:?}");
            assert!(said.stderr.contains("cannot write") && said.stderr.contains("out.ndjson"), "{said:?}");
            assert_eq!(std::fs::read_to_string(&out).expect("text"), "old");
            assert_eq!(names_in(&house.path("."), ".out"), [""; 0], "half a file is left");
        }
        assert_eq!(house.query("SELECT * FROM cursor WHERE name LIKE 'export%'").len(), 0);
        for (out, code) in [("/dev/full", 74), ("closed", 0)] {
            for format in ["ndjson", "csv", "parquet"] {
                let mut command = house.command(&["export", "alerts", "--cursor", "c", "--format", format]);
                let stdout = match out {
                    "closed" => Stdio::from(std::io::pipe().expect("a pipe").1),
                    path => std::fs::OpenOptions::new().write(true).open(path).expect("a device").into(),
                };
                let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
                let output = child.and_then(std::process::Child::wait_with_output).expect("ended");
                let stderr = String::from_utf8(output.stderr).expect("text");
                assert_eq!(output.status.code(), Some(code), "{out} {format}: {stderr}");
                let word = if code == 0 { "the cursor c stays at 0" } else { "standard output" };
                assert!(stderr.contains(word), "{out} {format}: {stderr}");
            }
        }
        assert_eq!(house.query("SELECT * FROM cursor WHERE name LIKE 'export%'").len(), 0);
        let closed = Stdio::from(std::io::pipe().expect("a pipe").1);
        let output = house.command(&["export", "alerts"]).stdout(closed).stderr(Stdio::piped()).spawn();
        let output = output.and_then(std::process::Child::wait_with_output).expect("ended");
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "no cursor, nothing to say");
    });
}

#[test]
fn a_reader_that_waits_holds_no_store_and_misses_nothing_that_changes_meanwhile() {
    on_threads(async {
        let sim = simulator(2, 600).await;
        let house = House::with(&Config::of(&sim));
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let mut command = house.command(&["export", "alerts", "--cursor", "slow"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let mut out = child.stdout.take().expect("a pipe");
        let mut begin = [0; 1];
        out.read_exact(&mut begin).expect("a first byte");
        // It stands in the pipe now. Alerts change, and the whole log can be folded into the file and cut to nothing,
        // which no reader allows that is in the middle of something.
        let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
        for tenant in [guid(1), guid(2)] {
            let ids: Vec<String> =
                sim.world().with(|world| world.truth(&tenant).into_iter().map(|truth| truth.id).collect());
            for id in ids.iter().step_by(7) {
                sim.world().with(|world| world.edit(&tenant, id, &edit)).expect("an alert");
            }
        }
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let conn = rusqlite::Connection::open(house.store()).expect("a store");
        wait_until("a checkpoint that no reader hinders", || {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a checkpoint") == 0
        })
        .await;
        drop(conn);
        let mut text = String::from_utf8(begin.to_vec()).expect("text");
        out.read_to_string(&mut text).expect("the rest");
        assert_eq!(child.wait().expect("ended").code(), Some(0));
        let first = ndjson(&text);
        assert_eq!(seqs(&first), (1..=1200).collect::<Vec<_>>(), "every alert of then is in it, changed or not");
        let output = house.command(&["export", "alerts", "--cursor", "slow"]).output().expect("ended");
        let second = ndjson(&String::from_utf8(output.stdout).expect("text"));
        let truth = expected(&house.store(), "alerts");
        let changed: Vec<_> = truth.rows.iter().filter(|row| row[0].as_i64() > Some(1200)).cloned().collect();
        assert!(second.rows == changed && changed.len() == 172, "{}", changed.len());
    });
}
