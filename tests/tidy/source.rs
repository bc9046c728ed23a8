//! Owns finding the files of the repository, and telling Rust code from its comments and texts.

use std::path::{Path, PathBuf};

/// Where files of this repository are; whatever else lies beside them (build output, a clone's data) is nobody's.
const PLACES: [&str; 15] = [
    ".cargo",
    ".ci",
    "benches",
    "config",
    "contrib",
    "docs",
    "examples",
    // Its corpus is bytes, not text.
    "fuzz/fuzz_targets",
    "fuzz/src",
    "migrations",
    "packaging",
    "simulator",
    "src",
    "systemd",
    "tests",
];

/// A text file of the repository.
pub struct File {
    /// Its path below the repository.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl File {
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The module of the daemon's library it belongs to, for example `store`; none outside of `src`.
    pub fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let first = inside.split('/').next().unwrap_or(inside);
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// The code alone: comments and the insides of texts are blanked, so that places stay what they were.
    pub fn code(&self) -> String {
        blank(&self.text)
    }
}

/// Every text file of the repository.
pub fn all() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for place in PLACES {
        collect(&root.join(place), &mut paths);
    }
    for entry in std::fs::read_dir(root).expect("the repository").map(|entry| entry.expect("an entry").path()) {
        let is_text = entry.extension().is_some_and(|kind| kind == "md" || kind == "toml");
        if is_text || entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"LICENSE")) {
            paths.push(entry);
        }
    }
    paths.sort();
    let below = |path: &Path| path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
    paths
        .iter()
        .filter_map(|path| Some(File { path: below(path), text: std::fs::read_to_string(path).ok()? }))
        .collect()
}

/// Every Rust file of the repository.
pub fn rust() -> Vec<File> {
    all().into_iter().filter(File::is_rust).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// Replaces comments and the insides of texts by blanks; line ends stay.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest, &code) {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len())
        } else if letter == '"' {
            quoted(rest)
        } else if let Some(length) = character(rest) {
            length
        } else {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

/// The number of `#` of a raw text that begins here.
fn raw_text(rest: &str, before: &str) -> Option<usize> {
    if before.ends_with(|c: char| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let hashes = rest.strip_prefix('r')?.bytes().take_while(|byte| *byte == b'#').count();
    rest[1 + hashes..].starts_with('"').then_some(hashes)
}

/// The length of a text in quotes that begins here.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character in quotes that begins here; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let first = escape.chars().next()?.len_utf8();
        return Some(2 + first + escape[first..].find('\'')? + 1);
    }
    let first = inside.chars().next()?.len_utf8();
    inside[first..].starts_with('\'').then_some(1 + first + 1)
}

#[test]
fn code_is_told_from_comments_and_texts() {
    let text = "a::b /* c::d */ \"e::\\\"f\" 'g' '\\'' &'h str r#\"i::\"j\"# br\"k\" l // m::n\no";
    let code = blank(text);
    assert_eq!(code.len(), text.len());
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a::b", "&'h", "str", "b", "l", "o"]);
    assert_eq!(code.lines().count(), 2);
}
