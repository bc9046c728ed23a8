//! The units beside the daemon's: the single run and its timer, and the daemon without a network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{other, program, text};

/// What differs between a daemon and a single run.
const OF_A_DAEMON: [&str; 15] = [
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "Description",
    "Documentation",
    "Type",
    "NotifyAccess",
    "ExecStart",
    "ExecReload",
    "Restart",
    "RestartSec",
    "RestartPreventExitStatus",
    "WatchdogSec",
    "TimeoutStartSec",
    "SyslogIdentifier",
    "WantedBy",
];

fn keys(unit: &str) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, value) in unit.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')) {
        keys.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    keys
}

/// Writes files of `systemd/` into one directory, with this program in place of the packaged one.
fn placed(place: &Path, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let write = |(source, name): &(&str, &str)| {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        let unit = text(&format!("systemd/{source}"));
        std::fs::write(&path, unit.replace("/usr/bin/alertferry", env!("CARGO_BIN_EXE_alertferry"))).expect("written");
        path
    };
    files.iter().map(write).collect()
}

fn accepted(files: &[PathBuf]) {
    let files: Vec<_> = files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = ["verify", "--man=no"].into_iter().chain(files.iter().map(String::as_str)).collect();
    if let Some(verified) = other("systemd-analyze", &arguments) {
        let told = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && told.is_empty(), "{told}");
    }
}

/// Lets systemd judge a unit with the drop-ins beside it; `bound` is ten times what `systemd-analyze security` shows.
fn judged(unit: &Path, bound: u32) {
    let arguments = ["security", "--offline=true", &format!("--threshold={bound}"), &unit.to_string_lossy()];
    if let Some(judged) = other("systemd-analyze", &arguments) {
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
    }
}

#[test]
fn a_single_run_is_as_closed_as_the_daemon() {
    let closed = |unit: &str| {
        let mut keys = keys(&text(unit));
        keys.retain(|key, _| !OF_A_DAEMON.contains(&key.as_str()) && !key.starts_with("StartLimit"));
        keys
    };
    let daemon = closed("systemd/alertferry.service");
    assert!(daemon.len() > 50, "{daemon:?}");
    assert_eq!(closed("systemd/alertferry-sync.service"), daemon);
}

#[test]
fn the_program_understands_the_single_run() {
    let place = tempfile::tempdir().expect("a directory");
    let config = place.path().join("alertferry.toml");
    let keys = keys(&text("systemd/alertferry-sync.service"));
    let start = keys["ExecStart"][0].replace("/etc/alertferry/alertferry.toml", &config.to_string_lossy());
    let words: Vec<&str> = start.split(' ').collect();
    let told = program(&words[1..]);
    assert_eq!((words[0], told.status.code()), ("/usr/bin/alertferry", Some(78)), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains(&*config.to_string_lossy()), "{told:?}");
}

/// The credential is the daemon's alone: members of its group ask the store without it, and nobody signs in without it.
#[test]
fn only_those_who_sign_in_need_the_credential() {
    let place = tempfile::tempdir().expect("a directory");
    let config = place.path().join("alertferry.toml");
    let sample = text("config/alertferry.minimal.toml");
    assert!(sample.contains("credential = "), "{sample}");
    let store = format!("[store]\npath = \"{}\"\n", place.path().join("alerts.db").display());
    std::fs::write(&config, store + &sample).expect("written");
    let config = config.to_string_lossy();
    for command in [&["status"][..], &["query", "SELECT 1"], &["alerts", "list"], &["tenant", "list"]] {
        let told = program(&[&["--config", &config], command].concat());
        assert_eq!(told.status.code(), Some(66), "no store yet: {told:?}");
    }
    for command in ["run", "sync"] {
        let told = program(&["--config", &config, command]);
        assert_eq!(told.status.code(), Some(78), "{told:?}");
        assert!(String::from_utf8_lossy(&told.stderr).contains("$CREDENTIALS_DIRECTORY is not set"), "{told:?}");
    }
}

#[test]
fn systemd_accepts_every_unit_and_calls_it_safe() {
    let place = tempfile::tempdir().expect("a directory");
    for name in ["alertferry-sync", "alertferry-prune"] {
        let (service, timer) = (format!("{name}.service"), format!("{name}.timer"));
        let files = placed(place.path(), &[(&service, &service), (&timer, &timer)]);
        accepted(&files);
        judged(&files[0], 9);
    }
}

