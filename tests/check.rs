//! `alertferry check --offline`, as it is typed: in the directory of the configuration, by a relative path.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const CONFIG: &str = r#"
[store]
path = "alerts.db"
[app.main]
client_id = "11111111-1111-1111-1111-111111111111"
secret = { file = "client-secret" }
[[tenant]]
id = "00000000-0000-0000-0000-000000000000"
"#;

#[test]
fn relative_paths_start_from_the_configurations_directory() {
    let place = tempfile::tempdir().expect("a directory");
    let secret = place.path().join("client-secret");
    std::fs::write(place.path().join("a.toml"), CONFIG).expect("written");
    std::fs::write(&secret, "secret").expect("written");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("mode set");
    for config in ["a.toml", "./a.toml"] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_alertferry"));
        check.env_clear().current_dir(place.path()).args(["check", "--offline", "--config", config]);
        let told = check.output().expect("it runs");
        assert_eq!(told.status.code(), Some(0), "{config}: {}", String::from_utf8_lossy(&told.stdout));
    }
}
