//! Owns a file's text: lines, columns, and excerpts that never show a secret.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::Excerpt;

/// The longest line that is shown.
const MAX_SHOWN_CHARS: usize = 160;

/// What stands in an excerpt for something that is not shown.
const HIDDEN: &str = "…";

/// Parts of a key's name that make its line unfit to be shown while the file cannot be parsed.
const SECRETIVE: [&str; 9] = ["sec", "pass", "pwd", "key", "token", "cred", "value", "client", "app"];

/// The text of one file.
#[derive(Debug)]
pub(super) struct FileText {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
    hidden: Vec<Range<usize>>,
}

impl FileText {
    pub(super) fn new(path: PathBuf, text: String) -> Self {
        // Found once per file: ten thousand tenants ask for their lines.
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Self { path, text, line_starts, hidden: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps these bytes out of every excerpt.
    pub(super) fn hide(&mut self, bytes: Range<usize>) {
        self.hidden.push(bytes);
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub(super) fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= byte).max(1);
        let before = self.text.get(self.line_starts[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The line in which `bytes` begin, with `bytes` marked; `None` when it cannot or must not be shown.
    pub(super) fn excerpt(&self, bytes: Range<usize>, unparsed: bool) -> Option<Excerpt> {
        let (line, _) = self.line_and_column(bytes.start);
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        let whole = self.text.get(start..end)?;
        if unparsed && !may_be_shown_unparsed(whole) {
            return None;
        }
        let mut excerpt = Excerpt { text: String::new(), before: 0, width: 0 };
        let mut hidden_until = start;
        let mut shown = 0;
        for (offset, char) in whole.char_indices() {
            let at = start + offset;
            if at < hidden_until || (char == '\r' && at + 1 == end) {
                continue;
            }
            let hidden = self.hidden.iter().find(|hidden| hidden.contains(&at));
            if let Some(hidden) = hidden {
                hidden_until = hidden.end;
                excerpt.text.push_str(HIDDEN);
            } else {
                excerpt.text.push(if char.is_control() { ' ' } else { char });
            }
            shown += 1;
            if at < bytes.start && hidden.is_none_or(|hidden| hidden.end <= bytes.start) {
                excerpt.before += 1;
            } else if at < bytes.end {
                excerpt.width += 1;
            }
        }
        (shown <= MAX_SHOWN_CHARS && shown > 0).then_some(excerpt)
    }
}

/// Whether a line of a file that cannot be parsed is certain to hold no secret: a table header, or one whole
/// `key = …` whose key does not sound like one. A continuation of an earlier line could be anything.
fn may_be_shown_unparsed(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('[') && !line.contains('=') {
        return true;
    }
    let Some((key, value)) = line.split_once('=') else { return false };
    let key = key.trim().to_ascii_lowercase();
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    is_key && !SECRETIVE.iter().any(|part| key.contains(part)) && !value.contains('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> FileText {
        FileText::new(PathBuf::from("x.toml"), text.to_owned())
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let file = file("a = 1\nü = \"x\"\n\nend");
        assert_eq!(file.line_and_column(0), (1, 1));
        assert_eq!(file.line_and_column(6), (2, 1));
        assert_eq!(file.line_and_column(11), (2, 5));
        assert_eq!(file.line_and_column(15), (3, 1));
        assert_eq!(file.line_and_column(16), (4, 1));
        assert_eq!(file.line_and_column(900), (4, 1));
    }

    #[test]
    fn hidden_bytes_are_not_shown_and_the_mark_stays_under_its_word() {
        let text = "a = { secret = \"hunter2\", color = 1 }\n";
        let mut file = file(text);
        let secret = text.find("\"hunter2\"").expect("there");
        let color = text.find("color").expect("there");
        file.hide(secret..secret + 9);
        let excerpt = file.excerpt(color..color + 5, false).expect("an excerpt");
        assert_eq!(excerpt.text, "a = { secret = …, color = 1 }");
        assert_eq!((excerpt.before, excerpt.width), (18, 5));
        let at_secret = file.excerpt(secret..secret + 9, false).expect("an excerpt");
        assert_eq!((at_secret.before, at_secret.width), (15, 1));
    }

    #[test]
    fn a_line_that_cannot_be_parsed_is_shown_only_if_it_is_harmless() {
        for (line, shown) in [
            ("path = \"/var/lib", true),
            ("[store", true),
            ("secret = hunter2", false),
            ("client_secret = hunter2", false),
            ("hunter2", false),
            ("x = { secret = hunter2", false),
            ("[app.main] secret = hunter2", false),
            ("\"pass word\" = hunter2", false),
        ] {
            assert_eq!(file(line).excerpt(0..1, true).is_some(), shown, "{line}");
        }
    }
}
