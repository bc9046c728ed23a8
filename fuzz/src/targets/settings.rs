//! The configuration: every text becomes settings that hold together, or errors that each say where, what and nothing secret.
//!
//! Input: the main file; behind a NUL a list of tenants in CSV.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use alertferry::settings::{ConfigErrors, Environment, Settings};

use super::input::Input;

/// A secret at the wrong place, below whatever the input has.
const PLANTED: &str = "\n[app.planted]\nsecret = \"hunter2-canary\"\n";
const SECRET: &str = "hunter2-canary";

thread_local! {
    /// Files are written into the same directory again and again.
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a directory");
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let main = input.until(0);
    let list = input.rest();
    PLACE.with(|place| {
        let (config, tenants) = (place.path().join("main.toml"), place.path().join("tenants.d"));
        std::fs::create_dir_all(&tenants).expect("a directory");
        let list_at = tenants.join("list.csv");
        std::fs::write(&config, main).expect("written");
        std::fs::write(&list_at, list).expect("written");
        let files = [(config.clone(), main), (list_at, list)];
        match load(&config) {
            Ok(settings) => holds_together(&settings),
            Err(errors) => placed(&errors, place.path(), &files),
        }
        std::fs::write(&config, [main, PLANTED.as_bytes()].concat()).expect("written");
        // A text without an end takes what is planted behind it for its own, and is no place for a secret.
        if !main.windows(3).any(|three| matches!(three, b"\"\"\"" | b"'''")) {
            let told = load(&config).expect_err("a secret in the file is refused").to_string();
            assert!(!told.contains(SECRET), "{told}");
        }
    });
}

fn load(config: &Path) -> Result<Settings, ConfigErrors> {
    Settings::load_with(config, &Environment::default())
}

fn holds_together(settings: &Settings) {
    let ids: HashSet<_> = settings.tenants.iter().map(|tenant| tenant.id).collect();
    assert!(!ids.is_empty() && ids.len() == settings.tenants.len(), "no tenant is there twice");
    for tenant in &settings.tenants {
        assert!(settings.apps.iter().any(|app| app.name == tenant.app), "{} has no app", tenant.id);
        for url in [&tenant.login_url, &tenant.api_url] {
            assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
            assert!(!url.contains(['@', '?', '#']) && !url.ends_with('/'), "{url}");
        }
    }
    assert!(settings.apps.iter().all(|app| !app.credentials.is_empty() && !app.client_id.is_empty()));
    assert!((1..=10_000).contains(&settings.poll.page_size) && settings.poll.max_concurrent_tenants > 0);
    assert!(!settings.poll.request_timeout.is_zero());
}

fn placed(errors: &ConfigErrors, directory: &Path, files: &[(PathBuf, &[u8])]) {
    assert!(!errors.0.is_empty(), "a refusal says why");
    for error in &errors.0 {
        assert!(!error.message.is_empty() && !error.file.as_os_str().is_empty(), "{error:?}");
        assert!(error.file.starts_with(directory), "nothing else was read: {error:?}");
        assert!(!error.key.contains(char::is_control) && !error.message.contains(char::is_control), "{error:?}");
        let lines =
            files.iter().find(|(path, _)| *path == error.file).map(|(_, text)| text.split(|b| *b == b'\n').count());
        if let Some(line) = error.line {
            assert!((1..=lines.expect("a file")).contains(&line), "{error:?}");
            assert!(error.column.is_some_and(|column| column > 0), "{error:?}");
        }
        let shown = error.excerpt.as_ref().map_or("", |excerpt| &excerpt.text);
        assert!(!shown.contains(char::is_control), "{error:?}");
    }
}
