//! Owns the way between the daemon and a service: a port that passes everything on, or breaks it in some manner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the way is.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Everything arrives.
    Through,
    /// Nobody listens: each connection is refused.
    Refused,
    /// The other side is there and does not even answer an attempt to connect.
    BlackHole,
    /// Connections come up, requests are taken in, and nothing ever comes back, not even an end.
    HalfOpen,
    /// Answers come one byte at a time, beginning with their head.
    Dripping(Duration),
    /// Each request gets these bytes, and then an end.
    Canned(Arc<Vec<u8>>),
    /// Requests are late by up to so long, and this part of them is lost in some way.
    Lossy { loss: f64, latency: Duration, seed: u64 },
}

/// A way to a service, on a port of its own. It ends when dropped.
pub struct Way {
    pub address: SocketAddr,
    mood: watch::Sender<Mood>,
    _task: JoinSet<()>,
}

impl Way {
    /// A way to `to` on which everything arrives.
    pub async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mood, seen) = watch::channel(Mood::Through);
        let mut task = JoinSet::new();
        task.spawn(serve(listener, seen, to));
        Self { address, mood, _task: task }
    }

    /// Its address as a configuration has it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the way; connections that are there are gone.
    pub fn be(&self, mood: Mood) {
        self.mood.send(mood).expect("the way is there");
    }
}

async fn serve(listener: TcpListener, mut mood: watch::Receiver<Mood>, to: SocketAddr) {
    let address = listener.local_addr().expect("an address");
    let mut listener = Some(listener);
    loop {
        let now = mood.borrow_and_update().clone();
        if matches!(now, Mood::Refused | Mood::BlackHole) {
            listener = None;
            let _hole = if matches!(now, Mood::BlackHole) { Some(black_hole(address).await) } else { None };
            if mood.changed().await.is_err() {
                return;
            }
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => TcpListener::bind(address).await.expect("the same port"),
        };
        let mut connections = JoinSet::new();
        let mut number = 0;
        loop {
            tokio::select! {
                changed = mood.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                accepted = open.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    number += 1;
                    connections.spawn(carry(stream, to, now.clone(), number));
                }
            }
        }
        listener = Some(open);
    }
}

/// A port whose queue of connections is full: further ones get no answer at all.
async fn black_hole(address: SocketAddr) -> (TcpListener, JoinSet<()>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("set");
    socket.bind(address).expect("the same port");
    let listener = socket.listen(0).expect("listening");
    let mut queued = JoinSet::new();
    for _ in 0..3 {
        queued.spawn(async move {
            let _held = TcpStream::connect(address).await;
            std::future::pending::<()>().await;
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    (listener, queued)
}

async fn carry(mut stream: TcpStream, to: SocketAddr, mood: Mood, number: u64) {
    match mood {
        Mood::Refused | Mood::BlackHole => {}
        Mood::Through => {
            let Ok(mut service) = TcpStream::connect(to).await else { return };
            drop(tokio::io::copy_bidirectional(&mut stream, &mut service).await);
        }
        Mood::HalfOpen => {
            let mut piece = [0; 4_096];
            while let Ok(1..) = stream.read(&mut piece).await {}
            std::future::pending::<()>().await;
        }
        Mood::Dripping(every) => drip(stream, to, every).await,
        Mood::Canned(answer) => {
            let mut piece = [0; 16_384];
            if let Ok(1..) = stream.read(&mut piece).await
                && stream.write_all(&answer).await.is_ok()
            {
                drop(stream.shutdown().await);
            }
        }
        Mood::Lossy { loss, latency, seed } => {
            lossy(stream, to, loss, latency, StdRng::seed_from_u64(seed.wrapping_add(number))).await;
        }
    }
}

async fn drip(stream: TcpStream, to: SocketAddr, every: Duration) {
    let Ok(service) = TcpStream::connect(to).await else { return };
    let ((mut near, mut near_out), (mut far, mut far_out)) = (stream.into_split(), service.into_split());
    let there = async { drop(tokio::io::copy(&mut near, &mut far_out).await) };
    let back = async {
        while let Ok(byte) = far.read_u8().await {
            if near_out.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(every).await;
        }
    };
    tokio::join!(there, back);
}

/// Each request that comes is drawn for: it is late, and may be lost; then nothing comes back, or the connection ends
/// before the answer, or somewhere in it.
async fn lossy(stream: TcpStream, to: SocketAddr, loss: f64, latency: Duration, mut dice: StdRng) {
    let Ok(service) = TcpStream::connect(to).await else { return };
    let ((mut near, mut near_out), (mut far, mut far_out)) = (stream.into_split(), service.into_split());
    let (allow, allowed) = watch::channel(usize::MAX);
    let there = async {
        let mut piece = [0; 16_384];
        while let Ok(length @ 1..) = near.read(&mut piece).await {
            tokio::time::sleep(latency.mul_f64(dice.random_range(0.0..1.0))).await;
            if dice.random_bool(loss) {
                match dice.random_range(0..3) {
                    0 => return,
                    1 => std::future::pending::<()>().await,
                    _ => drop(allow.send(dice.random_range(1..8_192))),
                }
            }
            if far_out.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let (mut piece, mut sent) = ([0; 16_384], 0);
        while let Ok(length @ 1..) = far.read(&mut piece).await {
            let left = *allowed.borrow();
            let most = if left == usize::MAX { length } else { length.min(left.saturating_sub(sent)) };
            if near_out.write_all(&piece[..most]).await.is_err() || most < length {
                return;
            }
            sent += if left == usize::MAX { 0 } else { most };
        }
    };
    tokio::select! { () = there => {} () = back => {} }
}
