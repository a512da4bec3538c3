//! `tuner fine-tune`: a head, trained on the features of a dataset.

mod after;
mod here;
mod live;
mod rounds;
mod row;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use headwater_cli::exit::UsageError;
use headwater_cli::{GrowingBar, Outcome, Outputs, Progress};
use headwater_extraction::Connected;
use headwater_learn::{Head, Runs};
use headwater_pilot::Headway;
use headwater_tables::features::{FeatureFolder, FeatureProvenance};
use headwater_training::{
    FeatureSource, HeadFile, JoinedFile, Listener, Milestone, SaveError, Saved, TrainingError, TrainingOptions, train,
};
use tokio_util::sync::CancellationToken;

use crate::args::FineTuneArgs;
use crate::report::FineTuneSummary;

pub(crate) use rounds::rounds;

/// Runs fine-tuning to its end. After `stop`, ends within the time of a training step.
pub(crate) async fn fine_tune(
    args: &FineTuneArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<FineTuneSummary>> {
    let begin = Instant::now();
    let file = open_outputs(args)?;
    let source = stop.run_until_cancelled(Box::pin(open(args, progress))).await.ok_or(TrainingError::Stopped)??;
    if let Some(name) = &args.push {
        let rehearsal = Box::pin(after::rehearse(args, name));
        stop.run_until_cancelled(rehearsal).await.ok_or(TrainingError::Stopped)??;
    }
    let provenance = source.provenance();
    let options = args.training_options();
    let runs = Runs::new(provenance.samples, args.runs.get(), options.train.seed)?;
    let file = rehearse(args, provenance, file).await?;

    let listener = bars(progress, &runs, options.train.epochs, provenance.samples);
    let trained = train(&source, &runs, options, listener, stop).await?;
    let Saved { head, joined, fault } = save(file, provenance.clone(), trained.head.clone()).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let summary = FineTuneSummary::new(provenance, &trained, options.train.seed, (head, joined), seconds);
    let summary = match source.servers() {
        Some(servers) => {
            summary.with_traffic(servers.bytes_received(), servers.stored_bytes()).with_ways(servers.travelled())
        }
        None => summary,
    };
    let few_enough = trained.counts.failures.check(trained.counts.images, args.failures.max_failures);
    let fault = fault.map_or(few_enough.map_err(anyhow::Error::from), |fault| Err(fault.into()));
    match (&args.push, fault) {
        (Some(name), Ok(())) => after::push_and_relabel((args, name), summary, progress, stop).await,
        // A head that was trained on few of the photos, or could not be kept, serves nobody.
        (_, fault) => Ok(Outcome::of(summary, fault)),
    }
}

/// Opens the files that take the models.
fn open_outputs(args: &FineTuneArgs) -> Result<HeadFile, SaveError> {
    let plan = &args.from.connection.plan;
    let mut outputs = Outputs::new()
        .reading("--join", args.join.as_deref())
        .reading("--plan", plan.plan.as_deref())
        .reading("--split-by", plan.split_by.as_deref())
        .reading("--extractor", plan.extractor.as_deref());
    let head = outputs.file("--out", &args.out)?;
    let joined = match args.join.clone().zip(args.joined_out.as_ref()) {
        Some((extractor, out)) => Some(JoinedFile { extractor, file: outputs.file("--joined-out", out)? }),
        None => None,
    };
    Ok(HeadFile { head, joined })
}

/// Opens the folder of features, or connects to the servers and plans how samples come.
async fn open(args: &FineTuneArgs, progress: &Progress) -> anyhow::Result<FeatureSource> {
    if let Some(folder) = args.from.features.clone() {
        let opened = tokio::task::spawn_blocking(move || FeatureFolder::open(&folder)).await;
        let opened = opened.map_err(TrainingError::from)??;
        return Ok(FeatureSource::Folder(opened));
    }
    let connected = Connected::new(args.served_model()?).await?;
    let bar = GrowingBar::new(progress, "profile");
    let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
    let all = (0..connected.provenance().samples).into();
    Ok(FeatureSource::Servers(connected.steer(&all, &on_progress).await?))
}

/// Finds out at the start what can be known to go wrong at the end.
async fn rehearse(args: &FineTuneArgs, provenance: &FeatureProvenance, file: HeadFile) -> anyhow::Result<HeadFile> {
    TrainingOptions::classes(provenance)?;
    let (runs, samples) = (args.runs, provenance.samples);
    if u64::from(runs.get()) > samples {
        let words = format!("--runs {runs} of {samples} samples leaves runs without a sample: give {samples} or fewer");
        return Err(UsageError(words).into());
    }
    let untrained = args.training_options().untrained(provenance)?;
    let provenance = provenance.clone();
    let rehearsing = tokio::task::spawn_blocking(move || file.rehearse(&provenance, &untrained).map(|()| file));
    Ok(rehearsing.await.map_err(TrainingError::from)?.map_err(TrainingError::from)?)
}

async fn save(file: HeadFile, provenance: FeatureProvenance, head: Head) -> anyhow::Result<Saved> {
    let saving = tokio::task::spawn_blocking(move || file.save(&provenance, &head));
    Ok(saving.await.map_err(TrainingError::from)?.map_err(TrainingError::from)?)
}

/// A bar for the training, and one for the extraction that goes when every run was extracted.
fn bars(progress: &Progress, runs: &Runs, epochs: u32, samples: u64) -> Listener {
    let training = progress.items("train (epochs)", Some(u64::from(runs.count()) * u64::from(epochs)));
    let extraction = Mutex::new(Some(progress.items("extract", Some(samples))));
    Arc::new(move |milestone| match milestone {
        Milestone::SampleCame => {
            let extraction = extraction.lock().unwrap_or_else(PoisonError::into_inner);
            extraction.iter().for_each(|bar| bar.add(1));
        }
        Milestone::AllExtracted => drop(extraction.lock().unwrap_or_else(PoisonError::into_inner).take()),
        Milestone::EpochEnded(validation) => {
            training.add(1);
            if let Some(validation) = validation {
                training.note(format!("validation top-1 {:.4}, loss {:.4}", validation.top1, validation.loss));
            }
        }
        Milestone::RunsTrained(runs) => training.set(u64::from(runs) * u64::from(epochs)),
    })
}

#[cfg(test)]
mod tests;
