//! Owns loading: NDJSON whose lines are then served byte for byte.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use super::World;
use crate::alert::{BadAlert, Version};
use crate::ids;
use crate::json::Members;

/// What was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Alerts that are now served.
    pub alerts: usize,
    /// How many of them went to the default tenant, having no valid `aadTenantId`.
    pub defaulted: usize,
}

/// Why a file could not be loaded; the lines before the bad one stay loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read alerts")]
    Io(#[from] io::Error),
    /// A line is not an alert; lines count from 1.
    #[error("line {line} is not an alert")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        source: BadAlert,
    },
}

impl World {
    /// Loads a file with one alert a line; see [`World::load_ndjson`].
    pub fn load_file(&mut self, path: impl AsRef<Path>, default_tenant: &str) -> Result<Loaded, LoadError> {
        self.load_ndjson(BufReader::new(File::open(path)?), default_tenant)
    }

    /// Loads one alert a line, visible at once and for ever, and keeps each line's text as the expanded form.
    ///
    /// An alert goes to the tenant its `aadTenantId` names if that is a well-formed GUID, else to `default_tenant`.
    pub fn load_ndjson(&mut self, reader: impl BufRead, default_tenant: &str) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        for (index, line) in reader.lines().enumerate() {
            let line = line?;
            let text = line.trim_end_matches('\r');
            if text.trim().is_empty() {
                continue;
            }
            let tenant = own_tenant(text);
            let version =
                Version::parse(text.to_owned()).map_err(|source| LoadError::Line { line: index + 1, source })?;
            loaded.alerts += 1;
            loaded.defaulted += usize::from(tenant.is_none());
            self.put(tenant.as_deref().unwrap_or(default_tenant), version, Duration::ZERO, true);
        }
        Ok(loaded)
    }
}

fn own_tenant(text: &str) -> Option<String> {
    ids::canonical_guid(&Members::of(text)?.string(text, "aadTenantId")?)
}
