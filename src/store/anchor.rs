//! Owns whether the files at the store's path still are those that were opened.
//!
//! SQLite goes on writing to a file that was removed, and to the log of a file that another one has taken the place of:
//! whoever looks at the path would see nothing of it. So the path is looked at before and after each transaction, and at
//! each read.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, FileControl};

use super::StoreError;

/// The database, its log and the log's index, as they were when they were opened.
#[derive(Debug)]
pub(super) struct Anchor(Vec<(PathBuf, Identity)>);

/// The disk and the file's number on it.
type Identity = (u64, u64);

impl Anchor {
    /// Takes note of the files of an open database.
    pub(super) fn of(conn: &Connection, path: &Path) -> Result<Self, StoreError> {
        let known = |path: PathBuf| identity(&path).ok().map(|identity| (path, identity));
        let anchor = Self(super::files(path).into_iter().filter_map(known).collect());
        let mut moved = 0;
        conn.file_control(None::<&str>, FileControl::HasMoved(&mut moved))?;
        if moved == 0 { Ok(anchor) } else { Err(displaced(path, "was moved")) }
    }

    /// Asserts that they still are there, each under its name.
    ///
    /// # Errors
    /// [`StoreError::Displaced`] when one is not; [`StoreError::Unopened`] when it cannot be told.
    pub(super) fn holds(&self) -> Result<(), StoreError> {
        self.0.iter().try_for_each(|(path, opened)| match identity(path) {
            Ok(now) if now == *opened => Ok(()),
            Ok(_) => Err(displaced(path, "was replaced by another file")),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(displaced(path, "was removed or renamed"))
            }
            Err(error) => Err(StoreError::Unopened {
                path: path.clone(),
                detail: error.to_string(),
                permission: error.kind() == ErrorKind::PermissionDenied,
            }),
        })
    }
}

fn displaced(path: &Path, what: &'static str) -> StoreError {
    StoreError::Displaced { path: path.to_owned(), what }
}

/// The file is not opened for it: closing it again would end the locks that this process holds on it.
fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, PathBuf, Connection) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("any.db");
        let conn = Connection::open(&path).expect("a file");
        conn.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a);").expect("a database");
        (dir, path, conn)
    }

    #[test]
    fn each_file_is_missed_and_a_new_one_is_no_substitute() {
        for ending in ["", "-wal", "-shm"] {
            let (dir, path, conn) = open();
            let anchor = Anchor::of(&conn, &path).expect("in its place");
            anchor.holds().expect("still there");
            let file = super::super::lock::beside(&path, ending);
            std::fs::rename(&file, dir.path().join("aside")).expect("renamed");
            let said = anchor.holds().expect_err("gone").to_string();
            assert!(said.contains(&format!("any.db{ending} was removed")), "{said}");
            std::fs::copy(dir.path().join("aside"), &file).expect("a copy");
            let said = anchor.holds().expect_err("another").to_string();
            assert!(said.contains("replaced"), "{said}");
            std::fs::rename(dir.path().join("aside"), &file).expect("renamed back");
            anchor.holds().expect("back in its place");
        }
    }

    #[test]
    fn a_file_that_is_gone_already_is_not_taken_for_open() {
        let (_dir, path, conn) = open();
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(Anchor::of(&conn, &path), Err(StoreError::Displaced { .. })));
    }
}
