//! Owns the alerts that these tests map: one with everything, made-up ones, generated ones, and recorded ones if there.

use std::path::{Path, PathBuf};

use alertferry::mapping::{Schema, Source, map};
use alertferry_simulator::Ticks;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Where the recordings are, which are not part of the repository.
const VARIABLE: &str = "ALERTFERRY_SAMPLES";

pub const TENANT: &str = "a839b112-1253-6432-9bf6-94542403f21c";

/// The document of a text, as of a tenant called Contoso.
pub fn document(schema: Schema, raw: &str) -> Value {
    let first_seen_at = "2026-11-23T10:20:31.0018250Z";
    map(schema, &Source { tenant_id: TENANT, tenant_name: "Contoso", seq: 48_213, first_seen_at, raw })
}

pub fn ecs(alert: &Value) -> Value {
    document(Schema::Ecs, &alert.to_string())
}

pub fn ocsf(alert: &Value) -> Value {
    document(Schema::Ocsf, &alert.to_string())
}

/// An alert with every field, and with entities of every kind.
pub fn full() -> Value {
    json!({
        "id": "da637308392288907382_-880718168", "incidentId": 1_126_093, "investigationId": 723_156,
        "assignedTo": "secop@contoso.example", "severity": "High", "status": "InProgress",
        "classification": "TruePositive", "determination": "Malware", "investigationState": "Running",
        "detectionSource": "WindowsDefenderAtp", "detectorId": "17e10bbc-3a68-474a-8aad-faef14d43952",
        "category": "CredentialAccess", "threatFamilyName": "Meterpreter", "threatName": "Trojan:Win32/Meterpreter.A",
        "title": "Credential dumping", "description": "A process read\nother memory.",
        "alertCreationTime": "2026-11-23T10:15:30.1233333Z", "firstEventTime": "2026-11-23T10:12:01Z",
        "lastEventTime": "2026-11-23T10:14:59.5Z", "lastUpdateTime": "2026-11-23T10:20:00.24Z",
        "resolvedTime": "2026-11-24T08:00:00Z", "machineId": "1e5bc9d7e413ddd7902c2932e418702b84d0cc07",
        "computerDnsName": "Desktop-5.contoso.example", "rbacGroupName": "Workstations", "aadTenantId": TENANT,
        "mitreTechniques": ["T1003.001", "T1003", "T1003.001", "nothing"],
        "relatedUser": {"userName": "ann", "domainName": "CONTOSO"},
        "loggedOnUsers": [{"accountName": "bob", "domainName": "CONTOSO"}],
        "comments": [{"comment": "looked at", "createdBy": "secop@contoso.example", "createdTime": "2026-11-23T11:00:00Z"}],
        "domains": [], "aNewField": {"of": ["the", "service"]},
        "evidence": entities(),
    })
}

