//! Places among the connections: a peer gets one once it has said that it speaks HTTP/2, while there are places.
//!
//! ```text
//! reception ─▶ greeting ─▶ a place ─▶ admitted ──▶ the gRPC server
//!                  │  │        └─ none, nor any that another client cedes ─▶ turned away: a server that answers every
//!                  │  │           call with the reason
//!                  │  └─ in plain text, where TLS is asked for ─▶ the same, with that reason
//!                  └─ nothing within the time limit: closed
//! ```
//!
//! Places travel inside connections, so that closing one, however it ends, makes room for another.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::{Stream, stream};
use headwater_types::BitsPerSecond;
use headwater_types::caps::{MAX_NEWCOMERS, MAX_TURNED_AWAY, TURNED_AWAY_FOR};
use headwater_wire::status::Refusal;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use crate::connection::{Connection, Place};
use crate::egress::Egress;
use crate::gate::Gate;
use crate::greeting::{Ungreeted, greet};
use crate::guests::Guests;
use crate::handshake::Unheard;
use crate::listen::Listeners;
use crate::metrics::{Ending, Metrics};
use crate::peer::Peer;
use crate::reception;
use crate::transport::Transport;

/// How soon a connection closes that was hung up on: it is idle, so that nothing is left to do.
const CEDED_WITHIN: Duration = Duration::from_secs(1);

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections that are served at a time.
    pub(crate) connections: NonZeroUsize,
    /// How long a peer's first words may take.
    pub(crate) handshake: Duration,
    /// How long a connection may be without a call.
    pub(crate) idle: Duration,
    /// Most that is sent on all connections together.
    pub(crate) bandwidth: Option<BitsPerSecond>,
}

/// Where a connection goes once its peer has said its first words.
struct Admission {
    limits: Limits,
    places: Arc<Semaphore>,
    admitted: mpsc::Sender<Connection>,
    /// Places of connections that are told that there is no place: at most [`MAX_TURNED_AWAY`] at a time.
    tellings: Arc<Semaphore>,
    turned_away: mpsc::Sender<Connection>,
    guests: Guests,
    egress: Option<Egress>,
    /// The same for connections in plain text.
    in_plain_text: mpsc::Sender<Connection>,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
}

/// Receives connections until `stop`, and gives those that have a place. The others are told that there is none.
pub(crate) fn admit(
    listeners: Listeners,
    limits: Limits,
    (gate, metrics): (Arc<Gate>, Arc<Metrics>),
    stop: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    // The channel holds one: a connection that waits is a newcomer still.
    let ((admitted, served), (turned_away, told)) = (mpsc::channel(1), mpsc::channel(1));
    let full = Refusal::Full { limit: limits.connections.get() };
    tokio::spawn(tell(each(told), full, Arc::clone(&metrics)));
    let (in_plain_text, told) = mpsc::channel(1);
    tokio::spawn(tell(each(told), Refusal::NeedsTls, Arc::clone(&metrics)));
    let places = Arc::new(Semaphore::new(limits.connections.get()));
    let tellings = Arc::new(Semaphore::new(MAX_TURNED_AWAY));
    let of_all = Arc::clone(&metrics);
    let (guests, egress) = (Guests::default(), limits.bandwidth.map(Egress::new));
    let admission =
        Admission { limits, places, admitted, tellings, turned_away, guests, egress, in_plain_text, gate, metrics };
    let admission = Arc::new(admission);
    tokio::spawn(async move {
        let greet = |stream| Arc::clone(&admission).greet(stream);
        reception::receive(listeners, MAX_NEWCOMERS, &of_all.endings, stop, greet).await;
    });
    each(served)
}

fn each(connections: mpsc::Receiver<Connection>) -> impl Stream<Item = io::Result<Connection>> + Send {
    stream::unfold(connections, |mut connections| async move { Some((Ok(connections.recv().await?), connections)) })
}

/// Answers every call of every connection with the reason why it is turned away.
async fn tell(connections: impl Stream<Item = io::Result<Connection>> + Send, reason: Refusal, metrics: Arc<Metrics>) {
    let refuse = move || async move { metrics.refuse(reason).into_http::<Body>() };
    let server = Server::builder()
        .max_connection_age(TURNED_AWAY_FOR / 2)
        .max_connection_age_grace(TURNED_AWAY_FOR / 2)
        .add_routes(Routes::from(Router::new().fallback(refuse)));
    if let Err(error) = server.serve_with_incoming(connections).await {
        tracing::error!(%error, "nobody is told any more why it is turned away");
    }
}

