//! Photos put into a dataset: each goes to one of its servers.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use headwater_types::{ByteCount, Digest};
use headwater_wire::ingest::{Ingest, Ingested, WantedLabels};
use headwater_wire::proto;
use headwater_wire::status::takes_no_photos;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::patience::Patience;
use crate::replicas::{Seat, Seated};
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// A photo that is to be put into a dataset.
#[derive(Clone, Debug)]
pub struct Photo {
    /// Its own name, without folders.
    pub name: String,
    /// Its class; `None` for a photo right under the dataset's root.
    pub label: Option<String>,
    /// Whether a class that the dataset does not have yet may begin with it.
    pub new_class: bool,
    /// Its bytes, as they are to be stored.
    pub bytes: Bytes,
    /// The digest of its bytes, by which the server knows that they came whole.
    pub digest: Digest,
    /// Which labels the answer is to have; `None` for none.
    pub labels: Option<WantedLabels>,
}

/// Bytes of a photo in one message.
const PIECE: usize = 256 << 10;

// === impl Dataset ===

impl Dataset {
    /// The server that a photo with these bytes goes to: always the same one, so that a photo that comes again is found
    /// where it is. Of the servers by the names that they were given, the one whose name and the photo's digest hash
    /// highest (rendezvous hashing), so that a server that is added takes its share and moves no other photo.
    fn home(&self, digest: Digest) -> &Arc<Seat> {
        let weight = |server: &Arc<Seat>| {
            let name = server.address().to_string();
            *Digest::of(&[name.as_bytes(), digest.as_bytes()].concat()).as_bytes()
        };
        let servers = &self.0.servers;
        servers.iter().max_by_key(|server| weight(server)).unwrap_or(&servers[0])
    }

    /// Sees to it that no partition has replicas: a photo that is put into one of them would be missing in the others.
    fn check_alone(&self) -> Result<(), ClientError> {
        let shared = self.0.servers.iter().map(|seat| seat.addresses()).find(|addresses| addresses.len() > 1);
        let Some(addresses) = shared else { return Ok(()) };
        Err(ClientError::IngestIntoReplicas { first: addresses[0].clone(), second: addresses[1].clone() })
    }

    /// Puts a photo into the dataset, and says what came of it at which server, once it is durable there. A server that
    /// restarts meanwhile is asked again, and does not store the photo twice. `task` keeps photos that are sent at once
    /// from being sent again in step.
    ///
    /// # Errors
    /// A server that cannot be reached, that takes no photos, or that stays away for longer than the options' patience.
    pub async fn ingest(&self, photo: &Photo, task: u64) -> Result<(ServerAddress, Ingested), ClientError> {
        self.check_alone()?;
        let server = Arc::clone(self.home(photo.digest));
        let mut patience = Patience::for_answer(server.address(), &self.0.options.retry, task);
        let head = Ingest {
            dataset: self.name().clone(),
            name: photo.name.clone(),
            label: photo.label.clone(),
            new_class: photo.new_class,
            length: ByteCount::new(photo.bytes.len() as u64),
            digest: photo.digest,
            labels: photo.labels.clone(),
        };
        loop {
            match self.ingest_once(&server, &head, &photo.bytes).await {
                Ok(ingested) => return Ok((server.address().clone(), ingested)),
                Err(trouble) => sleep(patience.bear(trouble)?).await,
            }
        }
    }

    async fn ingest_once(&self, server: &Arc<Seat>, head: &Ingest, bytes: &Bytes) -> Result<Ingested, Trouble> {
        let silent = |_| Trouble::Silent("a photo's call went silent");
        let stall = self.0.options.retry.stall;
        let client = server.connect().await?;
        let judge = |status: Status| judge(&client, &status);
        let call = timeout(stall, client.ingests().ingest(stream::iter(parts(head, bytes)))).await;
        let mut answers = call.map_err(silent)?.map_err(judge)?.into_inner();
        let answer = timeout(stall, answers.message()).await.map_err(silent)?.map_err(judge)?;
        let answer =
            answer.ok_or_else(|| Trouble::Passing("the server ended the call without an answer".to_owned()))?;
        let broke = |invalid: headwater_wire::status::Invalid| Trouble::Lasting(server.protocol(invalid.to_string()));
        let ingested = Ingested::try_from(answer).map_err(broke)?;
        client.put_back();
        Ok(ingested)
    }
}

/// The messages of a call.
fn parts(head: &Ingest, bytes: &Bytes) -> Vec<proto::IngestPart> {
    let head = proto::IngestPart { head: Some(head.clone().into()), bytes: Bytes::new() };
    let piece = |begin| proto::IngestPart { head: None, bytes: bytes.slice(begin..bytes.len().min(begin + PIECE)) };
    std::iter::once(head).chain((0..bytes.len()).step_by(PIECE).map(piece)).collect()
}

fn judge(client: &Seated, status: &Status) -> Trouble {
    match status.code() {
        Code::Unimplemented => Trouble::Lasting(ClientError::NoIngestCalls(client.address().clone())),
        _ if takes_no_photos(status) => Trouble::Lasting(ClientError::TakesNoPhotos {
            server: client.address().clone(),
            message: status.message().to_owned(),
        }),
        _ => client.judge(status),
    }
}
