//! Owns the writing of whole lines, and what became of them.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where lines go. A failed write is kept for [`Sink::flush`] instead of being told to who spoke.
pub(super) struct Sink(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    lost: u64,
    error: Option<io::Error>,
    /// A write broke off inside a line: what comes next must not be glued to the rest.
    torn: bool,
}

impl Sink {
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(State { out, lost: 0, error: None, torn: false }))
    }

    /// Writes a line that ends with a line feed, with one call unless the system takes only a part.
    pub fn write(&self, mut line: Vec<u8>) {
        let mut state = self.state();
        if state.torn {
            line.insert(0, b'\n');
        }
        let (written, result) = write_all(state.out.as_mut(), &line);
        if written > 0 {
            state.torn = written < line.len();
        }
        if let Err(error) = result {
            state.lost += 1;
            state.error.get_or_insert(error);
        }
    }

    pub fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        let flushed = state.out.flush();
        state.error.take().map_or(flushed, Err)
    }

    pub fn lost(&self) -> u64 {
        self.state().lost
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A writer that panicked under the lock left counters behind, not half-made invariants.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As `Write::write_all`, but also tells how much was taken.
fn write_all(out: &mut dyn Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match out.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("lost", &self.lost()).finish_non_exhaustive()
    }
}
