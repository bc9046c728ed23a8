//! Owns the made-up alerts: the text of each version of each alert of each tenant, by numbers alone.

use std::time::Duration;

use alertferry_simulator::{Comment, Draft, Evidence, Ticks};

use crate::dice::Dice;
use crate::names;

/// So far back the oldest alert lies.
const SPAN: u64 = 180 * 24 * 3_600;

/// Everything that the texts depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    /// Another number, other alerts.
    pub seed: u64,
    /// Seconds since 1970: the newest alert is a little older.
    pub end: i64,
}

/// One alert of a fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    /// The tenant's number.
    pub tenant: u64,
    /// Its number within the tenant, the oldest first.
    pub number: u64,
    /// How many alerts the tenant has.
    pub of: u64,
}

/// How an alert ends: of what it is when somebody looks last.
struct Fate {
    open: bool,
    /// How often it changes until then.
    changes: u64,
}

impl Fleet {
    fn dice(&self, which: Which, kind: u64) -> Dice {
        Dice::of(&[self.seed, which.tenant, which.number, kind])
    }

    /// How often an alert changes: seldom never, mostly a few times, one in two hundred twenty to fifty times.
    pub(crate) fn changes(&self, which: Which) -> u64 {
        self.fate(which).changes
    }

    fn fate(&self, which: Which) -> Fate {
        let mut dice = self.dice(which, 1);
        match dice.below(1_000) {
            0..70 => Fate { open: true, changes: 0 },
            70..100 => Fate { open: true, changes: 1 },
            100..105 => Fate { open: false, changes: 20 + dice.below(31) },
            _ => Fate { open: false, changes: 1 + dice.below(3) },
        }
    }

    /// The id of an alert.
    pub(crate) fn id(&self, which: Which) -> String {
        let mut dice = self.dice(which, 2);
        format!("da{}-{}-4{}-8{}-{}_1", dice.hex(8), dice.hex(4), dice.hex(3), dice.hex(3), dice.hex(12))
    }

    fn created(&self, which: Which) -> Ticks {
        let within = which.number * 1_000 + self.dice(which, 3).below(1_000);
        let seconds = SPAN * within / (which.of.max(1) * 1_000);
        let nanos = self.dice(which, 4).below(10_000_000) * 100;
        Ticks::from_unix_seconds(self.end) - Duration::from_secs(SPAN + 60)
            + Duration::from_secs(seconds)
            + Duration::from_nanos(nanos)
    }

    /// The text of an alert after so many of its changes.
    pub(crate) fn text(&self, which: Which, version: u64) -> String {
        let fate = self.fate(which);
        let mut dice = self.dice(which, 5);
        let created = self.created(which);
        let mut draft = self.draft(which, &mut dice, created);
        let pause = Duration::from_secs(120 + self.dice(which, 6).below(14_000));
        let latest = Ticks::from_unix_seconds(self.end);
        for step in 1..=version {
            let at = (draft.last_update_time + pause).min(latest).on_sql_grid();
            change(&mut draft, step, at, &mut dice);
            if step == fate.changes && !fate.open {
                draft.status = "Resolved".to_owned();
                draft.resolved_time = Some(at);
                draft.classification = Some(dice.one(&["TruePositive", "FalsePositive"]).to_owned());
                draft.determination = Some(dice.one(&["Malware", "NotMalicious", "SecurityTesting"]).to_owned());
            }
        }
        draft.render()
    }

