//! The labellings of a server: begun by calls or found in the index at the start, one running at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use headwater_cli::exit::in_one_line;
use headwater_labels::{LabelError, LabelIndex};
use headwater_types::{DatasetName, ModelName};
use headwater_wire::labels::{ControlLabelling, LabellingCommand, LabellingState, Relabel};
use headwater_wire::status::{Invalid, Refusal};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::time::sleep;

use super::job::{LabellingJob, Wish};
use super::pass::Ended;
use super::record::Record;
use super::runs::{self, check_top_k, prepare};
use crate::datasets::Datasets;
use crate::generation::Generation;
use crate::house::House;
use crate::served::{Served, Standing};

/// Every labelling that was begun since the server's start.
pub(crate) struct LabellingJobs {
    datasets: Arc<Datasets>,
    known: Mutex<BTreeMap<Of, Arc<LabellingJob>>>,
    /// Held by the labelling that runs.
    turn: AsyncMutex<()>,
}

/// Which labelling it is.
type Of = (DatasetName, ModelName);

/// How often it is looked whether a dataset that is not there yet has come.
const LOOK: Duration = Duration::from_millis(200);

// === impl LabellingJobs ===

impl LabellingJobs {
    pub(crate) fn new(datasets: Arc<Datasets>) -> Arc<Self> {
        Arc::new(Self { datasets, known: Mutex::default(), turn: AsyncMutex::default() })
    }

    /// Begins a labelling, or finds the one that is under way. Blocks on the index.
    ///
    /// # Errors
    /// A server without labels, a model that cannot label, one that is under way or has labelled with other settings, a
    /// disk that takes no record.
    pub(crate) fn begin(
        self: &Arc<Self>,
        house: &Arc<House>,
        generation: &Generation,
        request: Relabel,
    ) -> Result<Arc<LabellingJob>, Refusal> {
        let shelf = house.shelf()?;
        let classifier = house.models.classifier(&request.model);
        let classifier = classifier.map_err(|error| Invalid::new(error.to_string()))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (request.dataset.clone(), request.model.clone());
        if let Some(job) = known.get(&of).filter(|job| !job.is_ended()) {
            if job.classifier.digest() == classifier.digest() {
                return under_way(job, &request).map(|()| Arc::clone(job)).map_err(Refusal::from);
            }
            // It labels by a version that was replaced: what it has labelled stays, and the rest is the other one's.
            job.wish(Wish::Cancel);
        }
        let unread = |error: LabelError| Refusal::NoLabels { message: error.to_string() };
        if let Some(earlier) = runs::known(shelf, generation, &classifier).map_err(unread)? {
            check_top_k(&earlier, &request)?;
        }
        Record { request: request.clone(), is_paused: false }.keep(&shelf.index).map_err(unread)?;
        let job = Arc::new(LabellingJob::new(request, classifier, Wish::Go));
        known.insert(of, Arc::clone(&job));
        tokio::spawn(Arc::clone(self).run(Arc::clone(house), Arc::clone(&job)));
        Ok(job)
    }

    /// Goes on with what an earlier start of the server did not finish. Blocks on the index.
    pub(crate) fn resume(self: &Arc<Self>, house: &Arc<House>) {
        let Ok(shelf) = house.shelf() else { return };
        let records = Record::all(&shelf.index).unwrap_or_else(|error| {
            tracing::warn!(%error, "labellings of an earlier start are not gone on with");
            Vec::new()
        });
        for Record { request, is_paused } in records {
            let (dataset, model) = (request.dataset.clone(), request.model.clone());
            let classifier = match house.models.classifier(&model) {
                Ok(classifier) => classifier,
                Err(error) => {
                    tracing::warn!(%dataset, %model, %error, "a labelling of an earlier start is not gone on with");
                    continue;
                }
            };
            tracing::info!(%dataset, %model, is_paused, "going on with a labelling of an earlier start");
            // What was to be forgotten was forgotten when it began.
            let request = Relabel { from_scratch: false, ..request };
            let wish = if is_paused { Wish::Pause } else { Wish::Go };
            let job = Arc::new(LabellingJob::new(request, classifier, wish));
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert((dataset, model), Arc::clone(&job));
            tokio::spawn(Arc::clone(self).run(Arc::clone(house), job));
        }
    }

