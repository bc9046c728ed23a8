//! N9, N10: tokens that are refused in the middle of a run, and tenants and apps that may not sign in any more.

use alertferry_simulator::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Fault, FaultRule, Route, Secret};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{Customer, on_threads, wait_until};

#[test]
fn n9_a_token_that_is_refused_in_mid_run_is_renewed_once_and_the_page_is_asked_again() {
    on_threads(async {
        let row = Row::begin("N9");
        let rounds = times(3, 12);
        for round in 0..rounds {
            let field = Field::new(&row, 2, 300, |config| config.poll = "page_size = 50".to_owned()).await;
            // The first request of a first contact is the look for the time; the others are pages.
            let rule = FaultRule::new(Fault::Unauthorized401).tenant(&guid(1)).after(round).once();
            let id = field.sim.faults().add(rule);
            let daemon = field.house.start();
            // The last of a large run are polls behind the first contact.
            wait_until("the refusal", || field.sim.faults().struck(id) == 1).await;
            field.house.wait_until_read().await;
            assert_eq!(field.sim.stats().requests(&guid(1), Route::Login), 2, "exactly one forced refresh");
            assert_eq!(field.sim.stats().requests(&guid(2), Route::Login), 1, "the neighbour keeps its token");
            let log = field.sim.stats().log_of(&guid(1), Route::Alerts);
            let at = log.iter().position(|request| request.status == Some(401)).expect("a refusal");
            assert_eq!(log[at].query, log[at + 1].query, "the same page again");
            assert_eq!(field.failures(&guid(1)), 0, "no pass failed");
            field.healed(daemon).await;
        }
        row.held(rounds, "at the first to the last request; one refresh each, no failed pass");
    });
}

#[test]
fn n9_tokens_that_are_all_refused_cost_one_refresh_a_pass_and_no_storm() {
    on_threads(async {
        let row = Row::begin("N9");
        let mut field = Field::new(&row, 2, 20, |_| {}).await;
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        field.sim.stats().reset();
        field.sim.faults().add(FaultRule::new(Fault::Unauthorized401).tenant(&guid(1)));
        wait_until("the refusal", || field.of(&guid(1), "state") == "unauthorized").await;
        field.live(4);
        let polls = field.sim.stats().requests(&guid(2), Route::Alerts);
        wait_until("the neighbour", || field.sim.stats().requests(&guid(2), Route::Alerts) > polls + 4).await;
        let asked = [Route::Login, Route::Alerts].map(|route| field.sim.stats().requests(&guid(1), route));
        assert_eq!(asked, [1, 2], "one refresh, and the page once more");
        field.sim.faults().clear();
        daemon.signal("HUP");
        field.healed(daemon).await;
        row.held(1, "one refresh and two requests; read after a reload");
    });
}

/// Five tenants: consent, role, a wrong and an expired secret, and one that is well.
async fn refused(row: &Row) -> Field {
    let field = Field::new(row, 5, 20, |config| {
        config.apps.push(("second", "{ file = \"wrong\" }".to_owned()));
        config.apps.push(("third", "{ file = \"old\" }".to_owned()));
        let app = |customer: &mut Customer, app| customer.app = app;
        app(&mut config.customers[2], "second");
        app(&mut config.customers[3], "third");
    })
    .await;
    field.house.write_private("wrong", DEFAULT_SECRET);
    field.house.write_private("old", DEFAULT_SECRET);
    field.sim.world().with(|world| {
        let secret = |value: &str, expired| Secret { value: value.to_owned(), expired };
        let secrets = vec![secret(DEFAULT_SECRET, false), secret("an-old-secret-of-the-app", true)];
        // Tokens live for seconds, so that everybody signs in all the time.
        world.apps = vec![App { secrets, token_lifetime: 2..=2, ..App::new(DEFAULT_CLIENT_ID, DEFAULT_SECRET) }];
    });
    field
}

#[test]
fn n10_consent_role_and_secrets_that_go_in_mid_run_are_told_probed_seldom_and_come_back() {
    on_threads(async {
        let row = Row::begin("N10");
        let rounds = times(1, 6);
        let mut field = refused(&row).await;
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        let mut probes = 0;
        for _ in 0..rounds {
            field.sim.world().with(|world| {
                world.set_state(&guid(1), |state| state.consented = false);
                world.set_state(&guid(2), |state| state.roles.clear());
            });
            field.house.write_private("wrong", "not the secret of the app");
            field.house.write_private("old", "an-old-secret-of-the-app");
            for (n, reason, remedy) in [
                (1, "AADSTS700016", "adminconsent"),
                (2, "Alert.Read.All", "consent"),
                (3, "AADSTS7000215", "secret"),
                (4, "AADSTS7000222", "secret"),
            ] {
                wait_until("the refusal", || field.of(&guid(n), "state") == "unauthorized").await;
                let [_, told, help] = field.house.standing(&guid(n));
                assert!(told.contains(reason) && help.contains(remedy), "{n}: {told} / {help}");
            }
            field.live(8);
            field.sim.stats().reset();
            wait_until("polls of the other", || field.sim.stats().requests(&guid(5), Route::Alerts) > 6).await;
            for n in 1..=4 {
                let again = field.sim.stats().requests(&guid(n), Route::Any);
                // Once more when the app turns out to be accepted elsewhere.
                assert!(again <= 1, "{n}: {again} requests in a few seconds");
                probes += again;
            }
            let seldom = "SELECT count(*) FROM tenants WHERE state = 'unauthorized' AND app = 'main'
                          AND next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '+6 minutes')";
            assert_eq!(field.house.number(seldom), 2, "probed seldom");
            field.sim.world().with(|world| {
                world.set_state(&guid(1), |state| state.consented = true);
                world.set_state(&guid(2), |state| state.roles = vec!["Alert.Read.All".to_owned()]);
            });
            field.house.write_private("wrong", DEFAULT_SECRET);
            field.house.write_private("old", DEFAULT_SECRET);
            daemon.signal("HUP");
            wait_until("all to be well", || field.house.number("SELECT count(*) FROM tenants WHERE state = 'ok'") == 5)
                .await;
        }
        field.healed(daemon).await;
        row.held(rounds, format!("4 refusals told with remedies, {probes} probes while others were polled"));
    });
}
