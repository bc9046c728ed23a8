//! Owns what an entity becomes in an OCSF event: an object of its kind, and in `data` whatever that has no place for.

use serde_json::{Value, json};

use super::super::entity::{Entity, Kind};
use super::super::object::Object;
use super::super::web::Parts;
use super::{milliseconds, words};

/// An entity as one evidence; nothing when nothing is known of it.
pub(super) fn of(entity: &Entity) -> Option<Value> {
    let mut told = Told { entity, evidence: Object::new(), fields: vec!["entityType"] };
    match entity.kind {
        Kind::File => told.file(),
        Kind::Process => told.process(),
        Kind::User => told.user(),
        Kind::Url => told.url(),
        Kind::Registry => told.registry(),
        // The schema has addresses at the ends of connections only, and which end this one was is not known.
        Kind::Ip | Kind::Other => {}
    }
    told.evidence.set("data", entity.own.others(&told.fields));
    let mut evidence = told.evidence.some()?;
    evidence.maybe("name", entity.text("entityType"));
    Some(evidence.into())
}

/// Whether attributes of the schema's extension for Windows are among them.
pub(super) fn are_of_windows(evidences: &[Value]) -> bool {
    evidences.iter().filter_map(Value::as_object).any(|evidence| evidence.contains_key("reg_key"))
}

/// An evidence that is being told.
struct Told<'a> {
    entity: &'a Entity,
    evidence: Object,
    /// The entity's fields that have been told.
    fields: Vec<&'static str>,
}

impl Told<'_> {
    fn file(&mut self) {
        if let Some(name) = self.entity.text("fileName") {
            let file = self.file_object(name);
            self.evidence.set("file", file);
        }
    }

    fn file_object(&mut self, name: &str) -> Object {
        let mut file = file_at(name, self.entity.text("filePath"), self.entity.path("filePath", "fileName"));
        file.maybe("ext", self.entity.extension());
        let mut hashes = Vec::new();
        for (wire, id, algorithm) in [("sha1", 2, "SHA-1"), ("sha256", 3, "SHA-256")] {
            if let Some(value) = self.entity.hash(wire) {
                hashes.push(json!({ "algorithm": algorithm, "algorithm_id": id, "value": value }));
                self.fields.push(wire);
            }
        }
        file.set("hashes", hashes);
        self.fields.extend(["fileName", "filePath"]);
        file
    }

    /// A process without its number is none for the schema; all of it then stands in `data`.
    fn process(&mut self) {
        let entity = self.entity;
        let Some(number) = entity.process("processId") else { return };
        let mut process = Object::new();
        process.set("pid", number);
        process.maybe("cmd_line", entity.text("processCommandLine"));
        process.maybe("created_time", entity.own.time("processCreationTime").map(milliseconds));
        self.fields.extend(["processId", "processCommandLine", "processCreationTime"]);
        if let Some(name) = entity.text("fileName") {
            process.set("name", name);
            process.set("file", self.file_object(name));
        }
        if let Some(number) = entity.process("parentProcessId") {
            process.set("parent_process", self.parent(number));
        }
        self.evidence.set("process", process);
    }

    fn parent(&mut self, number: u32) -> Object {
        let mut parent = Object::new();
        parent.set("pid", number);
        let created = self.entity.own.time("parentProcessCreationTime");
        parent.maybe("created_time", created.map(milliseconds));
        self.fields.extend(["parentProcessId", "parentProcessCreationTime"]);
        if let Some(name) = self.entity.text("parentProcessFileName") {
            let path = self.entity.path("parentProcessFilePath", "parentProcessFileName");
            parent.set("name", name);
            parent.set("file", file_at(name, self.entity.text("parentProcessFilePath"), path));
            self.fields.extend(["parentProcessFileName", "parentProcessFilePath"]);
        }
        parent
    }

    fn user(&mut self) {
        let entity = self.entity;
        let account = entity.text("accountName");
        let name = account.or_else(|| entity.text("userPrincipalName"));
        let ids: Vec<&str> = ["userSid", "aadUserId"].into_iter().filter_map(|wire| entity.text(wire)).collect();
        if name.is_none() && ids.is_empty() {
            return;
        }
        let mut user = Object::new();
        user.maybe("name", name);
        user.maybe("domain", entity.text("domainName"));
        user.maybe("uid", ids.first().copied());
        user.maybe("uid_alt", ids.get(1).copied());
        user.maybe("email_addr", entity.mail());
        if account.is_none() || entity.mail().is_some() {
            self.fields.push("userPrincipalName");
        }
        self.fields.extend(["accountName", "domainName", "userSid", "aadUserId"]);
        self.evidence.set("user", user);
    }

    fn url(&mut self) {
        let Some(text) = self.entity.text("url") else { return };
        let mut url = Object::new();
        url.set("url_string", text);
        if let Some(parts) = Parts::of(text) {
            url.set("scheme", parts.scheme);
            url.set("hostname", parts.host);
            url.maybe("port", parts.port);
            url.set("path", parts.path);
            url.maybe("query_string", parts.query);
        }
        self.fields.push("url");
        self.evidence.set("url", url);
    }

    fn registry(&mut self) {
        let entity = self.entity;
        let Some(key) = entity.text("registryKey") else { return };
        let path = entity.text("registryHive").map_or_else(|| key.to_owned(), |hive| format!("{hive}\\{key}"));
        self.fields.extend(["registryKey", "registryHive"]);
        if let Some(name) = entity.text("registryValueName") {
            let mut value = Object::new();
            value.set("name", name);
            value.set("path", path.as_str());
            words::VALUE_TYPE.of(entity.text("registryValueType")).write(&mut value, "type_id", "type");
            value.maybe("reg_string_data", entity.registry_value());
            self.fields.extend(["registryValueName", "registryValueType", "registryValue"]);
            self.evidence.set("reg_value", value);
        }
        self.evidence.set("reg_key.path", path);
    }
}

fn file_at(name: &str, folder: Option<&str>, path: Option<String>) -> Object {
    let mut file = Object::new();
    file.set("name", name);
    file.set("type_id", 1);
    file.set("type", "Regular File");
    file.maybe("parent_folder", folder);
    file.maybe("path", path);
    file
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn evidence(entry: Value) -> Option<Value> {
        of(&Entity::of(entry).expect("an object"))
    }

    #[test]
    fn what_an_object_has_no_place_for_stands_in_data() {
        let seen = evidence(
            json!({"entityType": "File", "fileName": "a.exe", "sha1": "no digest", "detectionStatus": "Detected"}),
        );
        let data = seen.map(|evidence| evidence["data"].clone());
        assert_eq!(data, Some(json!({"detectionStatus": "Detected", "sha1": "no digest"})));
        let headless = json!({"entityType": "Process", "fileName": "a.exe", "processCommandLine": "a"});
        let mut rest: Map<String, Value> = headless.as_object().expect("an object").clone();
        rest.remove("entityType");
        assert_eq!(evidence(headless), Some(json!({"name": "Process", "data": rest})));
    }

    #[test]
    fn nothing_known_is_no_evidence() {
        assert_eq!(evidence(json!({"entityType": "Ip", "ipAddress": null, "url": ""})), None);
        assert_eq!(evidence(json!({})), None);
    }
}
