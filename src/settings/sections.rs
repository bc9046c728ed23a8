//! Owns the sections `[store]`, `[poll]` and `[log]`: their defaults, their limits, their checked values.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::report::{At, Report};
use super::table::Table;
use crate::schedule::Schedule;

/// What holds where no file and no variable says otherwise; read by the same code as everything else.
pub(super) const DEFAULTS: &[(&str, &str)] = &[
    ("store.path", "/var/lib/alertferry/alerts.db"),
    ("network.ca_file", ""),
    ("network.proxy", ""),
    ("network.no_proxy", ""),
    ("poll.schedule", "0 */5 * * * *"),
    ("poll.overlap", "1h"),
    ("poll.backfill", "180d"),
    ("poll.sweep", "7d"),
    ("poll.max_concurrent_tenants", "32"),
    ("poll.page_size", "10000"),
    ("poll.request_timeout", "60s"),
    ("log.level", "info"),
    ("log.format", "auto"),
    ("log.history", "false"),
    ("admin.listen", "off"),
    ("admin.allow_remote", "false"),
    ("admin.tenant_series_limit", "1000"),
    ("retention.default", "forever"),
    ("retention.open", "false"),
];

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// `[store]`: where the alerts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The database file.
    pub path: PathBuf,
}

/// `[poll]`: when and how tenants are read.
#[derive(Debug, Clone, PartialEq)]
pub struct PollSettings {
    /// When tenants are due; each at its own instant within the interval.
    pub schedule: Schedule,
    /// How far before the covered time each pass starts, for alerts that become visible late.
    pub overlap: Duration,
    /// How far back the first contact with a tenant reads.
    pub backfill: Duration,
    /// How far back the daily second look reaches; zero turns it off.
    pub sweep: Duration,
    /// How many tenants are read at once.
    pub max_concurrent_tenants: usize,
    /// How many alerts one request asks for.
    pub page_size: u32,
    /// How long one request may take, answer included.
    pub request_timeout: Duration,
}

/// `[log]`: what is said while running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The least level that is written: `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
    /// Whether changes found by a backfill are logged one by one.
    pub history: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

impl StoreSettings {
    pub(super) fn read(section: &Table, report: &mut Report) -> Option<Self> {
        let path = section.required("path", report)?;
        // What a variable says is meant from where the program was started, as on any command line.
        Some(Self { path: report.directory(&path.at).join(path.value) })
    }
}

impl PollSettings {
    /// How far before the end of what is covered the daemon may read by itself again: the history of a tenant that it
    /// meets anew, or the daily second look with the overlap.
    #[must_use]
    pub fn look_back(&self) -> Duration {
        self.backfill.max(self.sweep + self.overlap)
    }

    pub(super) fn read(section: &Table, report: &mut Report) -> Option<Self> {
        let schedule = section.parsed("schedule", report, |text| Schedule::parse(text).map_err(|bad| bad.to_string()));
        let overlap = span(section, report, "overlap", MINUTE, 30 * DAY);
        let backfill = span(section, report, "backfill", 0, 3653 * DAY);
        let sweep = span(section, report, "sweep", 0, 180 * DAY);
        let max_concurrent_tenants = section.number("max_concurrent_tenants", report, 1, 1_000);
        let page_size = section.number("page_size", report, 1, 10_000);
        let request_timeout = span(section, report, "request_timeout", 1, 10 * MINUTE);
        Some(Self {
            schedule: schedule?.value,
            overlap: overlap?,
            backfill: backfill?,
            sweep: sweep?,
            max_concurrent_tenants: usize::try_from(max_concurrent_tenants?).ok()?,
            page_size: page_size?,
            request_timeout: request_timeout?,
        })
    }
}

impl LogSettings {
    pub(super) fn read(section: &Table, report: &mut Report) -> Option<Self> {
        let level = section.parsed("level", report, |text| {
            let known = LEVELS.contains(&text).then(|| text.to_owned());
            known.ok_or_else(|| format!("`{text}` is no level; use one of {}", LEVELS.join(", ")))
        });
        let format = section.parsed("format", report, |text| match text {
            "auto" => Ok(LogFormat::Auto),
            "json" => Ok(LogFormat::Json),
            "text" => Ok(LogFormat::Text),
            _ => Err(format!("`{text}` is no format; use one of auto, json, text")),
        });
        let history = section.boolean("history", report);
        Some(Self { level: level?.value, format: format?.value, history: history? })
    }
}

/// A span between `least` and `most` seconds.
fn span(section: &Table, report: &mut Report, key: &str, least: u64, most: u64) -> Option<Duration> {
    let found = section.parsed(key, report, duration::parse)?;
    if (least..=most).contains(&found.value.as_secs()) {
        return Some(found.value);
    }
    let [least, most] = [least, most].map(|seconds| duration::show(Duration::from_secs(seconds)));
    let at: &At = &found.at;
    let message = format!("{} is not between {least} and {most}", duration::show(found.value));
    report.error(at, section.path_of(key), message);
    None
}
