//! Owns the claim on the store: at most one process writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{StoreError, connection, owner};

/// A holder that does not say who it is.
pub(super) const SOMEBODY: &str = "another process";

/// The claim, held until dropped. The system drops it too when the process dies, however it dies.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Claims the store at `path` by a lock file beside it, and writes there who holds it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the holder, or [`StoreError::Unopened`] when the lock file cannot be used.
    pub fn claim(path: &Path) -> Result<Self, StoreError> {
        let lock_path = beside(path, ".lock");
        let unopened = |error: std::io::Error| StoreError::of_file(&lock_path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // The daemon's user could make root write into a file that a link leads to.
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            // Whoever may open the file may hold it locked, and so keep the daemon from starting.
            .mode(connection::MODE)
            .open(&lock_path)
            .map_err(unopened)?;
        owner::give(&file, &lock_path).map_err(unopened)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(file).map_err(unopened)?;
                return Err(StoreError::InUse { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(unopened(error)),
        }
        file.set_len(0).map_err(unopened)?;
        file.seek(SeekFrom::Start(0)).map_err(unopened)?;
        writeln!(file, "process {}", std::process::id()).map_err(unopened)?;
        Ok(Self { _file: file })
    }
}

/// Who holds the claim, as its file tells.
pub(super) fn holder(file: File) -> std::io::Result<String> {
    let mut told = String::new();
    file.take(200).read_to_string(&mut told)?;
    let told = told.trim();
    Ok(if told.is_empty() { SOMEBODY } else { told }.to_owned())
}

/// The directory that a file lies in: the current one if its path names none.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path with `suffix` added to its file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn no_link_in_the_place_of_the_lock_is_followed_or_given_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let [path, other] = ["alerts.db", "other"].map(|name| dir.path().join(name));
        std::fs::write(&other, "precious").expect("written");
        let before = other.metadata().expect("found");
        if before.uid() == 0 {
            std::os::unix::fs::chown(dir.path(), Some(4_321), Some(4_322)).expect("given");
        }
        std::os::unix::fs::symlink(&other, beside(&path, ".lock")).expect("linked");
        let refused = StoreLock::claim(&path).map(drop).expect_err("a link");
        assert!(refused.to_string().contains("alerts.db.lock"), "{refused}");
        std::fs::remove_file(beside(&path, ".lock")).expect("gone");
        std::fs::hard_link(&other, beside(&path, "-hard.lock")).expect("linked");
        drop(StoreLock::claim(&dir.path().join("alerts.db-hard")).expect("a file"));
        assert_eq!(other.metadata().expect("found").uid(), before.uid(), "given away");
    }

    #[test]
    fn the_second_claim_names_the_holder() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.db");
        let first = StoreLock::claim(&path).expect("free");
        let error = StoreLock::claim(&path).expect_err("taken").to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        StoreLock::claim(&path).expect("free again");
    }
}
