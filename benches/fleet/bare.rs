//! Owns the limit: the same number of polls by a client that does nothing else, as a process of its own.

use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Instant;

use futures_util::StreamExt;

use crate::AT_ONCE;
use crate::support::{self, Arguments, Spent};
use crate::world::Fleet;

/// What the client took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mib: f64,
}

/// Polls every tenant once, as many at once as the daemon does, with tokens that are there already.
pub(crate) fn poll(fleet: &Fleet) -> Bare {
    let mut tokens = BufWriter::new(tempfile::NamedTempFile::new_in(support::target()).expect("a file"));
    for tenant in &fleet.tenants {
        writeln!(tokens, "{}", fleet.simulator.token(tenant).expect("a token")).expect("written");
    }
    let tokens = tokens.into_inner().expect("written");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command.arg("bare").arg(fleet.simulator.api_url()).arg(tokens.path()).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut numbers = text.split_whitespace().map(|word| word.parse().expect("a number"));
    let mut next = || numbers.next().expect("three numbers");
    Bare { seconds: next(), cpu_seconds: next(), peak_mib: next() }
}

/// The client's own part: `bare URL FILE-OF-TOKENS`.
#[expect(clippy::print_stdout, reason = "the parent reads here")]
pub(crate) fn ask(arguments: &Arguments) {
    let (url, file) = (arguments.word(1).expect("a URL"), arguments.word(2).expect("a file"));
    let tokens: Vec<String> = std::fs::read_to_string(file).expect("tokens").lines().map(str::to_owned).collect();
    let since = alertferry::clock::Clock::System.now().minus(std::time::Duration::from_secs(3_600));
    let query = [
        ("$filter", format!("lastUpdateTime ge {since}")),
        ("$expand", "evidence".to_owned()),
        ("$orderby", "lastUpdateTime".to_owned()),
        ("$top", "10000".to_owned()),
    ];
    let url = url::Url::parse_with_params(&format!("{url}/api/alerts"), &query).expect("a URL");
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().expect("a client");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (before, begun) = (Spent::here(), Instant::now());
    runtime.block_on(futures_util::stream::iter(tokens).for_each_concurrent(AT_ONCE, |token| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            let response = client.get(url).bearer_auth(token).send().await.expect("an answer");
            assert!(response.status().is_success(), "{}", response.status());
            response.bytes().await.expect("a body");
        }
    }));
    let (seconds, spent) = (begun.elapsed().as_secs_f64(), Spent::here());
    println!("{seconds} {} {}", (spent - before).cpu_seconds(), spent.peak_mib());
}
