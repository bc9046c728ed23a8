//! What becomes of an alert in OCSF.

use serde_json::{Value, json};

use crate::samples::{TENANT, full, ocsf};

#[test]
fn an_alert_becomes_a_detection_finding() {
    let event = ocsf(&full());
    for (name, value) in [
        ("class_uid", json!(2004)),
        ("category_uid", json!(2)),
        ("activity_id", json!(2)),
        ("type_uid", json!(200_402)),
        ("severity_id", json!(4)),
        ("severity", json!("High")),
        ("status_id", json!(2)),
        ("status", json!("In Progress")),
        ("verdict_id", json!(2)),
        ("is_alert", json!(true)),
        ("time", json!(1_795_428_930_123_i64)),
        ("start_time", json!(1_795_428_721_000_i64)),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(event["metadata"]["uid"], format!("{TENANT}-48213"));
    assert_eq!(event["metadata"]["correlation_uid"], "1126093");
    assert_eq!(event["metadata"]["profiles"], json!(["incident"]));
    assert_eq!(event["metadata"]["tags"], json!([{"name": "tenant_name", "value": "Contoso"}]));
    assert_eq!(event["assignee"]["email_addr"], "secop@contoso.example");
    assert_eq!(event["malware"][0]["classification_ids"], json!([18]));
    assert_eq!(event["device"]["groups"], json!([{"name": "Workstations"}]));
    assert_eq!(event["resources"][0]["role"], "Affected");
    assert_eq!(
        event["finding_info"]["attacks"],
        json!([{"tactic": {"uid": "TA0006", "name": "Credential Access"}},
            {"technique": {"uid": "T1003"}, "sub_technique": {"uid": "T1003.001"}}, {"technique": {"uid": "T1003"}}])
    );
}

#[test]
fn each_entity_is_an_evidence_of_its_kind() {
    let event = ocsf(&full());
    let evidences = event["evidences"].as_array().expect("evidences");
    let names: Vec<&str> = evidences.iter().filter_map(|evidence| evidence["name"].as_str()).collect();
    let kinds = ["File", "Process", "User", "User", "Url", "Url", "Url", "Ip", "Registry", "RegistryKey", "MailBox"];
    assert_eq!(names, kinds, "the one of which nothing is known is left out");
    assert_eq!(evidences[0]["file"]["path"], "c:\\temp\\suspicious.dll");
    assert_eq!(evidences[0]["data"]["detectionStatus"], "Blocked");
    let process = &evidences[1]["process"];
    assert_eq!((&process["pid"], &process["parent_process"]["pid"]), (&json!(3276), &json!(8420)));
    assert_eq!(process["file"]["hashes"][1]["algorithm_id"], 3);
    let user = &evidences[2]["user"];
    assert_eq!((&user["uid"], &user["email_addr"]), (&json!("S-1-5-21-1-2-3-1104"), &json!("ann@contoso.example")));
    assert_eq!(evidences[3]["user"], json!({"name": "zoë.müller"}));
    assert_eq!(evidences[4]["url"]["port"], 8443);
    assert_eq!(evidences[6]["url"], json!({"url_string": "no url at all"}));
    assert_eq!(evidences[7]["data"], json!({"ipAddress": "2001:DB8:0:0:0:0:0:1"}));
    assert_eq!(evidences[8]["reg_value"]["type_id"], 4);
    assert_eq!(evidences[9]["reg_key"]["path"], "SOFTWARE\\Other");
    assert_eq!(evidences[10]["data"], json!({"aNewField": "x"}));
    assert_eq!(event["metadata"]["extensions"][0]["name"], "win");
}

#[test]
fn words_that_nobody_knows_are_other_with_the_word_beside() {
    let event = ocsf(&json!({"id": "a", "severity": "Grave", "status": "Paused", "classification": "Perhaps",
        "threatName": "Strange:Win32/X"}));
    for (id, text, said) in [
        ("severity_id", "severity", "Grave"),
        ("status_id", "status", "Paused"),
        ("activity_id", "activity_name", "Paused"),
        ("verdict_id", "verdict", "Perhaps"),
    ] {
        assert_eq!((&event[id], &event[text]), (&json!(99), &json!(said)));
    }
    assert_eq!(event["type_uid"], 200_499);
    assert_eq!(event["type_name"], "Detection Finding: Other");
    assert_eq!(event["malware"][0]["classifications"], json!(["Strange"]));
}

#[test]
fn what_has_no_place_stays_as_it_was_sent() {
    let event = ocsf(&full());
    let unmapped = event["unmapped"].as_object().expect("an object");
    let names: Vec<&String> = unmapped.keys().collect();
    let expected = [
        "aNewField",
        "aadTenantId",
        "comments",
        "determination",
        "investigationId",
        "loggedOnUsers",
        "relatedUser",
        "resolvedTime",
        "threatFamilyName",
    ];
    assert_eq!(names, expected);
    assert_eq!(unmapped["aNewField"], full()["aNewField"]);
}

#[test]
fn addresses_are_observed_as_addresses() {
    let event = ocsf(&full());
    let observed = |kind: i64| -> Vec<&Value> {
        let all = event["observables"].as_array().into_iter().flatten();
        all.filter(|observable| observable["type_id"] == kind).map(|observable| &observable["value"]).collect()
    };
    assert_eq!(observed(2), ["203.0.113.9", "2001:db8::1"]);
    assert_eq!(observed(1), ["Desktop-5.contoso.example", "files.evil.example"]);
    assert_eq!(observed(8).len(), 4);
}

#[test]
fn a_closed_alert_calls_nobody() {
    let event = ocsf(&json!({"id": "a", "status": "Resolved"}));
    assert_eq!((&event["activity_id"], &event["status_id"], &event["is_alert"]), (&json!(3), &json!(4), &json!(false)));
    assert_eq!([&event["device"], &event["evidences"], &event["malware"]], [&Value::Null; 3]);
}