    /// Pauses, resumes or cancels a labelling. Blocks on the index.
    ///
    /// # Errors
    /// None that is under way; a disk that takes no record.
    pub(crate) fn control(&self, house: &House, control: &ControlLabelling) -> Result<Arc<LabellingJob>, Refusal> {
        let shelf = house.shelf()?;
        let ControlLabelling { dataset, model, command } = control;
        let job = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let found = known.get(&(dataset.clone(), model.clone())).filter(|job| !job.is_ended()).cloned();
            found.ok_or_else(|| Invalid::new(format!("no labelling of {dataset} by {model} is under way")))?
        };
        let wish = match command {
            LabellingCommand::Pause => Wish::Pause,
            LabellingCommand::Resume => Wish::Go,
            LabellingCommand::Cancel => Wish::Cancel,
        };
        if wish != Wish::Cancel {
            let record = Record { request: job.request.clone(), is_paused: wish == Wish::Pause };
            record.keep(&shelf.index).map_err(|error| Refusal::NoLabels { message: error.to_string() })?;
        }
        job.wish(wish);
        Ok(job)
    }

    /// Checks that no labelling of the server's own fills what a client is to fill.
    ///
    /// # Errors
    /// One is under way.
    pub(crate) fn check_idle(&self, request: &Relabel) -> Result<(), Invalid> {
        let Relabel { dataset, model, .. } = request;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&(dataset.clone(), model.clone())).is_none_or(|job| job.is_ended()) {
            true => Ok(()),
            false => Err(Invalid::new(format!(
                "the server labels {dataset} by {model} itself just now: follow that with tuner relabel, or end it \
                 first (tuner relabel --cancel)"
            ))),
        }
    }

    /// Every labelling, by dataset and model.
    pub(crate) fn all(&self) -> Vec<Arc<LabellingJob>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Sees a labelling to its end.
    async fn run(self: Arc<Self>, house: Arc<House>, job: Arc<LabellingJob>) {
        let outcome = tokio::select! {
            // First: what ends because the server stops is not done.
            biased;
            () = house.stopping.cancelled() => None,
            outcome = self.label(&house, &job) => Some(outcome),
        };
        let (dataset, model) = (&job.request.dataset, &job.request.model);
        let Some(outcome) = outcome else { return job.is(LabellingState::Stopping, "the server is stopping") };
        match outcome {
            Ok(state) => {
                let removed = house.shelf().map(|shelf| self.forget(&job, &shelf.index));
                if let Ok(Err(error)) = removed {
                    tracing::warn!(%dataset, %model, %error, "the next start looks at this labelling once more");
                }
                job.is(state, "");
                let done = job.labelling();
                tracing::info!(
                    %dataset, %model, state = state.as_str(), labelled = done.labelled, skipped = done.skipped,
                    failed = done.failed, decoded = done.decoded, changed = done.changed, "a labelling has ended"
                );
            }
            Err(error) => {
                let reason = in_one_line(&error);
                tracing::error!(%dataset, %model, reason, "a labelling cannot go on: the same call goes on from there");
                job.is(LabellingState::Failed, reason);
            }
        }
    }

    /// Removes the record of a labelling that has ended, unless another one of its name has begun meanwhile.
    fn forget(&self, job: &Arc<LabellingJob>, index: &LabelIndex) -> Result<(), LabelError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (job.request.dataset.clone(), job.request.model.clone());
        match known.get(&of).is_none_or(|latest| Arc::ptr_eq(latest, job)) {
            true => Record::remove(&job.request, index),
            false => Ok(()),
        }
    }

    /// Labels generation after generation, until the current one is done.
    async fn label(&self, house: &Arc<House>, job: &Arc<LabellingJob>) -> Result<LabellingState> {
        let served = self.datasets.find(job.request.dataset.as_str());
        let served = served.with_context(|| format!("the server has no dataset {}", job.request.dataset))?;
        loop {
            let Some(_turn) = self.turn(job, served).await? else { return Ok(LabellingState::Cancelled) };
            let generation = served.current().context("the dataset is not served any more")?;
            let digest = generation.digest();
            let pass = {
                let (house, job) = (Arc::clone(house), Arc::clone(job));
                let prepare = move || prepare(house, generation, job);
                tokio::task::spawn_blocking(prepare).await.context("reading what is labelled")??
            };
            job.is(LabellingState::Running, "");
            let ended = pass.run().await?;
            if job.wished() == Wish::Cancel {
                return Ok(LabellingState::Cancelled);
            }
            if ended == Ended::Done && served.current().is_some_and(|now| now.digest() == digest) {
                return Ok(LabellingState::Done);
            }
        }
    }

    /// Waits until the labelling may run: resumed, alone, and with its dataset. `None` where it is cancelled.
    async fn turn(&self, job: &LabellingJob, served: &Served) -> Result<Option<MutexGuard<'_, ()>>> {
        let mut wishes = job.wishes();
        loop {
            match job.wished() {
                Wish::Cancel => return Ok(None),
                Wish::Pause => {
                    job.is(LabellingState::Paused, "");
                    wishes.changed().await.context("a labelling that nobody has")?;
                    continue;
                }
                Wish::Go => {}
            }
            match served.standing() {
                Standing::Serving => {}
                Standing::Starting(reason) => {
                    job.is(LabellingState::Waiting, reason);
                    sleep(LOOK).await;
                    continue;
                }
                Standing::NotReady(reason) => bail!("the dataset {} is not ready: {reason}", served.name),
            }
            job.is(LabellingState::Waiting, "another labelling runs");
            tokio::select! {
                turn = self.turn.lock() => return Ok(Some(turn)),
                _ = wishes.changed() => {}
            }
        }
    }
}

/// Checks that a labelling that is under way is the one that is asked for.
fn under_way(job: &LabellingJob, request: &Relabel) -> Result<(), Invalid> {
    let (top_k, asked) = (job.request.top_k, request.top_k);
    let message = match () {
        () if top_k != asked => format!("is under way with the {top_k} best classes of each sample, and not {asked}"),
        () if request.from_scratch => "is under way, and cannot begin anew".to_owned(),
        () => return Ok(()),
    };
    let (dataset, model) = (&request.dataset, &request.model);
    Err(Invalid::new(format!("the labelling of {dataset} by {model} {message}: cancel it first")))
}
