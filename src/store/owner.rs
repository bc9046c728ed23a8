//! Owns to whom new files of the store belong.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::lock::directory_of;

/// Gives a file that root made to the owner of its directory: what root reads once by hand is not to keep the daemon's
/// user from the store afterwards. Files of everybody else are theirs.
pub(super) fn give(file: &File, path: &Path) -> io::Result<()> {
    let (made, directory) = (file.metadata()?, directory_of(path).metadata()?);
    // What has a second name is not only ours: the owner of the directory may have linked it here.
    if made.uid() != 0 || directory.uid() == 0 || !made.is_file() || made.nlink() != 1 {
        return Ok(());
    }
    // A courtesy, which the root of a container and some file systems cannot do.
    drop(fchown(file, Some(directory.uid()), Some(directory.gid())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{StoreLock, connection};
    use super::*;

    #[test]
    fn a_store_that_root_makes_belongs_to_the_owner_of_its_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        if dir.path().metadata().expect("found").uid() == 0 {
            std::os::unix::fs::chown(dir.path(), Some(4_321), Some(4_322)).expect("given");
        }
        let owner = dir.path().metadata().expect("found");
        let path = dir.path().join("alerts.db");
        drop(StoreLock::claim(&path).expect("free"));
        let conn = connection::writer(&path).expect("a file");
        connection::make_durable(&conn).expect("a log");
        conn.execute_batch("CREATE TABLE t (a)").expect("written");
        for file in ["alerts.db", "alerts.db.lock", "alerts.db-wal", "alerts.db-shm"] {
            let file = dir.path().join(file).metadata().expect("found");
            assert_eq!((file.uid(), file.gid()), (owner.uid(), owner.gid()));
        }
    }
}
