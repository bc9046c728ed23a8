//! Owns bytes that must never be printed, nor be read out of this process.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior, umask};
use secrecy::{ExposeSecret, SecretString};

/// A secret text: wiped when dropped, shown by no formatter.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret the moment it is read.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The secret itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// So much of the beginning of a secret gives it away in a text; more of it is looked for behind that.
const TELLING_CHARS: usize = 12;

/// `text` without the secret, also where a server that repeats it breaks off.
#[must_use]
pub fn hidden(text: &str, secret: &str) -> String {
    let telling = secret.char_indices().nth(TELLING_CHARS).map_or(secret, |(end, _)| &secret[..end]);
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(telling).filter(|_| !telling.is_empty()) {
        shown.push_str(&rest[..at]);
        shown.push_str("[secret]");
        let same = rest[at..].chars().zip(secret.chars()).take_while(|(one, other)| one == other);
        rest = &rest[at + same.map(|(letter, _)| letter.len_utf8()).sum::<usize>()..];
    }
    shown + rest
}

/// Keeps the memory of this process to itself: no core file of it is ever made, wherever the machine sends these, and no
/// other process of the same user may read it, follow it, or see its environment.
///
/// Root still may. A limit of zero bytes for core files is not asked for: it would not hold for a machine that gives them
/// to a program, and the unit takes that system call away.
///
/// # Errors
/// When the system does not know the call.
pub fn keep_memory_private() -> std::io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Keeps whatever this process makes from now on from everybody but its user and group, whatever the umask was that it was
/// started with. What is kept from more of them already stays so.
pub fn keep_new_files_private() {
    // The umask cannot be asked for without being set. Nothing is made between: this is done before any thread begins.
    let inherited = umask(Mode::RWXU | Mode::RWXG | Mode::RWXO);
    umask(inherited | Mode::WGRP | Mode::RWXO);
}

/// Where a secret is read from, each time it is needed.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// A file that only its owner may read; a changed file takes effect without a restart.
    File(PathBuf),
    /// A value that cannot change while the process lives, with the name of where it came from.
    Fixed {
        /// What to call it in messages, for example the name of an environment variable.
        name: String,
        /// The value.
        value: Secret,
    },
    /// An environment variable that the process does not have, by its name: whoever needs no secret can go on.
    Absent(String),
}

/// Why a secret, or what belongs to one, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be opened or read.
    #[error("cannot read the secret file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no secret cannot be opened or read.
    #[error("cannot read the file {}: {source}", path.display())]
    PublicUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than the owner may read the file.
    #[error("the secret file {} may be read by others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The environment does not have it.
    #[error("the environment variable {0} is not set")]
    Absent(String),
    /// There is nothing in it.
    #[error("the secret in {0} is empty")]
    Empty(String),
    /// It is larger than any secret is.
    #[error("the file {} has more than {MAX_SECRET_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
}

/// The largest secret file that is read; certificates with keys have a few kilobytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

impl SecretSource {
    /// Reads the secret; white space around it is no part of it.
    ///
    /// # Errors
    /// When the file cannot be read, may be read by others, or is empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        self.text(read_private)
    }

    /// Reads what is no secret, such as a certificate, from such a place: others may read its file, too.
    ///
    /// # Errors
    /// When the file cannot be read, or is empty.
    pub fn read_public(&self) -> Result<Secret, SecretError> {
        self.text(|path| {
            let unreadable = |source| SecretError::PublicUnreadable { path: path.to_owned(), source };
            File::open(path).map_err(unreadable).and_then(|file| read_whole(file, path, unreadable))
        })
    }

    /// Where it is: a path, or the name of where the value came from.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Fixed { name, .. } | Self::Absent(name) => name.clone(),
        }
    }

    /// Whether it is a value of the environment, which reaches further than a file: it is seen in what starts the process,
    /// and its children have it, too.
    #[must_use]
    pub const fn is_of_environment(&self) -> bool {
        matches!(self, Self::Fixed { .. })
    }

    /// Whether both name the same place, with the same value where that cannot change.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(this), Self::File(that)) => this == that,
            (Self::Fixed { name: this, value: old }, Self::Fixed { name: that, value: new }) => {
                this == that && old.expose() == new.expose()
            }
            (Self::Absent(this), Self::Absent(that)) => this == that,
            (Self::File(_) | Self::Fixed { .. } | Self::Absent(_), _) => false,
        }
    }

    fn text(&self, read: impl Fn(&Path) -> Result<String, SecretError>) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => read(path)?,
            Self::Fixed { value, .. } => value.expose().to_owned(),
            Self::Absent(name) => return Err(SecretError::Absent(name.clone())),
        };
        let trimmed = text.trim();
        if trimmed.is_empty() { Err(SecretError::Empty(self.place())) } else { Ok(Secret::new(trimmed.to_owned())) }
    }
}

