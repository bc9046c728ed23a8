//! Hunting for values: one, some, or a file of them, however they are written.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::filled::{Filled, HOSTILE, assert_harmless, filled};
use crate::rig::guid;

/// A digest that is also the id of a device.
const DIGEST: &str = "aed4031677cc32fa6437d4a5b3b5ec1f3a3a6bd5";

/// Gives the first alert of each of two tenants evidence with everything that one hunts for.
fn told(filled: &Filled) {
    for n in [1, 2] {
        let evidence = json!([
            {"sha1": DIGEST.to_uppercase(), "sha256": "0f".repeat(32), "fileName": "Evil \"x\".exe"},
            {"entityType": "Ip", "ipAddress": "2001:DB8::0001"},
            {"entityType": "Url", "url": format!("https://c{n}.bad.example:8080/p?q")},
            {"entityType": "User", "accountName": "Ann", "domainName": "CORP", "userSid": "S-1-5-21-7-8-9-1104",
             "aadUserId": guid(77), "userPrincipalName": "ann@corp.example"},
        ]);
        let members = [
            ("evidence", evidence.to_string()),
            ("firstEventTime", json!(format!("2026-01-0{n}T00:00:00Z")).to_string()),
            ("lastEventTime", json!(format!("2026-02-0{n}T00:00:00Z")).to_string()),
        ];
        filled.sim.world().with(|world| {
            let id = if n == 1 { filled.ids[0].clone() } else { world.truth(&guid(n))[0].id.clone() };
            world.set_members(&guid(n), &id, &members).expect("an alert");
        });
    }
    let id = &filled.ids[1];
    let device = [("machineId", json!(DIGEST).to_string()), ("firstEventTime", "null".to_owned())];
    filled.sim.world().with(|world| world.set_members(&guid(1), id, &device)).expect("an alert");
    filled.shows(&["sync"]);
}

