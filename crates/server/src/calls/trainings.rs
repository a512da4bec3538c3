//! The calls of trainings: prepared, begun, trained, judged and ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use headwater_learn::Parameters;
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use headwater_wire::training::{BeginTraining, Gathering, PIECE, PrepareTraining, Scores, Steps, TrainingId};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Status, Streaming};

use super::desk::Desk;
use crate::metrics::TrainingMetrics;
use crate::training::{Done, Stage, UnderWay, Worker};

/// How often a caller hears that its steps go on.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

/// How far features are gathered.
pub(super) type Preparing = stream::BoxStream<'static, Result<proto::TrainingPrepared, Status>>;

pub(super) fn prepare(desk: &Desk, request: proto::PrepareTrainingRequest) -> Result<Preparing, Status> {
    let prepare = PrepareTraining::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let offer = desk.offer(prepare.dataset.as_str(), None)?;
    offer.house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let extractor = offer.house.model(&prepare.model, prepare.model_digest).map_err(|refusal| desk.refuse(refusal))?;
    let worker = desk.trainings.prepare(prepare, (offer, extractor)).map_err(|refusal| desk.refuse(refusal))?;
    let metrics = Arc::clone(&desk.metrics);
    let under_way = worker.hear();
    let messages = stream::unfold(Some((worker.follow(), under_way, false)), move |state| {
        let metrics = Arc::clone(&metrics);
        async move {
            let (mut stage, under_way, is_later) = state?;
            if is_later {
                // Whether it was further in this time or not: the caller hears that it lives.
                let _ = timeout(SIGN_OF_LIFE, stage.changed()).await;
            }
            let now = stage.borrow_and_update().clone();
            match now {
                Stage::Gathering(done, samples) => {
                    let message = proto::TrainingPrepared { done, samples, features: None };
                    Some((Ok(message), Some((stage, under_way, true))))
                }
                Stage::Ready(facts) => {
                    let features = Some((*facts).clone().into());
                    Some((Ok(proto::TrainingPrepared { done: 0, samples: 0, features }), None))
                }
                Stage::Failed(message) => Some((Err(metrics.refuse(Refusal::NotTrained { message })), None)),
            }
        }
    });
    Ok(messages.boxed())
}

pub(super) async fn begin(desk: &Desk, request: proto::BeginTrainingRequest) -> Result<proto::TrainingBegun, Status> {
    let begin = BeginTraining::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let worker = desk.trainings.find(begin.training).map_err(|refusal| desk.refuse(refusal))?;
    let (under_way, slowdown) = (worker.hear(), desk.trainings.slowdown);
    let begun = spawn_blocking(move || {
        let _under_way = under_way;
        worker.begin(&begin, slowdown)
    });
    let begun = begun.await.map_err(|_| Status::internal("a training could not be begun: please report it"))?;
    begun.map(Into::into).map_err(|refusal| desk.refuse(refusal))
}

/// Signs of life, and the way that steps led.
pub(super) type Trained = stream::BoxStream<'static, Result<proto::TrainedPart, Status>>;

