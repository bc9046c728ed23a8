//! Owns how an alert is written: every key in the recorded order, every evidence row with all its 26 keys.

use crate::json::quoted;
use crate::ticks::Ticks;

/// The keys of an evidence row in the order the service writes them; all are always there, null where they do not
/// apply (recorded on the alerts of a device).
pub const EVIDENCE_KEYS: [&str; 26] = [
    "entityType",
    "evidenceCreationTime",
    "sha1",
    "sha256",
    "fileName",
    "filePath",
    "processId",
    "processCommandLine",
    "processCreationTime",
    "parentProcessId",
    "parentProcessCreationTime",
    "parentProcessFileName",
    "parentProcessFilePath",
    "ipAddress",
    "url",
    "registryKey",
    "registryHive",
    "registryValueType",
    "registryValue",
    "registryValueName",
    "accountName",
    "domainName",
    "userSid",
    "aadUserId",
    "userPrincipalName",
    "detectionStatus",
];

/// One evidence row: its kind, its time and whichever of the other keys have a value.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// `File`, `Process`, `User`, `Url`, `Ip` or `Registry`.
    pub entity_type: String,
    /// When the row was added, on the 1/300 s grid in recordings.
    pub created: Ticks,
    /// Key and raw JSON value; unknown keys are not written.
    pub values: Vec<(String, String)>,
}

impl Evidence {
    /// A row without any value yet; even that was recorded (an `Ip` row of nulls).
    pub fn new(entity_type: &str, created: Ticks) -> Self {
        Self { entity_type: entity_type.to_owned(), created, values: Vec::new() }
    }

    /// Sets a string value.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.values.push((key.to_owned(), quoted(value)));
        self
    }

    /// Sets a numeric value.
    #[must_use]
    pub fn number(mut self, key: &str, value: u32) -> Self {
        self.values.push((key.to_owned(), value.to_string()));
        self
    }

    /// The row as JSON.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(900);
        for key in EVIDENCE_KEYS {
            let raw = match key {
                "entityType" => Some(quoted(&self.entity_type)),
                "evidenceCreationTime" => Some(quoted(&self.created.to_string())),
                _ => self.values.iter().find(|(name, _)| name == key).map(|(_, raw)| raw.clone()),
            };
            let comma = if out.is_empty() { "{" } else { "," };
            out.push_str(&format!("{comma}\"{key}\":{}", raw.as_deref().unwrap_or("null")));
        }
        out.push('}');
        out
    }
}

/// One comment on an alert.
#[derive(Clone, Debug)]
pub struct Comment {
    /// The text.
    pub comment: String,
    /// Who wrote it, a user principal name or an automation's name.
    pub created_by: String,
    /// When.
    pub created: Ticks,
}

impl Comment {
    pub(crate) fn render(&self) -> String {
        format!(
            "{{\"comment\":{},\"createdBy\":{},\"createdTime\":{}}}",
            quoted(&self.comment),
            quoted(&self.created_by),
            quoted(&self.created.to_string())
        )
    }
}

/// An alert that is about to be written, in the order of a recorded list. Words are the wire's own, as the product's
/// alert resource page lists them; `None` is written as null.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The alert's id, unique in its tenant.
    pub id: String,
    /// The incident it belongs to; a merge changes it.
    pub incident_id: Option<i64>,
    /// The automated investigation that looks into it.
    pub investigation_id: Option<i64>,
    /// A user principal name, or an automation's name.
    pub assigned_to: Option<String>,
    /// `UnSpecified`, `Informational`, `Low`, `Medium` or `High`.
    pub severity: String,
    /// `Unknown`, `New`, `InProgress` or `Resolved`.
    pub status: String,
    /// `TruePositive`, `FalsePositive` or `InformationalExpectedActivity`.
    pub classification: Option<String>,
    /// For instance `Malware` or `SecurityTesting`.
    pub determination: Option<String>,
    /// How far the investigation is, for instance `Queued` or `Benign`.
    pub investigation_state: Option<String>,
    /// What found it, for instance `WindowsDefenderAtp`; the list is not documented.
    pub detection_source: String,
    /// The GUID of the detector; absent from the API before 2021.
    pub detector_id: Option<String>,
    /// Mostly a MITRE tactic's name.
    pub category: String,
    /// The malware's family.
    pub threat_family_name: Option<String>,
    /// One line.
    pub title: String,
    /// Some paragraphs, with whatever Unicode their author used.
    pub description: String,
    /// When the alert was made, to 100 ns.
    pub alert_creation_time: Ticks,
    /// The first event behind it.
    pub first_event_time: Ticks,
    /// The last event behind it; recurrence moves it.
    pub last_event_time: Ticks,
    /// The stamp that every change moves, on the 1/300 s grid of SQL `datetime` in recordings.
    pub last_update_time: Ticks,
    /// When it was resolved.
    pub resolved_time: Option<Ticks>,
    /// The device's id, 40 hexadecimal digits.
    pub machine_id: Option<String>,
    /// The device's full name.
    pub computer_dns_name: Option<String>,
    /// The device's group.
    pub rbac_group_name: Option<String>,
    /// The tenant's GUID.
    pub aad_tenant_id: String,
    /// The malware's name.
    pub threat_name: Option<String>,
    /// Technique numbers.
    pub mitre_techniques: Vec<String>,
    /// User and domain name; the service shows it only with expanded evidence.
    pub related_user: Option<(String, String)>,
    /// Account and domain name of who was logged on.
    pub logged_on_users: Vec<(String, String)>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// Evidence rows; lists show them only when expanded.
    pub evidence: Vec<Evidence>,
}

