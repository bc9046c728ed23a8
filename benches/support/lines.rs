//! Owns what a daemon tells in its lines: its passes, and the names of other events.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use alertferry::domain::Ticks;

/// A pass as the daemon told of it.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) tenant: String,
    pub(crate) began: Ticks,
    pub(crate) ended: Ticks,
    /// Whether all there was to read was read.
    pub(crate) read: bool,
    /// Alerts that were received.
    pub(crate) rows: u64,
    /// Alerts that were new or changed.
    pub(crate) changed: u64,
}

/// What a daemon has told since it was looked last.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) passes: Vec<Pass>,
    /// Names of all other events.
    pub(crate) events: Vec<String>,
}

/// The daemon's lines, read as they come.
#[derive(Debug)]
pub(crate) struct Lines {
    file: BufReader<File>,
    begun: String,
}

impl Lines {
    pub(crate) fn of(path: &Path) -> Self {
        Self { file: BufReader::new(File::open(path).expect("the daemon's lines")), begun: String::new() }
    }

    pub(crate) fn news(&mut self) -> News {
        let mut news = News::default();
        while self.file.read_line(&mut self.begun).expect("the daemon's lines") > 0 && self.begun.ends_with('\n') {
            let line: serde_json::Value = serde_json::from_str(&self.begun).expect("a line of JSON");
            self.begun.clear();
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            let number = |name: &str| line[name].as_u64().unwrap_or_default();
            if text("event") != "pass.finished" {
                news.events.push(text("event").to_owned());
                continue;
            }
            let ended = Ticks::parse(text("ts")).expect("a time");
            news.passes.push(Pass {
                tenant: text("tenant").to_owned(),
                began: ended.minus(Duration::from_millis(number("ms"))),
                ended,
                read: text("outcome") == "read",
                rows: number("rows"),
                changed: number("created") + number("updated"),
            });
        }
        news
    }
}
