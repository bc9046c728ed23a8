//! Owns connections: accepting them, TLS where it is asked for, HTTP/1.1 with keep-alive on each, and the socket that can
//! be reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{Shared, handle};

/// Runs the accept loop; aborting it drops every connection.
#[allow(
    clippy::disallowed_methods,
    reason = "the handle is kept by the simulator, which aborts and joins it; connections live in a set inside"
)]
pub(super) fn spawn_accepting(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    tokio::spawn(accept(listener, shared))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                shared.stats.connected();
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            // Out of file descriptors, mostly: others have to close first.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Without it, small answers wait for the client's acknowledgements; failing to set it only slows.
    let socket = match stream.set_nodelay(true) {
        Ok(()) | Err(_) => Socket { stream, reset: Arc::default() },
    };
    let reset = Arc::clone(&socket.reset);
    let acceptor = shared.tls.as_ref().map(|tls| tls.acceptor.clone());
    match acceptor {
        None => answer(socket, shared, reset).await,
        Some(acceptor) => {
            // Else it is a client that does not believe the authority, or speaks no TLS.
            if let Ok(stream) = acceptor.accept(socket).await {
                answer(stream, shared, reset).await;
            }
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>, reset: Arc<AtomicBool>) {
    let service = service_fn(move |request| handle::handle(Arc::clone(&shared), request, Arc::clone(&reset)));
    let mut http = http1::Builder::new();
    http.auto_date_header(false).max_buf_size(256 * 1024);
    // Every error here is a client that left or a break that a fault asked for.
    if http.serve_connection(TokioIo::new(stream), service).await.is_err() {}
}

/// A socket that is closed with a reset when somebody set the flag.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Socket {
    fn resets(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // With a linger time of zero the kernel answers RST instead of FIN.
        if self.resets() && self.stream.set_zero_linger().is_err() {}
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An orderly end would come before the reset.
        if self.resets() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.stream).poll_shutdown(cx) }
    }
}
