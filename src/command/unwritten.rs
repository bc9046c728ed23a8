//! Owns what is said of a file that cannot be written, and how the program ends then: one way for every command.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Exit, Problem};

/// The problem of a file or directory that cannot be written.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Problem {
    let missing = (error.kind() == ErrorKind::NotFound).then(|| path.parent().filter(|parent| !parent.exists()));
    let why = match missing.flatten() {
        Some(directory) => format!("there is no directory {}; make it, or name another", directory.display()),
        None => error.to_string(),
    };
    Problem::new(exit(error.kind()), format!("cannot write {}: {why}", path.display()))
}

/// How the program ends for such a reason; for any other, the disk is bad.
const EXITS: [(ErrorKind, Exit); 7] = [
    (ErrorKind::PermissionDenied, Exit::Permission),
    (ErrorKind::ReadOnlyFilesystem, Exit::Permission),
    (ErrorKind::NotFound, Exit::NoInput),
    (ErrorKind::NotADirectory, Exit::Usage),
    (ErrorKind::AlreadyExists, Exit::Usage),
    (ErrorKind::StorageFull, Exit::Temporary),
    (ErrorKind::QuotaExceeded, Exit::Temporary),
];

fn exit(kind: ErrorKind) -> Exit {
    EXITS.into_iter().find(|(one, _)| *one == kind).map_or(Exit::Io, |(_, exit)| exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_may_have_room_later_and_a_missing_directory_is_named() {
        assert_eq!([ErrorKind::StorageFull, ErrorKind::QuotaExceeded].map(exit), [Exit::Temporary; 2]);
        assert_eq!([ErrorKind::PermissionDenied, ErrorKind::Other].map(exit), [Exit::Permission, Exit::Io]);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("none/file");
        let error = std::fs::write(&path, "").expect_err("no directory");
        let said = format!("{:?}", unwritten(&path, &error));
        assert!(said.contains("there is no directory") && said.contains("/none;"), "{said}");
    }
}
