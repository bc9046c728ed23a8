//! What stays whatever its age: what the daemon may read again by itself, and what a follower has not dealt with.

use serde_json::{Value, json};

use crate::prune::aged;
use crate::rig::guid;
use crate::support::{House, on_threads};
use crate::whole::{assert_whole, writer};

const OLD: [&str; 6] = ["prune", "--older-than", "2h", "--include-open", "--format", "json"];

fn prune(house: &House, more: &[&str]) -> Value {
    let said = house.run(&[OLD.as_slice(), more].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.stdout).expect("JSON")
}

fn left(house: &House, tenant: u64, further: &str) -> i64 {
    house.number(&format!("SELECT count(*) FROM alerts WHERE tenant_id = '{}' {further}", guid(tenant)))
}

fn write(house: &House, sql: &str) {
    writer(&house.store()).execute_batch(sql).expect(sql);
}

#[test]
fn what_is_unread_or_may_be_read_again_stays() {
    on_threads(async {
        let (house, _, _) = aged().await;
        let key = |n: u64| format!("(SELECT tenant_key FROM tenant WHERE tenant_id = '{}')", guid(n));
        // An open gap whose ends are the times of two alerts.
        let bounds = house.query(&format!(
            "SELECT max(last_update_time), min(last_update_time) FROM
             (SELECT last_update_time FROM alerts WHERE tenant_id = '{}' ORDER BY 1 LIMIT 10 OFFSET 20)",
            guid(1)
        ));
        let [until, from] = [&bounds[0][0], &bounds[0][1]];
        write(
            &house,
            &format!(
                "INSERT INTO gap (tenant_key, from_time, until_time, reason, created_at)
             VALUES ({}, '{from}', '{until}', 'failed', '{until}');
             UPDATE tenant SET covered_until = NULL WHERE tenant_id = '{}'",
                key(1),
                guid(2)
            ),
        );
        let would = prune(&house, &["--dry-run"]);
        assert_eq!(would["stay"]["unread"], json!(130), "{would}");
        let did = prune(&house, &[]);
        assert_eq!(did["stay"], would["stay"]);
        assert_eq!((left(&house, 1, ""), left(&house, 2, "")), (10, 120));
        assert_eq!(left(&house, 1, &format!("AND last_update_time BETWEEN '{from}' AND '{until}'")), 10);
        // A tenant that was last read five days ago: what came within an hour before may be read again.
        write(
            &house,
            &format!(
                "DELETE FROM gap;
             UPDATE tenant SET covered_until = (SELECT last_update_time FROM alerts WHERE tenant_id = '{0}'
                                                ORDER BY 1 DESC LIMIT 1 OFFSET 30)
             WHERE tenant_id = '{0}'",
                guid(2)
            ),
        );
        let did = prune(&house, &["--tenant", &guid(2)]);
        assert_eq!((left(&house, 1, ""), left(&house, 2, "")), (10, 31), "{did}");
        assert_eq!(did["stay"]["unread"], json!(31));
        assert_whole(&house.store());
    });
}

#[test]
fn what_a_follower_has_not_dealt_with_stays() {
    on_threads(async {
        let (house, _, _) = aged().await;
        let newest = house.number("SELECT max(seq) FROM alert_change");
        let hostile = "ev\u{1b}[2Jil";
        let conn = writer(&house.store());
        for (name, seq) in [("log", newest - 7), (hostile, newest - 5), ("done", newest)] {
            conn.execute("INSERT INTO cursor (name, seq) VALUES (?, ?)", rusqlite::params![name, seq])
                .expect("a cursor");
        }
        let table = house.run(&OLD[..4]);
        assert_eq!(table.code, Some(0), "{table:?}");
        crate::filled::assert_harmless(&table.stdout);
        for word in ["7 stay", "`log` holds back 7", "`ev\\u{1b}[2Jil` holds back 5"] {
            assert!(table.stdout.contains(word), "`{word}` is not said: {table:?}");
        }
        assert_eq!(house.number("SELECT count(*) FROM alerts"), 7);
        assert_eq!(house.number("SELECT min(seq) FROM alert_change"), newest - 6);
        // Who is named is not waited for: the two that only it had not dealt with are the log's, too.
        let would = prune(&house, &["--dry-run", "--past-cursor", "log"]);
        assert_eq!(
            (&would["stay"]["followed"], &would["stay"]["followers"]["log"]),
            (&json!(5), &Value::Null),
            "{would}"
        );
        conn.execute("UPDATE cursor SET seq = ?", [newest]).expect("moved");
        let did = prune(&house, &[]);
        assert_eq!((&did["stay"]["followed"], &did["changes"]), (&json!(0), &json!(7)));
        assert_eq!(house.number("SELECT count(*) FROM alerts"), 0);
        assert_eq!(house.number("SELECT seq FROM sqlite_sequence WHERE name = 'alert_change'"), newest);
        assert_whole(&house.store());
    });
}
