//! Owns the shapes of identifiers: GUIDs, alert ids old and new, correlation ids.

use rand::{Rng, RngExt};

use crate::ticks::Ticks;

/// A random version-4 GUID in lower case with hyphens.
pub fn guid(rng: &mut impl Rng) -> String {
    let bits: u128 = rng.random();
    let versioned = (bits & !(0xF000_u128 << 64) & !(0xC000_u128 << 48)) | (0x4000_u128 << 64) | (0x8000_u128 << 48);
    hyphenated(versioned)
}

/// A GUID made of a plain number, for tenants and apps that should be easy to recognise.
pub fn numbered_guid(number: u128) -> String {
    hyphenated(number)
}

fn hyphenated(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The lower-case form of a well-formed GUID, else `None`.
pub fn canonical_guid(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let well_formed = lower.len() == 36
        && lower.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    well_formed.then_some(lower)
}

/// The current form of alert ids, `da<GUID>_1`: 106 of 111 in a recording of 2023. It carries no time.
pub fn alert_id(rng: &mut impl Rng) -> String {
    format!("da{}_1", guid(rng))
}

/// The older form `<prefix><18 digits of .NET ticks>_<signed number>`, still used for custom indicators (`da`)
/// and automated investigations (`ar`).
pub fn tick_alert_id(prefix: &str, created: Ticks, rng: &mut impl Rng) -> String {
    let later = rng.random_range(50_000..5_600_000_i64);
    let number: i32 = rng.random();
    format!("{prefix}{}_{number}", created.dotnet().saturating_add(later))
}

/// The `target` of recorded error envelopes: `|8 hex-16 hex.`.
pub(crate) fn error_target() -> String {
    let (left, right): (u32, u64) = rand::random();
    format!("|{left:08x}-{right:016x}.")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn guids_are_version_four_and_canonical() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..100 {
            let id = guid(&mut rng);
            assert_eq!(canonical_guid(&id.to_uppercase()), Some(id.clone()));
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
        assert_eq!(numbered_guid(7), "00000000-0000-0000-0000-000000000007");
        assert_eq!(canonical_guid("5c824599-ab2c-43ab-651x-3b886d4f8f10"), None);
    }

    #[test]
    fn tick_ids_have_eighteen_digits() {
        let mut rng = StdRng::seed_from_u64(1);
        let id = tick_alert_id("ar", Ticks::from_unix_seconds(1_680_000_000), &mut rng);
        let digits = id.strip_prefix("ar").and_then(|rest| rest.split('_').next()).expect("the form");
        assert_eq!(digits.len(), 18);
    }
}
