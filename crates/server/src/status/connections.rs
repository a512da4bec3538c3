//! Connections, and the clients that have streams open: what each holds, and what its streams wait for.

use serde::Serialize;

use super::rows::rows;
use crate::house::House;
use crate::metrics::Metrics;
use crate::streams::{Awaited, Holding};

/// The connections.
#[derive(Debug, Serialize)]
pub(super) struct ConnectionStatus {
    /// Open connections
    open: i64,
    /// Most open connections: `--max-connections`
    limit: usize,
    /// Open connections that are told that there is no place for them
    turned_away: i64,
    /// Open fetch streams
    streams: i64,
    /// Connections that the server ended: only for reasons for which it ended some
    ended: Vec<EndedStatus>,
    /// Clients that have streams open, those first that hold most memory
    clients: Vec<ClientStatus>,
}

/// Connections that the server ended for one reason.
#[derive(Debug, Serialize)]
pub(super) struct EndedStatus {
    /// The reason, as in the metric `headwater_connections_ended`
    reason: &'static str,
    /// How many
    connections: u64,
}

/// A client that has streams open.
#[derive(Debug, Serialize)]
pub(super) struct ClientStatus {
    /// Its address
    client: String,
    /// Its open streams
    streams: usize,
    /// Memory that its samples hold
    held_bytes: u64,
    /// Streams that wait for memory
    await_memory: usize,
    /// Streams that wait for the store
    await_store: usize,
    /// Streams that wait for the CPU or a model
    await_work: usize,
    /// Streams that wait for the client, or for the network to it
    await_reader: usize,
    /// Seconds for which the client has taken nothing of what is ready, where it is slow
    unread_seconds: Option<f64>,
}

// === impl ConnectionStatus ===

impl ConnectionStatus {
    /// The connections, and how many clients are left out.
    pub(super) fn of(limit: usize, metrics: &Metrics, house: Option<&House>) -> (Self, usize) {
        let ended = metrics.endings.counts().into_iter().filter(|(_, connections)| *connections > 0);
        let clients = house.map(|house| house.streams.clients()).unwrap_or_default();
        let mut left_out = 0;
        let status = Self {
            open: metrics.connections.get(),
            limit,
            turned_away: metrics.turned_away.get(),
            streams: metrics.streams.get(),
            ended: ended.map(|(reason, connections)| EndedStatus { reason, connections }).collect(),
            clients: rows(clients.into_iter().map(ClientStatus::of), &mut left_out),
        };
        (status, left_out)
    }
}

// === impl ClientStatus ===

impl ClientStatus {
    fn of((client, holding): (String, Holding)) -> Self {
        let awaiting = |what: Awaited| holding.awaited[what as usize];
        Self {
            client,
            streams: holding.streams,
            held_bytes: holding.bytes,
            await_memory: awaiting(Awaited::Memory),
            await_store: awaiting(Awaited::Store),
            await_work: awaiting(Awaited::Work),
            await_reader: awaiting(Awaited::Reader),
            unread_seconds: holding.stalled.map(|time| time.as_secs_f64()),
        }
    }
}
