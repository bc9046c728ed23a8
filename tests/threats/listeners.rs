//! Owns servers that remember what they were sent: a plain one that answers nothing, and one that speaks TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What arrived at a server.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Arrived>>);

#[derive(Default)]
struct Arrived {
    connections: usize,
    handshakes: usize,
    bytes: Vec<u8>,
}

impl Seen {
    pub fn connections(&self) -> usize {
        self.with(|arrived| arrived.connections)
    }

    /// Connections that came as far as an exchange.
    pub fn handshakes(&self) -> usize {
        self.with(|arrived| arrived.handshakes)
    }

    /// What was sent, after decryption where there is any.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(|arrived| arrived.bytes.clone())
    }

    pub fn connected(&self) {
        self.with(|arrived| arrived.connections += 1);
    }

    pub fn shook_hands(&self) {
        self.with(|arrived| arrived.handshakes += 1);
    }

    pub fn sent(&self, bytes: &[u8]) {
        self.with(|arrived| arrived.bytes.extend_from_slice(bytes));
    }

    fn with<T>(&self, look: impl FnOnce(&mut Arrived) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A server on a free port of this machine; it ends when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub seen: Seen,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves each connection by `serve`.
    pub async fn start<F>(serve: impl Fn(TcpStream, Seen) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, seen) = (listener.local_addr().expect("an address"), Seen::default());
        let (mut tasks, seen_there) = (JoinSet::new(), seen.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                seen_there.connected();
                connections.spawn(serve(stream, seen_there.clone()));
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// A stranger: it takes in what comes and says nothing.
    pub async fn stranger() -> Self {
        Self::start(|stream, seen| async move { take_in(stream, &seen).await }).await
    }

    /// Speaks TLS, and passes on what it decrypts to `to`.
    pub async fn tls(config: Arc<ServerConfig>, to: SocketAddr) -> Self {
        let acceptor = TlsAcceptor::from(config);
        Self::start(move |stream, seen| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                seen.shook_hands();
                let Ok(service) = TcpStream::connect(to).await else { return };
                let (near, mut near_out) = tokio::io::split(stream);
                let (mut far, far_out) = service.into_split();
                let there = pass_on(near, far_out, &seen);
                let back = async { drop(tokio::io::copy(&mut far, &mut near_out).await) };
                tokio::join!(there, back);
            }
        })
        .await
    }

    /// Chooses TLS 1.1 whatever it is offered, and takes in what comes then.
    pub async fn tls_1_1() -> Self {
        Self::start(|mut stream, seen| async move {
            let mut hello = [0; 4_096];
            let Ok(length) = stream.read(&mut hello).await else { return };
            seen.sent(&hello[..length]);
            if stream.write_all(&server_hello_of_tls_1_1()).await.is_ok() {
                take_in(stream, &seen).await;
            }
        })
        .await
    }
}

async fn take_in(mut stream: impl AsyncRead + Unpin, seen: &Seen) {
    let mut piece = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        seen.sent(&piece[..length]);
    }
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl tokio::io::AsyncWrite + Unpin, seen: &Seen) {
    let mut piece = [0; 4_096];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        seen.sent(&piece[..length]);
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

/// A record with a ServerHello: version 3.2, a random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression
/// (RFC 4346).
fn server_hello_of_tls_1_1() -> Vec<u8> {
    let body = [&[3, 2][..], &[7; 32], &[0, 0, 0x2F, 0]].concat();
    let length = u8::try_from(body.len()).expect("short");
    let message = [&[2, 0, 0, length][..], &body].concat();
    [&[22, 3, 2, 0, length + 4][..], &message].concat()
}
