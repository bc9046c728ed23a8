//! Commands beside the daemon's unit: they do without secrets that the unit alone has, and `check` says which are missing.

use alertferry_simulator::{Options, World};

use crate::support::on_threads;
use crate::told::{GOOD, assert_says, findings, house};

#[test]
fn secrets_of_the_unit_are_missed_only_by_those_who_need_them() {
    on_threads(async {
        for (secret, place) in [
            (
                "{ credential = \"alertferry.client-secret\" }",
                "/run/credentials/alertferry.service/alertferry.client-secret",
            ),
            ("{ env = \"A_SECRET_OF_THE_UNIT\" }", "A_SECRET_OF_THE_UNIT is not set"),
        ] {
            let (_sim, house) = house(World::new(Options::default()), GOOD).await;
            assert_eq!(house.run(&["sync"]).code, Some(0));
            let config = std::fs::read_to_string(house.path("main.toml")).expect("text");
            house.write("main.toml", &config.replace(GOOD, secret));
            for command in [&["status"][..], &["query", "SELECT 1"], &["tenant", "list"], &["alerts", "list"]] {
                let said = house.run(command);
                assert_eq!(said.code, Some(0), "{command:?}: {said:?}");
            }
            let found = findings(&house, 77);
            let missing = found.iter().find(|finding| finding["step"] == "secret").expect("a finding");
            assert_says("secret", missing, "detail", place);
            let daemon = house.run(&["run"]);
            assert!(daemon.code == Some(78) && daemon.stderr.contains("is not set"), "{daemon:?}");
        }
    });
}
