//! Owns a file that grows under another name, and gets its own when it is whole and on the disk.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::command::unwritten::unwritten;
use crate::command::{Exit, Problem};

/// As of the store: for its owner and his group. The umask may narrow that further.
const MODE: u32 = 0o640;

/// A file that is not whole yet. It goes when this is dropped before it was published.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    partial: PathBuf,
    published: bool,
}

impl Draft {
    /// Opens the file for this process alone; what a killed run left there is overwritten.
    pub(super) fn begin(partial: &Path) -> Result<Self, Problem> {
        let failed = |error: io::Error| unwritten(partial, &error);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(MODE).open(partial).map_err(failed)?;
        let taken = || {
            let message = format!("another export is writing {}; try again when it has ended", partial.display());
            Problem::new(Exit::Temporary, message)
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Another run may have ended since the file was opened: then it has its final name, and is not to be touched.
        // The same look tells a link that somebody laid there.
        let (opened, there) = (file.metadata().map_err(failed)?, partial.symlink_metadata());
        if !there.is_ok_and(|there| (there.dev(), there.ino()) == (opened.dev(), opened.ino())) {
            return Err(taken());
        }
        // Only the owner can do this: nobody else has prepared the file.
        file.set_permissions(Permissions::from_mode(opened.mode() & MODE)).map_err(failed)?;
        file.set_len(0).map_err(failed)?;
        Ok(Self { file, partial: partial.to_owned(), published: false })
    }

    /// The file, to be written from its beginning.
    pub(super) fn file(&self) -> Result<File, Problem> {
        self.file.try_clone().map_err(|error| unwritten(&self.partial, &error))
    }

    /// Gives the file its name, in the place and with the permissions of the one that is there.
    pub(super) fn publish(mut self, target: &Path) -> Result<(), Problem> {
        let failed = |error: io::Error| unwritten(target, &error);
        if let Ok(there) = target.metadata() {
            self.file.set_permissions(there.permissions()).map_err(failed)?;
        }
        self.file.sync_all().map_err(failed)?;
        std::fs::rename(&self.partial, target).map_err(failed)?;
        self.published = true;
        let directory = target.parent().unwrap_or(Path::new("/"));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // Why there is no file was told; its beginnings are no use to anybody.
            drop(std::fs::remove_file(&self.partial));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().expect("a directory");
        let [partial, target] = [".a.partial", "a"].map(|name| dir.path().join(name));
        std::fs::write(&partial, "left by a killed run, and longer").expect("written");
        let draft = Draft::begin(&partial).expect("a draft");
        assert!(Draft::begin(&partial).is_err(), "two write at once");
        draft
            .file()
            .and_then(|mut file| file.write_all(b"whole").map_err(|e| unwritten(&target, &e)))
            .expect("written");
        assert!(!target.exists());
        draft.publish(&target).expect("published");
        assert_eq!((std::fs::read_to_string(&target).expect("text").as_str(), partial.exists()), ("whole", false));
        std::fs::set_permissions(&target, Permissions::from_mode(0o604)).expect("mode set");
        drop(Draft::begin(&partial).expect("a draft"));
        assert!(!partial.exists(), "what was not published stays");
        Draft::begin(&partial).and_then(|draft| draft.publish(&target)).expect("published");
        let found = target.metadata().expect("a file");
        assert_eq!((found.len(), found.mode() & 0o777), (0, 0o604));
    }

    #[test]
    fn what_a_link_leads_to_is_not_touched() {
        let dir = tempfile::tempdir().expect("a directory");
        let [partial, other] = [".a.partial", "other"].map(|name| dir.path().join(name));
        std::fs::write(&other, "precious").expect("written");
        std::os::unix::fs::symlink(&other, &partial).expect("a link");
        assert!(Draft::begin(&partial).is_err());
        assert_eq!(std::fs::read_to_string(&other).expect("text"), "precious");
    }
}
