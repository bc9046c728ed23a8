//! N16: a network that loses a part of everything and is slow, and a day on which all goes wrong for everybody.

use std::time::Duration;

use alertferry_simulator::{Cut, Fault, FaultBody, FaultRule, LicenceFault, RetryAfter, Route, Shape};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
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
            field.house.configure(&field.config);
            // A small run has no time for five seconds: all is faster there, the limits too.
            let latency =
                Duration::from_secs_f64(if crate::rig::campaign::is_large() { latency } else { latency / 5.0 });
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

/// Any fault, with what it needs; but none that changes a single alert, which would rightly be set aside
/// for good, and none that is a proper empty list, which is believed.
fn any(dice: &mut StdRng) -> (Fault, Route) {
    let wait = [RetryAfter::Absent, RetryAfter::Seconds(1), RetryAfter::HttpDate(2), RetryAfter::Raw("never")];
    let retry_after = wait[dice.random_range(0..wait.len())];
    let status = [408, 500, 502, 503, 504][dice.random_range(0..5)];
    let faults = [
        Fault::Status { status, body: FaultBody::Html, retry_after },
        Fault::Throttle { retry_after },
        Fault::Unauthorized401,
        Fault::MissingRole403,
        Fault::LicenceInactive(LicenceFault::Inactive403),
        Fault::CutBody(Cut::Fraction(dice.random_range(0.0..1.0))),
        Fault::StallBody(Cut::Fraction(dice.random_range(0.0..1.0))),
        Fault::SlowBody { bytes: 64, every: Duration::from_millis(100) },
        Fault::Hang,
        Fault::ResetBeforeHeaders,
        Fault::ResetAfterHeaders,
        Fault::MalformedJson,
        Fault::WrongShape(Shape::NoValue),
        Fault::HugeBody { bytes: 8 << 20 },
        Fault::Redirect { status: 307, location: "http://127.0.0.1:9/".to_owned() },
        Fault::NextLink { url: "http://127.0.0.1:9/".to_owned() },
        Fault::ForeignAlert { aad_tenant_id: guid(999) },
        Fault::ForeignTenantToken { tid: guid(999) },
        Fault::RefuseOrderBy,
        Fault::IgnoreOrderBy { shuffled: true },
        Fault::RefuseIdRange,
        Fault::UnsortedIds,
        Fault::TooLarge { max_rows: 20 },
        Fault::Latency(Duration::from_millis(dice.random_range(0..1_500))),
        Fault::NoDateHeader,
        Fault::SkewDate { seconds: dice.random_range(-7_200..7_200) },
    ];
    let fault = faults[dice.random_range(0..faults.len())].clone();
    let of_login = matches!(fault, Fault::ForeignTenantToken { .. });
    let for_both = matches!(
        fault,
        Fault::Status { .. } | Fault::Throttle { .. } | Fault::Hang | Fault::ResetBeforeHeaders | Fault::MalformedJson
    );
    let login = of_login || (for_both && dice.random_bool(0.3));
    (fault, if login { Route::Login } else { Route::Alerts })
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
