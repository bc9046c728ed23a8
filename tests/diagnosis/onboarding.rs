//! From nothing to a daemon that reads: `init`, `consent`, `tenant add`, `tenant import`, and what they refuse.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use alertferry_simulator::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::Value;

use crate::rig::guid;
use crate::support::{Config, House, PROGRAM, SELDOM, Said, on_threads, said, simulator};

/// Runs the program on the configuration of `init`.
fn run(directory: &Path, arguments: &[&str]) -> Said {
    let config = directory.join("alertferry.toml");
    said(Command::new(PROGRAM).arg("--config").arg(config).args(arguments).stdin(Stdio::null()))
}

fn init(directory: &Path) -> Said {
    said(Command::new(PROGRAM).args(["init", "--dir"]).arg(directory).stdin(Stdio::null()))
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

/// Everything in a directory and below, by name.
fn names(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry")) {
        if entry.path().is_dir() {
            names.extend(self::names(&entry.path()));
        }
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    names
}

#[test]
fn the_way_from_nothing_to_a_check_that_is_well() {
    on_threads(async {
        let sim = simulator(2, 3).await;
        let place = tempfile::tempdir().expect("a directory");
        let directory = place.path().join("etc");
        let made = init(&directory);
        assert_eq!(made.code, Some(0), "{made:?}");
        for step in ["1. ", "2. ", "3. ", "tenant add", "consent", "check", "alertferry.toml"] {
            assert!(made.stdout.contains(step), "{made:?}");
        }
        assert_eq!(names(&directory), ["alertferry.toml", "client-secret", "tenants.d"]);
        assert_eq!(mode(&directory.join("client-secret")), 0o600);
        assert_eq!(mode(&directory.join("alertferry.toml")) & 0o133, 0);
        assert_eq!(mode(&directory.join("tenants.d")) & 0o022, 0);

        // Before there is a tenant, everything says what is missing.
        let early = run(&directory, &["check", "--offline"]);
        assert!(early.code == Some(78) && early.stderr.contains("alertferry tenant add"), "{early:?}");
        let links = run(&directory, &["consent", &guid(1)]);
        assert!(links.code == Some(0) && links.stdout.contains(DEFAULT_CLIENT_ID), "{links:?}");

        // What the operator writes himself: his client id, here with where the simulator and the store are.
        let config = directory.join("alertferry.toml");
        let text = std::fs::read_to_string(&config).expect("text");
        let urls = format!("login_url = \"{}\"\napi_url = \"{}\"", sim.login_url(), sim.api_url());
        let text = text.replace("#allow_custom_hosts = false", &urls);
        let text = text.replace("#path = \"/var/lib/alertferry/alerts.db\"", "path = \"alerts.db\"");
        std::fs::write(&config, text).expect("written");
        let added =
            run(&directory, &["tenant", "add", &guid(1), "--name", "Contoso Ltd", "--region", "eu", "--tag", "a"]);
        assert!(added.code == Some(0) && added.stdout.contains("reload"), "{added:?}");
        assert_eq!(mode(&directory.join("tenants.d/contoso-ltd.toml")), mode(&config));
        let unsaid = run(&directory, &["check"]);
        assert!(unsaid.code == Some(77) && unsaid.stdout.contains("client-secret is empty"), "{unsaid:?}");
        std::fs::write(directory.join("client-secret"), DEFAULT_SECRET).expect("written");
        let well = run(&directory, &["check"]);
        assert_eq!(well.code, Some(0), "{well:?}");
        assert!(well.stdout.contains("all well") && well.stdout.contains("Contoso Ltd"), "{well:?}");
    });
}

#[test]
fn init_overwrites_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    for there in ["alertferry.toml", "client-secret"] {
        let directory = place.path().join(there);
        std::fs::create_dir(&directory).expect("made");
        std::fs::write(directory.join(there), "precious").expect("written");
        let refused = init(&directory);
        assert!(refused.code == Some(64) && refused.stderr.contains("is there already"), "{refused:?}");
        assert_eq!(names(&directory), [there]);
        assert_eq!(std::fs::read_to_string(directory.join(there)).expect("text"), "precious");
    }
    let file = place.path().join("file");
    std::fs::write(&file, "").expect("written");
    for directory in [&file, &place.path().join("no/where")] {
        assert_ne!(init(directory).code, Some(0), "{directory:?}");
    }
}

