//! Holds the files in `systemd/` against the program, the sample configuration, and systemd itself where it is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

const UNIT: &str = include_str!("../systemd/alertferry.service");
const PRUNE: &str = include_str!("../systemd/alertferry-prune.service");
const PRUNE_TIMER: &str = include_str!("../systemd/alertferry-prune.timer");
const SYSUSERS: &str = include_str!("../systemd/alertferry.sysusers");
const TMPFILES: &str = include_str!("../systemd/alertferry.tmpfiles");
const SAMPLE: &str = include_str!("../config/alertferry.toml");

/// Where packages put the program, as the unit has it.
const INSTALLED: &str = "/usr/bin/alertferry";

/// The values of each key of the unit, in order.
fn unit() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in UNIT.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, value)) = line.split_once('=') {
            keys.entry(key).or_default().push(value);
        }
    }
    keys
}

fn one(key: &str) -> &'static str {
    let keys = unit();
    let values = keys.get(key).unwrap_or_else(|| panic!("the unit has no {key}="));
    assert_eq!(values.len(), 1, "{key}= is set once");
    values[0]
}

/// The program as tests have it.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertferry"));
    command.env_clear();
    command
}

#[test]
fn the_program_understands_what_the_unit_says() {
    let start: Vec<_> = one("ExecStart").split(' ').collect();
    assert_eq!(start[0], INSTALLED);
    let empty = tempfile::tempdir().expect("a directory");
    let config = empty.path().join("alertferry.toml");
    let arguments: Vec<String> = start[1..]
        .iter()
        .map(|argument| argument.replace("/etc/alertferry/alertferry.toml", &config.to_string_lossy()))
        .collect();
    let told = program().args(&arguments).output().expect("it runs");
    // The command line is right when the first thing that is wrong is the missing file.
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(78), "{text}");
    assert!(text.contains(&*config.to_string_lossy()) && !text.contains("Usage"), "{text}");
    let wrong = program().args(&arguments).arg("--no-such-flag").output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(64), "a wrong command line is told from a wrong file");
}

#[test]
fn the_default_configuration_is_the_units() {
    let help = program().arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let config = one("ConditionPathExists");
    assert!(help.contains(&format!("[default: {config}]")), "{help}");
    assert!(one("ExecStart").ends_with(config));
    assert!(config.starts_with(&format!("/etc/{}/", one("ConfigurationDirectory"))));
}

#[test]
fn exit_codes_that_end_it_are_documented_ones() {
    let help = program().arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let codes = help[help.find("Exit codes").expect("exit codes")..].to_owned();
    let codes: Vec<&str> = codes.split(|c: char| !c.is_ascii_digit()).filter(|code| !code.is_empty()).collect();
    let ending: Vec<&str> = one("RestartPreventExitStatus").split(' ').collect();
    assert!(ending.iter().all(|code| codes.contains(code)), "{ending:?} of {codes:?}");
    for code in ["0", "69", "70", "74", "75"] {
        assert!(!ending.contains(&code), "{code} may go better at the next start");
    }
}

#[test]
fn the_credential_is_the_one_of_the_sample() {
    let (name, path) = one("LoadCredential").split_once(':').expect("NAME:PATH");
    let keys: Vec<_> = SAMPLE.lines().filter(|line| line.starts_with("secret = ")).collect();
    assert_eq!(keys, [format!("secret = {{ credential = \"{name}\" }}")]);
    let directory = Path::new(path).parent().expect("a directory");
    assert!(TMPFILES.contains(&format!("d {} 0700 root root -", directory.display())), "it is made for root alone");
    // systemd refuses to start a unit whose credential is not there, also when the configuration names a file instead.
    assert!(TMPFILES.lines().any(|line| line == format!("f {path} 0600 root root -")), "{path} is there, if empty");
}

#[test]
fn the_store_of_the_sample_is_in_the_state_directory() {
    let path = SAMPLE.lines().find_map(|line| line.strip_prefix("#path = \"")).expect("the store's path");
    assert!(path.starts_with(&format!("/var/lib/{}/", one("StateDirectory"))), "{path}");
    assert_eq!((one("StateDirectoryMode"), one("UMask")), ("0750", "0027"), "the group may read the store");
}

#[test]
fn the_socket_of_the_sample_is_in_the_runtime_directory() {
    let socket = SAMPLE.split("unix:").nth(1).and_then(|rest| rest.split('"').next()).expect("a socket");
    assert!(socket.starts_with(&format!("/run/{}/", one("RuntimeDirectory"))), "{socket}");
    assert_eq!(one("RuntimeDirectoryMode"), "0750", "the group may reach it");
}

