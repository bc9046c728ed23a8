//! Signals of the operator: a changed configuration is taken over whole or not at all, and a poll now is a poll now.

use std::time::Duration;

use alertferry_simulator::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Fault, FaultRule, NewAlert, Route, Secret};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::rig::guid;
use crate::support::{Config, Customer, EACH_SECOND, House, SELDOM, on_threads, simulator, wait_until};

#[test]
fn p2_a_bad_file_changes_nothing_and_is_told() {
    on_threads(async {
        let sim = simulator(2, 10).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read().await;
        let bad = format!("{}\n[pol]\noverlap = \"2h\"\n", config.text().replace(&guid(2), "no-guid"));
        house.write("main.toml", &bad);
        daemon.signal("HUP");
        let line = daemon.hear("config.rejected").await;
        let reason = line["reason"].as_str().expect("a reason");
        assert!(reason.contains("main.toml:") && reason.contains("pol") && reason.contains("tenant.id"), "{reason}");
        let [before, after] = [1, 2].map(|n| (n, sim.stats().requests(&guid(n), Route::Alerts)));
        wait_until("further polls of both", || {
            [before, after].iter().all(|(n, polls)| sim.stats().requests(&guid(*n), Route::Alerts) > polls + 1)
        })
        .await;
        assert_eq!(house.number("SELECT count(*) FROM tenants WHERE state = 'ok'"), 2);
        daemon.stop().await;
    });
}

#[test]
fn p2_a_good_file_adds_and_removes_tenants_and_drops_no_pass() {
    on_threads(async {
        let sim = simulator(3, 40).await;
        let mut config = Config::of(&sim);
        let all = config.customers.clone();
        config.customers = vec![all[0].clone(), all[1].clone()];
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read().await;
        // A pass of each old tenant is under way while the configuration changes.
        sim.faults().add(FaultRule::new(Fault::Latency(Duration::from_millis(900))));
        let fresh = sim.world().with(|world| {
            let mut rng = StdRng::seed_from_u64(1);
            [1, 2].map(|n| world.new_alert(&guid(n), &mut rng, &NewAlert::default()).expect("an alert"))
        });
        let asked = [1, 2].map(|n| sim.stats().requests(&guid(n), Route::Alerts));
        wait_until("requests under way", || {
            asked.iter().zip([1, 2]).all(|(polls, n)| sim.stats().requests(&guid(n), Route::Alerts) > *polls)
        })
        .await;
        config.customers = vec![all[1].clone(), all[2].clone()];
        house.configure(&config);
        daemon.signal("HUP");
        let line = daemon.hear("config.reloaded").await;
        assert_eq!((&line["added"], &line["removed"]), (&1.into(), &1.into()), "{line}");
        assert_eq!(daemon.hear("tenant.added").await["tenant"], guid(3).as_str());
        assert_eq!(daemon.hear("tenant.removed").await["tenant"], guid(1).as_str());
        sim.faults().clear();
        house.wait_until_read().await;
        for id in &fresh {
            wait_until("the alert of the pass under way", || {
                house.number(&format!("SELECT count(*) FROM alerts WHERE alert_id = '{id}'")) == 1
            })
            .await;
        }
        assert_eq!(house.standing(&guid(1))[0], "disabled");
        let polls = sim.stats().requests(&guid(1), Route::Alerts);
        let others = sim.stats().requests(&guid(3), Route::Alerts);
        wait_until("further polls", || sim.stats().requests(&guid(3), Route::Alerts) > others + 2).await;
        assert_eq!(sim.stats().requests(&guid(1), Route::Alerts), polls, "a removed tenant is polled");
        // A request that is being answered has no status yet; one that was cut off never gets one.
        wait_until("every request to be answered", || sim.stats().log().iter().all(|request| request.status.is_some()))
            .await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1), guid(2), guid(3)]);
    });
}

