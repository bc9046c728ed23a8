//! Owns new files of the configuration: each is whole and on the disk before it has its name, and replaces nothing.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

use crate::store::directory_of;

/// What others than the owner never may: the configuration decides to whom secrets are sent.
const NEVER: u32 = 0o133;
/// The same of a directory, which has to be entered.
const NEVER_IN: u32 = 0o022;

/// Writes a file that is not there yet, with `mode` as far as the umask allows.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when it is there, or what the system said.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    write_as(path, text, mode, |_| Ok(()))
}

/// Writes a file that is not there yet, which whoever may read `model` may read, too.
///
/// # Errors
/// As [`write`].
pub(super) fn write_like(path: &Path, text: &str, model: &Path) -> io::Result<()> {
    let like = model.metadata()?;
    write_as(path, text, 0o600, |file| {
        give_to_group(file, like.gid())?;
        std::fs::set_permissions(file, Permissions::from_mode(like.mode() & 0o777 & !NEVER))
    })
}

/// Makes a directory, unless it is there, in which whoever may look into `model` may look, too.
///
/// # Errors
/// What the system said.
pub(super) fn make_like(directory: &Path, model: &Path) -> io::Result<()> {
    let like = model.metadata()?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    give_to_group(directory, like.gid())?;
    std::fs::set_permissions(directory, Permissions::from_mode(like.mode() & 0o2777 & !NEVER_IN))
}

/// Only root and members of the group can give something to it; else it is for the owner's own.
fn give_to_group(path: &Path, group: u32) -> io::Result<()> {
    match chown(path, None, Some(group)) {
        Err(error) if error.kind() != ErrorKind::PermissionDenied => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_as(path: &Path, text: &str, mode: u32, prepare: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let directory = directory_of(path);
    // Hidden files of the configuration are nobody's, so a daemon that reads meanwhile does not see it.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = directory.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        file.write_all(text.as_bytes())?;
        prepare(&draft)?;
        file.sync_all()?;
        // A rename would replace what is there; a second name does not.
        std::fs::hard_link(&draft, path)
    })();
    match std::fs::remove_file(&draft) {
        Err(error) if written.is_ok() => return Err(error),
        Ok(()) | Err(_) => {}
    }
    written?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaces_nothing_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.toml");
        write(&path, "one", 0o600).expect("written");
        let error = write(&path, "two", 0o600).expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "one");
        assert_eq!(path.metadata().expect("a file").mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn a_file_like_another_is_for_the_same_readers_and_for_no_other_writers() {
        let dir = tempfile::tempdir().expect("a directory");
        let [model, path] = ["model", "a"].map(|name| dir.path().join(name));
        std::fs::write(&model, "").expect("written");
        for (mode, expected) in [(0o640, 0o640), (0o666, 0o644), (0o755, 0o644), (0o600, 0o600)] {
            std::fs::set_permissions(&model, Permissions::from_mode(mode)).expect("mode set");
            write_like(&path, "x", &model).expect("written");
            assert_eq!(path.metadata().expect("a file").mode() & 0o777, expected, "{mode:o}");
            std::fs::remove_file(&path).expect("gone");
        }
    }

    #[test]
    fn a_directory_like_another_is_for_the_same_readers_and_for_no_other_writers() {
        let dir = tempfile::tempdir().expect("a directory");
        let [model, path] = ["model", "a"].map(|name| dir.path().join(name));
        std::fs::create_dir(&model).expect("made");
        for (mode, expected) in [(0o750, 0o750), (0o777, 0o755), (0o700, 0o700), (0o2750, 0o2750)] {
            std::fs::set_permissions(&model, Permissions::from_mode(mode)).expect("mode set");
            make_like(&path, &model).expect("made");
            assert_eq!(path.metadata().expect("a directory").mode() & 0o7777, expected, "{mode:o}");
            std::fs::set_permissions(&path, Permissions::from_mode(0o711)).expect("mode set");
            make_like(&path, &model).expect("it is there");
            assert_eq!(path.metadata().expect("a directory").mode() & 0o7777, 0o711, "what is there stays as it is");
            std::fs::remove_dir(&path).expect("gone");
        }
    }
}