#[test]
fn user_and_directories_are_made() {
    let user = one("User");
    assert_eq!(user, one("Group"));
    assert!(SYSUSERS.lines().any(|line| line.starts_with(&format!("u {user} "))), "{SYSUSERS}");
    let config =
        format!("d /etc/{} {} root {user} -", one("ConfigurationDirectory"), one("ConfigurationDirectoryMode"));
    assert!(TMPFILES.lines().any(|line| line == config), "{config}");
    // What the unit makes at its start is there before: `check` and a first `sync` come before that.
    let state = format!("d /var/lib/{} {} {user} {user} -", one("StateDirectory"), one("StateDirectoryMode"));
    assert!(TMPFILES.lines().any(|line| line == state), "{state}");
    let root = format!("d {} 0755 root root -", one("RootDirectory"));
    assert!(TMPFILES.lines().any(|line| line == root), "{root}");
}

/// A reload is one signal, and a stop is longer than what the daemon allows itself.
#[test]
fn signals_and_times_fit_the_daemon() {
    assert_eq!(unit()["ExecReload"], ["/usr/bin/kill -HUP $MAINPID"]);
    assert_eq!((one("Type"), one("NotifyAccess")), ("notify", "main"));
    let seconds = |key: &str| one(key).trim_end_matches('s').parse::<u64>().expect("seconds");
    assert!(seconds("TimeoutStopSec") > 2 * 4, "the writer alone may take four seconds");
    assert!(seconds("WatchdogSec") >= 30);
}

/// The allowed IPv4 ranges and those that are not public cover every address once.
#[test]
fn the_address_list_is_every_public_address() {
    const NOT_PUBLIC: [&str; 9] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ];
    let keys = unit();
    let allowed = keys["IPAddressAllow"].iter().flat_map(|line| line.split(' ')).filter(|range| range.contains('.'));
    let mut ranges: Vec<(u64, u64)> = allowed.chain(NOT_PUBLIC).map(range).collect();
    ranges.sort_unstable();
    assert_eq!(ranges[0].0, 0);
    for pair in ranges.windows(2) {
        assert_eq!(
            pair[0].1,
            pair[1].0,
            "{} is missing or there twice",
            Ipv4Addr::from(u32::try_from(pair[1].0).expect("32 bits"))
        );
    }
    assert_eq!(ranges.last().map(|range| range.1), Some(1 << 32));
    assert_eq!(keys["IPAddressDeny"], ["any"]);
}

fn range(text: &str) -> (u64, u64) {
    let (address, bits) = text.split_once('/').expect("ADDRESS/BITS");
    let from = u64::from(u32::from(address.parse::<Ipv4Addr>().expect("an address")));
    let size = 1_u64 << (32 - bits.parse::<u32>().expect("a number"));
    assert_eq!(from % size, 0, "{text} begins inside of itself");
    (from, from + size)
}

/// Lets systemd judge the unit: that it parses without a warning, and that its exposure is at most 0.9.
#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn systemd_accepts_the_unit_and_calls_it_safe() {
    let run = |arguments: &[&str], file: &Path| Command::new("systemd-analyze").args(arguments).arg(file).output();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("alertferry.service");
    // What the unit runs must be there; here it is this test's own program, and the root is the machine's.
    let here = UNIT.replace(INSTALLED, env!("CARGO_BIN_EXE_alertferry"));
    std::fs::write(&file, here).expect("written");
    let Ok(verified) = run(&["verify", "--man=no"], &file) else {
        println!("skipped: there is no systemd-analyze on this machine");
        return;
    };
    let text = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && text.is_empty(), "{text}");
    std::fs::write(&file, UNIT).expect("written");
    let judged = run(&["security", "--offline=true", "--threshold=9"], &file).expect("it runs");
    let text = String::from_utf8_lossy(&judged.stdout).into_owned() + &String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{text}");
}

/// The daily retention: its command line is right, it runs as the daemon does, and systemd takes both files.
#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn the_timer_runs_what_the_program_understands() {
    let line = |key: &str| {
        let found = PRUNE.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("the unit has no {key}="))
    };
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("alertferry.toml");
    let start = line("ExecStart").replace("/etc/alertferry/alertferry.toml", &config.to_string_lossy());
    let words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words[0], INSTALLED);
    let told = program().args(&words[1..]).output().expect("it runs");
    assert_eq!(told.status.code(), Some(78), "{told:?}");
    for key in ["User", "Group", "StateDirectory", "StateDirectoryMode", "ConfigurationDirectory", "UMask"] {
        assert_eq!(line(key), one(key), "{key}");
    }
    // It does not sign in.
    assert!(!PRUNE.contains("Credential"));
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text.replace(INSTALLED, env!("CARGO_BIN_EXE_alertferry"))).expect("written");
        path
    };
    let service = file("alertferry-prune.service", PRUNE);
    let timer = file("alertferry-prune.timer", PRUNE_TIMER);
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).args([&timer, &service]).output()
    else {
        println!("skipped: there is no systemd-analyze on this machine");
        return;
    };
    let text = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && text.is_empty(), "{text}");
}
