//! Owns reading the OpenMetrics text form, and refusing whatever the specification does not allow of what we use.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// A family of metrics.
#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub kind: String,
    pub unit: Option<String>,
    pub help: String,
    pub samples: Vec<(String, Labels, f64)>,
}

/// All that was told.
#[derive(Debug)]
pub struct Exposition {
    pub families: Vec<Family>,
}

impl Exposition {
    pub fn parse(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF")?;
        let mut families: Vec<Family> = Vec::new();
        for line in body.lines() {
            match line.strip_prefix("# ") {
                Some(meta) => take_meta(&mut families, meta)?,
                None => {
                    let family = families.last_mut().ok_or("a sample before its family")?;
                    family.samples.push(sample(line)?);
                }
            }
        }
        let mut names = BTreeSet::new();
        for family in &families {
            family.check().map_err(|problem| format!("{}: {problem}", family.name))?;
            if !names.insert(family.name.clone()) {
                return Err(format!("{} is there twice", family.name));
            }
        }
        Ok(Self { families })
    }

    /// The value of one series, by its name and labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("there is no {name} {labels:?}"))
    }

    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut samples = self.families.iter().flat_map(|family| &family.samples);
        samples.find(|sample| sample.0 == name && sample.1 == labels).map(|sample| sample.2)
    }
}

fn take_meta(families: &mut Vec<Family>, meta: &str) -> Result<(), String> {
    let mut words = meta.splitn(3, ' ');
    let (what, name, rest) = (words.next(), words.next().ok_or("no name")?, words.next().unwrap_or_default());
    if families.last().is_none_or(|family| family.name != name) {
        let (name, help) = (name.to_owned(), String::new());
        families.push(Family { name, kind: String::new(), unit: None, help, samples: Vec::new() });
    }
    let family = families.last_mut().ok_or("no family")?;
    if !family.samples.is_empty() {
        return Err(format!("{meta}: metadata after samples"));
    }
    match what {
        Some("HELP") if family.help.is_empty() => rest.clone_into(&mut family.help),
        Some("TYPE") if family.kind.is_empty() => rest.clone_into(&mut family.kind),
        Some("UNIT") if family.unit.is_none() => family.unit = Some(rest.to_owned()),
        _ => return Err(format!("# {meta}")),
    }
    Ok(())
}

fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let wrong = || format!("no sample: {line}");
    let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let (labels, value) = match line[name.len()..].strip_prefix('{') {
        None => (Labels::new(), line[name.len()..].strip_prefix(' ').ok_or_else(wrong)?),
        Some(rest) => {
            let (labels, rest) = labels(rest).ok_or_else(wrong)?;
            (labels, rest.strip_prefix(' ').ok_or_else(wrong)?)
        }
    };
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().map_err(|_| wrong())? };
    Ok((name, labels, value))
}

/// Labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        let (key, after) = rest.split_once("=\"")?;
        let named = key.starts_with(|c: char| c.is_ascii_lowercase())
            && key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        // Nothing that needs an escape is ever a label's value here.
        let (value, after) = after.split_once('"')?;
        if !named || value.contains(['\\', '\n']) || labels.insert(key.to_owned(), value.to_owned()).is_some() {
            return None;
        }
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((labels, after.strip_prefix('}')?)),
        }
    }
}

impl Family {
    /// The name by which people know it: that of its samples, or of all its parts together.
    pub fn known_as(&self) -> String {
        match self.kind.as_str() {
            "counter" => format!("{}_total", self.name),
            "info" => format!("{}_info", self.name),
            _ => self.name.clone(),
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.help.len() < 10 || !self.help.ends_with('.') || self.help.ends_with("..") {
            return Err(format!("no sentence as help: {:?}", self.help));
        }
        if self.unit.as_ref().is_some_and(|unit| !self.name.ends_with(&format!("_{unit}"))) {
            return Err(format!("the name does not end with its unit {:?}", self.unit));
        }
        let mut seen = BTreeSet::new();
        for (name, labels, value) in &self.samples {
            let suffix = name.strip_prefix(&self.name).ok_or_else(|| format!("{name} is another family's"))?;
            let fits = match self.kind.as_str() {
                "counter" => suffix == "_total",
                "info" => suffix == "_info" && (*value - 1.0).abs() < f64::EPSILON,
                "gauge" => suffix.is_empty(),
                "histogram" => {
                    ["_sum", "_count", "_bucket"].contains(&suffix)
                        && labels.contains_key("le") == (suffix == "_bucket")
                }
                other => return Err(format!("the type {other:?}")),
            };
            if !fits || value.is_nan() || self.kind != "gauge" && *value < 0.0 {
                return Err(format!("a {} with {name} {labels:?} {value}", self.kind));
            }
            if !seen.insert((name, labels)) {
                return Err(format!("{name} {labels:?} is there twice"));
            }
        }
        if self.kind == "histogram" { self.check_buckets() } else { Ok(()) }
    }

    fn check_buckets(&self) -> Result<(), String> {
        let mut before = (f64::NEG_INFINITY, 0.0);
        for (_, labels, count) in self.samples.iter().filter(|sample| sample.0.ends_with("_bucket")) {
            let bound =
                if labels["le"] == "+Inf" { f64::INFINITY } else { labels["le"].parse().map_err(|_| "a bound")? };
            if bound <= before.0 || *count < before.1 {
                return Err(format!("buckets that do not add up at {bound}"));
            }
            before = (bound, *count);
        }
        let whole = self.samples.iter().find(|sample| sample.0.ends_with("_count")).ok_or("no count")?.2;
        let all = before.0.is_infinite() && (before.1 - whole).abs() < f64::EPSILON;
        if all { Ok(()) } else { Err(format!("the last bucket {before:?} is not all of {whole}")) }
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let good = "# HELP a_seconds Some help here.\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds{b=\"c\"} 1\n# EOF\n";
    Exposition::parse(good).expect("good");
    for (part, instead) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF\n\n"),
        ("gauge", "counter"),
        ("a_seconds{", "b_seconds{"),
        ("UNIT a_seconds seconds", "UNIT a_seconds bytes"),
        ("b=\"c\"", "b=c"),
        ("} 1\n", "} one\n"),
        ("# TYPE a_seconds gauge\n", ""),
        ("a_seconds{b=\"c\"} 1\n", "a_seconds{b=\"c\"} 1\na_seconds{b=\"c\"} 2\n"),
        ("# HELP a_seconds Some help here.\n", ""),
    ] {
        let bad = good.replacen(part, instead, 1);
        assert!(Exposition::parse(&bad).is_err(), "{bad}");
    }
}
