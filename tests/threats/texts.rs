//! Owns alerts whose every text is an attack, and a store into which the real daemon has read them.

use alertferry_simulator::Simulator;

use crate::rig::guid;
use crate::support::{Config, Daemon, House, SELDOM, real_time_world};

/// Texts as they stand in JSON, without their quotes.
pub const TEXTS: [&str; 14] = [
    r"'); DROP TABLE alert; --",
    r#"\" OR \"\"=\" UNION SELECT raw FROM alert --"#,
    r"before\u0000after' --",
    r"?1 :a @b $c %s {x} \\'",
    r"line\nbreak\r\n{\u0022event\u0022:\u0022daemon.stopped\u0022}",
    r"para\u2028graph\u2029and\u0085next\u000b\f",
    r"\u001b[2J\u001b]0;owned\u0007\u001b]52;c;eA==\u0007\u001bPq\u001b\\",
    r"\u009b2J\u009d52;c;eA==\u009c\u0090",
    r"\u202egnp.exe\u2066\u200f\b\b\b\rok\u007f",
    r"=HYPERLINK(\u0022http://evil.example\u0022)",
    r"+1+cmd|' /C calc'!A0",
    r"-2+3+cmd|' /C calc'!A0",
    r"@SUM(1+9)*cmd|' /C calc'!A0",
    r"\t=1+1",
];

/// Numbers and dates that are none, or too large.
const ODD: [(&str, &str); 4] = [
    ("99999999999999999999999999", "\"9999-99-99T99:99:99Z\""),
    ("-9223372036854775808", "\"0000-00-00T00:00:00Z\""),
    ("1e400", "\"' OR 1=1 --\""),
    ("9007199254740993.5", "-1"),
];

/// An alert whose texts are all `text`, and whose id is, too.
fn alert(tenant: &str, number: usize, text: &str, at: &str) -> String {
    let (number_of_incident, date) = ODD[number % ODD.len()];
    format!(
        r#"{{"id":"{text}#{number}","incidentId":{number_of_incident},"severity":"{text}","status":"{text}",
        "category":"{text}","title":"{text}","description":"{text}","alertCreationTime":{date},"firstEventTime":{date},
        "lastEventTime":{date},"resolvedTime":{date},"lastUpdateTime":"{at}","machineId":"{text}",
        "computerDnsName":"{text}","aadTenantId":"{tenant}","assignedTo":"{text}","classification":"{text}",
        "determination":"{text}","detectionSource":"{text}","threatName":"{text}","threatFamilyName":"{text}",
        "rbacGroupName":"{text}","mitreTechniques":["{text}"],
        "relatedUser":{{"userName":"{text}","domainName":"{text}"}},"{text}":"{text}",
        "comments":[{{"comment":"{text}","createdBy":"{text}","createdTime":{date}}}],
        "evidence":[{{"entityType":"{text}","evidenceCreationTime":{date},"fileName":"{text}","filePath":"{text}",
        "sha1":"{text}","processId":99999999999999999999999999,"processCommandLine":"{text}","accountName":"{text}",
        "url":"{text}","ipAddress":"{text}"}}]}}"#
    )
    .replace('\n', "")
}

/// The text as it was meant.
pub fn meant(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).expect("a text")
}

/// A world whose first tenant has hostile alerts, and its second everyday ones.
pub async fn simulator() -> Simulator {
    let mut world = real_time_world();
    for n in 1..=2 {
        world.add_tenant(&guid(n));
    }
    let now = world.now();
    let before = |minutes: u64| (now - std::time::Duration::from_secs(60 * minutes)).to_string();
    for (number, text) in TEXTS.into_iter().enumerate() {
        let text = alert(&guid(1), number, text, &before(5 + number as u64));
        world.add_text(&guid(1), &text, std::time::Duration::ZERO).expect("an alert");
    }
    world.fill(&guid(2), 20, &alertferry_simulator::Template { evidence: 1, bytes: 900, ..Default::default() });
    Simulator::start(world).await.expect("a simulator")
}

/// A house at this simulator, at the loudest log.
pub fn house(sim: &Simulator) -> House {
    let log = "level = \"trace\"\nhistory = true".to_owned();
    House::with(&Config { schedule: SELDOM, log, ..Config::of(sim) })
}

/// Has the daemon read everything.
pub async fn read(house: &House) -> Daemon {
    let daemon = house.start();
    house.wait_until_read_once().await;
    daemon
}
