//! Owns trying a life, and making one that breaks a promise as short as can be.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::ops::{Op, Setup};
use crate::run::{self, Trace};

/// So long a failure is made shorter.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a life broke a promise.
#[derive(Debug, Clone)]
pub struct Broken {
    pub why: String,
    /// Operations that were begun.
    pub begun: usize,
}

/// Lives a life on a runtime of its own, in one thread, whose time stands still unless it is moved.
pub fn attempt(setup: Setup, ops: &[Op], tells: bool) -> Result<Trace, Broken> {
    keep_quiet();
    let reached = AtomicUsize::new(0);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    QUIET.set(true);
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(run::live(setup, ops, tells, &reached))));
    QUIET.set(false);
    lived.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let why = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let begun = (reached.load(Ordering::Relaxed) + 1).min(ops.len());
        Broken { why: why.unwrap_or_else(|| "an unknown panic".to_owned()), begun }
    })
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What breaks in a life is told by whoever tries it, once, and not each time it is made shorter.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                tell(panic);
            }
        }));
    });
}

/// The shortest life that still breaks a promise, as far as leaving out operations finds it.
pub fn shrink(setup: Setup, ops: &[Op], broken: Broken) -> (Vec<Op>, Broken) {
    let (begun, mut last) = (Instant::now(), broken);
    let mut ops = ops[..last.begun].to_vec();
    let mut piece = ops.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < ops.len() && begun.elapsed() < PATIENCE {
            let mut fewer = ops.clone();
            fewer.drain(at..(at + piece).min(ops.len()));
            match attempt(setup, &fewer, false) {
                Err(broken) => {
                    fewer.truncate(broken.begun);
                    (ops, last) = (fewer, broken);
                }
                Ok(_) => at += piece,
            }
        }
        piece /= 2;
    }
    (ops, last)
}

/// What to put into `found.rs` to see it again.
pub fn paste(setup: Setup, ops: &[Op]) -> String {
    let ops: String = ops.iter().map(|op| format!("            {op:?},\n")).collect();
    format!("    held(\n        {setup:?},\n        &[\n{ops}        ],\n    );")
}
