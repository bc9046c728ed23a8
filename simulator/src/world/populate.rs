//! Owns filling a world at once: whole fleets of tenants, a recorded tie profile, thousands of alike alerts.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Options, World};
use crate::alert::{TemplateCut, Version};
use crate::ticks::{Ticks, duration_ticks};
use crate::{generate, ids};

/// What [`World::generate`] makes.
#[derive(Clone, Debug)]
pub struct Profile {
    /// How the world behaves.
    pub options: Options,
    /// How many tenants, with made-up GUIDs.
    pub tenants: usize,
    /// How many alerts each has.
    pub alerts_per_tenant: RangeInclusive<usize>,
    /// How far back from the start alerts were created.
    pub history: Duration,
    /// How many of a hundred alerts got a later update, as recorded: most within seconds, some after days.
    pub updated_percent: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            options: Options::default(),
            tenants: 3,
            alerts_per_tenant: 20..=200,
            history: Duration::from_secs(30 * 86_400),
            updated_percent: 30,
        }
    }
}

/// One alert of a recorded tie profile: numbers only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TieRow {
    /// Seconds from creation to the last update.
    pub create_to_update_s: f64,
    /// How many alerts share this `lastUpdateTime`.
    pub tie_group: usize,
    /// How many evidence rows it has.
    pub evidence: usize,
    /// The size of its JSON.
    pub bytes: usize,
}

/// A quick way to make many alerts that differ in id and time alone, for benches.
#[derive(Clone, Debug)]
pub struct Template {
    /// Evidence rows in each.
    pub evidence: usize,
    /// About how many bytes of JSON each has.
    pub bytes: usize,
    /// `lastUpdateTime` of the first group; `None` takes ten days before the world's now.
    pub from: Option<Ticks>,
    /// From one group's `lastUpdateTime` to the next one's.
    pub step: Duration,
    /// How many alerts share one `lastUpdateTime`.
    pub tie_group: usize,
    /// Seeds ids and content.
    pub seed: u64,
}

impl Default for Template {
    fn default() -> Self {
        Self { evidence: 4, bytes: 4_200, from: None, step: Duration::from_secs(5), tie_group: 1, seed: 1 }
    }
}

impl World {
    /// A world of `profile.tenants` tenants with lived-in alerts; the same seed and options give the same alerts.
    pub fn generate(seed: u64, profile: &Profile) -> Self {
        let mut world = Self::new(profile.options.clone());
        let mut rng = StdRng::seed_from_u64(seed);
        for _ in 0..profile.tenants {
            let tenant = ids::guid(&mut rng);
            world.add_tenant(&tenant);
            let count = rng.random_range(profile.alerts_per_tenant.clone());
            world.add_history(&mut rng, &tenant, count, profile);
        }
        world
    }

    fn add_history(&mut self, rng: &mut StdRng, tenant: &str, count: usize, profile: &Profile) {
        let now = self.now();
        let history = u64::try_from(duration_ticks(profile.history)).unwrap_or(0).max(1);
        // A fifth of the updates of a tenant happens at a few shared instants, as mass changes do.
        let mass: Vec<Ticks> = (0..1 + count / 100).map(|_| now - ticks(rng.random_range(0..history))).collect();
        for _ in 0..count {
            let created = now - Duration::from_secs(4) - ticks(rng.random_range(0..history));
            let rows = generate::evidence_count(rng);
            let mut draft = generate::draft(rng, tenant, created, rows);
            if rng.random_ratio(profile.updated_percent.min(100), 100) {
                let shared = mass[rng.random_range(0..mass.len())];
                let later = if rng.random_bool(0.2) && shared > draft.last_update_time {
                    shared
                } else {
                    draft.last_update_time + Duration::from_millis(rng.random_range(1..90_000))
                };
                draft.last_update_time = later.min(now).on_sql_grid().max(draft.last_update_time);
            }
            let version = Version::parse(draft.render());
            debug_assert!(version.is_ok(), "a rendered draft is an alert");
            if let Ok(version) = version {
                self.put(tenant, version, Duration::ZERO, false);
            }
        }
    }

    /// Adds alerts with the ties, ages, evidence counts and sizes of a recorded tenant, ending at the world's present.
    ///
    /// Rows with the same `tie_group` size above 1 share instants, in groups of just that size.
    pub fn add_from_tie_profile(&mut self, tenant: &str, rows: &[TieRow]) -> Vec<String> {
        let mut rng = StdRng::seed_from_u64(0x7165);
        let base = (self.now() - Duration::from_secs(4 * 86_400)).on_sql_grid();
        let mut groups: Vec<(usize, usize, Ticks)> = Vec::new();
        let mut ids = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let fresh = base + Duration::from_millis(u64::try_from(index).unwrap_or(0) * 61_000 + 10);
            let open = groups.iter_mut().find(|(size, filled, _)| *size == row.tie_group && *filled < *size);
            let updated = if let Some(group) = open {
                group.1 += 1;
                group.2
            } else {
                groups.push((row.tie_group, 1, fresh.on_sql_grid()));
                fresh.on_sql_grid()
            };
            let age = Duration::try_from_secs_f64(row.create_to_update_s).unwrap_or_default();
            let mut draft = generate::draft(&mut rng, tenant, updated - age, row.evidence);
            draft.alert_creation_time = updated - age;
            draft.last_update_time = updated;
            generate::pad(&mut draft, row.bytes);
            ids.push(draft.id.clone());
            if let Ok(version) = Version::parse(draft.render()) {
                self.put(tenant, version, Duration::ZERO, false);
            }
        }
        ids
    }

    /// Adds `count` alike alerts quickly (the text is written once and stamped); gives how many bytes they have.
    pub fn fill(&mut self, tenant: &str, count: usize, template: &Template) -> usize {
        let mut rng = StdRng::seed_from_u64(template.seed);
        let now = self.now();
        let from = template.from.unwrap_or(now - Duration::from_secs(10 * 86_400)).on_sql_grid();
        let mut draft = generate::draft(&mut rng, tenant, from, template.evidence);
        draft.id = ids::alert_id(&mut rng);
        generate::pad(&mut draft, template.bytes);
        let Ok(model) = Version::parse(draft.render()) else { return 0 };
        let Some(cut) = TemplateCut::of(&model) else { return 0 };
        let tenant = self.add_tenant(tenant);
        let mut bytes = 0;
        for index in 0..count {
            let group = u32::try_from(index / template.tie_group.max(1)).unwrap_or(u32::MAX);
            let stamp = (from + template.step.saturating_mul(group)).on_sql_grid();
            let version = model.restamped(&cut, &ids::alert_id(&mut rng), stamp);
            bytes += version.text.len();
            tenant.add(version, now, now, false);
        }
        bytes
    }
}

fn ticks(count: u64) -> Duration {
    Duration::from_nanos(count.saturating_mul(100))
}
