//! Owns the socket itself: a port, or a file that comes and goes with the daemon.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::settings::Listen;

/// Owner and group may ask, as they may read the store.
const MODE: u32 = 0o660;

/// Why nothing can be served at the configured place.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {place} (admin.listen): {detail}")]
pub struct AdminError {
    place: String,
    detail: String,
    /// Whether it is a matter of permissions.
    pub permission: bool,
}

impl AdminError {
    fn new(place: &Listen, error: &io::Error) -> Self {
        let permission = error.kind() == io::ErrorKind::PermissionDenied;
        Self { place: place.to_string(), detail: error.to_string(), permission }
    }
}

/// Both directions of a connection, over whatever it comes.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection.
pub(super) type Stream = Box<dyn Duplex>;

/// An open place.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// The file of a socket, which goes with it.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // What cannot be removed is found stale at the next start.
        drop(std::fs::remove_file(&self.0));
    }
}

impl Listener {
    pub(super) async fn open(listen: &Listen) -> Result<Self, AdminError> {
        let opened = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Listen::Unix(path) => unix(path).await,
        };
        opened.map_err(|error| AdminError::new(listen, &error))
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Unix(listener, _) => Ok(Box::new(listener.accept().await?.0)),
        }
    }

    /// The address of a port; none of a socket in the file system.
    pub(super) fn port(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    pub(super) fn address(&self) -> String {
        match self {
            Self::Tcp(_) => self.port().map_or_else(String::new, |address| address.to_string()),
            Self::Unix(_, file) => Listen::Unix(file.0.clone()).to_string(),
        }
    }
}

async fn unix(path: &Path) -> io::Result<Listener> {
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file, and it is no socket"));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process serves there"));
        }
        // A daemon that was killed has left it.
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let file = SocketFile(path.to_owned());
    std::fs::set_permissions(path, PermissionsExt::from_mode(MODE))?;
    Ok(Listener::Unix(listener, file))
}
