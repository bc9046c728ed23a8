//! Owns the words that the service is known to use for severities and statuses.

/// Severities, the most severe first.
pub const SEVERITIES: [&str; 5] = ["High", "Medium", "Low", "Informational", "UnSpecified"];
/// Statuses.
pub const STATUSES: [&str; 4] = ["New", "InProgress", RESOLVED, "Unknown"];
/// The status of an alert that nobody needs to look at any more.
pub const RESOLVED: &str = "Resolved";

/// A word as the service writes it, whatever its case; one that is not known stays as it is.
#[must_use]
pub fn as_served(word: &str, known: &[&str]) -> String {
    known.iter().find(|known| known.eq_ignore_ascii_case(word)).map_or(word, |known| known).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_get_the_services_case() {
        for (word, served) in [("hIGH", "High"), ("unspecified", "UnSpecified"), ("Severe", "Severe"), ("", "")] {
            assert_eq!(as_served(word, &SEVERITIES), served);
        }
        assert_eq!(as_served("inprogress", &STATUSES), "InProgress");
    }
}