fn read_private(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if is_open(mode, metadata.uid(), metadata.gid()) {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    read_whole(file, path, unreadable)
}

/// The whole file; a piece of a secret would only be refused elsewhere, with worse words.
fn read_whole(
    file: File,
    path: &Path,
    unreadable: impl Fn(std::io::Error) -> SecretError,
) -> Result<String, SecretError> {
    let mut text = String::new();
    file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let fits = u64::try_from(text.len()).is_ok_and(|bytes| bytes <= MAX_SECRET_BYTES);
    if fits { Ok(text) } else { Err(SecretError::TooLarge(path.to_owned())) }
}

/// Whether others than its owner may use a file.
///
/// From version 254 on, systemd keeps the credentials of a unit with `User=` as root's, readable for that user by an
/// access list. The list's mask stands where the mode has the group's bits, so such a file looks readable for the group
/// `root`: with root's owner and group and nothing but reading, that is no leak.
const fn is_open(mode: u32, owner: u32, group: u32) -> bool {
    let roots_credential = owner == 0 && group == 0 && mode & 0o377 == 0o040;
    mode & 0o077 != 0 && !roots_credential
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_each_time_and_only_if_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secret");
        let source = SecretSource::File(path.clone());
        assert!(matches!(source.read(), Err(SecretError::Unreadable { .. })));
        std::fs::write(&path, " one\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode set");
        assert!(source.read().expect_err("open to others").to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode set");
        assert_eq!(source.read().expect("a secret").expose(), "one");
        std::fs::write(&path, "two").expect("written");
        assert_eq!(source.read().expect("a secret").expose(), "two");
        std::fs::write(&path, "\n").expect("written");
        assert!(matches!(source.read(), Err(SecretError::Empty(_))));
    }

    #[test]
    fn who_may_read_it_is_judged_by_mode_and_owner() {
        for (mode, owner, group, open) in [
            (0o600, 1000, 1000, false),
            (0o400, 0, 0, false),
            (0o440, 0, 0, false),
            (0o440, 1000, 0, true),
            (0o440, 0, 1000, true),
            (0o640, 0, 0, true),
            (0o444, 0, 0, true),
            (0o460, 0, 0, true),
            (0o604, 0, 0, true),
        ] {
            assert_eq!(is_open(mode, owner, group), open, "{mode:o} {owner} {group}");
        }
    }

    #[test]
    fn a_repeated_secret_is_taken_out_of_a_text_even_if_cut() {
        let secret = "eyJ0eXAi.c1mWqQk9äx.sIgNaTuRe";
        for (text, shown) in [
            (format!("a {secret} b {secret}"), "a [secret] b [secret]"),
            (format!("a {}… b", &secret[..14]), "a [secret]… b"),
            (format!("a {}", &secret[..11]), "a eyJ0eXAi.c1"),
            (format!("{}X", &secret[..20]), "[secret]X"),
            ("nothing".to_owned(), "nothing"),
        ] {
            assert_eq!(hidden(&text, secret), shown);
        }
        assert_eq!(hidden("short: pw!", "pw"), "short: [secret]!");
        assert_eq!(hidden("none", ""), "none");
    }

    #[test]
    fn it_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "[secret]");
    }
}
