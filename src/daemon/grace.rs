//! Owns the end of patience: a stop signal ends the process within the grace, whatever it is stuck in, and a second
//! signal ends it at once.
//!
//! Both are safe, because what is not committed counts as not done. A thread with a runtime of its own listens: the
//! daemon's threads may all be stuck in one write, to a log that nobody reads or to a store that somebody else locked.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// So long a stop may take; what the operator is promised is a second more.
const GRACE: Duration = Duration::from_secs(4);

/// Begins to listen.
///
/// # Errors
/// When signals cannot be heard.
pub(super) fn keep() -> io::Result<()> {
    let (ready, listening) = std::sync::mpsc::sync_channel(1);
    let watch = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            match listen() {
                Ok((terminate, interrupt)) => {
                    drop(ready.send(Ok(())));
                    end_in_time(terminate, interrupt).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
    };
    std::thread::Builder::new().name("grace".to_owned()).spawn(watch)?;
    listening.recv().map_err(io::Error::other)?
}

fn listen() -> io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

async fn end_in_time(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    // The daemon usually ends before, and this thread with it.
    std::process::exit(0);
}
