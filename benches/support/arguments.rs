//! Owns the command line of a bench: words, switches, and options with a number.

/// What stands behind `cargo bench --bench NAME --`.
#[derive(Debug)]
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this process; what cargo adds by itself is left out.
    pub(crate) fn of_process() -> Self {
        Self(std::env::args().skip(1).filter(|argument| argument != "--bench").collect())
    }

    /// The number behind `name`.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let at = self.0.iter().position(|argument| argument == name)?;
        let number = self.0.get(at + 1).and_then(|text| text.parse().ok());
        Some(number.unwrap_or_else(|| panic!("{name} NUMBER")))
    }

    /// Whether this word is among them.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|argument| argument == word)
    }

    /// The word at this place, unless it is an option.
    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str).filter(|text| !text.starts_with("--"))
    }
}
