//! Taking everything of one tenant out: nothing of it is left in the bytes of the file, and nothing of others is lost.

use std::io::Write;
use std::process::{Command, Stdio};

use alertferry_simulator::{Edit, Simulator};
use serde_json::json;

use crate::rig::guid;
use crate::support::{Config, EACH_SECOND, House, SELDOM, name_of, on_threads, simulator};
use crate::whole::{assert_whole, writer};

/// What stands in alerts of the first tenant and nowhere else.
const CANARIES: [&str; 6] = [
    "qzxvjkwtitlebird",
    "wjqkxvdescriptionbird",
    "9d7c1e4fa02b6c8855e3d1907fab46c2e8d05b13",
    "xkqjvzaccountbird",
    "jvqxkwcommandbird",
    "vqjzxkdevicebird.example",
];

/// Writes the canaries into an alert, with something that differs from one time to the next.
fn mark(sim: &Simulator, id: &str, round: u32) {
    let [title, description, sha1, account, command, device] = CANARIES;
    let evidence = json!([{
        "entityType": "Process", "sha1": sha1, "accountName": account,
        "processCommandLine": format!("{command} --round {round}"),
    }]);
    let members = [
        ("title", json!(format!("{title} {round}")).to_string()),
        ("description", json!(description.repeat(40)).to_string()),
        ("computerDnsName", json!(device).to_string()),
        ("evidence", evidence.to_string()),
    ];
    sim.world().with(|world| world.set_members(&guid(1), id, &members)).expect("an alert");
}

/// The canaries, the tenant's id, name and alert ids that are in the bytes of the store's files, in any case; of each
/// its second half is looked for, because an index may leave out what a word begins with.
fn traces(house: &House, ids: &[String]) -> Vec<String> {
    let mut bytes = Vec::new();
    for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm"] {
        bytes.extend(std::fs::read(house.path(name)).unwrap_or_default());
    }
    bytes.make_ascii_lowercase();
    let own = [guid(1), name_of(&guid(1)).to_lowercase()];
    let words = CANARIES.iter().map(|word| word.to_string()).chain(own).chain(ids.iter().take(20).cloned());
    let is_there = |word: &String| {
        let word = word.to_lowercase();
        memchr::memmem::find(&bytes, &word.as_bytes()[word.len() / 2..]).is_some()
    };
    words.filter(is_there).collect()
}

