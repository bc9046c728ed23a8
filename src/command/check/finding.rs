//! Owns what a step of a check found, how all of it is shown, and how the program ends by it.

use serde::Serialize;

use crate::command::Exit;
use crate::command::output::{self, cell, coloured, is_narrow, table};
use crate::domain::Failure;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

/// What a step found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    pub subject: String,
    pub step: &'static str,
    /// Whether it works.
    pub ok: bool,
    pub level: Level,
    pub detail: String,
    pub remedy: Option<String>,
    #[serde(skip)]
    pub exit: Exit,
    /// Whether another finding tells this one's cause for many; such a line is left out of the table.
    #[serde(skip)]
    pub follows: bool,
}

/// Which of the exits of several failures is the program's: what stands first is worse, or is to be mended first.
const WORST: [Exit; 6] = [Exit::Config, Exit::Permission, Exit::Data, Exit::Io, Exit::Temporary, Exit::Unavailable];

impl Finding {
    pub fn good(subject: &str, step: &'static str, detail: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            step,
            ok: true,
            level: Level::Ok,
            detail: detail.into(),
            remedy: None,
            exit: Exit::Done,
            follows: false,
        }
    }

    /// Something that works, and that somebody should look at.
    pub fn warned(subject: &str, step: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        Self { level: Level::Warn, remedy: Some(remedy.to_owned()), ..Self::good(subject, step, detail) }
    }

    pub fn bad(
        subject: &str,
        step: &'static str,
        exit: Exit,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into()).filter(|remedy| !remedy.is_empty());
        Self { ok: false, level: Level::Fail, remedy, exit, ..Self::good(subject, step, detail) }
    }

    pub fn failed(subject: &str, step: &'static str, failure: Failure) -> Self {
        Self::bad(subject, step, Exit::Unavailable, failure.reason, failure.remedy)
    }
}

/// How the program ends: by the worst of what failed. Warnings end well.
pub(super) fn exit(findings: &[Finding]) -> Exit {
    let is_there = |exit: Exit| findings.iter().any(|finding| finding.exit == exit);
    WORST.into_iter().find(|exit| is_there(*exit)).unwrap_or(Exit::Done)
}

pub(super) fn shown(findings: &[Finding]) -> String {
    let mut rows = table(&[]);
    let mut remedies = table(&["what", "step", "what to do"]);
    // Where there is little room, what to do stands below.
    let below = is_narrow(&rows);
    rows.set_header([&["", "what", "step", "found"][..], if below { &[] } else { &["what to do"] }].concat());
    let (mut links, mut some) = (Vec::new(), false);
    for finding in findings.iter().filter(|finding| !finding.follows) {
        let word = match finding.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        let remedy = finding.remedy.as_deref().unwrap_or("");
        links.extend(output::links(&finding.subject, remedy));
        let (what, step) = (cell(&finding.subject), cell(finding.step));
        if below && !remedy.is_empty() {
            some = true;
            remedies.add_row([what.clone(), step.clone(), cell(remedy)]);
        }
        let mut row = vec![coloured(word, finding.level == Level::Ok), what, step, cell(&finding.detail)];
        row.extend((!below).then(|| cell(remedy)));
        rows.add_row(row);
    }
    let remedies = if some { format!("\n\n{remedies}\n") } else { String::new() };
    let links: String = links.iter().map(|link| format!("\n{link}")).collect();
    format!("{rows}{remedies}{links}\n{}", verdict(findings))
}

fn verdict(findings: &[Finding]) -> String {
    let told = || findings.iter().filter(|finding| !finding.follows);
    let count = |level| told().filter(|finding| finding.level == level).count();
    let warnings = match count(Level::Warn) {
        0 => String::new(),
        1 => "; one warning".to_owned(),
        more => format!("; {more} warnings"),
    };
    match count(Level::Fail) {
        0 if warnings.is_empty() => "all well".to_owned(),
        0 => format!("nothing fails{warnings}"),
        failed => format!("{failed} of {} steps fail{warnings}", told().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_failure_is_the_exit_and_warnings_are_none() {
        let bad = |exit| Finding::bad("x", "y", exit, "", "");
        let warned = Finding::warned("x", "y", "", "");
        assert_eq!(exit(std::slice::from_ref(&warned)), Exit::Done);
        assert_eq!(exit(&[bad(Exit::Unavailable), warned.clone(), bad(Exit::Config)]), Exit::Config);
        assert_eq!(exit(&[bad(Exit::Unavailable), bad(Exit::Data)]), Exit::Data);
        assert_eq!(verdict(std::slice::from_ref(&warned)), "nothing fails; one warning");
        assert_eq!(verdict(&[warned.clone(), warned, bad(Exit::Io)]), "1 of 3 steps fail; 2 warnings");
        assert_eq!(verdict(&[Finding::good("x", "y", "")]), "all well");
    }
}
