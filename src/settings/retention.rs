//! Owns the section `[retention]`: how long alerts are kept, and why no age may be shorter than what is read again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::duration;
use super::report::Report;
use super::sections::PollSettings;
use super::table::Table;

/// The severities that may have an age of their own, in lower case. An alert without one counts as the last.
pub const SEVERITIES: [&str; 5] = ["high", "medium", "low", "informational", "unspecified"];

/// What stands for no age at all.
const FOREVER: &str = "forever";

/// `[retention]`: how long alerts are kept after their last update. No age means for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Of each of the [`SEVERITIES`].
    pub by_severity: BTreeMap<&'static str, Option<Duration>>,
    /// Of any other severity.
    pub default: Option<Duration>,
    /// Whether alerts that are not resolved are held to it, too.
    pub open: bool,
}

impl RetentionSettings {
    pub(super) fn read(section: &Table, poll: Option<&PollSettings>, report: &mut Report) -> Option<Self> {
        let default = age(section, "default", poll, report);
        let own = |severity, report: &mut Report| match section.values.contains_key(severity) {
            true => age(section, severity, poll, report),
            false => default,
        };
        let ages = SEVERITIES.map(|severity| (severity, own(severity, report)));
        let open = section.boolean("open", report);
        let ages = ages.into_iter().map(|(severity, age)| Some((severity, age?)));
        Some(Self { by_severity: ages.collect::<Option<_>>()?, default: default?, open: open? })
    }

    /// Whether any alert is ever to go.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.default.is_some() || self.by_severity.values().any(Option::is_some)
    }
}

/// Why an age is too short to keep what is taken out from coming back; nothing when it is long enough.
#[must_use]
pub fn comes_back(age: Duration, poll: &PollSettings) -> Option<String> {
    let look_back = poll.look_back();
    (age < look_back).then(|| {
        let [age, look_back] = [age, look_back].map(duration::show);
        format!(
            "{age} is less than the {look_back} that the daemon may read again by itself (poll.backfill, or poll.sweep \
             and poll.overlap): an alert that is taken out would come back as new"
        )
    })
}

/// An age: a span, or no end.
fn age(section: &Table, key: &str, poll: Option<&PollSettings>, report: &mut Report) -> Option<Option<Duration>> {
    let parse = |text: &str| match text {
        FOREVER => Ok(None),
        text => duration::parse(text).map(Some).map_err(|bad| format!("{bad}, or \"{FOREVER}\"")),
    };
    let found = section.parsed(key, report, parse)?;
    if let (Some(age), Some(poll)) = (found.value, poll)
        && let Some(message) = comes_back(age, poll)
    {
        report.error(&found.at, section.path_of(key), message);
        return None;
    }
    Some(found.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ConfigErrors, Environment, Settings};

    /// A configuration with these further lines and variables.
    fn load<const N: usize>(lines: &str, variables: [(&str, &str); N]) -> Result<Settings, ConfigErrors> {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("main.toml");
        let minimal = include_str!("../../config/alertferry.minimal.toml");
        std::fs::write(&file, format!("{minimal}{lines}")).expect("written");
        let credentials = [("CREDENTIALS_DIRECTORY", "/run/credentials/alertferry")];
        Settings::load_with(&file, &credentials.into_iter().chain(variables).collect::<Environment>())
    }

    #[test]
    fn ages_of_retention_are_inherited_and_never_too_short() {
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        let none = load("", []).expect("settings").retention;
        assert!(!none.is_set() && !none.open && none.by_severity.values().all(Option::is_none));
        let text = "[retention]\ndefault = \"730d\"\nhigh = \"forever\"\nlow = \"180d\"\nopen = true\n";
        let some = load(text, [("ALERTFERRY__RETENTION__INFORMATIONAL", "200d")]).expect("settings");
        let ages: Vec<_> = some.retention.by_severity.into_iter().collect();
        assert_eq!(
            ages,
            [
                ("high", None),
                ("informational", days(200)),
                ("low", days(180)),
                ("medium", days(730)),
                ("unspecified", days(730))
            ]
        );
        assert!(some.retention.default == days(730) && some.retention.open);
        let wrong = "[poll]\nbackfill = \"2d\"\nsweep = \"7d\"\noverlap = \"1d\"\n[retention]\ndefault = \"191h\"\n\
                     low = \"never\"\nhgih = \"9d\"\nmedium = 9\nopen = \"yes\"\nhigh = \"8d\"\nunspecified = \"1d\"\n";
        let refusal = load(wrong, [("ALERTFERRY__RETENTION__INFORMATIONAL", "5d")]).expect_err("refused").to_string();
        for said in [
            "retention.default: 191h is less than the 8d that the daemon may read again by itself",
            "retention.low: `never` is no span of time",
            "or \"forever\"",
            "retention.hgih: there is no such key",
            "did you mean `high`?",
            "retention.medium: this is of type integer",
            "retention.open: this is of type string",
            "retention.unspecified: 1d is less than the 8d",
            "ALERTFERRY__RETENTION__INFORMATIONAL: 5d is less than the 8d",
        ] {
            assert!(refusal.contains(said), "{said}\n---\n{refusal}");
        }
        assert!(!refusal.contains("retention.high"), "{refusal}");
    }
}
