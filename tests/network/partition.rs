//! N16: a network that loses a part of everything and is slow, and a day on which all goes wrong for everybody.

use std::time::Duration;

use alertferry_simulator::FaultRule;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::any;
use crate::field::Field;
use crate::rig::campaign::{Row, is_large, times};
use crate::rig::guid;
use crate::support::on_threads;
use crate::way::{Mood, Way};

#[test]
fn n16_a_network_that_loses_and_delays_converges_when_it_is_whole() {
    on_threads(async {
        let row = Row::begin("N16");
        let (worlds, seconds) = (times(1, 8), times(8, 20));
        let (mut failed, mut passes) = (0, 0);
        for world in 0..worlds {
            let seed = row.seed.wrapping_add(world);
            let mut dice = StdRng::seed_from_u64(seed);
            let (loss, latency) = (dice.random_range(0.05..0.3), dice.random_range(0.0..5.0));
            let mut field = Field::new(&row, 8, 120, |_| {}).await;
            let way = Way::to(field.sim.address()).await;
            (field.config.login_url, field.config.api_url) = (way.url(), way.url());
            field.config.poll = format!("request_timeout = \"{}s\"\npage_size = 50", times(2, 6));
            if is_large() {
                // There are a hundred calls in a minute for each tenant, and those who mend need some.
                field.config.schedule = "*/4 * * * * *";
            }
            field.house.configure(&field.config);
            // A small run has no time for five seconds: all is faster there, the limits too.
            let latency = Duration::from_secs_f64(if is_large() { latency } else { latency / 5.0 });
            way.be(Mood::Lossy { loss, latency, seed });
            let daemon = field.house.start();
            for _ in 0..seconds {
                field.live(4);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            way.be(Mood::Through);
            let lines = field.house.all_lines();
            failed += lines.iter().filter(|line| crate::field::is_failure(line)).count();
            passes += lines.iter().filter(|line| line["event"] == "pass.finished").count();
            field.healed(daemon).await;
        }
        row.held(worlds, format!("worlds; {failed} of {passes} passes failed while it lasted"));
    });
}

#[test]
fn n16_all_faults_at_random_for_fifty_tenants_and_then_none() {
    on_threads(async {
        let row = Row::begin("N16");
        let (worlds, seconds) = (times(1, 4), times(10, 60));
        let (mut struck, mut failed) = (0, 0);
        for world in 0..worlds {
            let mut dice = StdRng::seed_from_u64(row.seed.wrapping_add(world));
            let mut field = Field::new(&row, 50, 40, |config| {
                config.poll = "request_timeout = \"1s\"\npage_size = 25".to_owned();
                // There are a hundred calls in a minute for each tenant, and those who mend need some.
                config.schedule = "*/4 * * * * *";
            })
            .await;
            let mut daemon = field.house.start();
            daemon.hear("daemon.ready").await;
            for second in 0..seconds {
                let rules: Vec<_> = (0..12)
                    .map(|_| {
                        let (fault, route) = any(&mut dice);
                        let tenant = guid(dice.random_range(1..=50));
                        let rule = FaultRule::new(fault).on(route).tenant(&tenant);
                        field.sim.faults().add(rule.with_probability(dice.random_range(0.2..1.0)))
                    })
                    .collect();
                field.live(10);
                if second % 3 == 0 {
                    daemon.signal("USR1");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                for rule in rules {
                    struck += field.sim.faults().struck(rule);
                    if dice.random_bool(0.7) {
                        field.sim.faults().remove(rule);
                    }
                }
                if second == seconds / 2 {
                    daemon.kill();
                    daemon = field.house.start();
                    daemon.hear("daemon.ready").await;
                }
            }
            failed += field.house.all_lines().iter().filter(|line| crate::field::is_failure(line)).count();
            field.sim.faults().clear();
            // Whoever was refused is tried again when somebody has acted.
            daemon.signal("HUP");
            field.healed(daemon).await;
        }
        row.held(
            worlds,
            format!("worlds of 50 tenants; {struck} faults struck, {failed} passes failed, one kill each"),
        );
    });
}
