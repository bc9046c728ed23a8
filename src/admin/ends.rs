//! Owns when credentials end, as it was when somebody last looked at their files.

use std::sync::{Mutex, PoisonError};

use crate::entra::Expiry;

/// So many are shown, those that end first: more app registrations than that are nobody's, and a scrape stays small.
const MOST: usize = 500;

/// When credentials end. Files are not read because somebody asks: who asks often would have the disk and the
/// processor busy with keys.
#[derive(Debug, Default)]
pub struct Ends(Mutex<Vec<Expiry>>);

impl Ends {
    /// Takes note of what a look has found.
    pub fn know(&self, mut found: Vec<Expiry>) {
        found.sort_by_key(|expiry| expiry.ends_at);
        found.truncate(MOST);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// What is known, those that end first in front.
    #[must_use]
    pub fn known(&self) -> Vec<Expiry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ticks;
    use crate::entra::CredentialKind;

    #[test]
    fn the_last_of_too_many_are_left_out() {
        let expiry = |number: usize| Expiry {
            app: "main".to_owned(),
            number,
            place: "secret".to_owned(),
            kind: CredentialKind::Secret,
            ends_at: Ticks::from_unix_seconds(i64::try_from(10_000 - number).expect("a number")),
        };
        let ends = Ends::default();
        ends.know((1..=MOST + 3).map(expiry).collect());
        let known: Vec<usize> = ends.known().iter().map(|expiry| expiry.number).collect();
        assert_eq!((known.len(), known.first(), known.last()), (MOST, Some(&(MOST + 3)), Some(&4)));
        ends.know(Vec::new());
        assert_eq!(ends.known(), []);
    }
}
