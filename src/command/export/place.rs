//! Owns where an export goes: standard output, or a file that may be written.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Format;
use crate::command::unwritten::unwritten;
use crate::command::{Exit, Problem};
use crate::store;

/// Stands in a file's name for the last change.
const SEQ: &str = "{seq}";
/// So many digits it has at least, so that names sort as the numbers do for the first million millions of changes.
const SEQ_DIGITS: usize = 12;

/// Where an export goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard output.
    Stdout,
    /// A file.
    File {
        /// Its name when it is whole.
        target: PathBuf,
        /// Its name until then. It does not depend on the last change: what a killed run left is found by the next one,
        /// and of two runs at once the second finds the first.
        partial: PathBuf,
    },
}

impl Place {
    /// The place that a command line names; `until` is the last change of the export.
    pub(super) fn of(out: Option<&Path>, until: i64, format: Format, store: &Path) -> Result<Self, Problem> {
        let Some(out) = out.filter(|out| ![Path::new("-"), Path::new("/dev/stdout")].contains(out)) else {
            if format == Format::Parquet && io::stdout().is_terminal() {
                let message = "parquet is not for terminals; write it to a file with --out FILE";
                return Err(Problem::new(Exit::Usage, message));
            }
            return Ok(Self::Stdout);
        };
        let (target, partial) = names(out, until)?;
        let target = followed(target)?;
        refuse_what_is_no_file(&target)?;
        refuse_the_store(&target, store)?;
        let directory = target.parent().unwrap_or(Path::new("/"));
        Ok(Self::File { partial: directory.join(partial), target })
    }
}

/// The absolute path of the file, and the name it has until it is whole.
fn names(out: &Path, until: i64) -> Result<(PathBuf, OsString), Problem> {
    let wrong = |why: &str| Problem::new(Exit::Usage, format!("--out {}: {why}", out.display()));
    let ends_open = out.as_os_str().as_encoded_bytes().ends_with(b"/");
    let name = out.file_name().filter(|_| !ends_open).ok_or_else(|| wrong("that names no file"))?;
    let directory = out.parent().unwrap_or(Path::new(""));
    if directory.to_string_lossy().contains(SEQ) {
        return Err(wrong("{seq} may stand in the name of the file, and not in that of a directory"));
    }
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(".partial");
    let name = match name.to_str() {
        Some(text) => text.replace(SEQ, &format!("{until:0SEQ_DIGITS$}")).into(),
        None => name.to_owned(),
    };
    let target = std::path::absolute(directory.join(name)).map_err(|error| unwritten(out, &error))?;
    Ok((target, partial))
}

/// The file behind a link; a link must lead to one, as what is replaced is the file.
fn followed(target: PathBuf) -> Result<PathBuf, Problem> {
    let link = target.symlink_metadata().is_ok_and(|found| found.is_symlink());
    if link { target.canonicalize().map_err(|error| unwritten(&target, &error)) } else { Ok(target) }
}

fn refuse_what_is_no_file(target: &Path) -> Result<(), Problem> {
    let wrong = |why: &str| Err(Problem::new(Exit::Usage, format!("--out {}: {why}", target.display())));
    match target.metadata() {
        Ok(found) if found.is_dir() => wrong("that is a directory; name a file in it"),
        Ok(found) if !found.is_file() => {
            wrong("that is no regular file; leave --out away and redirect standard output")
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritten(target, &error)),
    }
}

/// What SQLite and the daemon call files beside the store; copies taken before an upgrade have a number behind the last.
const BESIDE_THE_STORE: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".before-schema-"];

/// Replacing the store by an export of it would be the end of it, and a strange journal or lock no less.
fn refuse_the_store(target: &Path, store: &Path) -> Result<(), Problem> {
    let same = |file: &PathBuf| match (file.metadata(), target.metadata()) {
        (Ok(file), Ok(target)) => (file.dev(), file.ino()) == (target.dev(), target.ino()),
        _ => false,
    };
    let directory = |path: &Path| path.parent().and_then(|parent| parent.canonicalize().ok());
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = directory(target) == directory(store)
        && name(target)
            .strip_prefix(&name(store))
            .is_some_and(|end| end.is_empty() || BESIDE_THE_STORE.iter().any(|other| end.starts_with(other)));
    if beside || store::files(store).iter().any(same) {
        return Err(Problem::new(Exit::Usage, format!("--out {}: that name belongs to the store", target.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_stands_in_the_name() {
        let (target, partial) = names(Path::new("/a/b-{seq}.csv"), 48_213).expect("names");
        assert_eq!((target, partial), ("/a/b-000000048213.csv".into(), ".b-{seq}.csv.partial".into()));
        let (target, _) = names(Path::new("/a/{seq}"), 9_000_000_000_000).expect("names");
        assert_eq!(target, Path::new("/a/9000000000000"));
        for wrong in ["/a/{seq}/b.csv", "/", "..", "", "/a/b/"] {
            assert!(names(Path::new(wrong), 1).is_err(), "{wrong}");
        }
    }
}
