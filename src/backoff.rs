//! Owns how long to wait after the n-th failure in a row.

use std::time::Duration;

/// A delay that doubles from `first` up to `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub first: Duration,
    /// The longest delay.
    pub most: Duration,
}

impl Backoff {
    /// The delay after `failures` in a row, without jitter.
    #[must_use]
    pub fn delay(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// The delay with jitter: `roll` in `0.0..1.0` picks a point between half of it and all of it, so that those who
    /// failed together do not come back together.
    #[must_use]
    pub fn jittered(self, failures: u32, roll: f64) -> Duration {
        self.delay(failures).mul_f64(0.5 + 0.5 * roll.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_most() {
        let backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(60) };
        let seconds: Vec<u64> = [0, 1, 2, 3, 4, 5, u32::MAX].map(|n| backoff.delay(n).as_secs()).to_vec();
        assert_eq!(seconds, [5, 5, 10, 20, 40, 60, 60]);
        assert_eq!(backoff.jittered(2, 0.0), Duration::from_secs(5));
        assert_eq!(backoff.jittered(2, 1.0), Duration::from_secs(10));
    }
}
