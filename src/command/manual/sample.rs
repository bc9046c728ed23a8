//! Owns alertferry.toml(5), which is the sample configuration set as a page: sections become headings, each key an
//! entry, the comment before it what it means.

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

/// The sample, which has every key.
const SAMPLE: &str = include_str!("../../../config/alertferry.toml");

/// Something that stands in the sample, with the comment before it.
#[derive(Debug, Default, PartialEq)]
struct Entry<'a> {
    comment: Vec<&'a str>,
    /// `[poll]`, if this opens a section.
    heading: Option<&'a str>,
    /// Keys that the comment is about.
    keys: Vec<Key<'a>>,
}

#[derive(Debug, PartialEq)]
struct Key<'a> {
    name: &'a str,
    value: &'a str,
    /// Whether the value is what holds without the key; else it is only an example.
    default: bool,
}

pub(super) fn page() -> String {
    let mut roff = Roff::new();
    let source = super::source();
    roff.control("TH", ["alertferry.toml", "5", "", source.as_str(), "alertferry"]);
    opening(&mut roff);
    for entry in entries(SAMPLE) {
        entry.set(&mut roff);
    }
    closing(&mut roff);
    roff.to_roff()
}

fn opening(roff: &mut Roff) {
    roff.control("SH", ["NAME"]);
    roff.text([roman("alertferry.toml - configuration of alertferry")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([
        bold("alertferry"),
        roman("(1) reads /etc/alertferry/alertferry.toml, or the file after "),
        bold("--config"),
        roman(
            ", in TOML. Files in conf.d/*.toml beside it are laid over it in the order of their names; tenants may also \
             stand in tenants.d/*.toml and tenants.d/*.csv. Relative paths start from the directory of the file they \
             stand in. Spans of time are written like 90s, 30m, 1h, 180d or 2d12h. ",
        ),
        bold("alertferry check --offline"),
        roman(" says what is wrong with it. SIGHUP makes the daemon read it again."),
    ]);
    roff.control("PP", []);
    roff.text([
        roman("Each key below stands with its default, or with an example marked "),
        italic("(example)"),
        roman(" where it has none."),
    ]);
}

fn closing(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([
        roman("Variables "),
        bold("ALERTFERRY__SECTION__KEY"),
        roman(
            ", such as ALERTFERRY__POLL__OVERLAP=2h, are laid over the files. They set single values of sections that \
             have neither names nor tables.",
        ),
    ]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("alertferry"), roman("(1), /usr/share/doc/alertferry/OPERATIONS.md")]);
}

/// What stands in the sample below its opening comment.
fn entries(sample: &str) -> Vec<Entry<'_>> {
    let (mut found, mut entry) = (Vec::new(), Entry::default());
    for line in sample.lines() {
        let comment = line.strip_prefix("# ");
        let begins = line.is_empty() || comment.is_some() && (entry.heading.is_some() || !entry.keys.is_empty());
        if begins || entry.heading.is_some() {
            found.push(std::mem::take(&mut entry));
        }
        if let Some(text) = comment {
            entry.comment.push(text);
        } else if line.starts_with('[') {
            entry.heading = Some(line);
        } else if let Some((name, value)) = line.split_once(" = ") {
            entry.keys.push(Key { name: name.trim_start_matches('#'), value, default: line.starts_with('#') });
        }
    }
    found.push(entry);
    found.retain(|entry| *entry != Entry::default());
    // The first paragraph is about the file itself.
    found.split_off(1)
}

impl Entry<'_> {
    fn set(&self, roff: &mut Roff) {
        if let Some(heading) = self.heading {
            roff.control("SH", [heading]);
        }
        for (at, key) in self.keys.iter().enumerate() {
            roff.control(if at == 0 { "TP" } else { "TQ" }, []);
            roff.text(key.shown());
        }
        self.text(roff);
    }

    /// The comment: lines that are set in stay lines, the others flow.
    fn text(&self, roff: &mut Roff) {
        let mut inside = false;
        for line in &self.comment {
            let set_in = line.starts_with("  ");
            if set_in != inside {
                roff.control(if set_in { "nf" } else { "fi" }, []);
                inside = set_in;
            }
            roff.text([roman(*line)]);
        }
        if inside {
            roff.control("fi", []);
        }
    }
}

impl Key<'_> {
    fn shown(&self) -> Vec<Inline> {
        let mut shown = vec![bold(self.name), roman(format!(" = {}", self.value))];
        if !self.default {
            shown.extend([roman(" "), italic("(example)")]);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each key that the program knows has an entry, and no other has one.
    #[test]
    fn the_page_has_the_keys_of_the_program() {
        let mut section = String::new();
        let mut set = BTreeSet::new();
        for entry in entries(SAMPLE) {
            if let Some(heading) = entry.heading {
                section = heading.trim_matches(['[', ']']).replace("app.main", "app.NAME");
            }
            for key in &entry.keys {
                assert!(set.insert(format!("{section}.{}", key.name)), "{section}.{} is there twice", key.name);
                assert!(!entry.comment.is_empty(), "{section}.{} says nothing", key.name);
            }
        }
        // What stands in the place of another key, or beside one, is told in that key's comment.
        let known: BTreeSet<String> = crate::settings::key_paths().into_iter().collect();
        assert_eq!(set.difference(&known).next(), None, "a key that the program does not know");
        for path in known.difference(&set) {
            let name = path.rsplit('.').next().expect("a key");
            assert!(SAMPLE.contains(&format!(" {name} = ")), "{path} is not told");
        }
        let page = page();
        for path in &set {
            let name = path.rsplit('.').next().expect("a key");
            assert!(page.contains(&format!("\\fB{name}\\fR = ")), "{name}");
        }
    }

    #[test]
    fn a_sample_is_taken_apart() {
        let sample = "# About.\n\n# All.\n[a]\n# One,\n#   set in\n#x = 1\n#y = 2\n\nz = \"[1]\"\n";
        let key = |name, value, default| Key { name, value, default };
        let expected = [
            Entry { comment: vec!["All."], heading: Some("[a]"), keys: vec![] },
            Entry {
                comment: vec!["One,", "  set in"],
                heading: None,
                keys: vec![key("x", "1", true), key("y", "2", true)],
            },
            Entry { comment: vec![], heading: None, keys: vec![key("z", "\"[1]\"", false)] },
        ];
        assert_eq!(entries(sample), expected);
    }
}