#[test]
fn a_daemon_without_a_network_has_its_ways_out() {
    let place = tempfile::tempdir().expect("a directory");
    let files = placed(
        place.path(),
        &[
            ("alertferry.service", "alertferry.service"),
            ("no-network.conf", "alertferry.service.d/no-network.conf"),
            ("alertferry-egress@.socket", "alertferry-egress@2.socket"),
            ("alertferry-egress@.service", "alertferry-egress@2.service"),
            ("alertferry-egress@.socket", "alertferry-egress@3.socket"),
            ("alertferry-egress@.service", "alertferry-egress@3.service"),
            ("alertferry-egress.service", "alertferry-egress.service"),
        ],
    );
    let (daemon, ways) = (&files[0], &files[2..]);
    accepted(ways);
    accepted(std::slice::from_ref(daemon));
    judged(daemon, 4);
    // It holds no secret, but it has the machine's root and sees the network.
    judged(&files[3], 12);
    let dropped = text("systemd/no-network.conf");
    let required = keys(&dropped)["Requires"][0].clone();
    let sockets = required.strip_prefix("alertferry-egress.service ").expect("the network first");
    let mut hosts = 0;
    for line in dropped.lines().filter_map(|line| line.strip_prefix("#   127.0.0.")) {
        let (number, host) = line.split_once(' ').expect("an address and a name");
        assert!(sockets.contains(&format!("alertferry-egress@{number}.socket")), "{host} has no socket");
        assert!(host.ends_with(".microsoft.com") || host == "login.microsoftonline.com", "{host}");
        hosts += 1;
    }
    assert_eq!(hosts, sockets.split(' ').count());
    let socket = keys(&text("systemd/alertferry-egress@.socket"));
    assert_eq!(socket["ListenStream"], ["127.0.0.%i:443"]);
}

/// systemd follows `JoinsNamespaceOf=` in one direction and one step, to a unit that is active already.
#[test]
fn a_daemon_without_a_network_and_its_ways_out_join_the_same_one() {
    let daemon = keys(&text("systemd/alertferry.service"));
    let network = keys(&text("systemd/alertferry-egress.service"));
    assert_eq!((&*network["Type"][0], &*network["RemainAfterExit"][0]), ("oneshot", "yes"), "it would be gone at once");
    assert_eq!(network["PrivateNetwork"], ["yes"]);
    assert!(!network.contains_key("JoinsNamespaceOf"), "it would not be its own");
    for unit in ["systemd/no-network.conf", "systemd/alertferry-egress@.socket"] {
        let joins = keys(&text(unit));
        assert_eq!(joins["JoinsNamespaceOf"], ["alertferry-egress.service"], "{unit}");
        for key in ["Requires", "After"] {
            assert!(joins[key][0].split(' ').any(|on| on == "alertferry-egress.service"), "{key} of {unit}");
        }
        assert_eq!(joins["PrivateNetwork"], ["yes"], "{unit}");
    }
    // They are joined together, so each must be there to be joined.
    for key in ["PrivateTmp", "PrivateIPC"] {
        assert_eq!(network[key], daemon[key], "{key}");
    }
}

/// systemd passes over the second thing that is bound to one place, so the drop-in takes the place of the unit's list.
#[test]
fn a_daemon_without_a_network_sees_what_the_daemon_sees_but_for_its_names() {
    let words = |lines: &[String]| -> Vec<String> { lines.join(" ").split_whitespace().map(str::to_owned).collect() };
    let mut expected = words(&keys(&text("systemd/alertferry.service"))["BindReadOnlyPaths"]);
    let before = expected.len();
    expected.retain(|path| !["-/etc/hosts", "-/etc/resolv.conf", "-/run/systemd/resolve"].contains(&path.as_str()));
    assert_eq!(expected.len() + 3, before);
    expected.push("/etc/alertferry/hosts.egress:/etc/hosts".to_owned());
    let dropped = keys(&text("systemd/no-network.conf"));
    assert_eq!(dropped["BindReadOnlyPaths"][0], "", "the list is not said anew");
    assert_eq!(words(&dropped["BindReadOnlyPaths"]), expected);
}
