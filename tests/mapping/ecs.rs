//! What becomes of an alert in ECS.

use serde_json::{Value, json};

use crate::samples::{ecs, entities, full};

#[test]
fn an_alert_becomes_an_event_with_its_rule_threat_and_host() {
    let document = ecs(&full());
    let event = &document["event"];
    assert_eq!(document["@timestamp"], "2026-11-23T10:15:30.1233333Z");
    for (name, value) in [
        ("kind", json!("alert")),
        ("category", json!(["intrusion_detection", "malware"])),
        ("type", json!(["info", "denied"])),
        ("id", json!("da637308392288907382_-880718168")),
        ("severity", json!(4)),
        ("sequence", json!(48_213)),
        ("provider", json!("WindowsDefenderAtp")),
        ("created", json!("2026-11-23T10:15:30.1233333Z")),
        ("start", json!("2026-11-23T10:12:01.0000000Z")),
        ("end", json!("2026-11-23T10:14:59.5000000Z")),
        ("duration", json!(178_500_000_000_i64)),
    ] {
        assert_eq!(event[name], value, "event.{name}");
    }
    assert_eq!(
        document["threat"],
        json!({"framework": "MITRE ATT&CK", "software": {"name": "Meterpreter"},
            "tactic": {"id": ["TA0006"], "name": ["Credential Access"]},
            "technique": {"id": ["T1003"], "subtechnique": {"id": ["T1003.001"]}}})
    );
    let id = "1e5bc9d7e413ddd7902c2932e418702b84d0cc07";
    assert_eq!(document["host"], json!({"id": id, "name": "desktop-5.contoso.example", "hostname": "desktop-5"}));
    assert_eq!(document["rule"]["name"], "Credential dumping");
    assert_eq!(document["organization"]["name"], "Contoso");
}

#[test]
fn the_first_entity_of_each_kind_has_its_fields() {
    let document = ecs(&full());
    assert_eq!(document["file"]["path"], "c:\\temp\\suspicious.dll");
    assert_eq!(document["file"]["hash"]["sha1"], "8563f95b2f8a284fc99da44500cd51a77c1ff36c");
    assert_eq!(document["process"]["executable"], "C:\\Windows\\SysWOW64\\rundll32.exe");
    assert_eq!(document["process"]["parent"]["executable"], "C:\\Windows\\explorer.exe");
    assert_eq!(document["process"]["start"], "2026-11-23T10:12:01.9581596Z");
    assert_eq!(document["user"]["id"], "S-1-5-21-1-2-3-1104");
    assert_eq!(document["user"]["email"], "ann@contoso.example");
    assert_eq!(document["url"]["domain"], "files.evil.example");
    assert_eq!(document["url"]["port"], 8443);
    assert_eq!(
        document["registry"],
        json!({"hive": "HKLM", "key": "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "value": "Updater",
            "path": "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater",
            "data": {"type": "REG_EXPAND_SZ", "strings": ["%TEMP%\\u.exe"]}})
    );
}

#[test]
fn what_all_entities_name_is_related_once() {
    let related = &ecs(&full())["related"];
    assert_eq!(related["ip"], json!(["203.0.113.9", "2001:db8::1"]));
    assert_eq!(related["hosts"], json!(["desktop-5.contoso.example", "files.evil.example"]));
    assert_eq!(related["hash"].as_array().map(Vec::len), Some(4));
    let users =
        ["ann", "ann@contoso.example", "S-1-5-21-1-2-3-1104", "11118379-2a59-1111-ac3c-a51eb4a3c627", "zoë.müller"];
    assert_eq!(related["user"], json!(users));
}

#[test]
fn every_entity_stands_whole_under_our_own_name() {
    let document = ecs(&full());
    let listed = document["alertferry"]["evidence"].as_array().expect("entities");
    assert_eq!(listed.len(), entities().as_array().map_or(0, Vec::len));
    assert_eq!(listed[1]["process_id"], 3276);
    assert_eq!(listed[11], json!({"entity_type": "MailBox"}));
    assert_eq!(document["alertferry"]["comments"][0]["comment"], "looked at");
}

#[test]
fn the_related_user_stands_in_where_no_user_is_evidence() {
    let user = |evidence: Value| {
        ecs(&json!({"relatedUser": {"userName": "ann", "domainName": "C"}, "evidence": evidence}))["user"].clone()
    };
    assert_eq!(user(json!([])), json!({"name": "ann", "domain": "C"}));
    assert_eq!(user(json!([{"entityType": "User", "accountName": "bob"}])), json!({"name": "bob"}));
}

#[test]
fn what_is_unknown_is_not_invented() {
    let document =
        ecs(&json!({"id": "a", "severity": "Grave", "category": "null", "lastUpdateTime": "2026-11-23T10:20:00Z"}));
    assert_eq!(document["@timestamp"], "2026-11-23T10:20:00.0000000Z");
    assert_eq!(document["event"]["severity"], Value::Null);
    assert_eq!(document["event"]["action"], Value::Null);
    assert_eq!(document["alertferry"]["severity"], "Grave");
    assert_eq!([&document["threat"], &document["host"], &document["file"]], [&Value::Null; 3]);
    assert_eq!(ecs(&json!({}))["@timestamp"], "2026-11-23T10:20:31.0018250Z");
}
