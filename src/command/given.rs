//! Owns texts that a command line names: a file, or standard input.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::{Exit, Problem};

/// The text of a file of at most `most` bytes, or of standard input for `-`; and how to call it.
pub(super) fn text(path: &Path, most: u64) -> Result<(String, String), Problem> {
    let stdin = path.as_os_str() == "-";
    let place = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let unread = |error: &io::Error| Problem::new(exit(error.kind()), format!("cannot read {place}: {error}"));
    let source: Box<dyn Read> =
        if stdin { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(|e| unread(&e))?) };
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    if bytes.len() as u64 > most {
        let message = format!("{place} is larger than {} MiB; give it in parts", most / 1024 / 1024);
        return Err(Problem::new(Exit::Usage, message));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, place)),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            let message = format!("{place} is no UTF-8 text: line {line} has other bytes; save it as UTF-8");
            Err(Problem::new(Exit::Usage, message))
        }
    }
}

fn exit(kind: ErrorKind) -> Exit {
    let kinds = [
        (ErrorKind::NotFound, Exit::NoInput),
        (ErrorKind::PermissionDenied, Exit::Permission),
        (ErrorKind::IsADirectory, Exit::Usage),
    ];
    kinds.into_iter().find(|(one, _)| *one == kind).map_or(Exit::Io, |(_, exit)| exit)
}
