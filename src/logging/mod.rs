//! Owns how events become lines: which are shown, in what form, and where a failed write is remembered.
//!
//! One event is one line and one write. Nothing here can fail the work that speaks: a line that cannot be written is
//! counted, and [`LogHandle::flush`] tells it to the one who must not go on before his lines are out.

mod json;
mod line;
mod sink;
mod text;
mod visible;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::clock::Clock;
use crate::event::TARGET;
pub(crate) use visible::{is_hostile, visible, visible_json};

use line::Line;
use sink::Sink;

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What the log is built with.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// The form of the lines.
    pub format: Format,
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'a str,
    /// Whether the lines go to a terminal.
    pub terminal: bool,
    /// Whether the operator allows colour; used only on a terminal.
    pub colour: bool,
    /// Whose time the lines carry.
    pub clock: Clock,
}

/// Why the log could not be set up or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// There is no such level.
    #[error("`{0}` is no log level; use off, error, warn, info, debug or trace")]
    Level(String),
    /// Something else in this process takes the events already.
    #[error("a log is set up already")]
    Taken,
}

/// The running log. Clones are the same log.
#[derive(Debug, Clone)]
pub struct LogHandle {
    sink: Arc<Sink>,
    level: Arc<AtomicU8>,
}

impl LogHandle {
    /// Changes which events are shown, from now on.
    ///
    /// # Errors
    /// [`LogError::Level`] when there is no such level.
    pub fn set_level(&self, level: &str) -> Result<(), LogError> {
        self.level.store(level_index(level)?, Ordering::SeqCst);
        // Every place that speaks remembers whether it is heard; this makes them ask again.
        tracing::callsite::rebuild_interest_cache();
        Ok(())
    }

    /// Whether every line since the last call was written.
    ///
    /// # Errors
    /// The first error since the last call. Who moves a cursor after his lines must not move it then.
    pub fn flush(&self) -> io::Result<()> {
        self.sink.flush()
    }

    /// How many lines could not be written since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sink.lost()
    }
}

/// Makes `out` the log of this process.
///
/// # Errors
/// When there is no such level, or a log is set up already.
pub fn init(options: &Options<'_>, out: Box<dyn Write + Send>) -> Result<LogHandle, LogError> {
    let (subscriber, handle) = build(options, out)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Taken)?;
    Ok(handle)
}

/// Builds a log without making it that of the process.
///
/// # Errors
/// When there is no such level.
pub fn build(
    options: &Options<'_>,
    out: Box<dyn Write + Send>,
) -> Result<(impl Subscriber + Send + Sync + use<>, LogHandle), LogError> {
    let level = Arc::new(AtomicU8::new(level_index(options.level)?));
    let handle = LogHandle { sink: Arc::new(Sink::new(out)), level };
    let form = match (options.format, options.terminal) {
        (Format::Json, _) | (Format::Auto, false) => Form::Json,
        (Format::Text, _) | (Format::Auto, true) => Form::Text { colour: options.terminal && options.colour },
    };
    let lines = Lines { handle: handle.clone(), form, clock: options.clock.clone() };
    Ok((Registry::default().with(lines), handle))
}

/// The levels by their number in the handle.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

fn level_index(name: &str) -> Result<u8, LogError> {
    let found = (0..).zip(LEVELS).find(|(_, (known, _))| known.eq_ignore_ascii_case(name.trim()));
    found.map(|(index, _)| index).ok_or_else(|| LogError::Level(name.chars().take(32).collect()))
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Text { colour: bool },
}

/// The layer that turns events into lines.
struct Lines {
    handle: LogHandle,
    form: Form,
    clock: Clock,
}

impl Lines {
    fn level(&self) -> LevelFilter {
        LEVELS[usize::from(self.handle.level.load(Ordering::Relaxed)) % LEVELS.len()].1
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Nothing here looks at spans, so nobody pays for them.
        metadata.is_event() && *metadata.level() <= limit(metadata.target(), self.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level())
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event, self.clock.now());
        let written = match self.form {
            Form::Json => json::write(&line),
            Form::Text { colour } => text::write(&line, colour),
        };
        self.handle.sink.write(written);
    }
}

/// How much is heard from `target` when the log is set to `level`.
///
/// Libraries speak up at `warn`, unless somebody hunts a fault at `debug` or `trace`. The cron library tells of every
/// tick below `warn`, which nobody wants at any level.
fn limit(target: &str, level: LevelFilter) -> LevelFilter {
    let is_below = |root: &str| target.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    if is_below("tokio_cron_scheduler") || (!is_below(TARGET) && level < LevelFilter::DEBUG) {
        level.min(LevelFilter::WARN)
    } else {
        level
    }
}

#[cfg(test)]
mod tests;
