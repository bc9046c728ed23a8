//! Owns chance that repeats itself: the same parts give the same draws, on every machine and in every version.

/// A stream of numbers that depends on what it was made of alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one thing, named by numbers.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut dice = Self(0x243f_6a88_85a3_08d3);
        for part in parts {
            dice.0 ^= part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            dice.0 = dice.draw();
        }
        dice
    }

    /// The next number (the mixer is `splitmix64`).
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`, each as likely as the other.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// True so often in a thousand.
    pub(crate) fn per_mille(&mut self, often: u64) -> bool {
        self.below(1_000) < often
    }

    /// A rank from 0 to below `end`, the k-th about 1/k times as likely as the first: how names, files and addresses
    /// repeat in real fleets.
    pub(crate) fn rank(&mut self, end: u64) -> u64 {
        let bits = self.below(u64::from(end.max(1).ilog2()) + 1);
        ((1 << bits) + self.below(1 << bits) - 1) % end.max(1)
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.draw()));
        }
        text.truncate(digits);
        text
    }

    /// One of a list.
    pub(crate) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        let length = u64::try_from(of.len()).expect("a short list");
        of[usize::try_from(self.below(length)).expect("a place in it")]
    }
}
