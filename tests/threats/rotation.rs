//! A credential that is replaced and withdrawn while everybody is being read.

use std::time::Duration;

use alertferry_simulator::{DEFAULT_SECRET, Fault, FaultRule, Route, Secret};

use crate::rig::campaign::Row;
use crate::support::{Config, House, on_threads, simulator, wait_until};

const TENANTS: u64 = 100;
/// Tokens live so short that each tenant asks for new ones all the time.
const LIFETIME: std::ops::RangeInclusive<i64> = 2..=4;

#[test]
fn p3_an_old_secret_is_revoked_while_a_hundred_tenants_are_polled() {
    on_threads(async {
        let row = Row::begin("P3");
        let sim = simulator(TENANTS, 2).await;
        sim.world().with(|world| world.apps[0].token_lifetime = LIFETIME);
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read_once().await;
        let before = sim.stats().total(Route::Login);
        // So that requests with the old secret are on their way when it is withdrawn.
        sim.faults().add(FaultRule::new(Fault::Latency(Duration::from_millis(150))).on(Route::Login));
        wait_until("slow sign-ins", || sim.stats().total(Route::Login) > before + TENANTS).await;
        let logins = sim.stats().total(Route::Login);

        let new = "the+new/secret~of=2027";
        sim.world().with(|world| world.apps[0].secrets.push(Secret { value: new.to_owned(), expired: false }));
        // In one step, as a rename is: nobody reads half of it.
        house.write_private("secret.new", new);
        std::fs::rename(house.path("secret.new"), house.path("secret")).expect("renamed");
        sim.world().with(|world| world.apps[0].secrets.retain(|secret| secret.value != DEFAULT_SECRET));

        wait_until("new tokens for all", || sim.stats().total(Route::Login) > logins + 3 * TENANTS).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        daemon.stop().await;
        assert_eq!(house.query("SELECT reason FROM passes WHERE outcome = 'failed'"), Vec::<Vec<String>>::new());
        let told = house.all_lines();
        let failed = |event: &str| told.iter().any(|line| line["event"] == event);
        assert!(!failed("app.refused") && !failed("token.failed"));
        assert_eq!(house.query("SELECT DISTINCT state FROM tenants"), [["ok"]]);
        let signed_in = sim.stats().total(Route::Login);
        row.held(
            1,
            format!("a secret replaced and withdrawn under {TENANTS} tenants, {signed_in} sign-ins, no failed pass"),
        );
    });
}