    fn draft(&self, which: Which, dice: &mut Dice, created: Ticks) -> Draft {
        let (title, family) = (dice.rank(names::TITLES), dice.rank(names::FAMILIES));
        let device = self.device(which, dice);
        let person = dice.rank(20 + which.of / 4);
        let domain = format!("CUST{:04}", which.tenant);
        let updated = (created + Duration::from_millis(1_000 + dice.below(2_000))).on_sql_grid();
        let evidence: Vec<Evidence> =
            (0..rows(dice)).map(|_| entity(which, dice, updated, &format!("user{person}"), &domain)).collect();
        let severity = match dice.below(100) {
            0..8 => "High",
            8..35 => "Medium",
            35..60 => "Low",
            _ => "Informational",
        };
        Draft {
            id: self.id(which),
            incident_id: Some(i64::try_from(dice.below(2_000_000)).expect("small")),
            investigation_id: None,
            assigned_to: None,
            severity: severity.to_owned(),
            status: "New".to_owned(),
            classification: None,
            determination: None,
            investigation_state: Some("UnsupportedAlertType".to_owned()),
            detection_source: dice.one(&["WindowsDefenderAtp", "WindowsDefenderAv", "CustomerTI"]).to_owned(),
            detector_id: Some(names::tenant(dice.rank(500))),
            category: dice.one(&["Execution", "Persistence", "Malware", "CredentialAccess", "Discovery"]).to_owned(),
            threat_family_name: Some(names::family_name(family)),
            title: names::title(title),
            description: names::description(title, family),
            alert_creation_time: created,
            first_event_time: created - Duration::from_secs(dice.below(400)),
            last_event_time: created,
            last_update_time: updated,
            resolved_time: None,
            machine_id: Some(Dice::of(&[21, which.tenant, device]).hex(40)),
            computer_dns_name: Some(format!("desktop-{device:05}.cust{:04}.example", which.tenant)),
            rbac_group_name: None,
            aad_tenant_id: names::tenant(which.tenant),
            threat_name: None,
            mitre_techniques: vec![format!("T1{:03}", title % 200)],
            related_user: None,
            logged_on_users: vec![(format!("user{person}"), domain)],
            comments: Vec::new(),
            evidence,
        }
    }

    fn device(&self, which: Which, dice: &mut Dice) -> u64 {
        dice.rank(30 + which.of / 2)
    }
}

/// How many entities an alert has: mostly one to four, sometimes none, now and then dozens.
fn rows(dice: &mut Dice) -> u64 {
    match dice.below(1_000) {
        0..70 => 0,
        70..560 => 1,
        560..800 => 2,
        800..930 => 3 + dice.below(2),
        930..995 => 5 + dice.below(4),
        _ => 20 + dice.below(26),
    }
}

/// One change as analysts and automations make them; a comment with most.
fn change(draft: &mut Draft, step: u64, at: Ticks, dice: &mut Dice) {
    draft.last_update_time = at;
    draft.status = "InProgress".to_owned();
    draft.assigned_to = Some(format!("analyst{}@soc.example", dice.below(12)));
    if step > 1 {
        draft.comments.push(Comment {
            comment: format!("Step {step}: looked at it again, nothing that was not known."),
            created_by: draft.assigned_to.clone().unwrap_or_default(),
            created: at,
        });
    }
}

/// A file that is met at many tenants, or at this alert alone: every second one is.
fn file(dice: &mut Dice) -> (String, String, String) {
    let (name, sha1, sha256) = names::file(dice.rank(names::FILES));
    if dice.per_mille(500) { (name, dice.hex(40), dice.hex(64)) } else { (name, sha1, sha256) }
}

fn entity(which: Which, dice: &mut Dice, at: Ticks, account: &str, domain: &str) -> Evidence {
    let (name, sha1, sha256) = file(dice);
    let path = "C:\\ProgramData\\Temp";
    match dice.below(10) {
        0..3 => Evidence::new("File", at)
            .text("sha1", &sha1)
            .text("sha256", &sha256)
            .text("fileName", &name)
            .text("filePath", path)
            .text("detectionStatus", "Detected"),
        3..6 => Evidence::new("Process", at)
            .text("sha1", &sha1)
            .text("sha256", &sha256)
            .text("fileName", &name)
            .text("filePath", path)
            .number("processId", u32::try_from(dice.below(60_000)).expect("small"))
            .text("processCommandLine", &format!("\"{name}\" -nop -w hidden -enc {}", dice.hex(48)))
            .text("processCreationTime", &at.to_string())
            .number("parentProcessId", u32::try_from(dice.below(60_000)).expect("small"))
            .text("parentProcessFileName", dice.one(&["explorer.exe", "winword.exe", "services.exe", "svchost.exe"]))
            .text("detectionStatus", "Detected"),
        6..8 => Evidence::new("User", at)
            .text("accountName", account)
            .text("domainName", domain)
            .text("userSid", &format!("S-1-5-21-{}-1104-{}", which.tenant, account.len() * 1_000))
            .text("userPrincipalName", &format!("{account}@cust{:04}.example", which.tenant)),
        8 => Evidence::new("Ip", at).text("ipAddress", &names::address(dice.rank(names::PLACES))),
        _ => Evidence::new("Url", at)
            .text("url", &format!("https://{}/x?a={}", names::host(dice.rank(names::PLACES)), dice.below(1_000))),
    }
}
