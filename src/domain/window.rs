//! Owns half-open intervals of `lastUpdateTime`.

use std::fmt;

use super::Ticks;

/// A half-open interval `[from, until)`, never empty. A window without end reaches as far as the service has alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Ticks,
    until: Option<Ticks>,
}

impl Window {
    /// The window `[from, until)`; `None` when it would be empty.
    #[must_use]
    pub fn new(from: Ticks, until: Ticks) -> Option<Self> {
        (from < until).then_some(Self { from, until: Some(until) })
    }

    /// The window `[from, ∞)`.
    #[must_use]
    pub const fn open(from: Ticks) -> Self {
        Self { from, until: None }
    }

    /// The first tick inside.
    #[must_use]
    pub const fn from(self) -> Ticks {
        self.from
    }

    /// The first tick after it, if it ends.
    #[must_use]
    pub const fn until(self) -> Option<Ticks> {
        self.until
    }

    /// What is left of this window when `holes` (in any order) are taken out of it.
    #[must_use]
    pub fn minus(self, holes: &[Self]) -> Vec<Self> {
        let mut holes = holes.to_vec();
        holes.sort_by_key(|hole| hole.from);
        let mut left = Vec::new();
        let mut from = self.from;
        for hole in holes {
            let piece_end = self.until.map_or(hole.from, |until| until.min(hole.from));
            left.extend(Self::new(from, piece_end));
            match hole.until {
                Some(end) => from = from.max(end),
                None => return left,
            }
        }
        match self.until {
            Some(until) => left.extend(Self::new(from, until)),
            None => left.push(Self::open(from)),
        }
        left
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "[{}, {until})", self.from),
            None => write!(f, "[{}, …)", self.from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn w(from: i64, until: i64) -> Window {
        Window::new(Ticks::from_ticks(from), Ticks::from_ticks(until)).expect("not empty")
    }

    fn open(from: i64) -> Window {
        Window::open(Ticks::from_ticks(from))
    }

    #[test]
    fn an_empty_window_does_not_exist() {
        assert_eq!(Window::new(Ticks::from_ticks(5), Ticks::from_ticks(5)), None);
    }

    #[test]
    fn holes_are_taken_out() {
        assert_eq!(w(0, 10).minus(&[]), [w(0, 10)]);
        assert_eq!(w(0, 10).minus(&[w(7, 8), w(2, 4)]), [w(0, 2), w(4, 7), w(8, 10)]);
        assert_eq!(w(0, 10).minus(&[w(0, 10)]), []);
        assert_eq!(w(0, 10).minus(&[w(-5, 3), w(2, 4), w(9, 20)]), [w(4, 9)]);
        assert_eq!(w(0, 10).minus(&[w(20, 30), w(-9, -1)]), [w(0, 10)]);
        assert_eq!(open(0).minus(&[w(2, 4)]), [w(0, 2), open(4)]);
        assert_eq!(open(0).minus(&[w(-2, 4), open(9)]), [w(4, 9)]);
    }
}
