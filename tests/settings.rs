//! From files, environment and credentials to settings, and every way in which that is refused.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alertferry::domain::Region;
use alertferry::entra::{Credential, Endpoint};
use alertferry::secret::SecretSource;
use alertferry::settings::{ConfigErrors, Environment, LogFormat, Settings};

const APP: &str = "[app.main]\nclient_id = \"11111111-1111-1111-1111-111111111111\"\nsecret = { file = \"secret\" }\n";
const TENANT: &str = "[[tenant]]\nid = \"00000000-0000-0000-0000-000000000001\"\n";

/// A directory of configuration files.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// A directory whose main file is a working app and tenant, followed by `more`.
    fn with(more: &str) -> Self {
        Self::new().file("main.toml", &format!("{APP}{TENANT}{more}"))
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("written");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load_with<const N: usize>(&self, variables: [(&str, &str); N]) -> Result<Settings, ConfigErrors> {
        Settings::load_with(&self.path("main.toml"), &variables.into_iter().collect::<Environment>())
    }

    fn load(&self) -> Result<Settings, ConfigErrors> {
        self.load_with([])
    }

    /// What is printed about a configuration that cannot be used, without the directory's own name.
    fn refusal<const N: usize>(&self, variables: [(&str, &str); N]) -> String {
        let errors = self.load_with(variables).expect_err("it should be refused").to_string();
        errors.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn source(settings: &Settings, app: usize, index: usize) -> &SecretSource {
    let Credential::ClientSecret { source, .. } = &settings.apps[app].credentials[index] else {
        panic!("no secret: {:?}", settings.apps[app].credentials)
    };
    source
}

#[test]
fn the_least_configuration_gets_every_default() {
    let place = Place::with("");
    let settings = place.load().expect("settings");
    assert_eq!(settings.store.path, Path::new("/var/lib/alertferry/alerts.db"));
    assert_eq!(settings.poll.schedule.to_string(), "0 */5 * * * *");
    assert_eq!(settings.poll.overlap, Duration::from_secs(3_600));
    assert_eq!(settings.poll.backfill, Duration::from_secs(180 * 86_400));
    assert_eq!(settings.poll.sweep, Duration::from_secs(7 * 86_400));
    assert_eq!((settings.poll.max_concurrent_tenants, settings.poll.page_size), (32, 10_000));
    assert_eq!(settings.poll.request_timeout, Duration::from_secs(60));
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("info", LogFormat::Auto));
    assert!(!settings.log.history && !settings.loopback_only);
    assert_eq!(settings.files, [place.path("main.toml")]);
    let app = &settings.apps[0];
    assert_eq!((app.name.as_str(), app.endpoint), ("main", Endpoint::V2));
    assert_eq!(app.audience, "https://api.securitycenter.microsoft.com");
    assert!(matches!(source(&settings, 0, 0), SecretSource::File(path) if *path == place.path("secret")));
    let tenant = &settings.tenants[0];
    assert_eq!((tenant.app.as_str(), tenant.region, tenant.enabled), ("main", Region::Global, true));
    assert_eq!(tenant.name, "00000000-0000-0000-0000-000000000001");
    assert_eq!(tenant.login_url, "https://login.microsoftonline.com");
    assert_eq!(tenant.api_url, "https://api.security.microsoft.com");
}

#[test]
fn later_layers_win_and_tenants_add_up() {
    let place = Place::with("[poll]\noverlap = \"2h\"\nsweep = \"1d\"\nbackfill = \"30d\"\n[store]\npath = \"a.db\"\n")
        .file("conf.d/20.toml", "[poll]\nsweep = \"3d\"\n[app.main]\ntoken_endpoint = \"v1\"\n")
        .file("conf.d/10.toml", "[poll]\nsweep = \"2d\"\n[store]\npath = \"b.db\"\n[[tenant]]\nid = \"00000000-0000-0000-0000-000000000002\"\n")
        .file("conf.d/README", "no toml\n")
        .file("conf.d/.99.toml", "no toml\n")
        .file("tenants.d/b.csv", "id,name,tags,enabled\n00000000-0000-0000-0000-000000000004,Four,x; y ;,FALSE\n")
        .file("tenants.d/a.toml", "[[tenant]]\nid = \"00000000-0000-0000-0000-000000000003\"\nname = \"Three\"\n");
    let settings = place.load_with([("ALERTFERRY__POLL__BACKFILL", "7d"), ("ALERTFERRY__LOG__HISTORY", "true")]);
    let settings = settings.expect("settings");
    assert_eq!(settings.poll.overlap, Duration::from_secs(2 * 3_600));
    assert_eq!(settings.poll.sweep, Duration::from_secs(3 * 86_400));
    assert_eq!(settings.poll.backfill, Duration::from_secs(7 * 86_400));
    assert!(settings.log.history);
    assert_eq!(settings.store.path, place.path("conf.d/b.db"));
    assert_eq!(settings.apps[0].endpoint, Endpoint::V1);
    let last = settings.tenants.iter().map(|tenant| &tenant.id.as_str()[35..]).collect::<String>();
    assert_eq!(last, "1234");
    assert_eq!(settings.tenants[3].tags, ["x", "y"]);
    assert!(!settings.tenants[3].enabled && settings.tenants[2].enabled);
    assert_eq!(settings.files.len(), 5);
}

#[test]
fn every_kind_of_value_may_come_from_the_environment() {
    let settings = Place::with("").load_with([
        ("ALERTFERRY__STORE__PATH", "/tmp/x.db"),
        ("ALERTFERRY__POLL__PAGE_SIZE", "0500"),
        ("ALERTFERRY__POLL__SCHEDULE", "@hourly"),
        ("ALERTFERRY__LOG__FORMAT", "json"),
        ("ALERTFERRY_CONFIG", "not ours to judge"),
        ("HOME", "/root"),
    ]);
    let settings = settings.expect("settings");
    assert_eq!(settings.store.path, Path::new("/tmp/x.db"));
    assert_eq!((settings.poll.page_size, settings.log.format), (500, LogFormat::Json));
}

#[test]
fn the_environment_sets_single_values_only() {
    let refusal = Place::with("").refusal([
        ("ALERTFERRY__APP__MAIN__CLIENT_ID", "x"),
        ("ALERTFERRY__TENANT__0__ID", "x"),
        ("ALERTFERRY__POLL__OVERLPA", "1h"),
        ("ALERTFERRY__POLL", "1h"),
        ("ALERTFERRY__POLL__OVERLAP__X", "1h"),
        ("ALERTFERRY__POLL__PAGE_SIZE", "many"),
        ("ALERTFERRY__LOG__HISTORY", "perhaps"),
    ]);
    for said in [
        "environment: ALERTFERRY__APP__MAIN__CLIENT_ID: apps and tenants cannot be set by environment variables",
        "environment: ALERTFERRY__TENANT__0__ID: apps and tenants cannot be set",
        "environment: ALERTFERRY__POLL__OVERLPA: there is no such key\n  help: did you mean `overlap`?",
        "environment: ALERTFERRY__POLL: there is no such key",
        "environment: ALERTFERRY__POLL__OVERLAP__X: there is no such key",
        "environment: ALERTFERRY__POLL__PAGE_SIZE: `many` is no whole number",
        "environment: ALERTFERRY__LOG__HISTORY: `perhaps` is neither true nor false",
    ] {
        assert!(refusal.contains(said), "{said}\n---\n{refusal}");
    }
}

#[test]
fn a_secret_is_found_in_a_file_a_variable_or_a_credential() {
    let place = Place::with("").file(
        "conf.d/a.toml",
        "[app.main]\nsecret = [{ env = \"THE_SECRET\" }, { credential = \"c\" }, { file = \"/f\" }]\n",
    );
    let settings = place.load_with([("THE_SECRET", "s3cr3t"), ("CREDENTIALS_DIRECTORY", "/run/credentials/x")]);
    let settings = settings.expect("settings");
    assert!(
        matches!(source(&settings, 0, 0), SecretSource::Fixed { name, value } if name == "$THE_SECRET" && value.expose() == "s3cr3t")
    );
    assert!(matches!(source(&settings, 0, 1), SecretSource::File(path) if path == Path::new("/run/credentials/x/c")));
    assert!(matches!(source(&settings, 0, 2), SecretSource::File(path) if path == Path::new("/f")));
    let refusal = place.refusal([]);
    assert!(
        refusal.contains("conf.d/a.toml:2:19: app.main.secret.env: the environment variable THE_SECRET is not set"),
        "{refusal}"
    );
    assert!(refusal.contains("app.main.secret.credential: $CREDENTIALS_DIRECTORY is not set"), "{refusal}");
    let by_hand = Settings::load_with(&place.path("main.toml"), &Environment::default().by_hand()).expect("settings");
    assert!(matches!(source(&by_hand, 0, 0), SecretSource::Absent(name) if name == "THE_SECRET"));
    let unit = Path::new("/run/credentials/alertferry.service/c");
    assert!(matches!(source(&by_hand, 0, 1), SecretSource::File(path) if path == unit));
}

#[test]
fn the_two_urls_are_inherited_and_overridden() {
    let custom = "login_url = \"http://127.0.0.1:1/\"\napi_url = \"http://127.0.0.1:2\"\n";
    let other = "[[tenant]]\nid = \"00000000-0000-0000-0000-000000000002\"\napi_url = \"http://[::1]:3\"\n";
    let place = Place::new().file("main.toml", &format!("{APP}{custom}{TENANT}{other}"));
    let settings = place.load().expect("settings");
    let urls: Vec<_> =
        settings.tenants.iter().map(|tenant| (tenant.login_url.as_str(), tenant.api_url.as_str())).collect();
    assert_eq!(urls, [("http://127.0.0.1:1", "http://127.0.0.1:2"), ("http://127.0.0.1:1", "http://[::1]:3")]);
    assert!(settings.loopback_only);
    let refusal = Place::with("login_url = \"https://proxy.example\"\n").refusal([]);
    assert!(
        refusal.contains("main.toml:6:13: tenant.login_url: proxy.example is none of Microsoft's hosts"),
        "{refusal}"
    );
    assert!(refusal.contains("allow_custom_hosts = true"), "{refusal}");
    let allowed = format!("{APP}allow_custom_hosts = true\n{TENANT}login_url = \"https://proxy.example\"\n");
    assert!(Place::new().file("main.toml", &allowed).load().is_ok());
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let text = r#"[store]
path = 5
[poll]
overlpa = "1h"
schedule = "0 61 * * * *"
backfill = "20y"
overlap = "5s"
page_size = 20000
[log]
level = "loud"
[app.main]
client_id = "not-a-guid"
cloud = "mars"
[app.second]
client_id = "11111111-1111-1111-1111-111111111111"
secret = { file = "x" }
cloud = "gcc-high"
[[tenant]]
id = "nobody"
app = "secnod"
[[tenant]]
id = "00000000-0000-0000-0000-000000000001"
app = "second"
region = "eu"
[[tenant]]
name = "Anonymous"
[[tenant]]
id = "00000000-0000-0000-0000-000000000001"
app = "second"
region = "atlantis"
tags = "gold"
[color]
x = 1
"#;
    let refusal = Place::new().file("main.toml", text).refusal([]);
    for said in [
        "main.toml:2:8: store.path: this is of type integer; it must be a text in quotes\n  2 | path = 5\n    |        ^\n",
        "main.toml:4:1: poll.overlpa: there is no such key\n  4 | overlpa = …\n    | ^^^^^^^\n  help: did you mean `overlap`?",
        "main.toml:5:12: poll.schedule: `61` is no minutes field",
        "main.toml:6:12: poll.backfill: `20y` is no span of time",
        "main.toml:7:11: poll.overlap: 5s is not between 1m and 30d",
        "main.toml:8:13: poll.page_size: 20000 is not between 1 and 10000",
        "main.toml:10:9: log.level: `loud` is no level",
        "main.toml:11:1: app.main.secret: `secret` is missing",
        "main.toml:12:13: app.main.client_id: this is not a GUID\n  12 | client_id = …\n",
        "main.toml:13:9: app.main.cloud: `mars` is no cloud; use one of commercial",
        "main.toml:19:6: tenant.id: `nobody` is not a GUID",
        "main.toml:20:7: tenant.app: there is no [app.secnod]; there are: main, second",
        "did you mean `second`?",
        "main.toml:24:10: tenant.region: the gcc-high cloud has no region `eu`; it has: global",
        "main.toml:25:1: tenant.id: `id` is missing",
        "main.toml:25:1: tenant.app: `app` is missing; there are several: main, second",
        "main.toml:28:6: tenant.id: the tenant 00000000-0000-0000-0000-000000000001 is already there, at main.toml:22",
        "main.toml:30:10: tenant.region: `atlantis` is no region",
        "main.toml:31:8: tenant.tags: this is of type string; it must be a list of texts",
        "main.toml:32:2: color: there is no such key",
    ] {
        assert!(refusal.contains(said), "{said}\n---\n{refusal}");
    }
}

#[test]
fn a_secret_is_never_repeated() {
    let secret = "hunter2~Q8";
    for line in [
        format!("secret = \"{secret}\""),
        format!("secret = [\"{secret}\"]"),
        format!("secret = {{ value = \"{secret}\" }}"),
        format!("secret = {{ env = \"{secret}\" }}"),
        format!("secret = {{ file = [\"{secret}\"] }}"),
        format!("secret = {{ file = \"x\", env = \"Y\", credential = \"z\", extra = \"{secret}\" }}"),
        format!("client_secret = \"{secret}\""),
        format!("secert = \"{secret}\""),
        format!("secert = {{ file = [{{ a = '{secret}' }}] }}"),
        format!("secret = \"\"\"\n{secret}\n\"\"\""),
        format!("secret = {secret}"),
        format!("secret = \"{secret}"),
        format!("secret = \"\"\"\n{secret}"),
        secret.to_owned(),
        format!("api_key {secret}"),
        format!("client_id = \"{secret}\"\nsecret = {{ file = \"x\" }}"),
        format!("login_url = \"https://me:{secret}@example.com\""),
        format!("audience = [\"{secret}\"]"),
    ] {
        let place = Place::new().file("main.toml", &format!("[app.main]\n{line}\n{TENANT}"));
        let refusal = place.refusal([]);
        assert!(!refusal.contains("hunter2") && !refusal.contains("Q8"), "{line}\n---\n{refusal}");
    }
    let place =
        Place::new().file("main.toml", &format!("[app]\nmain = {{ secret = \"{secret}\", colour = 1 }}\n{TENANT}"));
    let refusal = place.refusal([]);
    assert!(refusal.contains("colour") && !refusal.contains("hunter2"), "{refusal}");
    let refusal = Place::new().file("main.toml", &format!("[app.main]\nsecret = \"{secret}\"\n")).refusal([]);
    assert!(refusal.contains("never written into the configuration itself"), "{refusal}");
    assert!(refusal.contains("secret = { file = "), "{refusal}");
}

#[test]
fn a_secret_in_the_environment_is_not_shown_by_debug() {
    let environment: Environment = [("THE_SECRET", "hunter2")].into_iter().collect();
    assert_eq!(format!("{environment:?}"), "{\"THE_SECRET\"}");
    let place = Place::new()
        .file("main.toml", &format!("{}{TENANT}", APP.replace("file = \"secret\"", "env = \"THE_SECRET\"")));
    let settings = place.load_with([("THE_SECRET", "hunter2")]).expect("settings");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn files_that_cannot_be_read_or_parsed_are_named() {
    let missing = Place::new().refusal([]);
    assert!(missing.starts_with("main.toml: cannot open the file: No such file"), "{missing}");
    let place = Place::with("").file("conf.d/a.toml", "[poll]\noverlap = 1h\n").file("tenants.d/x.toml", "[[tenant]\n");
    let refusal = place.refusal([]);
    assert!(refusal.contains("conf.d/a.toml:2:") && refusal.contains("2 | overlap = 1h"), "{refusal}");
    assert!(refusal.contains("tenants.d/x.toml:1:") && refusal.contains("this is no TOML"), "{refusal}");
    let latin = Place::with("");
    std::fs::write(latin.path("main.toml"), b"# a\n# M\xfcller\n").expect("written");
    assert!(latin.refusal([]).contains("line 2 is not UTF-8"));
    let foreign = Place::with("").file("tenants.d/x.toml", "[poll]\noverlap = \"1h\"\n").refusal([]);
    assert!(foreign.contains("tenants.d/x.toml:1:2: poll: there is no such key"), "{foreign}");
}

#[test]
fn nothing_configured_says_what_to_add() {
    let refusal = Place::new().file("main.toml", "").refusal([]);
    assert!(refusal.contains("there is no app registration") && refusal.contains("[app.main]"), "{refusal}");
    assert!(refusal.contains("there is no tenant") && refusal.contains("tenants.d"), "{refusal}");
    let shapes = Place::new().file("main.toml", "app = 1\n[tenant]\nid = \"x\"\n").refusal([]);
    assert!(shapes.contains("a section with a name, like [app.main]"), "{shapes}");
    assert!(shapes.contains("write [[tenant]] with two brackets"), "{shapes}");
}

#[test]
fn csv_rows_are_refused_with_their_line() {
    let csv = "\u{feff}id,name,tags,enabled\n\n# a comment\nnobody,A,,\n00000000-0000-0000-0000-000000000009,B,,maybe\n\
        00000000-0000-0000-0000-000000000001,C,,\n00000000-0000-0000-0000-000000000008,D\n,E,,\n,,,\n\
        00000000-0000-0000-0000-00000000000a,\"F, Inc.\",,\n";
    let refusal = Place::with("").file("tenants.d/t.csv", csv).refusal([]);
    for said in [
        "tenants.d/t.csv:4:1: tenant.id: `nobody` is not a GUID",
        "tenants.d/t.csv:5:1: tenant.enabled: `maybe` is neither true nor false",
        "tenants.d/t.csv:6:1: tenant.id: the tenant 00000000-0000-0000-0000-000000000001 is already there, at main.toml:5",
        "tenants.d/t.csv:7:1: tenant: this row has 2 cells, the header has 4",
        "tenants.d/t.csv:8:1: tenant.id: `id` is missing",
    ] {
        assert!(refusal.contains(said), "{said}\n---\n{refusal}");
    }
    assert_eq!(refusal.matches("tenants.d/t.csv").count(), 5, "{refusal}");
    for (header, said) in [
        ("id,nmae\n", "tenant.nmae: there is no such key"),
        ("name\nX\n", "the column `id` is missing"),
        ("id,id\n", "this column is there twice"),
        ("id;name\n", "the columns are not separated by commas"),
    ] {
        let refusal = Place::with("").file("tenants.d/t.csv", header).refusal([]);
        assert!(refusal.contains(said), "{header}: {refusal}");
    }
}

/// The CSV reader takes everything up to the next quote into one cell, and with it the tenants in between.
#[test]
fn an_unclosed_quote_swallows_no_tenant_in_silence() {
    let first = "00000000-0000-0000-0000-000000000002";
    let second = "00000000-0000-0000-0000-000000000003";
    for csv in [
        format!("id,name\n{first},\"Two\n{second},Three\n"),
        format!("id,name,tags\n{first},\"Two,x\n{second},Three,\n"),
        format!("id,tags\n{first},\"a\n{second},b\n"),
        format!("name,id\nTwo,\"{first}\nThree,{second}\n"),
    ] {
        let refusal = Place::with("").file("tenants.d/t.csv", &csv).refusal([]);
        assert!(refusal.contains("tenants.d/t.csv:2:1: tenant"), "{csv}\n---\n{refusal}");
    }
}

#[test]
fn what_is_repeated_cannot_steer_a_terminal() {
    let refusal = Place::with("region = \"\\u001b[31m\"\n\"\\u001b[32m\" = 1\n").refusal([]);
    assert!(refusal.contains("is no region") && refusal.contains("there is no such key"), "{refusal}");
    assert!(!refusal.contains('\u{1b}'));
}

#[test]
fn a_flood_of_errors_is_cut_off() {
    let rows: String = (0..1_000).map(|n| format!("row{n}\n")).collect();
    let place = Place::with("").file("tenants.d/t.csv", &format!("id\n{rows}"));
    assert_eq!(place.load().expect_err("refused").0.len(), 1_000);
    assert!(place.refusal([]).ends_with("… and 950 more"));
}

#[test]
fn ten_thousand_tenants_load_at_once() {
    let toml: String = (0..10_000)
        .map(|n| format!("[[tenant]]\nid = \"00000000-0000-0000-0000-{n:012}\"\nname = \"Tenant {n}\"\nregion = \"eu\"\ntags = [\"a\", \"b\"]\n"))
        .collect();
    let csv: String = (10_000..20_000).map(|n| format!("00000000-0000-0000-0000-{n:012},T{n},eu,a;b\n")).collect();
    let place = Place::new()
        .file("main.toml", APP)
        .file("tenants.d/a.toml", &toml)
        .file("tenants.d/b.csv", &format!("id,name,region,tags\n{csv}"));
    let started = Instant::now();
    assert_eq!(place.load().expect("settings").tenants.len(), 20_000);
    // All of them wrong: every one is located.
    let place = place.file("main.toml", &format!("{APP}cloud = \"dod\"\n"));
    assert_eq!(place.load().expect_err("refused").0.len(), 20_000);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn the_sample_files_work() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let environment: Environment = [("CREDENTIALS_DIRECTORY", "/run/credentials/alertferry")].into_iter().collect();
    let settings = Settings::load_with(&config.join("alertferry.toml"), &environment).expect("the starter");
    let names: Vec<_> = settings.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(names, ["Contoso", "Fabrikam", "Northwind, Ltd.", "Adatum"]);
    assert_eq!(settings.tenants[1].tags, ["gold", "finance"]);
    assert!(!settings.tenants[3].enabled);
    Settings::load_with(&config.join("alertferry.minimal.toml"), &environment).expect("the minimal one");
}

/// With every commented key switched on, the starter must say the same: so it names every key right, and shows the
/// true defaults.
#[test]
fn the_starter_shows_every_key_with_its_default() {
    let starter = include_str!("../config/alertferry.toml");
    let is_key = |line: &str| line.starts_with('#') && line[1..].starts_with(|c: char| c.is_ascii_lowercase());
    let all: String =
        starter.lines().map(|line| format!("{}\n", if is_key(line) { &line[1..] } else { line })).collect();
    let variables = [("CREDENTIALS_DIRECTORY", "/run/credentials/alertferry")];
    let shown = Place::new().file("main.toml", &all).load_with(variables).expect("every key");
    let silent = Place::new().file("main.toml", starter).load_with(variables).expect("no key");
    let same = |settings: Settings| format!("{:?}", Settings { files: Vec::new(), ..settings });
    assert_eq!(same(shown), same(silent));
    let keys = "path ca_file proxy no_proxy client_id cloud secret token_endpoint audience login_url api_url allow_custom_hosts schedule \
        overlap backfill sweep max_concurrent_tenants page_size request_timeout level format history listen allow_remote tenant_series_limit default high medium low informational unspecified \
        open id name region app tags enabled";
    for key in keys.split(' ') {
        assert!(all.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} is not shown");
    }
}
