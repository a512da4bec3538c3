//! A server that was away catches up: it asks others which versions serve there, and fetches those that are later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use headwater_cli::exit::in_one_line;
use headwater_types::caps::{MAX_MODEL_PIECE, MAX_REQUEST};
use headwater_types::{Digest, ModelName};
use headwater_wire::BearerChannel;
use headwater_wire::models::{Activate, AskedOffer, PullPiece, PushOffer, PushPiece, PushState, ServedModel};
use headwater_wire::proto;
use headwater_wire::proto::models_client::ModelsClient;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::registry::Models;
use crate::homes::{Addresses, channel};
use crate::others::Others;

/// Catches up with the models of others, at the start and every few seconds.
pub(crate) struct CatchingUp {
    models: Arc<Models>,
    addresses: Addresses,
    others: Others,
    /// Versions that could not be had, and when they are tried again.
    later: BTreeMap<(ModelName, u64), Instant>,
}

/// How often others are asked.
const EVERY: Duration = Duration::from_secs(3);
/// How long another may take to answer a question.
const ANSWER: Duration = Duration::from_secs(2);
/// How long another may take to make a difference, or to give a piece of it.
const GIVE: Duration = Duration::from_secs(90);
/// How long a version that could not be had is left alone.
const REST: Duration = Duration::from_secs(30);
/// How long a start waits for what others have: they may be away.
const START: Duration = Duration::from_secs(20);

/// A version that serves elsewhere.
struct Later {
    name: ModelName,
    revision: u64,
    digest: Digest,
    from: ModelsClient<BearerChannel>,
}

// === impl CatchingUp ===

impl CatchingUp {
    pub(crate) fn new(models: Arc<Models>, addresses: Addresses, others: Others) -> Self {
        Self { models, addresses, others, later: BTreeMap::new() }
    }

    /// Catches up once, before the first call, so that nobody gets what others have replaced.
    pub(crate) async fn start(&mut self) {
        if timeout(START, self.round()).await.is_err() {
            tracing::warn!(
                "catching up with the models of others takes long: the server begins with those that it has"
            );
        }
    }

    /// Catches up again and again.
    pub(crate) async fn run(mut self) {
        loop {
            sleep(EVERY).await;
            self.round().await;
        }
    }

    /// Asks all others, and fetches what is later than here.
    async fn round(&mut self) {
        let found = self.addresses.look_up().await;
        let channels = found.iter().filter_map(|(address, written)| channel(&self.others, *address, written).ok());
        let asked = channels.map(|channel| {
            let client =
                ModelsClient::new(channel).max_decoding_message_size(2 * MAX_MODEL_PIECE.max(MAX_REQUEST.as_usize()));
            ask(client)
        });
        let mut latest: BTreeMap<ModelName, Later> = BTreeMap::new();
        for later in futures::future::join_all(asked).await.into_iter().flatten() {
            let is_later = latest.get(&later.name).is_none_or(|known| known.revision < later.revision);
            if is_later && later.revision > self.models.standing(&later.name).revision {
                latest.insert(later.name.clone(), later);
            }
        }
        // Models before heads: a head may be of a model that comes in the same round.
        let mut all: Vec<_> = latest.into_values().collect();
        all.sort_by_key(|later| later.revision);
        for later in all {
            self.take(later).await;
        }
    }

    /// Fetches a version and has it serve, unless that failed a moment ago.
    async fn take(&mut self, later: Later) {
        let of = (later.name.clone(), later.revision);
        if self.later.get(&of).is_some_and(|until| Instant::now() < *until) {
            return;
        }
        let Later { name, revision, digest, .. } = &later;
        match catch_up(&self.models, &later).await {
            Ok(()) => {
                tracing::info!(model = %name, revision, digest = %digest.short(), "caught up with a version");
                self.later.retain(|(known, _), _| known != name);
            }
            Err(error) => {
                let why = in_one_line(&error);
                tracing::warn!(model = %name, revision, why, "a version that serves elsewhere could not be had yet");
                self.later.insert(of, Instant::now() + REST);
            }
        }
    }
}

/// The versions that serve at another; none where it does not answer.
async fn ask(mut client: ModelsClient<BearerChannel>) -> Vec<Later> {
    let answer = timeout(ANSWER, client.list_models(proto::ListModelsRequest {})).await;
    let list = answer.ok().and_then(Result::ok).and_then(|answer| ServedModel::read(answer.into_inner()).ok());
    let later = |model: ServedModel| {
        let ServedModel { name, digest, revision, .. } = model;
        Later { name, revision, digest, from: client.clone() }
    };
    list.into_iter().flatten().filter(|model| model.revision > 0).map(later).collect()
}

/// Fetches a version, piece by piece from wherever it was left, and has it serve.
async fn catch_up(models: &Arc<Models>, later: &Later) -> Result<()> {
    let Later { name, revision, digest, from } = later;
    let standing = models.standing(name);
    let others = standing.held.iter().copied().filter(|held| Some(*held) != standing.active);
    let held = standing.active.into_iter().chain(others).collect();
    let asked = AskedOffer { name: name.clone(), digest: *digest, held };
    let mut client = from.clone();
    let offer = timeout(GIVE, client.offer_model(proto::OfferModelRequest::from(asked))).await;
    let offer = offer.context("no offer came")?.map_err(|status| anyhow!("{}", status.message()))?;
    let offer = PushOffer::try_from(offer.into_inner())?;
    if (&offer.name, offer.digest) != (name, *digest) {
        bail!("another version was offered than was asked for");
    }
    let mut state = {
        let (models, offer) = (Arc::clone(models), offer.clone());
        spawn_blocking(move || models.begin(&offer)).await.context("taking a version")??
    };
    while !state.is_complete {
        let place = state.received.get();
        let wanted = PullPiece { transfer: offer.transfer, place, most: MAX_MODEL_PIECE };
        let given = timeout(GIVE, client.pull_piece(proto::PullPieceRequest::from(wanted))).await;
        let given = given.context("no piece came")?.map_err(|status| anyhow!("{}", status.message()))?;
        let piece = PushPiece { transfer: None, place, piece: given.into_inner().piece };
        state = take(models, offer.transfer, piece).await?;
        if !state.is_complete && state.received.get() <= place {
            bail!("an empty piece came");
        }
    }
    let activate = Activate { name: name.clone(), digest: *digest, revision: *revision };
    let models = Arc::clone(models);
    spawn_blocking(move || models.activate(&activate)).await.context("activating a version")?.map(drop)
}

async fn take(models: &Arc<Models>, transfer: Digest, piece: PushPiece) -> Result<PushState> {
    let models = Arc::clone(models);
    let taken = spawn_blocking(move || models.take(transfer, &piece)).await.context("taking a piece")??;
    taken.context("the version was announced by somebody else meanwhile")
}
