//! P3, where the tests that have its name elsewhere leave something out: two secrets of which one is expired, replaced and
//! withdrawn again and again, and no pass fails.

use alertferry_simulator::{DEFAULT_SECRET, Route, Secret, Simulator};

use crate::field::{Field, is_failure};
use crate::rig::campaign::{Row, times};
use crate::support::{House, on_threads, wait_until};

const TENANTS: u64 = 10;
/// Tokens live so short that each tenant asks for new ones all the time.
const LIFETIME: std::ops::RangeInclusive<i64> = 4..=6;

/// What the login service knows: each secret, and whether it has expired.
fn known(sim: &Simulator, secrets: &[(&str, bool)]) {
    let of = |(value, expired): &(&str, bool)| Secret { value: (*value).to_owned(), expired: *expired };
    sim.world().with(|world| world.apps[0].secrets = secrets.iter().map(of).collect());
}

/// Puts a secret in its file in one step: nobody reads half of it.
fn put(house: &House, file: &str, secret: &str) {
    house.write_private("secret.new", secret);
    std::fs::rename(house.path("secret.new"), house.path(file)).expect("renamed");
}

/// Waits until as many have signed in again as there are tenants.
async fn signed_in(sim: &Simulator) {
    let before = sim.stats().total_status(Route::Login, 200);
    wait_until("new tokens for all", || sim.stats().total_status(Route::Login, 200) > before + TENANTS).await;
}

#[test]
fn p3_of_two_secrets_one_is_expired_replaced_and_withdrawn_and_no_pass_fails() {
    on_threads(async {
        let row = Row::begin("P3");
        let rotations = times(1, 12);
        let mut field = Field::new(&row, TENANTS, 5, |config| {
            config.apps = vec![("main", "[{ file = \"secret\" }, { file = \"second\" }]".to_owned())];
        })
        .await;
        field.sim.world().with(|world| world.apps[0].token_lifetime = LIFETIME);
        // At the first start, the first of the two has expired already.
        let mut current = "the-second-of-two~1".to_owned();
        known(&field.sim, &[(DEFAULT_SECRET, true), (&current, false)]);
        field.house.write_private("second", &current);
        let daemon = field.house.start();
        field.house.wait_until_read_once().await;
        for n in 0..rotations {
            // The new one takes the place of the one that is not in use, while both are accepted.
            let next = format!("a+new/secret~of={n}");
            let place = if n % 2 == 0 { "secret" } else { "second" };
            known(&field.sim, &[(&current, false), (&next, false)]);
            put(&field.house, place, &next);
            field.live(4);
            signed_in(&field.sim).await;
            // The old one expires, and then is withdrawn; it stays where it is.
            known(&field.sim, &[(&current, true), (&next, false)]);
            signed_in(&field.sim).await;
            known(&field.sim, &[(&next, false)]);
            current = next;
        }
        signed_in(&field.sim).await;
        let failed: Vec<_> = daemon.lines().into_iter().filter(is_failure).collect();
        assert!(failed.is_empty(), "{failed:?}");
        let told = daemon.lines();
        let refused =
            told.iter().filter(|line| line["event"] == "app.refused" || line["event"] == "token.failed").count();
        assert_eq!(refused, 0, "{told:?}");
        let logins = field.sim.stats().total(Route::Login);
        let vain = field.sim.stats().total_status(Route::Login, 401);
        field.healed(daemon).await;
        row.held(
            rotations,
            format!("rotations, {logins} sign-ins of which {vain} with a stale secret, no failed pass"),
        );
    });
}
