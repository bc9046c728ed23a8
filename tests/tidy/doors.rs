//! One door for each dependency: replacing it touches one module.

use crate::source;

/// What is reached through which modules only. A name stands for a crate or for a path of the standard library.
const DOORS: [(&str, &[&str]); 32] = [
    ("reqwest", &["http"]),
    ("httpdate", &["http"]),
    ("hyper", &["admin", "http"]),
    ("hyper_util", &["admin", "http"]),
    ("http_body_util", &["admin"]),
    ("prometheus_client", &["metrics"]),
    ("rusqlite", &["store"]),
    ("rustix", &["clock", "secret", "store"]),
    ("refinery", &["store"]),
    ("tokio_cron_scheduler", &["schedule"]),
    ("croner", &["schedule"]),
    ("chrono", &["schedule"]),
    ("std::env", &["settings", "notify"]),
    ("sd_notify", &["notify"]),
    ("secrecy", &["secret"]),
    ("jiff", &["domain"]),
    ("base64", &["entra"]),
    ("aws_lc_rs", &["entra"]),
    ("rustls_pki_types", &["entra"]),
    ("x509_parser", &["entra"]),
    ("config", &["settings"]),
    ("csv", &["settings", "command"]),
    ("toml", &["settings"]),
    ("clap", &["command"]),
    ("clap_complete", &["command"]),
    ("clap_mangen", &["command"]),
    ("comfy_table", &["command"]),
    ("indicatif", &["command"]),
    ("parquet", &["command"]),
    ("tracing_subscriber", &["logging"]),
    ("unicode_width", &["logging"]),
    ("SystemTime", &["clock"]),
];

/// Whether `code` uses a path that begins with `name`.
fn uses(code: &str, name: &str) -> bool {
    let whole = |at: usize| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        !(before.is_alphanumeric() || matches!(before, '_' | ':' | '.' | '!'))
    };
    code.match_indices(name).any(|(at, _)| whole(at) && code[at + name.len()..].starts_with("::"))
        || code.match_indices(&format!("use {name}")).any(|(at, found)| {
            let after = code[at + found.len()..].chars().next().unwrap_or(' ');
            whole(at) && !(after.is_alphanumeric() || after == '_')
        })
}

#[test]
fn each_dependency_has_one_door() {
    let mut wrong = Vec::new();
    let mut opened = std::collections::BTreeSet::new();
    for file in source::rust() {
        let Some(module) = file.module() else { continue };
        let code = file.code();
        for (name, modules) in DOORS {
            let used = uses(&code, name);
            if used && !modules.contains(&module) {
                wrong.push(format!("{}: {name} belongs to {}", file.path, modules.join(" and ")));
            } else if used {
                opened.insert(name);
            }
        }
    }
    assert!(wrong.is_empty(), "dependencies outside of their doors:\n{}", wrong.join("\n"));
    let unused: Vec<_> = DOORS.iter().map(|(name, _)| *name).filter(|name| !opened.contains(name)).collect();
    assert!(unused.is_empty(), "doors that nobody uses: {unused:?}");
}

#[test]
fn a_use_is_told_from_a_mention() {
    for code in ["use csv::Reader;", "let x = csv::Reader::new();", "use csv as table;", "pub use csv;"] {
        assert!(uses(code, "csv"), "{code}");
    }
    for code in ["mod tenant_csv; tenant_csv::read()", "super::csv::read()", "let csv = 1;", "self.csv()", "use csvs;"]
    {
        assert!(!uses(code, "csv"), "{code}");
    }
}
