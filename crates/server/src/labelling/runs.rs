//! Which run of the label index a labelling fills, and what it skips.

use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use headwater_features::Classifier;
use headwater_labels::{LabelError, Labeller, Run};
use headwater_wire::labels::Relabel;
use headwater_wire::status::Invalid;

use super::gathered::Sink;
use super::job::LabellingJob;
use super::pass::Pass;
use crate::generation::Generation;
use crate::house::House;
use crate::labels::Shelf;

/// Finds what is labelled already. Blocks.
pub(super) fn prepare(house: Arc<House>, generation: Arc<Generation>, job: Arc<LabellingJob>) -> Result<Pass> {
    let shelf = house.shelf()?;
    let forgets = job.request.from_scratch && job.labelling().labelled == 0;
    let run = run_of(shelf, &generation, &job.classifier, &job.request, forgets)?;
    let standing = shelf.standings.get(&shelf.index, run.id, generation.catalog())?;
    let skipped = {
        let standing = standing.read().unwrap_or_else(PoisonError::into_inner);
        standing.labelled() + if job.request.retry_failed { 0 } else { standing.failed() }
    };
    job.tell(|told| {
        told.samples = generation.catalog().len() as u64;
        // What this labelling has labelled itself is not skipped when it goes on.
        told.skipped = skipped.saturating_sub(told.labelled + told.failed);
    });
    let (index, classifier) = (Arc::clone(&shelf.index), Arc::clone(&job.classifier));
    let top_k = job.request.top_k as usize;
    let sink = Sink { index, run: run.id, standing, classifier, top_k };
    Ok(Pass { house, generation, job, sink })
}

/// The run of a labelling, which holds as many classes of each sample as are asked for. What it held is forgotten
/// first where that is wanted.
pub(super) fn run_of(
    shelf: &Shelf,
    generation: &Generation,
    classifier: &Classifier,
    request: &Relabel,
    forgets: bool,
) -> Result<Run> {
    let labeller = Labeller {
        model: request.model.clone(),
        digest: classifier.digest(),
        model_digest: classifier.file(),
        recipe: classifier.extractor().recipe().digest(),
        classes: classifier.classes().to_vec(),
        top_k: request.top_k,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let dataset = generation.pipeline.store.place();
    if let Some(known) = known(shelf, generation, classifier)? {
        if forgets {
            shelf.index.forget(known.id)?;
            shelf.standings.forget(known.id);
        } else {
            check_top_k(&known, request)?;
        }
    }
    Ok(shelf.index.begin(&dataset, &labeller, now)?)
}

/// What this labeller has labelled of the dataset before.
pub(super) fn known(
    shelf: &Shelf,
    generation: &Generation,
    classifier: &Classifier,
) -> Result<Option<Run>, LabelError> {
    let runs = shelf.index.runs(&generation.pipeline.store.place())?;
    Ok(runs.into_iter().find(|run| run.labeller.digest == classifier.digest() && run.rows > 0))
}

/// Checks that rows that are there have as many classes as are asked for: rows of both kinds would pass for one.
pub(super) fn check_top_k(known: &Run, request: &Relabel) -> Result<(), Invalid> {
    let (rows, top_k) = (known.rows, known.labeller.top_k);
    match top_k == request.top_k || request.from_scratch {
        true => Ok(()),
        false => Err(Invalid::new(format!(
            "{rows} samples have their {top_k} best classes of this model: give --top-k {top_k}, or --from-scratch to \
             label them anew"
        ))),
    }
}