#[test]
fn a_tenant_that_is_added_is_read_after_a_reload() {
    on_threads(async {
        let sim = simulator(2, 3).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        config.customers.truncate(1);
        let house = House::with(&config);
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        let added = house.run(&["tenant", "add", &guid(2).to_uppercase(), "--name", "Fabrikam"]);
        assert_eq!(added.code, Some(0), "{added:?}");
        daemon.signal("HUP");
        let line = daemon.hear("tenant.added").await;
        assert_eq!((&line["tenant"], &line["name"]), (&guid(2).into(), &"Fabrikam".into()));
        house.wait_until_read_once().await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
    });
}

/// A house with one tenant; what is refused must leave it as it is.
async fn settled() -> (alertferry_simulator::Simulator, House) {
    let sim = simulator(1, 1).await;
    let house = House::with(&Config::of(&sim));
    (sim, house)
}

#[test]
fn a_tenant_that_does_not_fit_leaves_nothing_behind() {
    on_threads(async {
        let (_sim, house) = settled().await;
        let other = guid(2);
        for (arguments, code, words) in [
            (["tenant", "add", &guid(1), "--name", "Twin"].as_slice(), 64, "is already there, at"),
            (&["tenant", "add", &other, "--name", "Customer 0001"], 64, "is called `Customer 0001` already"),
            (&["tenant", "add", &other, "--name", "A", "--app", "nobody"], 64, "there is no [app.nobody]"),
            (&["tenant", "add", &other, "--name", "A", "--region", "mars"], 64, "`mars` is no region"),
            (&["tenant", "add", "contoso.com", "--name", "A"], 64, "contoso.com"),
            (&["tenant", "add", &other, "--name", "A\u{1b}[2J"], 64, "name"),
            (&["tenant", "add", &other], 64, "--name"),
        ] {
            let refused = house.run(arguments);
            assert_eq!(refused.code, Some(code), "{arguments:?}: {refused:?}");
            assert!(refused.stderr.contains(words), "{arguments:?}: {refused:?}");
            assert_eq!(names(&house.path(".")), ["main.toml", "secret"], "{arguments:?}");
        }
        house.write("main.toml", "[store]\npath = 7\n");
        let refused = house.run(&["tenant", "add", &other, "--name", "A"]);
        assert!(refused.code == Some(78) && refused.stderr.contains("main.toml:2"), "{refused:?}");
        assert_eq!(names(&house.path(".")), ["main.toml", "secret"]);
    });
}

#[test]
fn of_several_that_add_the_same_tenant_at_once_one_succeeds() {
    on_threads(async {
        let (_sim, house) = settled().await;
        let other = guid(2);
        let add = |name: String| {
            let mut command = house.command(&["tenant", "add", &other, "--name", &name]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
        };
        let adding: Vec<_> = (0..12).map(|n| add(format!("Name {n}"))).collect();
        let codes: Vec<_> = adding.into_iter().map(|mut child| child.wait().expect("ended").code()).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == Some(64)).count(), 11, "{codes:?}");
        assert_eq!(names(&house.path("tenants.d")).len(), 1);
        assert_eq!(house.run(&["check", "--offline"]).code, Some(0));
    });
}

#[test]
fn names_that_are_no_names_of_files_become_ids() {
    on_threads(async {
        let (_sim, house) = settled().await;
        for (number, name, file) in [
            (2, "Contoso", "contoso.toml".to_owned()),
            (3, "contoso-", "contoso-.toml".to_owned()),
            (4, "../../x", format!("{}.toml", guid(4))),
            (5, "株式会社", format!("{}.toml", guid(5))),
            // The file of another customer.
            (6, "A B", "a-b.toml".to_owned()),
            (7, "A-B", format!("{}.toml", guid(7))),
        ] {
            let added = house.run(&["tenant", "add", &guid(number), "--name", name]);
            assert_eq!(added.code, Some(0), "{name}: {added:?}");
            assert!(house.path("tenants.d").join(&file).is_file(), "{name}: {:?}", names(&house.path(".")));
        }
        let checked = house.run(&["check", "--offline", "--format", "json"]);
        assert!(checked.code == Some(0) && checked.stdout.contains("7 tenant(s)"), "{checked:?}");
    });
}

#[test]
fn init_takes_a_directory_and_no_file() {
    let place = tempfile::tempdir().expect("a directory");
    let refused = run(place.path(), &["init"]);
    assert!(refused.code == Some(64) && refused.stderr.contains("--dir"), "{refused:?}");
    assert!(names(place.path()).is_empty());
}

