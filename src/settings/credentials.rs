//! Owns what an app proves itself with: from places in the configuration to credentials in their order.

use config::{Value, ValueKind};

use super::environment::{Environment, NoText};
use super::key_places::PLACES;
use super::report::{Found, Report};
use super::table::Table;
use crate::domain::Ticks;
use crate::entra::{Algorithm, CertificateSource, Credential};
use crate::secret::{Secret, SecretSource};

/// The keys of an app that hold credentials. Only one may be given: a table has no order.
const KEYS: [&str; 4] = ["credentials", "secret", "certificate", "federated_token"];

/// The credentials of an app; `None` when something about them is wrong, which is reported.
pub(super) fn read(section: &Table, environment: &Environment, report: &mut Report) -> Option<Vec<Credential>> {
    let given: Vec<&str> = KEYS.into_iter().filter(|key| section.values.contains_key(*key)).collect();
    let [key] = given.as_slice() else {
        if given.is_empty() {
            report
                .error(&section.at, section.path_of("secret"), "`secret` is missing")
                .help("say where the client secret is found: secret = { file = \"/path/to/it\" }; or give a certificate or a federated_token");
        } else {
            let message = format!("{} are given, and nothing says which is tried first", given.join(" and "));
            report
                .error(&section.at, section.path_of("credentials"), message)
                .help("write them in their order: credentials = [{ certificate = { … } }, { secret = { … } }]");
        }
        return None;
    };
    let mut reading = Reading { section, environment, report };
    reading.of(key, section.values.get(*key)?)
}

/// The one place of a secret that no app needs, such as a proxy's; `None` when it is wrong, which is reported.
pub(super) fn one_secret(
    section: &Table,
    key: &str,
    environment: &Environment,
    report: &mut Report,
) -> Option<SecretSource> {
    let ValueKind::Array(places) = &section.values.get(key)?.kind else { return None };
    let place = Table::new(places.first()?.clone(), section.path_of(key))?;
    Reading { section, environment, report }.source(&place)
}

struct Reading<'a> {
    section: &'a Table,
    environment: &'a Environment,
    report: &'a mut Report,
}

impl Reading<'_> {
    fn of(&mut self, key: &str, value: &Value) -> Option<Vec<Credential>> {
        let ValueKind::Array(items) = &value.kind else { return None };
        let mut all = Some(Vec::new());
        for item in items {
            let one = Table::new(item.clone(), self.section.path_of(key)).and_then(|table| match key {
                "secret" => self.secret(&table).map(|one| vec![one]),
                "certificate" => self.certificate(&table).map(|one| vec![one]),
                "federated_token" => self.source(&table).map(|source| vec![Credential::FederatedToken(source)]),
                _ => {
                    let (key, value) = table.values.iter().next()?;
                    self.of(key, value)
                }
            });
            // What is wrong with the others is told, too.
            all = all.zip(one).map(|(all, one)| [all, one].concat());
        }
        all
    }

    fn secret(&mut self, place: &Table) -> Option<Credential> {
        let expires_at = match place.values.contains_key("expires_at") {
            true => Some(place.parsed("expires_at", self.report, date)?.value),
            false => None,
        };
        Some(Credential::ClientSecret { source: self.source(place)?, expires_at })
    }

    fn certificate(&mut self, fields: &Table) -> Option<Credential> {
        let algorithm = match fields.values.contains_key("algorithm") {
            true => fields.parsed("algorithm", self.report, algorithm).map(|found| found.value),
            false => Some(Algorithm::default()),
        };
        if !fields.values.contains_key("key") {
            let key = self.source(fields);
            return Some(Credential::Certificate(CertificateSource { key: key?, cert: None, algorithm: algorithm? }));
        }
        let (key, cert) = (self.nested(fields, "key"), self.nested(fields, "cert"));
        Some(Credential::Certificate(CertificateSource { key: key?, cert: Some(cert?), algorithm: algorithm? }))
    }

    /// The one place that stands at `name` in `fields`.
    fn nested(&mut self, fields: &Table, name: &str) -> Option<SecretSource> {
        let ValueKind::Array(places) = &fields.values.get(name)?.kind else { return None };
        let place = Table::new(places.first()?.clone(), fields.path_of(name))?;
        if places.len() > 1 || place.values.contains_key("expires_at") {
            let message = "a certificate has one key and one cert; list whole certificates in `credentials`";
            self.report.error(&place.at, fields.path_of(name), message);
            return None;
        }
        self.source(&place)
    }

    fn source(&mut self, place: &Table) -> Option<SecretSource> {
        let key = PLACES.into_iter().find(|key| place.values.contains_key(*key))?;
        let found = place.required(key, self.report)?;
        match key {
            "file" => Some(SecretSource::File(self.report.directory(&found.at).join(&found.value))),
            "env" => self.variable_source(place, &found),
            _ => self.credential_source(place, &found),
        }
    }

    fn variable_source(&mut self, place: &Table, found: &Found<String>) -> Option<SecretSource> {
        let name = &found.value;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit());
        if !is_name {
            self.report.hide(&found.at);
            self.report
                .error(&found.at, place.path_of("env"), "this is no name of an environment variable")
                .help("write the name of the variable that holds the secret, not the secret");
            return None;
        }
        let why = match self.environment.text(name) {
            Ok(value) if !value.trim().is_empty() => {
                return Some(SecretSource::Fixed { name: format!("${name}"), value: Secret::new(value.to_owned()) });
            }
            Ok(_) | Err(NoText::Empty) => "is empty",
            Err(NoText::Unset) if self.environment.is_by_hand() => return Some(SecretSource::Absent(name.clone())),
            Err(NoText::Unset) => "is not set",
            Err(NoText::NotUnicode) => "is not UTF-8",
        };
        self.report.error(&found.at, place.path_of("env"), format!("the environment variable {name} {why}"));
        None
    }

    fn credential_source(&mut self, place: &Table, found: &Found<String>) -> Option<SecretSource> {
        let name = &found.value;
        if name.contains('/') || name == "." || name == ".." {
            self.report.error(&found.at, place.path_of("credential"), "a credential has a plain name, no path");
            return None;
        }
        if let Some(directory) = self.environment.credentials_directory() {
            return Some(SecretSource::File(directory.join(name)));
        }
        self.report
            .error(
                &found.at,
                place.path_of("credential"),
                "$CREDENTIALS_DIRECTORY is not set, so there are no credentials",
            )
            .help(format!("systemd sets it for a unit with LoadCredential={name}:/path/to/the/secret"));
        None
    }
}

/// The beginning of a day, in UTC. Entra shows days; the secret lives until some time on that day.
fn date(text: &str) -> Result<Ticks, String> {
    let is_day = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = is_day.then(|| Ticks::parse(&format!("{text}T00:00:00Z")).ok()).flatten();
    day.ok_or_else(|| format!("`{text}` is no day; write it like 2027-01-31"))
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    match text {
        "PS256" => Ok(Algorithm::Ps256),
        "RS256" => Ok(Algorithm::Rs256),
        _ => Err(format!("`{text}` is no algorithm; use PS256 (the default) or RS256")),
    }
}
