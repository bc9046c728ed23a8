//! Owns the steps of a check that need no network: configuration, files, secrets, disk and store.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::credentials;
use super::finding::Finding;
use crate::clock::Clock;
use crate::command::Exit;
use crate::http::{Http, Network, Options};
use crate::settings::Settings;
use crate::store::{self, Health, StoreError, Wholeness, directory_of};

/// With less than this left, a first read of a fleet may fill the disk.
const LITTLE_BYTES: u64 = 2 * GIB;
/// With less than this left, the write-ahead log of one burst may not fit.
const NO_BYTES: u64 = 64 * MIB;
/// The log is cut back to 64 MiB; one that is longer than this has readers that do not let it.
const LONG_LOG_BYTES: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

pub(super) fn findings(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![configuration(settings)];
    findings.extend(files(settings));
    findings.extend(way(settings));
    findings.extend(settings.apps.iter().flat_map(|app| credentials::findings(app, Clock::System.now())));
    findings.extend(disk(settings));
    findings.extend(the_store(settings));
    findings
}

fn configuration(settings: &Settings) -> Finding {
    let tenants = settings.tenants.iter().filter(|tenant| tenant.enabled).count();
    let next = settings.poll.schedule.upcoming(Clock::System.now(), 1);
    let next = next.first().map_or_else(String::new, |time| format!(", next poll begins {time}"));
    let files = settings.files.len();
    Finding::good(
        "configuration",
        "config",
        format!("{files} file(s), {} app(s), {tenants} tenant(s){next}", settings.apps.len()),
    )
}

/// Who may write the configuration decides to whom secrets are sent.
fn files(settings: &Settings) -> Vec<Finding> {
    let mut open = Vec::new();
    for path in places(settings) {
        let Ok(found) = path.metadata() else { continue };
        let (subject, mode) = (path.display().to_string(), found.mode() & 0o7777);
        // In a sticky directory nobody can replace what is another's.
        let sticky = found.is_dir() && mode & 0o1000 != 0;
        let remedy = format!("run: chmod go-w {subject}");
        if mode & 0o002 != 0 && !sticky {
            let detail = format!("everybody on this machine may write it (mode {mode:04o})");
            open.push(Finding::bad(&subject, "files", Exit::Permission, detail, remedy));
        } else if mode & 0o020 != 0 && !sticky {
            open.push(Finding::warned(&subject, "files", format!("its group may write it (mode {mode:04o})"), &remedy));
        }
    }
    if open.is_empty() {
        open.push(Finding::good("configuration", "files", "only their owner may write its files"));
    }
    open
}

/// The files that were read, and the directories they lie in.
fn places(settings: &Settings) -> Vec<PathBuf> {
    let beside = settings.files.iter().map(|file| directory_of(file));
    let mut places: Vec<PathBuf> =
        settings.files.iter().map(PathBuf::as_path).chain(beside).map(Path::to_owned).collect();
    places.sort();
    places.dedup();
    places
}

/// The way to the services, where it is not the direct one.
fn way(settings: &Settings) -> Option<Finding> {
    let Network { authorities, proxy } = &settings.network;
    let authorities = authorities.as_ref().map(|found| format!("{} authorities beside the system's", found.count()));
    let through = proxy.as_ref().map(|proxy| format!("through {}", proxy.shown));
    let detail: Vec<String> = through.into_iter().chain(authorities).collect();
    if detail.is_empty() {
        return None;
    }
    let options = Options { loopback_only: settings.loopback_only };
    Some(match Http::through(&options, &settings.network) {
        Ok(_) => Finding::good("network", "network", detail.join("; ")),
        Err(error) => Finding::bad("network", "network", Exit::Config, error.to_string(), "see docs/OPERATIONS.md"),
    })
}

fn disk(settings: &Settings) -> Option<Finding> {
    let directory = directory_of(&settings.store.path);
    let free = store::free_bytes(directory)?;
    let (subject, detail) = (directory.display().to_string(), format!("{} free", bytes(free)));
    let remedy = "free some, or let `store.path` lie on another disk";
    Some(match free {
        ..NO_BYTES => Finding::bad(&subject, "disk", Exit::Io, detail, remedy),
        NO_BYTES..LITTLE_BYTES => Finding::warned(&subject, "disk", detail, remedy),
        LITTLE_BYTES.. => Finding::good(&subject, "disk", detail),
    })
}

