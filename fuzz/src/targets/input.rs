//! Owns taking an input apart. What is missing at its end is zero or empty, so that every input is one.

/// An input while it is taken apart.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn number(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Everything up to the next byte of this kind, which is dropped.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|byte| *byte == end);
        let (found, rest) = self.0.split_at(at.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        found
    }

    /// The next line as text; what is no UTF-8 is replaced.
    pub fn line(&mut self) -> String {
        String::from_utf8_lossy(self.until(b'\n')).into_owned()
    }

    /// The next line as words between commas; an empty line has none.
    pub fn words(&mut self) -> Vec<String> {
        let line = self.line();
        line.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// What is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }
}