pub(super) async fn train(desk: &Desk, request: Request<Streaming<proto::TrainPart>>) -> Result<Trained, Status> {
    let mut parts = request.into_inner();
    let nothing = || desk.refuse(Invalid::new("steps that do not say whose they are"));
    let mut first = parts.message().await?.ok_or_else(nothing)?;
    let steps = Steps::try_from(first.head.take().ok_or_else(nothing)?).map_err(|invalid| desk.refuse(invalid))?;
    let worker = desk.trainings.find(steps.training).map_err(|refusal| desk.refuse(refusal))?;
    let under_way = worker.hear();
    let mut gathering = Gathering::new(steps.weights);
    let mut piece = first.weights;
    loop {
        if !piece.is_empty() {
            gathering.take(&piece).map_err(|invalid| desk.refuse(invalid))?;
        }
        if gathering.is_whole() {
            break;
        }
        piece = parts.message().await?.ok_or_else(nothing)?.weights;
        if piece.is_empty() {
            return Err(nothing());
        }
    }
    let weights = parameters(gathering).map_err(|invalid| desk.refuse(invalid))?;
    let weights = if steps.corrected { weights.halves() } else { (weights, None) };
    let (done, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let (counted, ends) = (Arc::clone(&done), stop.clone().drop_guard());
    let task = tokio::spawn(async move { worker.train(steps, weights, counted, stop).await });
    let line = Line { task: Some(task), done, way: Bytes::new(), _ends: ends, _under_way: under_way };
    let metrics = Arc::clone(&desk.metrics);
    let messages = stream::unfold(Some(line), move |line| {
        let metrics = Arc::clone(&metrics);
        async move {
            let mut line = line?;
            match line.next(&metrics.training).await {
                Ok(Some(part)) => Some((Ok(part), Some(line))),
                Ok(None) => None,
                Err(refusal) => Some((Err(metrics.refuse(refusal)), None)),
            }
        }
    });
    Ok(messages.boxed())
}

/// An answer under way: signs of life, then what came of the steps, then the way.
struct Line {
    task: Option<JoinHandle<Result<Done, Refusal>>>,
    done: Arc<AtomicU32>,
    /// What is still to be sent of it.
    way: Bytes,
    /// Ends the steps of a caller that hangs up.
    _ends: DropGuard,
    _under_way: UnderWay,
}

// === impl Line ===

impl Line {
    /// The next message; `None` behind the last. Steps are counted once they are done.
    async fn next(&mut self, metrics: &TrainingMetrics) -> Result<Option<proto::TrainedPart>, Refusal> {
        let Some(task) = &mut self.task else {
            let piece = self.way.split_to(self.way.len().min(PIECE));
            let part = || proto::TrainedPart { done: 0, head: None, way: piece.clone() };
            return Ok((!piece.is_empty()).then(part));
        };
        let mut sign = interval(SIGN_OF_LIFE);
        // Its first tick is now.
        sign.tick().await;
        tokio::select! {
            ended = task => {
                self.task = None;
                let lost = |_| Refusal::NotTrained { message: "the steps ended badly: please report it".to_owned() };
                let Done { trained, way } = ended.map_err(lost)??;
                metrics.count(&trained);
                self.way = way;
                let done = trained.steps;
                Ok(Some(proto::TrainedPart { done, head: Some(trained.into()), way: Bytes::new() }))
            }
            _ = sign.tick() => {
                let done = self.done.load(Ordering::Relaxed);
                Ok(Some(proto::TrainedPart { done, head: None, way: Bytes::new() }))
            }
        }
    }
}

/// The one message of an answer.
pub(super) type Judged = stream::BoxStream<'static, Result<proto::WeightScores, Status>>;

pub(super) async fn score(desk: &Desk, request: Request<Streaming<proto::ScorePart>>) -> Result<Judged, Status> {
    let mut parts = request.into_inner();
    let nothing = || desk.refuse(Invalid::new("weights that do not say whose they are"));
    let head = parts.message().await?.and_then(|part| part.head).ok_or_else(nothing)?;
    let scores = Scores::try_from(head).map_err(|invalid| desk.refuse(invalid))?;
    let worker = desk.trainings.find(scores.training).map_err(|refusal| desk.refuse(refusal))?;
    let mut gathering = Gathering::new(scores.weights);
    while !gathering.is_whole() {
        let part = parts.message().await?.ok_or_else(nothing)?;
        gathering.take(&part.weights).map_err(|invalid| desk.refuse(invalid))?;
    }
    let weights = parameters(gathering).map_err(|invalid| desk.refuse(invalid))?;
    let (metrics, under_way) = (Arc::clone(&desk.metrics), worker.hear());
    // The answer comes in a stream, since it may take longer than a call may to be answered.
    let answer = async move {
        let judged = spawn_blocking(move || {
            let _under_way = under_way;
            Worker::score(&worker, &weights, scores.most)
        });
        let judged = judged.await.map_err(|_| Status::internal("weights could not be judged: please report it"))?;
        judged.map(Into::into).map_err(|refusal| metrics.refuse(refusal))
    };
    Ok(stream::once(answer).boxed())
}

pub(super) fn end(desk: &Desk, request: &proto::EndTrainingRequest) -> Result<proto::TrainingEnded, Status> {
    let id = TrainingId::from_bytes(&request.training).map_err(|invalid| desk.refuse(invalid))?;
    desk.trainings.end(id);
    Ok(proto::TrainingEnded {})
}

fn parameters(gathering: Gathering) -> Result<Parameters, Invalid> {
    let bytes = gathering.finish()?;
    Parameters::from_bytes(&bytes).ok_or_else(|| Invalid::new("weights are numbers of 4 bytes"))
}
