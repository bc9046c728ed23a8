//! Owns the identifiers: tenants and alerts.

use std::fmt;

/// A customer tenant of Entra: a GUID, held in lower case.
///
/// Names such as `common` or `organizations` are no tenant ids: a token asked of them could be any tenant's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId([u8; 36]);

/// A text that is no GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a GUID like 00000000-0000-0000-0000-000000000000")]
pub struct BadGuid(String);

impl TenantId {
    /// Reads a GUID in its hyphenated form, in any case.
    ///
    /// # Errors
    /// When the text is not such a GUID.
    pub fn parse(text: &str) -> Result<Self, BadGuid> {
        let bad = || BadGuid(text.chars().take(64).collect());
        let mut bytes: [u8; 36] = text.as_bytes().try_into().map_err(|_| bad())?;
        for (at, byte) in bytes.iter_mut().enumerate() {
            let fits = match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            };
            if !fits {
                return Err(bad());
            }
            byte.make_ascii_lowercase();
        }
        Ok(Self(bytes))
    }

    /// The GUID in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes were checked to be ASCII when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A number that stays the same for this tenant on every machine and in every version: it spreads tenants over
    /// the polling interval (FNV-1a, 64 bit).
    #[must_use]
    pub fn stable_hash(&self) -> u64 {
        let fnv = self.0.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // FNV's high bits move little between GUIDs that differ in the last digits only; this finishes the mixing.
        let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for TenantId {
    type Err = BadGuid;

    fn from_str(text: &str) -> Result<Self, BadGuid> {
        Self::parse(text)
    }
}

/// The longest alert id that is stored; the longest seen on the wire has about 40 characters.
pub const MAX_ALERT_ID_BYTES: usize = 512;

/// An alert's id, unique within its tenant. Opaque: many forms are in use, and their order carries no time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(String);

impl AlertId {
    /// Takes the id as the service wrote it; `None` when it is empty or beyond [`MAX_ALERT_ID_BYTES`].
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty() && text.len() <= MAX_ALERT_ID_BYTES).then_some(Self(text))
    }

    /// The id as the service wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_held_in_lower_case() {
        let id = TenantId::parse("A839B112-1253-6432-9BF6-94542403F21C").expect("a GUID");
        assert_eq!(id.to_string(), "a839b112-1253-6432-9bf6-94542403f21c");
    }

    #[test]
    fn what_is_no_guid_is_refused() {
        for text in ["", "common", "5c824599-ab2c-43ab-651x-3b886d4f8f10", "a839b112125364329bf694542403f21c"] {
            assert!(TenantId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn neighbouring_guids_are_spread() {
        let mut tenths = [0; 10];
        for n in 0..1000 {
            let id = TenantId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("a GUID");
            let tenth = (u128::from(id.stable_hash()) * 10) >> 64;
            tenths[usize::try_from(tenth).expect("below ten")] += 1;
        }
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
    }

    #[test]
    fn an_alert_id_is_opaque_but_bounded() {
        assert!(AlertId::new("da637308392288907382_-880718168").is_some());
        assert!(AlertId::new("1234").is_some());
        assert!(AlertId::new("").is_none());
        assert!(AlertId::new("x".repeat(MAX_ALERT_ID_BYTES + 1)).is_none());
    }
}
