//! Owns reading an alert for all schemas: its members, its entities, and what both schemas must decide alike.

use std::collections::HashSet;

use serde_json::Value;

use super::Source;
use super::entity::{Entity, Kind};
use super::object::Members;
use super::tactics::{Tactic, Technique, tactic_of};
use crate::domain::{Ticks, members_of};

/// An alert, read tolerantly.
#[derive(Debug)]
pub(super) struct Alert {
    /// Its members, without the evidence.
    pub own: Members,
    /// Its entities in their order.
    pub evidence: Vec<Entity>,
    /// When it was made: its creation, or the nearest time that is known.
    pub time: Ticks,
}

impl Alert {
    pub fn of(source: &Source<'_>) -> Self {
        let mut own = Members(members_of(source.raw));
        let evidence = match own.0.remove("evidence") {
            Some(Value::Array(entries)) => entries.into_iter().filter_map(Entity::of).collect(),
            _ => Vec::new(),
        };
        let times = ["alertCreationTime", "lastUpdateTime", "lastEventTime", "firstEventTime"];
        let known = times.iter().find_map(|name| own.time(name));
        let seen = || Ticks::parse(source.first_seen_at).unwrap_or(Ticks::from_unix_seconds(0));
        let time = known.unwrap_or_else(seen);
        Self { own, evidence, time }
    }

    /// The category; old alerts have the text `null` for none.
    pub fn category(&self) -> Option<&str> {
        self.own.text("category").filter(|category| *category != "null")
    }

    pub fn tactic(&self) -> Option<Tactic> {
        tactic_of(self.category()?)
    }

    /// The techniques, each once.
    pub fn techniques(&self) -> Vec<Technique> {
        let mut seen = HashSet::new();
        let techniques = self.own.texts("mitreTechniques").filter_map(Technique::of);
        techniques.filter(|technique| seen.insert((technique.id.clone(), technique.sub.clone()))).collect()
    }

    /// Whether it is about malware: by its category, or because it names a threat.
    pub fn is_malware(&self) -> bool {
        let category = self.category().is_some_and(|category| ["Malware", "Ransomware"].contains(&category));
        category || self.own.text("threatName").is_some() || self.own.text("threatFamilyName").is_some()
    }

    /// The device's DNS name in lower case.
    pub fn device_name(&self) -> Option<String> {
        Some(self.own.text("computerDnsName")?.trim().to_lowercase())
    }

    /// The first entity of a kind.
    pub fn first(&self, kind: Kind) -> Option<&Entity> {
        self.evidence.iter().find(|entity| entity.kind == kind)
    }
}
