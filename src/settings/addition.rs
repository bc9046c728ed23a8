//! Owns tenants that are about to be added: their text, and the whole configuration as it would be with them.
//!
//! Nothing is written here. What is checked is what the daemon would read, so a file that passes can stay.

use std::path::{Path, PathBuf};

use toml::Value;

use super::{ConfigErrors, Environment, Settings};

/// A file that would lie in `tenants.d`.
#[derive(Debug, Clone)]
pub struct Addition {
    /// What it is called in messages; a name that ends in `.csv` is read as a list, any other as TOML.
    pub path: PathBuf,
    /// What would stand in it.
    pub text: String,
}

/// A tenant as an operator describes it; what is left out keeps its default.
#[derive(Debug, Clone, Default)]
pub struct NewTenant<'a> {
    /// Its tenant id.
    pub id: &'a str,
    /// What the operator calls it.
    pub name: Option<&'a str>,
    /// Where its alerts are served.
    pub region: Option<&'a str>,
    /// The app registration that signs in for it.
    pub app: Option<&'a str>,
    /// Labels.
    pub tags: &'a [String],
}

impl NewTenant<'_> {
    /// The table `[[tenant]]` that describes it.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let mut lines = format!("[[tenant]]\nid = {}\n", quoted(self.id));
        for (key, value) in [("name", self.name), ("region", self.region), ("app", self.app)] {
            if let Some(value) = value {
                lines += &format!("{key} = {}\n", quoted(value));
            }
        }
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|tag| quoted(tag)).collect();
            lines += &format!("tags = [{}]\n", tags.join(", "));
        }
        lines
    }
}

impl Settings {
    /// The configuration at `path` as it would be with a file added. No secret is needed for it.
    ///
    /// # Errors
    /// Everything that would be wrong with it.
    pub fn load_with_addition(path: &Path, addition: &Addition) -> Result<Self, ConfigErrors> {
        Self::load_all(path, Some(addition), &Environment::of_process().by_hand())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_written_so_that_it_reads_back() {
        let tags = ["gold".to_owned(), "a \"b\"".to_owned()];
        let tenant = NewTenant { id: "1", name: Some("A \\ \"B\"\n"), region: Some("eu"), app: None, tags: &tags };
        let read: toml::Table = tenant.text().parse().expect("TOML");
        let table = read["tenant"][0].as_table().expect("a table");
        assert_eq!(table["name"].as_str(), Some("A \\ \"B\"\n"));
        assert_eq!(table["tags"].as_array().expect("a list")[1].as_str(), Some("a \"b\""));
        assert!(!table.contains_key("app"));
    }
}