/// An entity of every kind, some with everything and some with little.
pub fn entities() -> Value {
    json!([
        {"entityType": "File", "evidenceCreationTime": "2026-11-23T10:16:02.12Z", "detectionStatus": "Blocked",
         "sha1": "8563F95B2F8A284FC99DA44500CD51A77C1FF36C",
         "sha256": "dc0ade0c95d6db98882bc8fa6707e64353cd6f7767ff48d6a81a6c2aef21c608",
         "fileName": "suspicious.dll", "filePath": "c:\\temp"},
        {"entityType": "Process", "evidenceCreationTime": "2026-11-23T10:16:02.12Z", "detectionStatus": "Detected",
         "sha1": "ff836cfb1af40252bd2a2ea843032e99a5b262ed",
         "sha256": "a4752c71d81afd3d5865d24ddb11a6b0c615062fcc448d24050c2172d2cbccd6",
         "fileName": "rundll32.exe", "filePath": "C:\\Windows\\SysWOW64", "processId": 3276,
         "processCommandLine": "rundll32.exe c:\\temp\\suspicious.dll,Run",
         "processCreationTime": "2026-11-23T10:12:01.9581596Z", "parentProcessId": 8420,
         "parentProcessCreationTime": "2026-11-23T10:12:01.9004163Z", "parentProcessFileName": "explorer.exe",
         "parentProcessFilePath": "C:\\Windows"},
        {"entityType": "User", "accountName": "ann", "domainName": "CONTOSO", "userSid": "S-1-5-21-1-2-3-1104",
         "aadUserId": "11118379-2a59-1111-ac3c-a51eb4a3c627", "userPrincipalName": "ann@contoso.example"},
        {"entityType": "User", "userPrincipalName": "zoë.müller"},
        {"entityType": "Url", "url": "https://user:secret@files.evil.example:8443/a/b?c=1#top"},
        {"entityType": "Url", "url": "http://203.0.113.9/x"},
        {"entityType": "Url", "url": "no url at all"},
        {"entityType": "Ip", "ipAddress": "2001:DB8:0:0:0:0:0:1"},
        {"entityType": "Ip", "ipAddress": null},
        {"entityType": "Registry", "registryHive": "HKEY_LOCAL_MACHINE",
         "registryKey": "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "registryValueType": "ExpandString",
         "registryValue": "%TEMP%\\u.exe", "registryValueName": "Updater"},
        {"entityType": "RegistryKey", "registryKey": "SOFTWARE\\Other"},
        {"entityType": "MailBox", "aNewField": "x"},
    ])
}

/// Alerts that were made up: with everything, with little, and with words that nobody knows yet.
pub fn made_up() -> Vec<String> {
    let mut alerts = vec![full(), json!({"id": "a"}), json!({})];
    for kind in entities().as_array().expect("entities") {
        alerts.push(json!({"id": "a", "alertCreationTime": "2026-11-23T10:15:30Z", "evidence": [kind]}));
    }
    alerts.push(json!({"id": "a", "relatedUser": {"userName": "ann", "domainName": "CONTOSO"}, "evidence": []}));
    alerts.push(json!({"id": "a", "severity": "Grave", "status": "Paused", "classification": "Perhaps",
        "category": "Novel", "threatName": "Strange:Win32/X", "mitreTechniques": ["T1"], "assignedTo": "Automation"}));
    alerts.push(
        json!({"id": "a", "category": "null", "alertUser": null, "alertFiles": [], "alertDomains": [], "alertIps": []}),
    );
    alerts.iter().map(Value::to_string).collect()
}

/// Alerts of the simulator's generator.
pub fn generated() -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(7);
    let at = Ticks::parse("2026-11-20T12:00:00Z").expect("a time");
    (0..300).map(|n| alertferry_simulator::draft(&mut rng, TENANT, at, n % 9).render()).collect()
}

/// Recorded alerts, where there are some.
pub fn recorded() -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "a test may be told where its recordings are")]
    let told = std::env::var_os(VARIABLE);
    let place = told.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(place.join("real_alerts.ndjson")) else {
        println!("no recordings in {} (see {VARIABLE})", place.display());
        return Vec::new();
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// All of them.
pub fn all() -> Vec<String> {
    [made_up(), generated(), recorded()].concat()
}

/// The documents of all alerts, a file for each schema, for `tests/tools/mapping.sh`.
#[test]
#[ignore = "writes files for tests/tools/mapping.sh"]
fn documents_for_other_checkers() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mapping");
    std::fs::create_dir_all(&place).expect("a directory");
    for (schema, name) in [(Schema::Ecs, "ecs.ndjson"), (Schema::Ocsf, "ocsf.ndjson")] {
        let raws = [all(), super::hostile::alerts()].concat();
        let lines: Vec<String> = raws.iter().map(|raw| document(schema, raw).to_string() + "\n").collect();
        std::fs::write(place.join(name), lines.concat()).expect("written");
        println!("{} documents in {}", lines.len(), place.join(name).display());
    }
}
