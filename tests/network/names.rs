//! N1: names of hosts that are not there, are not told, or are told late.
//!
//! The resolver's files can be others for one process where a mount namespace may be made, which takes root; elsewhere the
//! tests of a resolver say so and do nothing more.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{PROGRAM, on_threads, wait_until};

#[test]
fn n1_a_name_that_nobody_knows_is_one_tenants_trouble_and_is_read_when_it_is_mended() {
    on_threads(async {
        let row = Row::begin("N1");
        let rounds = times(1, 4);
        let mut field = Field::new(&row, 2, 20, |_| {}).await;
        let mut daemon = field.house.start();
        field.house.wait_until_read().await;
        for _ in 0..rounds {
            for line in ["login_url", "api_url", ""] {
                // From this machine's plain addresses to others takes a restart.
                daemon.stop().await;
                let wrong = format!("{line} = \"https://nobody-has-this-name.invalid\"");
                field.config.customers[0].lines = if line.is_empty() { String::new() } else { wrong };
                field.house.configure(&field.config);
                daemon = field.house.start();
                daemon.hear("daemon.ready").await;
                field.live(4);
                if line.is_empty() {
                    field.read(&daemon, &guid(1)).await;
                } else {
                    field.suffer(&daemon, &guid(1), 2).await;
                    let reason = &field.house.standing(&guid(1))[1];
                    assert!(reason.contains("DNS"), "{reason}");
                }
                assert_eq!(field.of(&guid(2), "state"), "ok", "the neighbour");
            }
        }
        let failures = field.failures(&guid(1));
        field.healed(daemon).await;
        row.held(rounds, format!("a name of .invalid; {failures} passes failed"));
    });
}

/// How the resolver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Answer {
    Address,
    NoSuchName,
    Nothing,
    Refusal,
    Late,
    Silence,
}

impl Answer {
    const ALL: [Self; 6] = [Self::Address, Self::NoSuchName, Self::Nothing, Self::Refusal, Self::Late, Self::Silence];
}

/// A resolver for names of this machine, on the port that all resolvers have.
struct Resolver {
    answer: Arc<AtomicU8>,
    asked: Arc<AtomicU64>,
    _task: JoinSet<()>,
}

impl Resolver {
    const ADDRESS: &str = "127.0.77.53";

    async fn start() -> std::io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind((Self::ADDRESS, 53)).await?);
        let (answer, asked, mut task) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU64::new(0)), JoinSet::new());
        let (how, count) = (Arc::clone(&answer), Arc::clone(&asked));
        task.spawn(async move {
            let (mut query, mut late) = ([0; 512], JoinSet::new());
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                count.fetch_add(1, Ordering::SeqCst);
                let how = Answer::ALL[usize::from(how.load(Ordering::SeqCst))];
                let (reply, socket) = (reply(&query[..length], how), Arc::clone(&socket));
                late.spawn(async move {
                    if how == Answer::Late {
                        tokio::time::sleep(Duration::from_millis(700)).await;
                    }
                    if how != Answer::Silence {
                        drop(socket.send_to(&reply, from).await);
                    }
                });
            }
        });
        Ok(Self { answer, asked, _task: task })
    }

    fn will(&self, answer: Answer) {
        self.answer.store(answer as u8, Ordering::SeqCst);
    }
}

/// The message for a query (RFC 1035): its head and question again, and the address of this machine where it is given.
fn reply(query: &[u8], how: Answer) -> Vec<u8> {
    let name = query[12..].iter().position(|byte| *byte == 0).map_or(query.len(), |end| 12 + end + 5);
    let mut reply = query[..name.min(query.len())].to_vec();
    let code = match how {
        Answer::NoSuchName => 3,
        Answer::Refusal => 2,
        Answer::Address | Answer::Nothing | Answer::Late | Answer::Silence => 0,
    };
    (reply[2], reply[3]) = (0x81, 0x80 | code);
    let wants_v4 = query.get(name - 4..name - 2) == Some(&[0, 1]);
    let given = matches!(how, Answer::Address | Answer::Late) && wants_v4;
    reply[6..12].copy_from_slice(&[0, u8::from(given), 0, 0, 0, 0]);
    if given {
        reply.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    reply
}

/// A command that runs the daemon with this resolver alone; `None` where that cannot be had.
fn resolved(field: &Field) -> Option<Command> {
    field.house.write("resolv.conf", &format!("nameserver {}\noptions timeout:1 attempts:1\n", Resolver::ADDRESS));
    field.house.write("hosts", "");
    field.house.write("nsswitch.conf", "hosts: files dns\n");
    let binds: String = ["resolv.conf", "hosts", "nsswitch.conf"]
        .map(|name| format!("mount --bind {:?} /etc/{name} && ", field.house.path(name)))
        .concat();
    let tried = Command::new("unshare").args(["-m", "sh", "-c", &format!("{binds}true")]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    let run = format!("{binds}exec \"$0\" \"$@\"");
    command.args(["-m", "sh", "-c", &run, PROGRAM, "--config"]).arg(field.house.path("main.toml")).arg("run");
    Some(command)
}

#[test]
fn n1_a_resolver_that_denies_delays_or_says_nothing_is_waited_for() {
    on_threads(async {
        let row = Row::begin("N1");
        let rounds = times(1, 5);
        let mut field = Field::new(&row, 2, 20, |config| {
            let port = config.api_url.rsplit(':').next().expect("a port").to_owned();
            let url = format!("http://localhost:{port}");
            config.customers[0].lines = format!("login_url = \"{url}\"\napi_url = \"{url}\"");
            config.poll = "request_timeout = \"4s\"".to_owned();
        })
        .await;
        let (Ok(resolver), Some(command)) = (Resolver::start().await, resolved(&field)) else {
            println!("skipped: no mount namespace, or no port 53, for a resolver of our own");
            return;
        };
        let mut seen = Vec::new();
        resolver.will(Answer::NoSuchName);
        let daemon = field.house.start_by(command);
        daemon.hear("daemon.ready").await;
        for _ in 0..rounds {
            for how in [Answer::NoSuchName, Answer::Nothing, Answer::Refusal, Answer::Silence] {
                resolver.will(how);
                field.live(4);
                // Connections that are kept need no name: the service drops them.
                field.sim.faults().add(
                    alertferry_simulator::FaultRule::new(alertferry_simulator::Fault::ResetBeforeHeaders)
                        .on(alertferry_simulator::Route::Any)
                        .once()
                        .tenant(&guid(1)),
                );
                let asked = resolver.asked.load(Ordering::SeqCst);
                field.suffer(&daemon, &guid(1), 2).await;
                wait_until("the neighbour", || field.of(&guid(2), "state") == "ok").await;
                assert!(resolver.asked.load(Ordering::SeqCst) > asked, "{how:?}: nobody asked");
                let reason = field.house.standing(&guid(1))[1].clone();
                seen.push(format!("{how:?}: {reason}"));
            }
            field.sim.faults().clear();
            resolver.will(Answer::Late);
            field.read(&daemon, &guid(1)).await;
        }
        field.healed(daemon).await;
        println!("{seen:#?}");
        row.held(rounds, "no such name, no address, refused, silent, late");
    });
}
