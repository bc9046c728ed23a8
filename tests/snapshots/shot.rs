//! Owns taking a snapshot: what a command said and how it ended, with what differs between runs made alike.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::support::Said;

/// What differs between runs, and what stands for it; as long, so that tables keep their form.
const ALIKE: [(&str, &str); 10] = [
    // How long the answer took is taken off the covered time.
    (r"2015-05-14T0(7:59|8:00):\d\d\.\d{7}Z", "<----- the covered time --->"),
    (r"2015-05-14([T ])0(7:59|8:00):\d\d", "<- the covered tm->"),
    // The world stands still in 2015: later times are this machine's.
    (r"20(2\d|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", "<-- time of this machine -->"),
    (r"20(2\d|[3-9]\d)-\d\d-\d\d([T ])\d\d:\d\d:\d\d", "<- of this machine>"),
    (r"\b[345]\d{3} d\b", "nnnn d"),
    (r"\b[345]\d{8}\b", "<seconds>"),
    (r"\b[345]\d{11}\b", "<milli s.>"),
    (r"(/[^/\s]+)+/\.tmp\w+", "<directory>"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
    (r"\b\d+ [KMG]iB\b", "<size>"),
];

/// The same where a time's day and hour stand one under the other.
const ALIKE_NARROW: [(&str, &str); 6] = [
    (ALIKE[2].0, ALIKE[2].1),
    (ALIKE[3].0, ALIKE[3].1),
    (r"20(2\d|[3-9]\d)-\d\d-\d\d", "<- now -->"),
    (r"\d\d:\d\d:\d\d", "hh:mm:ss"),
    (ALIKE[4].0, ALIKE[4].1),
    (ALIKE[9].0, ALIKE[9].1),
];

/// Snapshots of one test; those that differ are told together at its end.
#[derive(Default)]
pub struct Album {
    alike: &'static [(&'static str, &'static str)],
    taken: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Album {
    /// Snapshots of what a store holds.
    pub fn of_a_store() -> Self {
        Self { alike: &ALIKE, ..Self::default() }
    }

    /// Snapshots of what a narrow terminal shows of a store.
    pub fn of_a_terminal() -> Self {
        Self { alike: &ALIKE_NARROW, ..Self::default() }
    }

    /// Compares what was said to a command line with the file of this name.
    pub fn take(&mut self, name: &str, arguments: &[&str], said: &Said) {
        self.take_all(name, &[(arguments, said)]);
    }

    /// The same for several command lines in one file.
    pub fn take_all(&mut self, name: &str, shots: &[(&[&str], &Said)]) {
        let text: Vec<String> = shots.iter().map(|(arguments, said)| Self::told(arguments, said)).collect();
        self.compare(name, &readable(&text.join("\n")));
    }

    fn told(arguments: &[&str], said: &Said) -> String {
        let code = said.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let mut text = format!("$ alertferry {}\n{}", quoted(arguments), said.stdout);
        if !said.stderr.is_empty() {
            text += &format!("-- standard error\n{}", said.stderr);
        }
        text += &format!("-- exit code {code}\n");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    fn compare(&mut self, name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("taken");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_filters(self.alike.iter().copied());
        let compared = catch_unwind(AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(name, text))));
        if compared.is_err() {
            self.wrong.push(name.to_owned());
        }
        assert!(self.taken.insert(name.to_owned()), "{name} is taken twice");
    }

    /// Tells what differs, and files that begin so and that nothing has taken.
    pub fn close(self, begin: &str) {
        assert!(self.wrong.is_empty(), "these differ from tests/snapshots/taken: {:?}", self.wrong);
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/taken");
        let entries = std::fs::read_dir(place).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let files = names.filter_map(|name| name.strip_suffix(".snap").map(str::to_owned));
        let orphans: Vec<String> = files.filter(|name| name.starts_with(begin) && !self.taken.contains(name)).collect();
        assert!(orphans.is_empty(), "nothing takes these any more; remove them: {orphans:?}");
    }
}

fn quoted(arguments: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,".contains(c);
    let word = |word: &&str| {
        if word.chars().all(plain) && !word.is_empty() { (*word).to_owned() } else { format!("'{word}'") }
    };
    arguments.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The text with everything that steers a terminal shown by its number, as CSV has it in its cells.
fn readable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => "\n".to_owned(),
        steering if steering.is_control() || alters(steering) || matches!(steering, '\u{200c}' | '\u{200d}') => {
            format!("⟨{:02x}⟩", u32::from(steering))
        }
        other => other.to_string(),
    };
    // The help that clap lays out has blanks at the end of lines, which no file of this house has.
    let lines = text.lines().map(|line| line.trim_end().chars().map(shown).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a character is not seen itself, and changes what is.
pub fn alters(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn a_changed_output_fails_without_an_update() {
    // In a process of its own, because that is how the variable is read.
    let own = std::env::current_exe().expect("this program");
    let run = |text: &str| {
        let mut child = std::process::Command::new(&own);
        child.args(["--exact", "shot::compared_by_the_other_test", "--ignored"]).env("SNAPSHOT_TEXT", text);
        child.env("INSTA_UPDATE", "no").env_remove("INSTA_FORCE_PASS").current_dir(env!("CARGO_MANIFEST_DIR"));
        child.output().expect("it runs").status.success()
    };
    assert!(run("as it was\n") && !run("as it is now\n"));
}

#[test]
#[ignore = "another test runs it with a text"]
fn compared_by_the_other_test() {
    #[expect(clippy::disallowed_methods, reason = "a process that a test starts has no other way to be told")]
    let text = std::env::var("SNAPSHOT_TEXT").expect("a text");
    let mut album = Album::default();
    album.compare("self-test", &text);
    album.close("self-test");
}
