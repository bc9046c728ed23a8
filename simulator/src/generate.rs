//! Owns invented alerts that look like recorded ones: kinds, wording, sizes, evidence rows, times.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::draft::{Draft, Evidence};
use crate::ids;
use crate::ticks::Ticks;

/// One kind of detection with the words that go with it.
struct Kind {
    title: &'static str,
    category: &'static str,
    severity: &'static str,
    source: &'static str,
    family: Option<&'static str>,
    threat: Option<&'static str>,
    techniques: &'static [&'static str],
    description: &'static str,
}

const KINDS: [Kind; 8] = [
    Kind {
        title: "Suspicious PowerShell download or encoded command execution",
        category: "Execution",
        severity: "Medium",
        source: "WindowsDefenderAtp",
        family: None,
        threat: None,
        techniques: &["T1059.001", "T1105", "T1027"],
        description: "A PowerShell process was started with an encoded command line and fetched content from the network. Attackers use such commands to run code without leaving a file behind.\n\nLook at the process tree and at the address it spoke to, and decide whether an administrator's script explains it.",
    },
    Kind {
        title: "'EICAR_Test_File' malware was prevented",
        category: "Malware",
        severity: "Informational",
        source: "WindowsDefenderAv",
        family: Some("EICAR_Test_File"),
        threat: Some("Virus:DOS/EICAR_Test_File"),
        techniques: &[],
        description: "Malware was found and stopped before it could run on the device\u{200b}. Nothing further is needed unless the file keeps coming back.",
    },
    Kind {
        title: "Credential dumping activity observed on one endpoint",
        category: "CredentialAccess",
        severity: "High",
        source: "WindowsDefenderAtp",
        family: None,
        threat: None,
        techniques: &["T1003.001", "T1003.002"],
        description: "A process opened the memory of the local security authority with rights that allow reading it \u{2014} a common way to obtain passwords and hashes.\n\nTreat every account that was logged on as known to the attacker.",
    },
    Kind {
        title: "Connection to a custom network indicator",
        category: "CommandAndControl",
        severity: "Informational",
        source: "CustomerTI",
        family: None,
        threat: None,
        techniques: &[],
        description: "An address on your organisation's own indicator list was contacted from this device.",
    },
    Kind {
        title: "File backups were deleted",
        category: "Ransomware",
        severity: "High",
        source: "WindowsDefenderAtp",
        family: None,
        threat: None,
        techniques: &["T1490", "T1486"],
        description: "Shadow copies or backup catalogues were removed by a command. Ransomware does so before it encrypts, to leave no way back.\n\nIsolate the device, find where the command came from, and check other devices that ran the same file.",
    },
    Kind {
        title: "Suspicious scheduled task",
        category: "Persistence",
        severity: "Medium",
        source: "WindowsDefenderAtp",
        family: None,
        threat: None,
        techniques: &["T1053.005"],
        description: "A task was registered that starts a script from a user-writable folder at every logon. Check who created it and whether the script\u{a0}belongs there.",
    },
    Kind {
        title: "Suspicious 'Wacatac' behavior was blocked",
        category: "SuspiciousActivity",
        severity: "Low",
        source: "WindowsDefenderAv",
        family: Some("Wacatac"),
        threat: Some("Behavior:Win32/Wacatac.B"),
        techniques: &["T1204"],
        description: "Unwanted software behaved in a way that is typical of a family known to steal data. The behaviour was blocked; the file may still be on disk.",
    },
    Kind {
        title: "Automated investigation started manually",
        category: "SuspiciousActivity",
        severity: "Informational",
        source: "AutomatedInvestigation",
        family: None,
        threat: None,
        techniques: &[],
        description: "An analyst started an automated investigation on this device. The alert groups what it finds.",
    },
];

