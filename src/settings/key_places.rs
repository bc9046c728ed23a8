//! Owns the keys that say where secrets, certificates and tokens are found, and holds a file against them.
//!
//! Whatever stands where such a place belongs and is none may be the secret itself: it is reported and never shown.

use config::{Map, Value, ValueKind};
use toml::de::DeValue;

use super::keys::{Key, Kind, Walk, key};
use super::report::At;

/// Where something may be found.
pub(super) const PLACES: [&str; 3] = ["file", "env", "credential"];

const SECRET: &[Key] =
    &[key("file", Kind::Text), key("env", Kind::Text), key("credential", Kind::Text), key("expires_at", Kind::Text)];

const CERTIFICATE: &[Key] = &[
    key("key", Kind::Secret),
    key("cert", Kind::Secret),
    key("file", Kind::Text),
    key("env", Kind::Text),
    key("credential", Kind::Text),
    key("algorithm", Kind::Text),
];

const FEDERATED_TOKEN: &[Key] = &[key("file", Kind::Text)];

const CREDENTIAL: &[Key] =
    &[key("secret", Kind::Secret), key("certificate", Kind::Certificate), key("federated_token", Kind::FederatedToken)];

const SECRET_HELP: &str = "put the secret into a file that only its owner can read, and write \
    secret = { file = \"/path/to/it\" }, or { credential = \"NAME\" } for a systemd credential, \
    or { env = \"VARIABLE\" }";
const CERTIFICATE_HELP: &str = "write certificate = { key = { file = \"/path/to/key.pem\" }, \
    cert = { file = \"/path/to/cert.pem\" } }, or certificate = { file = \"/path/to/both.pem\" }";
const FEDERATED_HELP: &str = "write federated_token = { file = \"/path/to/the/token\" }";
const CREDENTIALS_HELP: &str =
    "write credentials = [{ certificate = { … } }, { secret = { … } }], in the order in which they shall be tried";

impl Walk<'_> {
    /// One place of a secret, or several, as an array that a later file replaces whole.
    pub(super) fn secret(&mut self, at: &At, found: &DeValue<'_>, path: &str) -> Value {
        let mut places = Vec::new();
        if let DeValue::Array(items) = found
            && !items.is_empty()
        {
            for item in items {
                let at = self.at(&item.span());
                places.push(self.secret_place(&at, item.get_ref(), path));
            }
        } else {
            places.push(self.secret_place(at, found, path));
        }
        Value::new(at.to_origin().as_ref(), ValueKind::Array(places))
    }

    fn secret_place(&mut self, at: &At, found: &DeValue<'_>, path: &str) -> Value {
        let Some(places) = self.fields(at, found, path, SECRET, SECRET_HELP) else { return void(at) };
        if count(&places) == 1 {
            return Value::new(at.to_origin().as_ref(), ValueKind::Table(places));
        }
        self.report.error(at, path, "a secret has exactly one of file, env and credential").help(SECRET_HELP);
        void(at)
    }

    /// A key and a certificate, each with its place, or one place for both; as an array of one, that a later file
    /// replaces whole.
    pub(super) fn certificate(&mut self, at: &At, found: &DeValue<'_>, path: &str) -> Value {
        let Some(fields) = self.fields(at, found, path, CERTIFICATE, CERTIFICATE_HELP) else { return void(at) };
        let has = |name: &str| fields.contains_key(name);
        let apart = has("key") && has("cert") && count(&fields) == 0;
        let together = !has("key") && !has("cert") && count(&fields) == 1;
        if apart || together {
            let whole = Value::new(at.to_origin().as_ref(), ValueKind::Table(fields));
            return Value::new(at.to_origin().as_ref(), ValueKind::Array(vec![whole]));
        }
        let message = "a certificate has both key and cert, or exactly one of file, env and credential";
        self.report.error(at, path, message).help(CERTIFICATE_HELP);
        void(at)
    }

    /// The file of a token; as an array of one, that a later file replaces whole.
    pub(super) fn federated_token(&mut self, at: &At, found: &DeValue<'_>, path: &str) -> Value {
        let Some(fields) = self.fields(at, found, path, FEDERATED_TOKEN, FEDERATED_HELP) else { return void(at) };
        if fields.is_empty() {
            self.report.error(at, path, "`file` is missing").help(FEDERATED_HELP);
            return void(at);
        }
        let whole = Value::new(at.to_origin().as_ref(), ValueKind::Table(fields));
        Value::new(at.to_origin().as_ref(), ValueKind::Array(vec![whole]))
    }

    /// Credentials of all kinds in their order.
    pub(super) fn credentials(&mut self, at: &At, found: &DeValue<'_>, path: &str) -> Value {
        let DeValue::Array(items) = found else {
            self.report.hide(at);
            self.report.error(at, path, "this must be a list of credentials").help(CREDENTIALS_HELP);
            return void(at);
        };
        if items.is_empty() {
            self.report.error(at, path, "there is no credential in this list").help(CREDENTIALS_HELP);
            return void(at);
        }
        let mut each = Vec::new();
        for item in items {
            let at = self.at(&item.span());
            let fields = self.fields(&at, item.get_ref(), path, CREDENTIAL, CREDENTIALS_HELP);
            if fields.as_ref().is_some_and(|fields| fields.len() != 1) {
                let message = "each entry is exactly one of secret, certificate and federated_token";
                self.report.error(&at, path, message).help(CREDENTIALS_HELP);
            }
            let fields = fields.filter(|fields| fields.len() == 1);
            each.push(
                fields
                    .map_or_else(|| void(&at), |fields| Value::new(at.to_origin().as_ref(), ValueKind::Table(fields))),
            );
        }
        Value::new(at.to_origin().as_ref(), ValueKind::Array(each))
    }

    /// The fields of a table; `None`, reported, when it is no table or holds what it should not.
    fn fields(
        &mut self,
        at: &At,
        found: &DeValue<'_>,
        path: &str,
        keys: &'static [Key],
        help: &str,
    ) -> Option<Map<String, Value>> {
        let DeValue::Table(table) = found else {
            self.report.hide(at);
            self.hide_texts(found);
            let message = if found.is_str() {
                "a secret is never written into the configuration itself: such files are copied, shown and committed"
            } else {
                "this must say where the secret is found"
            };
            self.report.error(at, path, message).help(help);
            return None;
        };
        let fields = self.table(table, keys, path);
        (fields.len() == table.len()).then_some(fields)
    }
}

/// How many places are named in a table.
fn count(fields: &Map<String, Value>) -> usize {
    PLACES.iter().filter(|place| fields.contains_key(**place)).count()
}

fn void(at: &At) -> Value {
    Value::new(at.to_origin().as_ref(), ValueKind::Nil)
}