#[test]
fn a_list_in_another_encoding_is_told_with_its_line() {
    on_threads(async {
        let house = House::with(&Config::of(&simulator(1, 1).await));
        let list = house.path("customers.csv");
        std::fs::write(&list, b"id,name\n22222222-2222-2222-2222-222222222222,M\xfcller\n").expect("written");
        let refused = house.run(&["tenant", "import", &list.to_string_lossy()]);
        assert!(refused.code == Some(64) && refused.stderr.contains("line 2 has other bytes"), "{refused:?}");
    });
}

#[test]
fn a_list_is_imported_whole_or_not_at_all() {
    on_threads(async {
        let (_sim, house) = settled().await;
        let list = house.path("customers.csv");
        let import = || house.run(&["tenant", "import", list.to_str().expect("UTF-8")]);
        let rows: Vec<String> = (2..=500).map(|n| format!("{},Customer {n},eu,main,a;b,true", guid(n))).collect();
        let good = format!("id,name,region,app,tags,enabled\n{}\n", rows.join("\n"));
        let bad = good.replace(&rows[1], "x,y,eu,main,,").replace(&rows[7], &format!("{},z,mars,main,,", guid(1)));
        std::fs::write(&list, bad).expect("written");
        let refused = import();
        assert_eq!(refused.code, Some(64), "{refused:?}");
        for words in ["customers.csv:3:", "customers.csv:9:", "`mars` is no region", "is already there", "nothing was"]
        {
            assert!(refused.stderr.contains(words), "{words}: {refused:?}");
        }
        assert!(!house.path("tenants.d").exists());

        std::fs::write(&list, &good).expect("written");
        let imported = import();
        assert!(imported.code == Some(0) && imported.stdout.contains("499 tenant(s) more, 500 in all"), "{imported:?}");
        let copy = house.path("tenants.d/customers.csv");
        assert_eq!(std::fs::read_to_string(&copy).expect("text"), good);
        assert_eq!(names(&house.path("tenants.d")), ["customers.csv"]);
        let again = import();
        assert!(again.code == Some(64) && again.stderr.contains("is already there, at"), "{again:?}");

        // Another list under the same name would replace the first.
        std::fs::write(&list, format!("id\n{}\n", guid(501))).expect("written");
        let taken = import();
        assert!(taken.code == Some(64) && taken.stderr.contains("give the list another name"), "{taken:?}");
        assert_eq!(std::fs::read_to_string(&copy).expect("text"), good);
        std::fs::write(&list, "id,name\n").expect("written");
        assert_eq!(import().code, Some(64));
    });
}

#[test]
fn consent_links_are_those_of_the_tenant_and_the_app() {
    on_threads(async {
        let sim = simulator(2, 1).await;
        let mut config = Config::of(&sim);
        config.apps.push(("second", "{ credential = \"only-for-the-daemon\" }".to_owned()));
        let house = House::with(&config);
        let links = |arguments: &[&str]| -> Vec<Value> {
            let said = house.run(&[&["consent", "--format", "json"], arguments].concat());
            assert_eq!(said.code, Some(0), "{said:?}");
            serde_json::from_str(&said.stdout).expect("JSON")
        };
        let apps = |links: &[Value]| -> Vec<String> {
            links.iter().map(|link| link["app"].as_str().expect("a name").to_owned()).collect()
        };
        let by_name: Vec<Value> = links(&["customer 0001"]);
        assert_eq!(by_name, links(&[&guid(1)]));
        assert_eq!(apps(&by_name), ["main"]);
        let text = |key: &str| by_name[0][key].as_str().expect("a link").to_owned();
        let begin = format!("{}/{}/v2.0/adminconsent?client_id={DEFAULT_CLIENT_ID}", sim.login_url(), guid(1));
        assert!(text("admin_consent").starts_with(&begin), "{by_name:?}");
        assert!(text("partner_consent").contains("/common/oauth2/authorize?prompt=consent"), "{by_name:?}");
        for (arguments, expected) in [
            ([guid(1).as_str(), "--app", "second"].as_slice(), vec!["second"]),
            (&[&guid(9)], vec!["main", "second"]),
            (&[&guid(9), "--app", "second"], vec!["second"]),
        ] {
            assert_eq!(apps(&links(arguments)), expected, "{arguments:?}");
        }
        let shown = house.run(&["consent", &guid(1)]).stdout;
        assert!(shown.lines().any(|line| line == text("admin_consent")), "{shown}");
        for (arguments, words) in [(["nobody"].as_slice(), "nobody"), (&[&guid(9), "--app", "third"], "main, second")] {
            let refused = house.run(&[&["consent"], arguments].concat());
            assert!(refused.code == Some(64) && refused.stderr.contains(words), "{refused:?}");
        }
    });
}
