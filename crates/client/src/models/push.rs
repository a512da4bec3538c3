//! A version that is pushed to one server, piece by piece, from wherever the server has got to.

use std::sync::Arc;

use bytes::Bytes;
use headwater_types::ByteCount;
use headwater_wire::models::{PushOffer, PushPiece, PushState};
use headwater_wire::proto;
use tokio::time::{sleep, timeout};
use tonic::{Response, Status};

use super::pieces::Pieces;
use crate::address::ServerAddress;
use crate::connection::{Client, Server};
use crate::error::ClientError;
use crate::options::ClientOptions;
use crate::patience::Patience;
use crate::trouble::Trouble;

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
    let server = Server::new(address.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_answer(&server, &retry, task);
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
        let begin =
            async |client: &Client| client.models().begin_push(proto::BeginPushRequest::from(offer.clone())).await;
        let mut state = self.ask(&client, begin).await?;
        while !state.is_complete {
            told(state.received);
            let from = state.received.as_usize();
            let to = transfer.len().min(from.saturating_add(self.pieces.next()));
            if from >= to {
                let message = "it has all of a version, and does not say what came of it";
                return Err(Trouble::Lasting(self.server.protocol(message)));
            }
            let piece = PushPiece { transfer: offer.transfer, place: from as u64, piece: transfer.slice(from..to) };
            self.sent += (to - from) as u64;
            let piece = proto::PushPieceRequest::from(piece);
            let send = async |client: &Client| client.models().push_piece(piece.clone()).await;
            let next = self.ask(&client, send).await?;
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

    async fn ask(
        &self,
        client: &Client,
        call: impl AsyncFn(&Client) -> Result<Response<proto::PushState>, Status>,
    ) -> Result<PushState, Trouble> {
        let answer = timeout(self.stall, call(client)).await.map_err(silent)?;
        Ok(answer.map_err(|status| self.server.judge(&status))?.into_inner().into())
    }
}

fn silent(_: tokio::time::error::Elapsed) -> Trouble {
    Trouble::Silent("it says nothing of the version that it is sent")
}