/// Two tenants, read, with alerts of the first marked and changed a few times.
async fn marked(alerts: usize, schedule: &'static str) -> (House, Simulator, Config, Vec<String>) {
    let sim = simulator(2, alerts).await;
    let ids: Vec<String> = sim.world().with(|world| world.truth(&guid(1)).into_iter().map(|truth| truth.id).collect());
    let mut config = Config::of(&sim);
    config.schedule = schedule;
    let house = House::with(&config);
    for round in 0..3 {
        ids.iter().take(30).for_each(|id| mark(&sim, id, round));
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    (house, sim, config, ids)
}

fn without_the_first(config: &Config) -> Config {
    let mut config = config.clone();
    config.customers.remove(0);
    config
}

#[test]
fn nothing_of_a_purged_tenant_is_left_in_the_file() {
    on_threads(async {
        let (house, sim, config, ids) = marked(700, SELDOM).await;
        assert_eq!(traces(&house, &ids).len(), CANARIES.len() + 2 + 20, "all of it is there before");
        let last = house.number("SELECT max(seq) FROM alert_change");
        // Statistics with samples of what is indexed are one more place.
        writer(&house.store()).execute_batch("ANALYZE").expect("analysed");
        std::fs::copy(house.store(), house.path("alerts.db.before-schema-2")).expect("copied");
        let name = name_of(&guid(1));
        let refused = house.run(&["tenant", "purge", &name, "--yes"]);
        assert_eq!(refused.code, Some(64), "{refused:?}");
        assert!(refused.stderr.contains("still in the configuration"), "{refused:?}");
        house.configure(&without_the_first(&config));
        let refused = house.run(&["tenant", "purge", &name]);
        assert_eq!(refused.code, Some(64), "{refused:?}");
        assert!(refused.stderr.contains("--yes"), "{refused:?}");
        assert_eq!(house.run(&["tenant", "purge", "nobody", "--yes"]).code, Some(64));
        assert_eq!(house.number("SELECT count(*) FROM alerts"), 1_400, "nothing went yet");

        let said = house.run(&["tenant", "purge", &name, "--yes"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        for word in ["700 alerts", &guid(1), "alerts.db.before-schema-2", "Backups"] {
            assert!(said.stdout.contains(word), "`{word}` is not said: {said:?}");
        }
        assert_eq!(traces(&house, &ids), [""; 0], "traces");
        assert_whole(&house.store());
        assert_eq!(house.query("SELECT tenant_id FROM tenants"), [[guid(2)]]);
        house.assert_equals_truth(&sim, &[guid(2)]);
        assert_eq!(house.run(&["tenant", "purge", &name, "--yes"]).code, Some(64), "it is not known any more");

        // Who comes back is read anew, and numbers of changes are not used again.
        house.configure(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
        let first = house.number(&format!("SELECT min(seq) FROM alert_changes WHERE tenant_id = '{}'", guid(1)));
        assert!(first > last, "{first} after {last}");
        assert_whole(&house.store());
    });
}

#[test]
fn a_daemon_goes_on_while_a_tenant_is_purged() {
    on_threads(async {
        let (house, sim, config, ids) = marked(600, EACH_SECOND).await;
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        house.configure(&without_the_first(&config));
        let purge = ["tenant", "purge", &guid(1), "--yes"];
        let refused = house.run(&purge);
        assert_eq!(refused.code, Some(75), "{refused:?}");
        assert!(refused.stderr.contains("read by a running daemon"), "{refused:?}");
        daemon.signal("HUP");
        daemon.hear("tenant.removed").await;
        let refused = house.run(&purge);
        assert_eq!(refused.code, Some(75), "{refused:?}");
        assert!(refused.stderr.contains("try again in"), "{refused:?}");
        assert_eq!(house.number("SELECT alert_count FROM tenants ORDER BY tenant_id LIMIT 1"), 600);
        let back = "UPDATE tenant SET state_since = '2020-01-01T00:00:00.0000000Z' WHERE NOT active";
        let mut said = refused;
        // A pass that was under way when the daemon let go notes its end, and the wait counts from there.
        for _ in 0..20 {
            let conn = writer(&house.store());
            conn.busy_timeout(std::time::Duration::from_secs(10)).expect("set");
            assert_eq!(conn.execute(back, []).expect("set back"), 1);
            drop(conn);
            said = house.run(&purge);
            if said.code != Some(75) {
                break;
            }
        }
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains("600 alerts") && said.stdout.contains("prune --vacuum"), "{said:?}");
        assert_eq!(house.query("SELECT tenant_id FROM tenants"), [[guid(2)]]);
        // The daemon never noticed: it reads on.
        let other = sim.world().with(|world| world.truth(&guid(2))[0].id.clone());
        let edit =
            Edit { status: Some("Resolved".to_owned()), assigned_to: Some("somebody".to_owned()), ..Edit::default() };
        sim.world().with(|world| world.edit(&guid(2), &other, &edit)).expect("an alert");
        daemon.hear_where("alert.updated", |line| line["alert"] == other.as_str()).await;
        assert!(!daemon.lines().iter().any(|line| line["event"] == "store.failed"), "{}", daemon.spoken());
        assert_eq!(house.run(&["prune", "--vacuum"]).code, Some(75), "not while a daemon has the store");
        daemon.stop().await;

        let said = house.run(&["prune", "--vacuum"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(traces(&house, &ids), [""; 0], "traces");
        assert_whole(&house.store());
        house.assert_equals_truth(&sim, &[guid(2)]);
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn on_a_terminal_the_name_is_asked_for() {
    on_threads(async {
        let (house, _, config, _) = marked(31, SELDOM).await;
        house.configure(&without_the_first(&config));
        for (answer, code) in [("yes\n", 64), ("\n", 64), ("Customer 0001\n", 0)] {
            let purge = house.command(&["tenant", "purge", &guid(1)]);
            let line: Vec<String> = std::iter::once(purge.get_program())
                .chain(purge.get_args())
                .map(|word| format!("'{}'", word.to_str().expect("text")))
                .collect();
            let mut script = Command::new("script");
            script.args(["-qec", &line.join(" "), "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let Ok(mut child) = script.spawn() else {
                println!("skipped: there is no `script` on this machine to make a terminal");
                return;
            };
            child.stdin.take().expect("a pipe").write_all(answer.as_bytes()).expect("written");
            let output = child.wait_with_output().expect("it ends");
            let shown = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(code), "{answer:?}: {shown}");
            for word in ["Customer 0001", "31 alerts", "Backups", "Type its name"] {
                assert!(shown.contains(word), "`{word}` is not said: {shown}");
            }
            let left = house.number("SELECT count(*) FROM alerts");
            assert_eq!(left, if code == 0 { 31 } else { 62 });
        }
    });
}
