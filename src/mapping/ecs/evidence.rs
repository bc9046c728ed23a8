//! Owns what the evidence becomes in an ECS document: the first entity of each kind, and what all of them name.

use super::super::alert::Alert;
use super::super::entity::{Entity, Kind};
use super::super::object::{Object, Once};
use super::super::web::{self, Parts};

/// Types of registry values by the names of the service and of Windows.
const VALUE_TYPES: [(&str, &str); 7] = [
    ("String", "REG_SZ"),
    ("ExpandString", "REG_EXPAND_SZ"),
    ("MultiString", "REG_MULTI_SZ"),
    ("Binary", "REG_BINARY"),
    ("DWord", "REG_DWORD"),
    ("QWord", "REG_QWORD"),
    ("None", "REG_NONE"),
];

pub(super) fn write(document: &mut Object, alert: &Alert) {
    type Writer = fn(&mut Object, &Entity);
    let kinds: [(Kind, Writer); 5] = [
        (Kind::File, file),
        (Kind::Process, process),
        (Kind::User, user),
        (Kind::Url, url),
        (Kind::Registry, registry),
    ];
    for (kind, write) in kinds {
        if let Some(entity) = alert.first(kind) {
            write(document, entity);
        }
    }
    if alert.first(Kind::User).is_none() {
        let related = alert.own.object("relatedUser");
        document.maybe("user.name", related.text("userName"));
        document.maybe("user.domain", related.text("domainName"));
    }
    related(document, alert);
}

fn file(document: &mut Object, entity: &Entity) {
    document.maybe("file.name", entity.text("fileName"));
    document.maybe("file.directory", entity.text("filePath"));
    document.maybe("file.path", entity.path("filePath", "fileName"));
    document.maybe("file.extension", entity.extension());
    document.maybe("file.hash.sha1", entity.hash("sha1"));
    document.maybe("file.hash.sha256", entity.hash("sha256"));
}

fn process(document: &mut Object, entity: &Entity) {
    document.maybe("process.pid", entity.process("processId"));
    document.maybe("process.name", entity.text("fileName"));
    document.maybe("process.executable", entity.path("filePath", "fileName"));
    document.maybe("process.command_line", entity.text("processCommandLine"));
    document.maybe("process.start", entity.own.time("processCreationTime").map(|time| time.to_string()));
    document.maybe("process.hash.sha1", entity.hash("sha1"));
    document.maybe("process.hash.sha256", entity.hash("sha256"));
    document.maybe("process.parent.pid", entity.process("parentProcessId"));
    document.maybe("process.parent.name", entity.text("parentProcessFileName"));
    let executable = entity.path("parentProcessFilePath", "parentProcessFileName");
    document.maybe("process.parent.executable", executable);
    let start = entity.own.time("parentProcessCreationTime");
    document.maybe("process.parent.start", start.map(|time| time.to_string()));
}

fn user(document: &mut Object, entity: &Entity) {
    document.maybe("user.name", entity.text("accountName"));
    document.maybe("user.domain", entity.text("domainName"));
    document.maybe("user.id", entity.text("userSid").or_else(|| entity.text("aadUserId")));
    document.maybe("user.email", entity.mail());
}

fn url(document: &mut Object, entity: &Entity) {
    let Some(text) = entity.text("url") else { return };
    document.set("url.original", text);
    let Some(parts) = Parts::of(text) else { return };
    document.set("url.full", text);
    document.set("url.scheme", parts.scheme);
    document.set("url.domain", parts.host);
    document.maybe("url.port", parts.port);
    document.set("url.path", parts.path);
    document.maybe("url.query", parts.query);
    document.maybe("url.fragment", parts.fragment);
    document.set("url.username", parts.user);
}

fn registry(document: &mut Object, entity: &Entity) {
    let (hive, key, value) = (entity.hive(), entity.text("registryKey"), entity.text("registryValueName"));
    document.maybe("registry.hive", hive);
    document.maybe("registry.key", key);
    document.maybe("registry.value", value);
    if key.is_some() {
        let steps: Vec<&str> = [hive, key, value].into_iter().flatten().collect();
        document.set("registry.path", steps.join("\\"));
    }
    document.maybe("registry.data.strings", entity.registry_value().map(|value| vec![value]));
    let named = entity.text("registryValueType");
    let known = |name: &str| VALUE_TYPES.iter().find(|(wire, _)| wire.eq_ignore_ascii_case(name));
    document.maybe("registry.data.type", named.map(|name| known(name).map_or(name, |(_, published)| published)));
}

/// What any entity, the related user and the device are called, each once.
fn related(document: &mut Object, alert: &Alert) {
    let (mut hashes, mut addresses) = (Once::default(), Once::default());
    let (mut users, mut hosts) = (Once::default(), Once::default());
    hosts.maybe(alert.device_name());
    users.maybe(alert.own.object("relatedUser").text("userName"));
    for entity in &alert.evidence {
        hashes.maybe(entity.hash("sha1"));
        hashes.maybe(entity.hash("sha256"));
        addresses.maybe(entity.address());
        for name in ["accountName", "userPrincipalName", "userSid", "aadUserId"] {
            users.maybe(entity.text(name));
        }
        match entity.text("url").and_then(Parts::of) {
            Some(parts) if parts.is_address => addresses.maybe(web::address(&parts.host)),
            Some(parts) => hosts.add(parts.host),
            None => {}
        }
    }
    document.set("related.hash", hashes);
    document.set("related.ip", addresses);
    document.set("related.user", users);
    document.set("related.hosts", hosts);
}
