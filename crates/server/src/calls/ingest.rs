//! `Ingest`: takes one photo in, and answers once it is durable.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use headwater_types::Priority;
use headwater_types::digest::Digester;
use headwater_wire::ingest::{Ingest, Ingested};
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use tokio::time::timeout;
use tonic::{Request, Status, Streaming};

use crate::ingest::{Arrived, Intake};
use crate::offer::Offer;
use crate::peer::Peer;

use super::desk::Desk;

/// The one message of an answer.
pub(super) type Answers = stream::BoxStream<'static, Result<proto::IngestAnswer, Status>>;

/// A photo that a caller has begun to send.
struct Begun {
    intake: Arc<Intake>,
    offer: Arc<Offer>,
    ingest: Ingest,
    parts: Streaming<proto::IngestPart>,
    peer: Peer,
}

pub(super) async fn ingest(desk: &Desk, request: Request<Streaming<proto::IngestPart>>) -> Result<Answers, Status> {
    let peer = request.extensions().get::<Peer>().cloned();
    let peer = peer.ok_or_else(|| Status::internal("a call without a connection"))?;
    let mut parts = request.into_inner();
    let nothing = || desk.refuse(Invalid::new("a photo that says nothing of itself"));
    let head = parts.message().await?.and_then(|part| part.head).ok_or_else(nothing)?;
    let ingest = Ingest::try_from(head).map_err(|invalid| desk.refuse(invalid))?;
    let offer = desk.offer(ingest.dataset.as_str(), None)?;
    offer.house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let intake = Arc::clone(desk.intakes.find(&ingest.dataset).map_err(|refusal| desk.refuse(refusal))?);
    let (metrics, dataset) = (Arc::clone(&desk.metrics), ingest.dataset.clone());
    let begun = Begun { intake, offer, ingest, parts, peer };
    // The answer comes in a stream, since the photo may take longer to come than a call may to be answered.
    let length = begun.ingest.length;
    let answer = async move {
        let taken = begun.take().await;
        match &taken {
            Ok(ingested) => metrics.ingest.count(&dataset, ingested, length),
            Err(refusal @ (Refusal::NotStored { .. } | Refusal::Quota { .. })) => {
                tracing::warn!(%dataset, %refusal, "a photo was not taken in");
            }
            Err(_) => {}
        }
        taken.map(Into::into).map_err(|refusal| metrics.refuse(refusal))
    };
    Ok(stream::once(answer).boxed())
}

// === impl Begun ===

impl Begun {
    async fn take(self) -> Result<Ingested, Refusal> {
        let Self { intake, offer, ingest, parts, peer } = self;
        let memory = match intake.memory(ingest.length).await {
            Ok(memory) => memory,
            Err(failure) => return Ok(Ingested::Refused(failure)),
        };
        let (house, generation) = (&offer.house, &offer.generation);
        let coming = read(parts, &ingest, house.idle_timeout);
        let (labellers, bytes) = tokio::join!(intake.expect(house, generation, &ingest), coming);
        let (bytes, labellers) = (bytes?, labellers?);
        let arrived = Arrived { ingest, bytes, labellers, _memory: memory };
        intake.take(generation, (arrived, house.job(&peer, (Priority::default(), None)))).await
    }
}

/// The photo's bytes, which are those that were announced.
async fn read(
    mut parts: Streaming<proto::IngestPart>,
    ingest: &Ingest,
    idle_timeout: Duration,
) -> Result<Bytes, Refusal> {
    let length = ingest.length.as_usize();
    let (mut bytes, mut digester) = (BytesMut::with_capacity(length), Digester::default());
    let broke = |reason: &str| Refusal::NotStored { reason: reason.to_owned() };
    while bytes.len() < length {
        let part = timeout(idle_timeout, parts.message()).await;
        let part = part.map_err(|_elapsed| broke("nothing more of it came"))?;
        let part = part.map_err(|status| broke(status.message()))?;
        let part = part.ok_or_else(|| broke("the call ended before the photo"))?;
        if part.bytes.len() > length - bytes.len() {
            return Err(Invalid::new(format!("more bytes came than the {length} that were announced")).into());
        }
        bytes.extend_from_slice(&part.bytes);
        // While the next part is on its way.
        digester.update(&part.bytes);
    }
    match digester.finish() == ingest.digest {
        true => Ok(bytes.freeze()),
        false => Err(Invalid::new("the photo that came is not the one that was announced: its digest differs").into()),
    }
}
