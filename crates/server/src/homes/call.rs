//! How a server connects to another, and asks it who it is.

use std::net::SocketAddr;

use headwater_discovery::ServerAddress;
use headwater_wire::proto::IntroduceRequest;
use headwater_wire::proto::homes_client::HomesClient;
use headwater_wire::transport::{CONNECTION_WINDOW, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_FRAME, STREAM_WINDOW};
use headwater_wire::{BearerChannel, Introduction};
use tokio::time::{Duration, timeout};
use tonic::transport::{Endpoint, Error};
use tonic::{Code, Status};

use super::neighbour::Line;
use crate::others::Others;

/// Why a server has not introduced itself.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It says that it is no home now: it starts, stops, or is of a version that knows no homes.
    Leaves(String),
    /// It has not answered.
    Missed(String),
}

/// How long a server may take to connect, and to say who it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longest introduction, in bytes: of a thousand datasets.
const MAX_INTRODUCTION: usize = 1 << 20;

/// A connection to a server, once it is used.
pub(crate) fn line(others: &Others, address: SocketAddr, written: &ServerAddress) -> Result<Line, Error> {
    channel(others, address, written).map(Line::new)
}

/// The channel of such a connection. The server's certificate must be for its name, as it is written.
pub(crate) fn channel(others: &Others, address: SocketAddr, written: &ServerAddress) -> Result<BearerChannel, Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(PATIENCE)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    Ok(others.channel(&endpoint, written.certified()))
}

/// Asks a server who it is.
pub(crate) async fn introduce(channel: BearerChannel) -> Result<Introduction, Silence> {
    let mut client = HomesClient::new(channel).max_decoding_message_size(MAX_INTRODUCTION);
    let answer = timeout(PATIENCE, client.introduce(IntroduceRequest {})).await;
    let answer = answer.map_err(|_| Silence::Missed(format!("no answer in {PATIENCE:?}")))?;
    let said = answer.map_err(|status| judge(&status))?.into_inner();
    Introduction::try_from(said).map_err(|invalid| Silence::Leaves(invalid.to_string()))
}

/// A refusal that carries its reason was said by the server itself; everything else, by what lies between.
fn judge(status: &Status) -> Silence {
    let why = status.message().to_owned();
    let is_its_own = status.metadata().contains_key(headwater_wire::status::REFUSAL);
    match status.code() {
        // All of its connections are in use: that says nothing of its samples.
        Code::ResourceExhausted => Silence::Missed(why),
        Code::Unimplemented => Silence::Leaves(why),
        _ if is_its_own => Silence::Leaves(why),
        _ => Silence::Missed(why),
    }
}
