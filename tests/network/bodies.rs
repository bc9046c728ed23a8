//! N5: answers that are no JSON, other JSON, too deep or too large, and alerts with texts and types that nobody expects.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use alertferry_simulator::{Fault, FaultRule, Route, Shape};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{Daemon, on_threads};
use crate::way::{Mood, Way};

const MIB: u64 = 1024 * 1024;
/// So much more memory, in KiB, than a daemon that met nothing may the other one have had: a list's limit for one alert,
/// twice, and what the allocator keeps.
const MORE: u64 = 48 * 1024;

/// The most memory, in KiB, that the running daemon ever had.
fn peak(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn n5_bodies_of_every_bad_kind_cost_no_memory_and_no_alert() {
    on_threads(async {
        let row = Row::begin("N5");
        let rounds = times(1, 4);
        let clean = Field::new(&row, 2, 40, |_| {}).await;
        let daemon = clean.house.start();
        clean.house.wait_until_read().await;
        let calm = peak(&daemon);
        clean.healed(daemon).await;

        let mut field = Field::new(&row, 2, 40, |config| config.poll = "request_timeout = \"20s\"".to_owned()).await;
        let daemon = field.house.start();
        field.read(&daemon, &guid(1)).await;
        for _ in 0..rounds {
            for fault in [
                Fault::MalformedJson,
                Fault::WrongShape(Shape::NoValue),
                Fault::WrongShape(Shape::ValueIsObject),
                Fault::WrongShape(Shape::TopLevelArray),
                Fault::HugeBody { bytes: 500 * MIB },
                Fault::GzipBomb { decoded_bytes: 1024 * MIB },
            ] {
                field.live(4);
                let id = field.sim.faults().add(FaultRule::new(fault.clone()).on(Route::Alerts).tenant(&guid(1)));
                field.suffer(&daemon, &guid(1), 1).await;
                assert!(field.sim.faults().struck(id) > 0, "{fault:?}");
                assert_eq!(field.of(&guid(2), "state"), "ok", "{fault:?}: the neighbour");
                field.sim.faults().clear();
                field.read(&daemon, &guid(1)).await;
            }
            // What is wrong with one alert is that alert's trouble.
            for fault in [Fault::DeepJson { depth: 10_000 }, Fault::HugeAlert { bytes: 64 * MIB }] {
                field.live(4);
                let id = field.sim.faults().add(FaultRule::new(fault.clone()).tenant(&guid(1)).once());
                crate::support::wait_until("the fault", || field.sim.faults().struck(id) > 0).await;
                field.read(&daemon, &guid(1)).await;
            }
        }
        let wild = peak(&daemon);
        field.healed(daemon).await;
        assert!(wild <= calm + MORE, "{wild} KiB against {calm} KiB of a daemon that met nothing");
        row.held(rounds, format!("at most {wild} KiB of memory against {calm} KiB"));
    });
}

#[test]
fn n5_alerts_with_strange_texts_and_types_are_kept_or_set_aside() {
    on_threads(async {
        let row = Row::begin("N5");
        let mut field = Field::new(&row, 2, 20, |_| {}).await;
        let way = Way::to(field.sim.address()).await;
        field.config.customers[0].lines = format!("api_url = \"{}\"", way.url());
        field.house.configure(&field.config);
        let daemon = field.house.start();
        field.read(&daemon, &guid(1)).await;

        let hour_ago = field.sim.world().with(|world| world.now() - Duration::from_secs(3_600));
        let time = format!("\"lastUpdateTime\":\"{hour_ago}\",\"alertCreationTime\":\"{hour_ago}\"");
        let alert = |id: &str, more: &str| format!("{{\"id\":\"{id}\",{time}{more}}}");
        // These are alerts, however strange: kept to the byte.
        let kept = [
            alert("nul", ",\"title\":\"a\\u0000b\",\"severity\":\"\\u0000\""),
            alert("unknown", ",\"brandNew\":{\"deep\":[1,{\"er\":null}]},\"status\":\"Invented\""),
            alert(
                "types",
                ",\"title\":7,\"severity\":[],\"incidentId\":\"x\",\"evidence\":{},\"comments\":1e30,\"computerDnsName\":false",
            ),
            alert("nulls", ",\"title\":null,\"evidence\":null,\"severity\":null"),
        ];
        // These are none: set aside with what they are.
        let aside = [
            format!("{{{time}}}"),
            "{}".to_owned(),
            "{\"id\":\"x\",\"title\":\"\\ud800\"}".to_owned(),
            "{\"id\":\"late\",\"lastUpdateTime\":\"soon\"}".to_owned(),
        ];
        // The text of these is broken, so the answer is: it is asked again.
        let broken = ["{\"id\":\"x\",\"title\":\"a\\q\"}", "{\"id\":\"\0\"}", "7", "null"];
        field.sim.world().with(|world| {
            for text in &kept {
                world.add_text(&guid(1), text, Duration::ZERO).expect("an alert");
            }
        });
        field.read(&daemon, &guid(1)).await;
        for text in &kept {
            let id = text.split('"').nth(3).expect("an id");
            let sql = format!("SELECT raw FROM alerts WHERE alert_id = '{id}'");
            assert_eq!(field.house.query(&sql), [[text.clone()]], "to the byte");
        }

        let set_aside = || field.house.number("SELECT count(*) FROM quarantine");
        way.be(Mood::Canned(Arc::new(list_of(&field, &aside.join(",")))));
        field.wait_asking(&daemon, &["USR1"], "what is no alert", || set_aside() >= 4).await;
        for text in broken {
            way.be(Mood::Through);
            field.read(&daemon, &guid(1)).await;
            way.be(Mood::Canned(Arc::new(list_of(&field, text))));
            field.suffer(&daemon, &guid(1), 1).await;
        }
        assert_eq!(set_aside(), 4);
        way.be(Mood::Through);
        assert_eq!(field.of(&guid(2), "state"), "ok", "the neighbour");
        field.healed(daemon).await;
        row.held(1, "4 strange alerts kept to the byte, 4 that are none set aside, 4 broken answers refused");
    });
}

/// An answer as it goes over the wire, with these rows and the service's present.
fn list_of(field: &Field, rows: &str) -> Vec<u8> {
    let now = field.sim.world().with(|world| world.now().unix_seconds());
    let now = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(u64::try_from(now).expect("a time")));
    let list = format!("{{\"value\":[{rows}]}}");
    let head = format!("content-type: application/json\r\ndate: {now}\r\ncontent-length: {}", list.len());
    format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{list}").into_bytes()
}
