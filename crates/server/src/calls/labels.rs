//! `AskLabels` and `CountLabels`: what models said of samples, out of the label index.

use std::sync::Arc;

use futures::{StreamExt, stream};
use headwater_labels::{Outcome, Place};
use headwater_types::{ClassId, SampleKey};
use headwater_wire::labels::{AskLabels, CountLabels, LabelledSample};
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use tokio::task::spawn_blocking;
use tonic::{Request, Status};

use crate::house::House;
use crate::labels::{Asked, NoSource};

use super::desk::Desk;

/// Most samples of one message.
const SAMPLES_PER_BATCH: usize = 1024;

/// The messages of an answer.
pub(super) type LabelBatches = stream::BoxStream<'static, Result<proto::LabelBatch, Status>>;

pub(super) async fn ask(desk: &Desk, request: Request<proto::AskLabelsRequest>) -> Result<LabelBatches, Status> {
    let ask = AskLabels::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let offer = desk.offer(ask.dataset.as_str(), None)?;
    offer.house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    let house = Arc::clone(&offer.house);
    let answer = spawn_blocking(move || {
        let shelf = offer.house.shelf()?;
        let asked = shelf.ask(&offer.generation, &ask.labeller, &ask.question, (ask.min_score, ask.limit));
        asked.map_err(refusal_of)
    });
    let asked = answer.await.map_err(|_| desk.refuse(Invalid::new("the question could not be answered")))?;
    let asked = asked.map_err(|refusal| desk.refuse(refusal))?;
    let first = proto::LabelBatch { source: Some(asked.source.clone().into()), samples: Vec::new() };
    let rest = stream::unfold((house, Arc::new(asked), 0, place), |(house, asked, at, place)| async move {
        let end = asked.samples.len().min(at + SAMPLES_PER_BATCH);
        if at == end {
            return None;
        }
        let read = {
            let (house, asked) = (Arc::clone(&house), Arc::clone(&asked));
            spawn_blocking(move || batch(&house, &asked, at..end)).await
        };
        let batch = read.unwrap_or_else(|_| Err(Status::internal("labels could not be read")));
        let next = if batch.is_ok() { end } else { asked.samples.len() };
        Some((batch, (house, asked, next, place)))
    });
    Ok(stream::iter([Ok(first)]).chain(rest).boxed())
}

pub(super) async fn count(
    desk: &Desk,
    request: Request<proto::CountLabelsRequest>,
) -> Result<proto::LabelCounts, Status> {
    let count = CountLabels::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let offer = desk.offer(count.dataset.as_str(), None)?;
    let answer = spawn_blocking(move || {
        let shelf = offer.house.shelf()?;
        shelf.count(&offer.generation, &count.labeller, count.min_score).map_err(refusal_of)
    });
    let counted = answer.await.map_err(|_| desk.refuse(Invalid::new("the question could not be answered")))?;
    let (source, mut counts) = counted.map_err(|refusal| desk.refuse(refusal))?;
    counts.truncate(counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1));
    Ok(proto::LabelCounts { source: Some(source.into()), counts })
}

/// Samples of an answer, with their rows, in the order of the answer. Blocks.
fn batch(house: &House, asked: &Asked, range: std::ops::Range<usize>) -> Result<proto::LabelBatch, Status> {
    let shelf = house.shelf().map_err(Status::from)?;
    let wanted = &asked.samples[range];
    let mut order: Vec<(Place, usize)> = wanted.iter().enumerate().map(|(at, (_, place, _))| (*place, at)).collect();
    order.sort_unstable();
    let places: Vec<_> = order.iter().map(|(place, _)| *place).collect();
    let mut found: Vec<Option<LabelledSample>> = vec![None; wanted.len()];
    let read = shelf.index.at(asked.run.id, &places, &mut |place, row| {
        let Ok(at) = order.binary_search_by_key(&place, |(place, _)| *place) else { return };
        let (sample, _, before) = wanted[order[at].1];
        found[order[at].1] = labelled(sample, row.key, (row.version, &row.outcome), before);
    });
    let read = read.map_err(|error| Status::unavailable(error.to_string()))?;
    if read.broken_blocks > 0 {
        tracing::error!(blocks = read.broken_blocks, "labels were broken on the disk, and are left out of an answer");
    }
    Ok(proto::LabelBatch { source: None, samples: found.into_iter().flatten().map(Into::into).collect() })
}

fn labelled(
    index: u64,
    key: &str,
    (version, outcome): ([u8; 16], &Outcome<'_>),
    before: Option<ClassId>,
) -> Option<LabelledSample> {
    let Outcome::Labels(best) = outcome else { return None };
    let key: SampleKey = key.parse().ok()?;
    Some(LabelledSample { index, key, version, best: best.to_vec(), before })
}

fn refusal_of(error: NoSource) -> Refusal {
    match error {
        NoSource::None(message) => Refusal::NoLabels { message },
        NoSource::Class(message) => Invalid::new(message).into(),
        NoSource::Index(error) => Refusal::NoLabels { message: error.to_string() },
    }
}
