//! Owns the guess at what a mistyped name was meant to be.

/// The candidate nearest to `word`, if any is near enough to be a slip of the fingers.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long words are not compared: the distance costs the product of the lengths.
    if word.chars().count() > 40 {
        return None;
    }
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let measured = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    measured.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added, dropped or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut next = vec![i + 1; right.len() + 1];
        for (j, r) in right.iter().enumerate() {
            let changed = row[j] + usize::from(l != r);
            next[j + 1] = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                next[j + 1] = next[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        let known = ["overlap", "backfill", "schedule", "id", "page_size"];
        for (word, meant) in [
            ("overlpa", Some("overlap")),
            ("Backfil", Some("backfill")),
            ("page-size", Some("page_size")),
            ("schedules", Some("schedule")),
            ("ids", Some("id")),
            ("color", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