/// The rows of a hunt: kind, tenant and how many alerts.
fn hunted(filled: &Filled, arguments: &[&str]) -> Vec<(String, String, i64)> {
    let rows = filled.json(&[&["hunt"], arguments].concat());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| (text(&row["kind"]), text(&row["tenant_name"]), row["alerts"].as_i64().expect("a number"));
    rows.as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn values_are_found_however_they_are_written() {
    filled(2, async |filled| {
        told(&filled);
        for (value, kind) in [
            (&*"0F".repeat(32), "sha256"),
            ("2001[:]db8[:]0:0:0:0:0:1", "ip"),
            ("bad[.]example", "domain"),
            ("*.bad.example", "domain"),
            ("evil \"x\".EXE", "file"),
            (r#"C:\Temp\Evil "x".exe"#, "file"),
            ("ann", "account"),
            (r"corp\ANN", "account"),
            ("ann[@]corp[.]example", "upn"),
            ("s-1-5-21-7-8-9-1104", "sid"),
            (&guid(77).to_uppercase(), "user"),
        ] {
            let both = [1, 2].map(|n| (kind.to_owned(), format!("Customer 000{n}"), 1));
            let both = both.map(|(kind, name, count)| (kind, name, count));
            assert_eq!(hunted(&filled, &[value]), both, "{value}");
        }
        let url = [("url".to_owned(), "Customer 0002".to_owned(), 1)];
        assert_eq!(hunted(&filled, &["hxxps://C2[.]bad[.]example:8080/p?q"]), url);
        assert_eq!(hunted(&filled, &["--tenant", "customer 0002", "https://c*"]), url);
        let device = filled.json(&["hunt", "@device"]);
        assert_eq!((&device[0]["kind"], &device[0]["devices"]), (&json!("device"), &json!(1)));
    });
}

#[test]
fn a_value_of_two_kinds_is_asked_for_as_both() {
    filled(2, async |filled| {
        told(&filled);
        let row = |kind: &str, tenant: &str| (kind.to_owned(), tenant.to_owned(), 1);
        let (one, two) = ("Customer 0001", "Customer 0002");
        assert_eq!(hunted(&filled, &[DIGEST]), [row("sha1", one), row("sha1", two), row("device", one)]);
        assert_eq!(hunted(&filled, &[DIGEST, "--type", "Device"]), [row("device", one)]);
        assert_eq!(hunted(&filled, &["aed40316*", "--type", "sha1"]), [row("sha1", one), row("sha1", two)]);
        assert_eq!(hunted(&filled, &[DIGEST, "--type", "file"]), [("file".to_owned(), "-".to_owned(), 0)]);
        let rows = filled.json(&["hunt", DIGEST]);
        assert_eq!(
            rows[1],
            json!({"value": DIGEST, "kind": "sha1", "tenant_name": two, "alerts": 1, "devices": 1,
                   "first_seen": "2026-01-02T00:00:00.0000000Z", "last_seen": "2026-02-02T00:00:00.0000000Z",
                   "tenant_id": guid(2)})
        );
        let created = filled.house.query("SELECT alert_creation_time FROM alerts WHERE first_event_time IS NULL");
        assert_eq!(rows[2]["first_seen"], json!(created[0][0]), "the creation stands for what is not known");
    });
}

#[test]
fn alerts_are_shown_and_do_no_harm() {
    filled(2, async |filled| {
        told(&filled);
        let rows = filled.json(&["hunt", "--alerts", DIGEST, "--tenant", &guid(1)]);
        let rows = rows.as_array().expect("rows");
        assert_eq!(
            (&rows[0]["kind"], &rows[0]["title"], &rows[0]["severity"]),
            (&json!("sha1"), &json!(HOSTILE), &json!("High"))
        );
        assert_eq!((rows.len(), &rows[1]["kind"], &rows[1]["alert_id"]), (2, &json!("device"), &json!(filled.ids[1])));
        let table = filled.shows(&["hunt", "--alerts", DIGEST]);
        assert_harmless(&table);
        assert!(table.contains("=HYPERLINK") && table.contains(&filled.ids[1]), "{table}");
        let csv = filled.shows(&["hunt", "--alerts", DIGEST, "--format", "csv"]);
        assert!(csv.contains("\"'=HYPERLINK") && csv.contains("\"'@device.example\""), "{csv}");
        let said = filled.house.run(&["hunt", "--alerts", "--limit", "1", DIGEST, "--format", "ndjson"]);
        assert!(
            said.stdout.lines().count() == 2
                && said.stderr.contains(&format!("more than 1 alerts (`--limit 0` shows all) of: {DIGEST}")),
            "{said:?}"
        );
        filled.fails(&["hunt", "--limit", "1", DIGEST], 64, &["--alerts"]);
        assert_eq!(filled.json(&["hunt", "--alerts", DIGEST, "--since", "2999-01-01"]), json!([]));
        assert!(filled.json(&["hunt", DIGEST, "--since", "1h"]).as_array().expect("rows").len() == 3);
    });
}

#[test]
fn a_file_of_values_is_hunted_and_what_nobody_has_is_told() {
    filled(2, async |filled| {
        told(&filled);
        let file = filled.house.path("values");
        let text = format!(
            "\u{feff}# from a report\r\n\r\n {DIGEST} \r\n{}\r\nnone\u{1b}[2J.exe\n#x\nann*",
            DIGEST.to_uppercase()
        );
        std::fs::write(&file, text).expect("written");
        let file = file.to_string_lossy();
        let rows = filled.json(&["hunt", "--file", &file]);
        let rows = rows.as_array().expect("rows");
        let of = |value: &str| rows.iter().filter(|row| row["value"] == value).count();
        assert_eq!((of(DIGEST), of("none\u{1b}[2J.exe")), (3, 1), "each once: {rows:?}");
        let nobody = rows.iter().find(|row| row["alerts"] == 0).expect("a row");
        assert_eq!(
            (&nobody["kind"], &nobody["tenant_id"], &nobody["last_seen"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let said = filled.house.run(&["hunt", "--file", &file]);
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), "alertferry: not found: none\\u{1b}[2J.exe\n"));
        assert!(said.stdout.contains(DIGEST) && !said.stdout.contains("none"), "{said:?}");
        // Rows of alerts have none for what nobody has, whatever the format.
        let said = filled.house.run(&["hunt", "--file", &file, "--alerts", "--format", "ndjson"]);
        assert!(said.stderr.contains("not found: none") && !said.stdout.contains("none"), "{said:?}");
        let many: Vec<String> = (0..300).map(|n| format!("10.9.{}.{}", n / 250, n % 250)).collect();
        let mut command = filled.house.command(&["hunt", "--file", "-"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("started");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(many.join("\n").as_bytes()).expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("ended");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(0));
        assert!(said.contains("10.9.0.0, 10.9.0.1") && said.ends_with(" and 290 more\n"), "{said}");
    });
}

#[test]
fn what_cannot_be_hunted_is_told() {
    filled(1, async |filled| {
        let file = |name: &str, bytes: &[u8]| {
            let path = filled.house.path(name);
            std::fs::write(&path, bytes).expect("written");
            path.to_string_lossy().into_owned()
        };
        filled.fails(&["hunt"], 64, &["VALUE"]);
        filled.fails(&["hunt", "--type", "hash", "x"], 64, &["hash", "sha1, sha256, ip"]);
        filled.fails(&["hunt", "--type", "sha1", "x\u{1b}y"], 64, &["`x\\u{1b}y` is no sha1"]);
        for value in ["", "  ", "*"] {
            filled.fails(&["hunt", value], 64, &["empty"]);
        }
        filled.fails(&["hunt", "--file", &file("none", b"\n# a\n\r\n")], 64, &["holds no values"]);
        filled.fails(
            &["hunt", "--file", &file("bad", b"10.0.0.1\n\n10.0.0\n"), "--type", "ip"],
            64,
            &["line 3 of", "`10.0.0` is no ip"],
        );
        filled.fails(&["hunt", "--file", &file("wide", b"a\n\xff\xfeb\0")], 64, &["line 2", "UTF-8"]);
        filled.fails(
            &["hunt", "--file", &filled.house.path("nowhere").to_string_lossy()],
            66,
            &["nowhere", "No such file"],
        );
        filled.fails(&["hunt", "x", "--tenant", "nobody"], 64, &["`nobody`"]);
        let said = filled.house.run(&["hunt", "' OR 1=1 --", "x\" OR device : \"a", "NEAR(a b)"]);
        assert_eq!((said.code, said.stdout.lines().count()), (Some(0), 2), "{said:?}");
    });
}