#[test]
fn p2_a_tenant_that_comes_back_is_read_on_from_where_it_stood() {
    on_threads(async {
        let sim = simulator(2, 20).await;
        let mut config = Config::of(&sim);
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read().await;
        let gone = config.customers.pop().expect("a tenant");
        house.configure(&config);
        daemon.signal("HUP");
        daemon.hear("tenant.removed").await;
        sim.world().with(|world| {
            world.new_alert(&guid(2), &mut StdRng::seed_from_u64(1), &NewAlert::default()).expect("an alert");
        });
        config.customers.push(Customer { lines: "tags = [\"back\"]".to_owned(), ..gone });
        house.configure(&config);
        daemon.signal("HUP");
        daemon.hear("tenant.added").await;
        house.wait_until_read().await;
        assert_eq!(house.number("SELECT count(*) FROM gaps"), 0);
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
    });
}

#[test]
fn a_poll_can_be_asked_for() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read_once().await;
        let id = sim.world().with(|world| {
            world.new_alert(&guid(2), &mut StdRng::seed_from_u64(1), &NewAlert::default()).expect("an alert")
        });
        daemon.signal("USR1");
        let line = daemon.hear_where("alert.created", |line| line["alert"] == id.as_str()).await;
        assert_eq!(line["tenant"], guid(2).as_str());
        daemon.stop().await;
    });
}

#[test]
fn a_changed_schedule_counts_at_once() {
    on_threads(async {
        let sim = simulator(3, 5).await;
        let mut config = Config::of(&sim);
        let house = House::with(&config);
        for restart in [false, true] {
            config.schedule = SELDOM;
            house.configure(&config);
            let mut daemon = house.start();
            house.wait_until_read_once().await;
            let far =
                "SELECT count(*) FROM tenants WHERE next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '+1 hour')";
            wait_until("the next poll to be far away", || house.number(far) == 3).await;
            config.schedule = EACH_SECOND;
            house.configure(&config);
            if restart {
                daemon.stop().await;
                daemon = house.start();
            } else {
                daemon.signal("HUP");
            }
            house.wait_until_read().await;
            daemon.stop().await;
        }
    });
}

/// The default app with these secrets, whose tokens live for seconds, so that it signs in all the time.
fn app(secrets: &[&str]) -> App {
    let secrets = secrets.iter().map(|value| Secret { value: (*value).to_owned(), expired: false }).collect();
    App { secrets, token_lifetime: 2..=2, ..App::new(DEFAULT_CLIENT_ID, DEFAULT_SECRET) }
}

#[test]
fn p3_a_rotated_secret_needs_no_restart() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        sim.world().with(|world| world.apps = vec![app(&[DEFAULT_SECRET, "the new one"])]);
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read().await;
        house.write_private("secret", "the new one");
        sim.world().with(|world| world.apps = vec![app(&["the new one"])]);
        let logins = sim.stats().total_status(Route::Login, 200);
        wait_until("sign-ins with the new secret", || sim.stats().total_status(Route::Login, 200) > logins + 4).await;
        assert_eq!(sim.stats().total_status(Route::Login, 401), 0, "the old secret was sent");
        house.wait_until_read().await;

        // The other way round: it is refused, which is told once, and works as soon as the file is right.
        sim.world().with(|world| world.apps = vec![app(&["the newest one"])]);
        let line = daemon.hear("app.refused").await;
        assert!(line["remedy"].as_str().is_some_and(|remedy| remedy.contains("client secret")), "{line}");
        house.write_private("secret", "the newest one");
        daemon.signal("HUP");
        house.wait_until_read().await;
        assert_eq!(house.number("SELECT count(*) FROM tenants WHERE state = 'ok'"), 2);
        daemon.stop().await;
    });
}

#[test]
fn another_way_to_the_services_wants_a_restart() {
    on_threads(async {
        let sim = simulator(1, 2).await;
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read().await;
        std::fs::create_dir(house.path("conf.d")).expect("a directory");
        house.write("conf.d/network.toml", "[network]\nproxy = \"http://127.0.0.1:9\"\n");
        daemon.signal("HUP");
        let line = daemon.hear("config.rejected").await;
        assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("`network` changes only with a restart")));
        house.write("conf.d/network.toml", "[network]\nproxy = \"\"\n");
        daemon.signal("HUP");
        daemon.hear("config.reloaded").await;
        daemon.stop().await;
    });
}
