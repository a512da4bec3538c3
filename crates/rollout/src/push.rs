//! A model that comes to all servers, and serves there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use headwater_client::model_calls::{Activate, Activation, ModelStanding, PushManner, PushOffer};
use headwater_client::{
    ClientError, ClientOptions, ServerAddress, activate_model, check_named, model_standing, push_version,
};
use headwater_types::{ByteCount, Digest, ModelName};
use tokio::time::{Instant, sleep};

use crate::bases::Bases;
use crate::deltas::Deltas;

/// A model that is to be pushed.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// How it is to be opened.
    pub manner: PushManner,
    /// Its file.
    pub file: Bytes,
}

/// The servers, and how they are reached.
#[derive(Clone, Copy, Debug)]
pub struct Fleet<'f> {
    /// The servers.
    pub servers: &'f [ServerAddress],
    /// How they are connected to.
    pub options: &'f ClientOptions,
    /// How long servers are asked again that do not answer.
    pub wait: Duration,
}

/// What came of one server.
#[derive(Debug)]
pub struct ServerPush {
    /// The server.
    pub server: ServerAddress,
    /// What it has now, or why it does not.
    pub pushed: Result<Pushed, ClientError>,
}

/// A version that a server has.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// How it came.
    pub kind: Kind,
    /// Bytes of it that were sent, again after cuts too.
    pub bytes_sent: ByteCount,
    /// What serves now, or why it does not; `None` where it was not to be activated.
    pub activation: Option<Result<Activation, ClientError>>,
}

/// How a version came to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server had it.
    Equal,
    /// As the difference from this one.
    Delta(Digest),
    /// Whole.
    Whole,
}

/// How often servers that do not answer are asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Pushes a model to all servers, and has it serve there where that is wanted. `told` hears of each server how much of
/// how many bytes it has.
pub async fn push(
    candidate: &Candidate,
    bases: Arc<Bases>,
    fleet: Fleet<'_>,
    is_activated: bool,
    told: &(dyn Fn(usize, ByteCount, ByteCount) + Sync),
) -> Result<Vec<ServerPush>, ClientError> {
    check_named(fleet.servers)?;
    let end = Instant::now() + fleet.wait;
    let round = Round {
        candidate,
        digest: Digest::of(&candidate.file),
        deltas: &Deltas::new(candidate.file.clone(), bases),
        fleet,
        told,
    };
    let mut done: Vec<Option<Result<Pushed, ClientError>>> = fleet.servers.iter().map(|_| None).collect();
    let mut revision = 0;
    loop {
        let missing: Vec<_> =
            (0..done.len()).filter(|at| done[*at].as_ref().is_none_or(|of| fault(of).is_some())).collect();
        let came = join_all(missing.iter().map(|at| round.one(*at))).await;
        let newest = came.iter().flatten().map(|(standing, _)| standing.revision).max();
        // One that was given stays, unless a server that was away has a later one.
        revision = revision.max(newest.map_or(0, |newest| newest + 1));
        let served = join_all(missing.iter().zip(came).map(|(at, came)| async move {
            let (_, pushed) = came?;
            let activation = if is_activated { Some(round.activate(*at, revision).await) } else { None };
            Ok(Pushed { activation, ..pushed })
        }));
        for (at, outcome) in missing.iter().zip(served.await) {
            done[*at] = Some(outcome);
        }
        if !done.iter().flatten().filter_map(fault).any(may_come_back) || Instant::now() >= end {
            break;
        }
        sleep(AGAIN).await;
    }
    let each = fleet.servers.iter().zip(done.into_iter().flatten());
    Ok(each.map(|(server, pushed)| ServerPush { server: server.clone(), pushed }).collect())
}

/// Why a server does not have the version, or why it does not serve there.
fn fault(pushed: &Result<Pushed, ClientError>) -> Option<&ClientError> {
    match pushed {
        Err(error) => Some(error),
        Ok(pushed) => pushed.activation.as_ref()?.as_ref().err(),
    }
}

// === impl ServerPush ===

impl ServerPush {
    /// Why the server does not have the version, or why it does not serve there.
    pub fn fault(&self) -> Option<&ClientError> {
        fault(&self.pushed)
    }
}

/// Whether a server that failed so may answer later.
fn may_come_back(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::NotConnected { .. }
            | ClientError::Unreachable { .. }
            | ClientError::NotReady { .. }
            | ClientError::Busy { .. }
    )
}

/// What one round works with.
#[derive(Clone, Copy)]
struct Round<'r> {
    candidate: &'r Candidate,
    digest: Digest,
    deltas: &'r Deltas,
    fleet: Fleet<'r>,
    told: &'r (dyn Fn(usize, ByteCount, ByteCount) + Sync),
}

// === impl Round ===

impl Round<'_> {
    /// Sees to it that one server has the model, by fewest bytes.
    async fn one(&self, at: usize) -> Result<(ModelStanding, Pushed), ClientError> {
        let server = &self.fleet.servers[at];
        let standing = model_standing(server, &self.candidate.name, self.fleet.options, at as u64).await?;
        if standing.held.contains(&self.digest) {
            // It is announced all the same: so it is a version of this name, if it was one of another.
            let bytes_sent = self.send(at, None).await?;
            let kind = if bytes_sent == ByteCount::default() { Kind::Equal } else { Kind::Whole };
            return Ok((standing, Pushed { kind, bytes_sent, activation: None }));
        }
        let others = standing.held.iter().copied().filter(|held| Some(*held) != standing.active);
        let Some((base, delta)) = self.deltas.shortest(standing.active.into_iter().chain(others)).await else {
            let bytes_sent = self.send(at, None).await?;
            return Ok((standing, Pushed { kind: Kind::Whole, bytes_sent, activation: None }));
        };
        match self.send(at, Some((base, &delta))).await {
            Ok(bytes_sent) => Ok((standing, Pushed { kind: Kind::Delta(base), bytes_sent, activation: None })),
            Err(ClientError::Refused { message, .. }) => {
                tracing::warn!(%server, message, "the difference was refused: the whole model is sent");
                let bytes_sent = self.send(at, None).await?;
                Ok((standing, Pushed { kind: Kind::Whole, bytes_sent, activation: None }))
            }
            Err(error) => Err(error),
        }
    }

    /// Sends the model, whole or as this difference, and says how many bytes were sent.
    async fn send(&self, at: usize, delta: Option<(Digest, &Bytes)>) -> Result<ByteCount, ClientError> {
        let Candidate { name, manner, file } = self.candidate;
        let transfer = delta.map_or(file, |(_, delta)| delta);
        let offer = PushOffer {
            name: name.clone(),
            manner: manner.clone(),
            digest: self.digest,
            bytes: file.len().into(),
            base: delta.map(|(base, _)| base),
            transfer: delta.map_or(self.digest, |(_, delta)| Digest::of(delta)),
            transfer_bytes: transfer.len().into(),
        };
        let told = |received| (self.told)(at, received, offer.transfer_bytes);
        push_version(&self.fleet.servers[at], (&offer, transfer), self.fleet.options, at as u64, &told).await
    }

    async fn activate(&self, at: usize, revision: u64) -> Result<Activation, ClientError> {
        let activate = Activate { name: self.candidate.name.clone(), digest: self.digest, revision };
        activate_model(&self.fleet.servers[at], &activate, self.fleet.options, at as u64).await
    }
}