const FILES: [(&str, &str); 6] = [
    ("powershell.exe", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0"),
    ("cmd.exe", "C:\\Windows\\System32"),
    ("rundll32.exe", "C:\\Windows\\SysWOW64"),
    ("invoice.pdf.exe", "C:\\Users\\Öykü\\Downloads"),
    ("vssadmin.exe", "C:\\Windows\\System32"),
    ("procdump64.exe", "C:\\Temp\\tools \"new\""),
];
const PARENTS: [&str; 4] = ["explorer.exe", "winword.exe", "services.exe", "svchost.exe"];
const PEOPLE: [&str; 6] = ["anna.lind", "j.okafor", "m-tanaka", "svc_backup", "r.o'brien", "zoë.müller"];
const SEVERITIES: [&str; 4] = ["Informational", "Low", "Medium", "High"];

/// Invents one alert of `tenant` created at `created` with `evidence` rows, not yet touched by anybody.
///
/// Creation keeps 100 ns; `lastUpdateTime` lands 1-3 s later on the 1/300 s grid, as in recordings.
pub fn draft(rng: &mut impl Rng, tenant: &str, created: Ticks, evidence: usize) -> Draft {
    let kind = KINDS.choose(rng).unwrap_or(&KINDS[0]);
    let created = created + Duration::from_nanos(rng.random_range(0..10_000) * 100);
    let id = match kind.source {
        "CustomerTI" => ids::tick_alert_id("da", created, rng),
        "AutomatedInvestigation" => ids::tick_alert_id("ar", created, rng),
        _ => ids::alert_id(rng),
    };
    let last_event = created - Duration::from_micros(rng.random_range(600_000..400_000_000));
    let last_update = (created + Duration::from_micros(rng.random_range(1_000_000..3_000_000))).on_sql_grid();
    let device = rng.random_range(1..400_u32);
    let person = PEOPLE.choose(rng).unwrap_or(&PEOPLE[0]);
    let severity = if rng.random_bool(0.8) { kind.severity } else { SEVERITIES.choose(rng).unwrap_or(&"Low") };
    let rows: Vec<Evidence> = (0..evidence).map(|_| evidence_row(rng, last_update, person)).collect();
    Draft {
        id,
        incident_id: Some(rng.random_range(1..2_000_000)),
        investigation_id: rng.random_bool(0.3).then(|| rng.random_range(1..900_000)),
        assigned_to: None,
        severity: severity.to_owned(),
        status: "New".to_owned(),
        classification: None,
        determination: None,
        investigation_state: Some("UnsupportedAlertType".to_owned()),
        detection_source: kind.source.to_owned(),
        detector_id: Some(ids::guid(rng)),
        category: kind.category.to_owned(),
        threat_family_name: kind.family.map(str::to_owned),
        title: kind.title.to_owned(),
        description: kind.description.to_owned(),
        alert_creation_time: created,
        first_event_time: last_event - Duration::from_micros(rng.random_range(0..9_000_000)),
        last_event_time: last_event,
        last_update_time: last_update,
        resolved_time: None,
        machine_id: Some(hex(rng, 40)),
        computer_dns_name: Some(format!("desktop-{device:04}.corp.example")),
        rbac_group_name: rng.random_bool(0.5).then(|| "Workstations".to_owned()),
        aad_tenant_id: tenant.to_owned(),
        threat_name: kind.threat.map(str::to_owned),
        mitre_techniques: kind.techniques.iter().map(|&name| name.to_owned()).collect(),
        related_user: rows
            .iter()
            .any(|row| row.entity_type == "User")
            .then(|| ((*person).to_owned(), "CORP".to_owned())),
        logged_on_users: vec![((*person).to_owned(), "CORP".to_owned())],
        comments: Vec::new(),
        evidence: rows,
    }
}

/// How many evidence rows an alert has: mostly one to four, none for one in fourteen, now and then dozens.
pub(crate) fn evidence_count(rng: &mut impl Rng) -> usize {
    match rng.random_range(0..1_000_u32) {
        0..70 => 0,
        70..560 => 1,
        560..800 => 2,
        800..930 => rng.random_range(3..=4),
        930..995 => rng.random_range(5..=8),
        _ => rng.random_range(20..=45),
    }
}

/// Invents one evidence row, dated at or shortly before `at` on the 1/300 s grid.
pub fn evidence_row(rng: &mut impl Rng, at: Ticks, person: &str) -> Evidence {
    let created = (at - Duration::from_millis(rng.random_range(0..900))).on_sql_grid();
    let (file, path) = *FILES.choose(rng).unwrap_or(&FILES[0]);
    match rng.random_range(0..10_u32) {
        0..3 => Evidence::new("File", created)
            .text("sha1", &hex(rng, 40))
            .text("sha256", &hex(rng, 64))
            .text("fileName", file)
            .text("filePath", path)
            .text("detectionStatus", "Detected"),
        3..6 => process(rng, created, file, path),
        6..8 => Evidence::new("User", created)
            .text("accountName", person)
            .text("domainName", "CORP")
            .text("userSid", &format!("S-1-5-21-{}-{}-1104", rng.random::<u32>(), rng.random::<u32>()))
            .text("aadUserId", &ids::guid(rng))
            .text("userPrincipalName", &format!("{person}@corp.example")),
        8 => Evidence::new("Ip", created).text("ipAddress", &format!("203.0.113.{}", rng.random::<u8>())),
        _ => match rng.random_bool(0.5) {
            true => Evidence::new("Url", created)
                .text("url", &format!("http://files-{}.example/x?a=1&b=%20", rng.random::<u16>())),
            false => Evidence::new("Registry", created)
                .text("registryKey", "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run")
                .text("registryHive", "HKEY_LOCAL_MACHINE")
                .text("registryValueType", "ExpandString")
                .text("registryValue", "%TEMP%\\u.exe")
                .text("registryValueName", "Updater"),
        },
    }
}

fn process(rng: &mut impl Rng, created: Ticks, file: &str, path: &str) -> Evidence {
    let started = created - Duration::from_micros(rng.random_range(1_000_000..90_000_000));
    let parent = PARENTS.choose(rng).unwrap_or(&PARENTS[0]);
    Evidence::new("Process", created)
        .text("sha1", &hex(rng, 40))
        .text("sha256", &hex(rng, 64))
        .text("fileName", file)
        .text("filePath", path)
        .number("processId", rng.random_range(300..60_000))
        .text("processCommandLine", &format!("\"{file}\" -nop -w hidden -enc {}", hex(rng, 48)))
        .text("processCreationTime", &started.to_string())
        .number("parentProcessId", rng.random_range(300..60_000))
        .text("parentProcessCreationTime", &(started - Duration::from_secs(7)).to_string())
        .text("parentProcessFileName", parent)
        .text("parentProcessFilePath", "C:\\Windows")
        .text("detectionStatus", "Detected")
}

/// Lengthens the description until the rendered alert has about `bytes` bytes; never shortens.
pub(crate) fn pad(draft: &mut Draft, bytes: usize) {
    const FILLER: &str = " Further activity of the same kind was seen on this device and is listed in the evidence.";
    let missing = bytes.saturating_sub(draft.render().len());
    let filler: String = FILLER.chars().cycle().take(missing).collect();
    draft.description.push_str(&filler);
}

/// `digits` random hexadecimal digits.
pub(crate) fn hex(rng: &mut impl Rng, digits: usize) -> String {
    (0..digits).filter_map(|_| char::from_digit(rng.random_range(0..16), 16)).collect()
}
