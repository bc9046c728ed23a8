//! Owns how the program ends: exit codes by sysexits(3), and what is said before a bad one.

use std::io::Write;
use std::process::ExitCode;

use crate::daemon::DaemonError;
use crate::http::{HttpError, Trouble};
use crate::logging::visible;
use crate::settings::ConfigErrors;
use crate::store::{ReadError, StoreError};

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All well.
    Done = 0,
    /// The command line is wrong, or the query that it holds.
    Usage = 64,
    /// The store is damaged, foreign or too new, or a query takes longer than it may.
    Data = 65,
    /// A file that must be there is not.
    NoInput = 66,
    /// A service cannot be used.
    Unavailable = 69,
    /// A defect of the program.
    Internal = 70,
    /// The disk fails.
    Io = 74,
    /// It may go better later.
    Temporary = 75,
    /// Something may not be read or written.
    Permission = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command cannot be carried out.
#[derive(Debug)]
pub struct Problem {
    exit: Exit,
    message: String,
}

impl Problem {
    /// A problem that ends the program with `exit`.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The same, said after what went well before.
    pub(super) fn after(self, before: &str) -> Self {
        Self { message: format!("{before} {}", self.message), ..self }
    }

    /// The same problem, with more to say about it.
    pub(super) fn and(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    /// Says it on standard error, if anybody listens there.
    pub(super) fn report(self) -> Exit {
        // It may hold what somebody pasted, or the name of a tenant.
        let lines: Vec<String> = self.message.trim_end().lines().map(visible).collect();
        drop(writeln!(std::io::stderr(), "alertferry: {}", lines.join("\n")));
        self.exit
    }
}

impl From<ConfigErrors> for Problem {
    fn from(errors: ConfigErrors) -> Self {
        // A configuration that nobody may read is not known to be wrong.
        let denied = errors.0.iter().any(|error| error.denied);
        Self::new(if denied { Exit::Permission } else { Exit::Config }, errors.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::InUse { .. } | StoreError::DiskFull | StoreError::Busy => Exit::Temporary,
            StoreError::Foreign { .. } | StoreError::Newer { .. } | StoreError::Corrupt(_) => Exit::Data,
            StoreError::Unopened { permission: true, .. } => Exit::Permission,
            StoreError::Unopened { .. } => Exit::NoInput,
            StoreError::Io(_) | StoreError::Displaced { .. } => Exit::Io,
            StoreError::Closed | StoreError::Sql(_) => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let exit = match error {
            ReadError::Store(error) => return error.into(),
            ReadError::Output(_) => Exit::Io,
            ReadError::Refused(_) => Exit::Usage,
            ReadError::TooLong(_) => Exit::Data,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<DaemonError> for Problem {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Store(error) => error.into(),
            DaemonError::Http(error) => error.into(),
            DaemonError::Admin(error) => {
                let exit = if error.permission { Exit::Permission } else { Exit::Temporary };
                Self::new(exit, error.to_string())
            }
            other @ (DaemonError::Schedule(_) | DaemonError::Signals(_) | DaemonError::Defect(_)) => {
                Self::new(Exit::Internal, other.to_string())
            }
        }
    }
}

impl From<HttpError> for Problem {
    fn from(error: HttpError) -> Self {
        let exit = if error.trouble == Trouble::Setup { Exit::Config } else { Exit::Unavailable };
        Self::new(exit, error.to_string())
    }
}