impl Draft {
    /// The alert as JSON, keys in the order a recorded list had them.
    pub fn render(&self) -> String {
        let mut out = Writer(String::with_capacity(2_048 + self.evidence.len() * 900));
        self.render_state(&mut out);
        self.render_story(&mut out);
        self.render_context(&mut out);
        out.0.push('}');
        out.0
    }

    fn render_state(&self, out: &mut Writer) {
        out.text("id", &self.id);
        out.number("incidentId", self.incident_id);
        out.number("investigationId", self.investigation_id);
        out.maybe("assignedTo", self.assigned_to.as_deref());
        out.text("severity", &self.severity);
        out.text("status", &self.status);
        out.maybe("classification", self.classification.as_deref());
        out.maybe("determination", self.determination.as_deref());
        out.maybe("investigationState", self.investigation_state.as_deref());
        out.text("detectionSource", &self.detection_source);
        out.maybe("detectorId", self.detector_id.as_deref());
    }

    fn render_story(&self, out: &mut Writer) {
        out.text("category", &self.category);
        out.maybe("threatFamilyName", self.threat_family_name.as_deref());
        out.text("title", &self.title);
        out.text("description", &self.description);
        out.text("alertCreationTime", &self.alert_creation_time.to_string());
        out.text("firstEventTime", &self.first_event_time.to_string());
        out.text("lastEventTime", &self.last_event_time.to_string());
        out.text("lastUpdateTime", &self.last_update_time.to_string());
        out.maybe("resolvedTime", self.resolved_time.map(|at| at.to_string()).as_deref());
    }

    fn render_context(&self, out: &mut Writer) {
        out.maybe("machineId", self.machine_id.as_deref());
        out.maybe("computerDnsName", self.computer_dns_name.as_deref());
        out.maybe("rbacGroupName", self.rbac_group_name.as_deref());
        out.text("aadTenantId", &self.aad_tenant_id);
        out.maybe("threatName", self.threat_name.as_deref());
        out.list("mitreTechniques", self.mitre_techniques.iter().map(|name| quoted(name)));
        let user = self.related_user.as_ref().map(|(user, domain)| pair(("userName", user), ("domainName", domain)));
        out.raw("relatedUser", user.as_deref().unwrap_or("null"));
        let logged_on = self.logged_on_users.iter();
        out.list("loggedOnUsers", logged_on.map(|(user, domain)| pair(("accountName", user), ("domainName", domain))));
        out.list("comments", self.comments.iter().map(Comment::render));
        out.list("evidence", self.evidence.iter().map(Evidence::render));
        out.raw("domains", "[]");
    }
}

fn pair(first: (&str, &str), second: (&str, &str)) -> String {
    format!("{{\"{}\":{},\"{}\":{}}}", first.0, quoted(first.1), second.0, quoted(second.1))
}

/// Appends members to a JSON object.
struct Writer(String);

impl Writer {
    fn raw(&mut self, key: &str, raw: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(raw);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quoted(value));
    }

    fn maybe(&mut self, key: &str, value: Option<&str>) {
        self.raw(key, &value.map_or_else(|| "null".to_owned(), quoted));
    }

    fn number(&mut self, key: &str, value: Option<i64>) {
        self.raw(key, &value.map_or_else(|| "null".to_owned(), |number| number.to_string()));
    }

    fn list(&mut self, key: &str, rows: impl Iterator<Item = String>) {
        self.raw(key, &format!("[{}]", rows.collect::<Vec<_>>().join(",")));
    }
}
