//! A version that is pushed to one server, piece by piece, from wherever the server has got to.

use std::sync::Arc;

use bytes::Bytes;
use headwater_types::ByteCount;
use headwater_wire::models::{PushOffer, PushPiece, PushState};
use headwater_wire::proto;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::pieces::Pieces;
use crate::connection::{Client, Server};
use crate::error::ClientError;
use crate::options::ClientOptions;
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// Pushes a version to a server, and says how many bytes of it were sent: none where the server has it. A connection
/// that is cut loses the piece that was on its way. `told` hears how much the server has.
///
/// # Errors
/// A server that refuses, or that stays away for longer than the options' patience.
pub async fn push_version(
    address: &ServerAddress,
    (offer, transfer): (&PushOffer, &Bytes),
    options: &ClientOptions,
    task: u64,
    told: &(dyn Fn(ByteCount) + Sync),
) -> Result<ByteCount, ClientError> {
    let retry = options.retry.clone().consistent();
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_answer(server.address(), &retry, task);
    let mut push = Push { server: &server, pieces: Pieces::new(offer.transfer_bytes), sent: 0, stall: retry.stall };
    loop {
        match push.go_on((offer, transfer), &mut patience, told).await {
            Ok(()) => return Ok(ByteCount::new(push.sent)),
            Err(trouble) => {
                push.pieces.lost();
                sleep(patience.bear(trouble)?).await;
            }
        }
    }
}

/// A push under way.
struct Push<'p> {
    server: &'p Server,
    pieces: Pieces,
    sent: u64,
    stall: std::time::Duration,
}

// === impl Push ===

impl Push<'_> {
    /// Announces it, and sends what the server lacks, on one connection.
    async fn go_on(
        &mut self,
        (offer, transfer): (&PushOffer, &Bytes),
        patience: &mut Patience,
        told: &(dyn Fn(ByteCount) + Sync),
    ) -> Result<(), Trouble> {
        let client = timeout(self.stall, self.server.connect()).await.map_err(silent)??;
        let request = proto::BeginPushRequest::from(offer.clone());
        let begun = timeout(self.stall, client.models().begin_push(request)).await.map_err(silent)?;
        let mut state: PushState = begun.map_err(|status| self.server.judge(&status))?.into_inner().into();
        let mut line: Option<Line> = None;
        while !state.is_complete {
            told(state.received);
            let from = state.received.as_usize();
            let to = transfer.len().min(from.saturating_add(self.pieces.next()));
            if from >= to {
                let message = "it has all of a version, and does not say what came of it";
                return Err(Trouble::Lasting(self.server.protocol(message)));
            }
            let named = line.is_none().then_some(offer.transfer);
            let piece = PushPiece { transfer: named, place: from as u64, piece: transfer.slice(from..to) };
            self.sent += (to - from) as u64;
            let open = match &mut line {
                Some(open) => open,
                None => line.insert(self.open(&client).await?),
            };
            let next = self.hand(open, piece).await?;
            if !next.is_complete && next.received <= state.received {
                return Err(Trouble::Passing("it took nothing of a piece".to_owned()));
            }
            state = next;
            patience.beat();
            patience.progressed();
        }
        told(offer.transfer_bytes);
        Ok(())
    }

    /// Opens a call that brings pieces: each costs some bytes more than its own, and not the headers of a call.
    async fn open(&self, client: &Client) -> Result<Line, Trouble> {
        let (pieces, waiting) = mpsc::channel(1);
        let call = async { client.models().push_pieces(ReceiverStream::new(waiting)).await };
        let states = timeout(self.stall, call).await.map_err(silent)?;
        Ok(Line { pieces, states: states.map_err(|status| self.server.judge(&status))?.into_inner() })
    }

    /// Sends a piece, and waits until it is written.
    async fn hand(&self, line: &mut Line, piece: PushPiece) -> Result<PushState, Trouble> {
        // Where the call has ended, its states say why.
        let _ = line.pieces.send(piece.into()).await;
        let state = timeout(self.stall, line.states.message()).await.map_err(silent)?;
        let state = state.map_err(|status| self.server.judge(&status))?;
        state.map(Into::into).ok_or_else(|| Trouble::Passing("it ended the call before the version".to_owned()))
    }
}

/// A call that brings pieces.
struct Line {
    pieces: mpsc::Sender<proto::PushPieceRequest>,
    states: Streaming<proto::PushState>,
}

fn silent(_: tokio::time::error::Elapsed) -> Trouble {
    Trouble::Silent("it says nothing of the version that it is sent")
}
