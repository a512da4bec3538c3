//! Places among the connections: a peer gets one once it has said that it speaks HTTP/2, while there are places.
//!
//! ```text
//! reception ─▶ handshake ─▶ a place ─▶ admitted ──▶ the gRPC server
//!                  │           └─ none ─▶ turned away: a server that answers every call with the reason
//!                  └─ nothing within the time limit: closed
//! ```
//!
//! Places travel inside connections, so that closing one, however it ends, makes room for another.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::{Stream, stream};
use headwater_types::caps::{MAX_NEWCOMERS, MAX_TURNED_AWAY, TURNED_AWAY_FOR};
use headwater_wire::status::Refusal;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use crate::connection::{Connection, Place};
use crate::handshake::{Unheard, hear};
use crate::listen::Listeners;
use crate::metrics::{Ending, Metrics};
use crate::reception;

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections that are served at a time.
    pub(crate) connections: NonZeroUsize,
    /// How long a peer's first words may take.
    pub(crate) handshake: Duration,
    /// How long a connection may be without a call.
    pub(crate) idle: Duration,
}

/// Where a connection goes once its peer has said its first words.
struct Admission {
    limits: Limits,
    places: Arc<Semaphore>,
    admitted: mpsc::Sender<Connection>,
    /// Places of connections that are told that there is no place: at most [`MAX_TURNED_AWAY`] at a time.
    tellings: Arc<Semaphore>,
    turned_away: mpsc::Sender<Connection>,
    metrics: Arc<Metrics>,
}

/// Receives connections until `stop`, and gives those that have a place. The others are told that there is none.
pub(crate) fn admit(
    listeners: Listeners,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> impl Stream<Item = std::io::Result<Connection>> + Send {
    // The channel holds one: a connection that waits is a newcomer still.
    let ((admitted, served), (turned_away, told)) = (mpsc::channel(1), mpsc::channel(1));
    tokio::spawn(tell(each(told), limits.connections, Arc::clone(&metrics)));
    let places = Arc::new(Semaphore::new(limits.connections.get()));
    let tellings = Arc::new(Semaphore::new(MAX_TURNED_AWAY));
    let of_all = Arc::clone(&metrics);
    let admission = Arc::new(Admission { limits, places, admitted, tellings, turned_away, metrics });
    tokio::spawn(async move {
        let greet = |stream| Arc::clone(&admission).greet(stream);
        reception::receive(listeners, MAX_NEWCOMERS, &of_all.endings, stop, greet).await;
    });
    each(served)
}

fn each(connections: mpsc::Receiver<Connection>) -> impl Stream<Item = std::io::Result<Connection>> + Send {
    stream::unfold(connections, |mut connections| async move { Some((Ok(connections.recv().await?), connections)) })
}

/// Answers every call of every connection with the reason why it has no place.
async fn tell(
    connections: impl Stream<Item = std::io::Result<Connection>> + Send,
    limit: NonZeroUsize,
    metrics: Arc<Metrics>,
) {
    let refuse = move || async move { metrics.refuse(Refusal::Full { limit: limit.get() }).into_http::<Body>() };
    let server = Server::builder()
        .max_connection_age(TURNED_AWAY_FOR / 2)
        .max_connection_age_grace(TURNED_AWAY_FOR / 2)
        .add_routes(Routes::from(Router::new().fallback(refuse)));
    if let Err(error) = server.serve_with_incoming(connections).await {
        tracing::error!(%error, "nobody is told any more that there is no place");
    }
}

// === impl Admission ===

impl Admission {
    /// Sees a newcomer to its place, or to the server that tells it that there is none.
    async fn greet(self: Arc<Self>, mut stream: TcpStream) {
        let end = Instant::now() + self.limits.handshake;
        let said = match timeout_at(end, hear(&mut stream)).await {
            Ok(Ok(said)) => said,
            Ok(Err(Unheard::Gone)) => return,
            Ok(Err(Unheard::NotHttp2)) => return self.not_http2(&stream),
            Err(_elapsed) => return self.silent(),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            let place = Place::new(permit, &self.metrics.connections);
            // Where the server stops the connection is not taken.
            drop(self.admitted.send(self.connection(stream, said, place)).await);
            return;
        }
        self.full();
        if let Ok(Ok(permit)) = timeout_at(end, Arc::clone(&self.tellings).acquire_owned()).await {
            let place = Place::new(permit, &self.metrics.turned_away);
            drop(self.turned_away.send(self.connection(stream, said, place)).await);
        }
    }

    fn connection(&self, stream: TcpStream, said: Vec<u8>, place: Place) -> Connection {
        Connection::new(stream, said, place, &self.metrics, self.limits.idle)
    }

    fn full(&self) {
        if let Some(connections) = self.metrics.endings.count(Ending::Full) {
            let limit = self.limits.connections.get();
            tracing::warn!(connections, limit, "connections were turned away: all of --max-connections are in use");
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

    fn not_http2(&self, stream: &TcpStream) {
        if let Some(connections) = self.metrics.endings.count(Ending::NotHttp2) {
            let peer = stream.peer_addr().map_or_else(|error| error.to_string(), |peer| peer.to_string());
            tracing::info!(connections, last = peer, "connections that do not speak gRPC were closed");
        }
    }
}
