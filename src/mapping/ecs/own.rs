//! Owns the fields of an ECS document that ECS has no names for. They stand under one name of our own, and are called
//! as the store's views call them.

use serde_json::Value;

use super::super::Source;
use super::super::alert::Alert;
use super::super::object::{Members, Object};

/// How a field is read, and so of which type it always is.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Integer,
    Time,
}
use Form::{Integer, Text, Time};

/// Fields of the alert: on the wire, here, and their form.
const ALERT: [(&str, &str, Form); 13] = [
    ("incidentId", "incident_id", Integer),
    ("investigationId", "investigation_id", Integer),
    ("investigationState", "investigation_state", Text),
    ("severity", "severity", Text),
    ("status", "status", Text),
    ("classification", "classification", Text),
    ("determination", "determination", Text),
    ("assignedTo", "assigned_to", Text),
    ("threatName", "threat_name", Text),
    ("rbacGroupName", "rbac_group_name", Text),
    ("aadTenantId", "aad_tenant_id", Text),
    ("lastUpdateTime", "last_update_time", Time),
    ("resolvedTime", "resolved_time", Time),
];

/// Fields of an account: of the related user and of who was logged on.
const ACCOUNT: [(&str, &str, Form); 3] =
    [("userName", "user_name", Text), ("accountName", "account_name", Text), ("domainName", "domain_name", Text)];

/// Fields of a comment.
const COMMENT: [(&str, &str, Form); 3] =
    [("comment", "comment", Text), ("createdBy", "created_by", Text), ("createdTime", "created_time", Time)];

/// Fields of an entity.
const ENTITY: [(&str, &str, Form); 26] = [
    ("entityType", "entity_type", Text),
    ("evidenceCreationTime", "evidence_creation_time", Time),
    ("detectionStatus", "detection_status", Text),
    ("sha1", "sha1", Text),
    ("sha256", "sha256", Text),
    ("fileName", "file_name", Text),
    ("filePath", "file_path", Text),
    ("processId", "process_id", Integer),
    ("processCommandLine", "process_command_line", Text),
    ("processCreationTime", "process_creation_time", Time),
    ("parentProcessId", "parent_process_id", Integer),
    ("parentProcessCreationTime", "parent_process_creation_time", Time),
    ("parentProcessFileName", "parent_process_file_name", Text),
    ("parentProcessFilePath", "parent_process_file_path", Text),
    ("ipAddress", "ip_address", Text),
    ("url", "url", Text),
    ("registryKey", "registry_key", Text),
    ("registryHive", "registry_hive", Text),
    ("registryValueType", "registry_value_type", Text),
    ("registryValue", "registry_value", Text),
    ("registryValueName", "registry_value_name", Text),
    ("accountName", "account_name", Text),
    ("domainName", "domain_name", Text),
    ("userSid", "user_sid", Text),
    ("aadUserId", "aad_user_id", Text),
    ("userPrincipalName", "user_principal_name", Text),
];

pub(super) fn write(document: &mut Object, source: &Source<'_>, alert: &Alert) {
    let mut own = read(&alert.own, &ALERT);
    own.set("first_seen_at", source.first_seen_at);
    own.set("related_user", read(&alert.own.object("relatedUser"), &ACCOUNT));
    own.set("logged_on_users", list(alert.own.objects("loggedOnUsers"), &ACCOUNT));
    own.set("comments", list(alert.own.objects("comments"), &COMMENT));
    let entities = alert.evidence.iter().filter_map(|entity| read(&entity.own, &ENTITY).some());
    own.set("evidence", entities.map(Value::from).collect::<Vec<_>>());
    document.set("alertferry", own);
}

fn list(entries: impl Iterator<Item = Members>, fields: &[(&str, &str, Form)]) -> Vec<Value> {
    entries.filter_map(|entry| read(&entry, fields).some()).map(Value::from).collect()
}

fn read(members: &Members, fields: &[(&str, &str, Form)]) -> Object {
    let mut object = Object::new();
    for (wire, name, form) in fields {
        match form {
            Text => object.maybe(name, members.text(wire)),
            Integer => object.maybe(name, members.integer(wire)),
            Time => object.maybe(name, members.time(wire).map(|time| time.to_string())),
        }
    }
    object
}