// === impl Admission ===

impl Admission {
    /// Sees a newcomer to its place, or to the server that tells it that there is none.
    async fn greet(self: Arc<Self>, stream: TcpStream) {
        let end = Instant::now() + self.limits.handshake;
        let peer = stream.peer_addr().map_or_else(|error| error.to_string(), |peer| peer.to_string());
        let (stream, said) = match timeout_at(end, greet(stream, self.gate.tls.as_ref())).await {
            Ok(Ok(heard)) => heard,
            Ok(Err(Ungreeted::Unheard(Unheard::Gone))) => return,
            Ok(Err(Ungreeted::Unheard(Unheard::NotHttp2))) => return self.not_http2(&peer),
            Ok(Err(Ungreeted::Tls(error))) => return self.untrusted(&peer, &error),
            Err(_elapsed) => return self.silent(),
        };
        if let Err(error) = stream.socket().set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        if self.gate.tls.is_some() && matches!(stream, Transport::Plain(_)) {
            self.plain(&peer);
            return self.turn_away(&self.in_plain_text, (stream, said), end).await;
        }
        if let Some(permit) = self.place(&Peer::of(stream.socket())).await {
            let place = Place::new(permit, &self.metrics.connections);
            let connection = self.connection(stream, said, place).admitted(&self.guests, self.egress.as_ref());
            // Where the server stops the connection is not taken.
            drop(self.admitted.send(connection).await);
            return;
        }
        self.full();
        self.turn_away(&self.turned_away, (stream, said), end).await;
    }

    /// A place that is free, or that a client with more connections cedes.
    async fn place(&self, newcomer: &Peer) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(permit);
        }
        if !self.guests.cede(&newcomer.client()) {
            return None;
        }
        self.ceded();
        timeout(CEDED_WITHIN, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// Sees a newcomer to a server that tells it why it is turned away, while not too many are told.
    async fn turn_away(&self, to: &mpsc::Sender<Connection>, (stream, said): (Transport, Vec<u8>), end: Instant) {
        if let Ok(Ok(permit)) = timeout_at(end, Arc::clone(&self.tellings).acquire_owned()).await {
            let place = Place::new(permit, &self.metrics.turned_away);
            drop(to.send(self.connection(stream, said, place)).await);
        }
    }

    fn connection(&self, stream: Transport, said: Vec<u8>, place: Place) -> Connection {
        Connection::new(stream, said, place, &self.metrics, self.limits.idle)
    }

    fn full(&self) {
        if let Some(connections) = self.metrics.endings.count(Ending::Full) {
            let limit = self.limits.connections.get();
            tracing::warn!(connections, limit, "connections were turned away: all of --max-connections are in use");
        }
    }

    fn ceded(&self) {
        if let Some(connections) = self.metrics.endings.count(Ending::Ceded) {
            let limit = self.limits.connections.get();
            tracing::info!(
                connections,
                limit,
                "all of --max-connections are in use: idle connections of clients with many made way for clients with \
                 fewer"
            );
        }
    }

    fn silent(&self) {
        if let Some(connections) = self.metrics.endings.count(Ending::Handshake) {
            let limit_seconds = self.limits.handshake.as_secs_f64();
            tracing::warn!(
                connections,
                limit_seconds,
                "connections that said nothing within --handshake-timeout were closed"
            );
        }
    }

    fn not_http2(&self, peer: &str) {
        if let Some(connections) = self.metrics.endings.count(Ending::NotHttp2) {
            tracing::info!(connections, last = peer, "connections that do not speak gRPC were closed");
        }
    }

    fn untrusted(&self, peer: &str, error: &io::Error) {
        if let Some(connections) = self.metrics.endings.count(Ending::Tls) {
            tracing::warn!(connections, last = peer, %error, "connections were closed at their TLS handshake");
        }
    }

    fn plain(&self, peer: &str) {
        if let Some(connections) = self.metrics.endings.count(Ending::Plain) {
            tracing::warn!(connections, last = peer, "connections in plain text were turned away: --tls-cert is given");
        }
    }
}
