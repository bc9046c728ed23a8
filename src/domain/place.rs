//! Owns where the services are: clouds, regions, their hosts and token audiences.

use std::fmt;
use std::str::FromStr;

/// A Microsoft cloud. An app registration lives in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The public cloud.
    Commercial,
    /// US Government Community Cloud.
    Gcc,
    /// US Government Community Cloud High.
    GccHigh,
    /// US Department of Defense.
    Dod,
}

impl Cloud {
    /// Every cloud, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::Commercial, Self::Gcc, Self::GccHigh, Self::Dod];

    /// The name used in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commercial => "commercial",
            Self::Gcc => "gcc",
            Self::GccHigh => "gcc-high",
            Self::Dod => "dod",
        }
    }

    /// Scheme and host of the login service (Microsoft's national-cloud documentation).
    #[must_use]
    pub const fn login_url(self) -> &'static str {
        match self {
            Self::Commercial | Self::Gcc => "https://login.microsoftonline.com",
            Self::GccHigh | Self::Dod => "https://login.microsoftonline.us",
        }
    }

    /// The resource a token must be issued for.
    ///
    /// In the commercial cloud that is the legacy name whatever host is called; any other audience is answered with
    /// 403 (Microsoft's partner-access page, 2026). The government clouds use the API host itself.
    #[must_use]
    pub const fn audience(self) -> &'static str {
        match self {
            Self::Commercial => "https://api.securitycenter.microsoft.com",
            Self::Gcc => "https://api-gcc.securitycenter.microsoft.us",
            Self::GccHigh | Self::Dod => "https://api-gov.securitycenter.microsoft.us",
        }
    }

    /// Scheme and host of the alerts API for a region; `None` where the cloud has no such region.
    #[must_use]
    pub const fn api_url(self, region: Region) -> Option<&'static str> {
        match (self, region) {
            (Self::Commercial, region) => Some(region.commercial_url()),
            (Self::Gcc, Region::Global) => Some("https://api-gcc.securitycenter.microsoft.us"),
            (Self::GccHigh | Self::Dod, Region::Global) => Some("https://api-gov.securitycenter.microsoft.us"),
            (Self::Gcc | Self::GccHigh | Self::Dod, _) => None,
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|cloud| cloud.name() == text);
        found.ok_or_else(|| format!("`{text}` is no cloud; use one of {}", list(Self::ALL.map(Self::name))))
    }
}

/// Where a tenant's alerts are served from. The nearest region answers faster; the global host answers for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// `api.security.microsoft.com`, which routes to the tenant's own region.
    Global,
    /// United States.
    Us,
    /// European Union.
    Eu,
    /// United Kingdom.
    Uk,
    /// Australia.
    Au,
    /// Switzerland.
    Swa,
    /// India.
    Ina,
    /// The newest documented region, 2026.
    Aea,
}

impl Region {
    /// Every region, in the order in which messages list them.
    pub const ALL: [Self; 8] = [Self::Global, Self::Us, Self::Eu, Self::Uk, Self::Au, Self::Swa, Self::Ina, Self::Aea];

    /// The name used in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Au => "au",
            Self::Swa => "swa",
            Self::Ina => "ina",
            Self::Aea => "aea",
        }
    }

    const fn commercial_url(self) -> &'static str {
        match self {
            Self::Global => "https://api.security.microsoft.com",
            Self::Us => "https://us.api.security.microsoft.com",
            Self::Eu => "https://eu.api.security.microsoft.com",
            Self::Uk => "https://uk.api.security.microsoft.com",
            Self::Au => "https://au.api.security.microsoft.com",
            Self::Swa => "https://swa.api.security.microsoft.com",
            Self::Ina => "https://ina.api.security.microsoft.com",
            Self::Aea => "https://aea.api.security.microsoft.com",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|region| region.name() == text);
        found.ok_or_else(|| format!("`{text}` is no region; use one of {}", list(Self::ALL.map(Self::name))))
    }
}

fn list<const N: usize>(names: [&'static str; N]) -> String {
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.name().parse(), Ok(cloud));
            assert!(cloud.api_url(Region::Global).is_some());
        }
        for region in Region::ALL {
            assert_eq!(region.name().parse(), Ok(region));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "mars".parse::<Region>().expect_err("no such region");
        assert!(error.contains("`mars`") && error.contains("global, us, eu"), "{error}");
    }

    #[test]
    fn government_clouds_have_no_commercial_regions() {
        assert_eq!(Cloud::GccHigh.api_url(Region::Eu), None);
        assert_eq!(Cloud::Commercial.api_url(Region::Eu), Some("https://eu.api.security.microsoft.com"));
    }
}