fn the_store(settings: &Settings) -> Vec<Finding> {
    let path = &settings.store.path;
    let subject = path.display().to_string();
    if path.exists() {
        return match (store::read_report(path), store::look_over(path)) {
            (Ok(report), Ok(health)) => {
                let alerts: i64 = report.tenants.iter().map(|tenant| tenant.alert_count).sum();
                let mut found = vec![Finding::good(
                    &subject,
                    "store",
                    format!("{alerts} alerts of {} tenants", report.tenants.len()),
                )];
                found.extend(health_of(&subject, &health));
                found
            }
            (Err(error), _) | (_, Err(error)) => vec![unusable(&subject, path, &error)],
        };
    }
    vec![to_be_made(&subject, path)]
}

fn unusable(subject: &str, path: &Path, error: &StoreError) -> Finding {
    if path.is_dir() {
        let remedy = "change `store.path`; it must name a file";
        return Finding::bad(subject, "store", Exit::Config, "it is a directory", remedy);
    }
    let denied = matches!(error, StoreError::Unopened { permission: true, .. });
    let exit = if denied { Exit::Permission } else { Exit::Data };
    Finding::bad(subject, "store", exit, error.to_string(), "")
}

fn to_be_made(subject: &str, path: &Path) -> Finding {
    match std::fs::metadata(directory_of(path)) {
        Ok(directory) if directory.permissions().readonly() => Finding::bad(
            subject,
            "store",
            Exit::Permission,
            "its directory may not be written",
            "let the daemon's user own the directory",
        ),
        Ok(_) => Finding::good(subject, "store", "does not exist yet; the first run creates it"),
        Err(_) => Finding::bad(
            subject,
            "store",
            Exit::Config,
            "its directory does not exist",
            "create it, or change `store.path`",
        ),
    }
}

fn health_of(subject: &str, health: &Health) -> [Finding; 3] {
    let holder = health.holder.as_deref().map(|holder| format!("{holder} has it open to write"));
    let holder = holder.unwrap_or_else(|| "nobody is seen to have it open to write".to_owned());
    let writer = format!("schema {}; {holder}", health.schema);
    let sizes = format!("{}, write-ahead log {}", bytes(health.bytes), bytes(health.log_bytes));
    let log = if health.log_bytes > LONG_LOG_BYTES {
        Finding::warned(subject, "size", sizes, "find out who reads from it for so long; see docs/OPERATIONS.md")
    } else {
        Finding::good(subject, "size", sizes)
    };
    [whole(subject, &health.wholeness), Finding::good(subject, "writer", writer), log]
}

fn whole(subject: &str, found: &Wholeness) -> Finding {
    match found {
        Wholeness::Whole => Finding::good(subject, "integrity", "looked through, and whole"),
        Wholeness::Unfinished => Finding::good(
            subject,
            "integrity",
            "whole so far; it is too large for a quick look (sqlite3: PRAGMA integrity_check)",
        ),
        Wholeness::Damaged(wrong) => Finding::bad(
            subject,
            "integrity",
            Exit::Data,
            format!("damaged: {wrong}"),
            "stop the daemon, keep the files, and restore a backup; see docs/OPERATIONS.md",
        ),
    }
}

/// A size in the largest unit that leaves at least ten of it.
fn bytes(bytes: u64) -> String {
    let units = [(10 * GIB, GIB, "GiB"), (10 * MIB, MIB, "MiB"), (0, 1024, "KiB")];
    let fits = units.into_iter().find(|(from, ..)| bytes >= *from);
    fits.map_or_else(String::new, |(_, unit, name)| format!("{} {name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (size, shown) in
            [(0, "0 KiB"), (16_384, "16 KiB"), (11 * MIB, "11 MiB"), (3 * GIB, "3072 MiB"), (20 * GIB, "20 GiB")]
        {
            assert_eq!(bytes(size), shown);
        }
    }

    #[test]
    fn a_damaged_store_fails_and_a_long_log_warns() {
        let health = |wholeness, log_bytes| Health { schema: 1, bytes: 0, log_bytes, holder: None, wholeness };
        let levels = |health: &Health| health_of("s", health).map(|finding| (finding.ok, finding.remedy.is_some()));
        assert_eq!(levels(&health(Wholeness::Whole, 0)), [(true, false); 3]);
        let damaged = Wholeness::Damaged("page 3".to_owned());
        assert_eq!(levels(&health(damaged, GIB)), [(false, true), (true, false), (true, true)]);
    }
}
