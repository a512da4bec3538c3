//! `profiler dataset`: what every sample costs at every way.

mod args;
mod report;

pub(crate) use args::DatasetArgs;

use std::time::{Duration, Instant};

use anyhow::bail;
use headwater_cli::outputs::Written;
use headwater_cli::{Failures, GrowingBar, Outcome, Outputs, Progress, user_cache};
use headwater_client::{ClientError, Dataset, RegisteredModel};
use headwater_infer::{LocalExtractor, LocalOptions};
use headwater_pilot::{Headway, Making, ProfileOptions, Samples, profile, ways_between};
use headwater_plan::{Allowed, Profile};
use headwater_types::{Recipe, SampleIndex};
use tokio_util::sync::CancellationToken;

use report::ProfileReport;

/// Measures, and writes the profile. Where it is stopped, nothing is written: a profile without the headers of some
/// samples is nothing to plan from, and the fit of few measurements is nobody's wish.
pub(crate) async fn dataset(
    args: &DatasetArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<ProfileReport>> {
    let samples = args.samples()?;
    let output = Outputs::new().reading("--extractor", args.extractor.as_deref()).file("--out", &args.out)?;
    let begin = Instant::now();
    let measured = stop.run_until_cancelled(Box::pin(measure(args, samples, progress))).await;
    let Some((profile, failures)) = measured.transpose()? else {
        bail!(
            "stopped before the profile was whole: nothing was written to {}; --samples N measures fewer",
            args.out.display()
        );
    };
    let took = begin.elapsed();
    let Written { path, fault } = headwater_tables::profile::write(output, &profile)?;
    let few_enough = failures.check(profile.len() as u64, args.failures.max_failures);
    let report = ProfileReport::new(&path, &profile, failures, (args.repeats.get(), took));
    Ok(match fault {
        Some(fault) => Outcome::short(report, fault),
        None => Outcome::of(report, few_enough),
    })
}

async fn measure(args: &DatasetArgs, samples: Samples, progress: &Progress) -> anyhow::Result<(Profile, Failures)> {
    let made = Made::open(args).await?;
    let making = made.making();
    let options = ProfileOptions {
        ways: ways_between(making.target(), |way| !Allowed::ways(&args.allow_cuts, &[way]).is_empty()),
        samples,
        repeats: args.repeats.get(),
        budget: args.profile_seconds.or(matches!(samples, Samples::Within(_)).then_some(UNASKED)),
        address: args.run.address(),
    };
    let bar = GrowingBar::new(progress, "profile");
    let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
    let profile = profile(made.dataset(), making, &options, &on_progress).await?;
    let failures = unreadable(made.dataset(), &profile).await?;
    Ok((profile, failures))
}

/// The photos whose headers cannot be read: a plan has them come as they are stored.
async fn unreadable(dataset: &Dataset, profile: &Profile) -> Result<Failures, ClientError> {
    let has_header = |index: &usize| profile.facts(*index).is_some_and(|facts| facts.width.is_some());
    let without = (0..profile.len()).filter(|index| !has_header(index));
    let without: Vec<_> = without.map(|index| SampleIndex(index as u64)).collect();
    let mut failures = Failures::default();
    for surveyed in dataset.survey(&without, |_| {}).await? {
        if let Err(failure) = surveyed.outcome {
            failures.add(failure.kind, surveyed.index, surveyed.key.as_ref().map(|key| key.as_str()));
        }
    }
    Ok(failures)
}

/// What measuring may take where neither its time nor its samples are said.
const UNASKED: Duration = Duration::from_secs(60);

/// A dataset, and what is made of it.
enum Made {
    Tensors { dataset: Dataset, recipe: Box<Recipe> },
    Features { dataset: Dataset, model: Box<RegisteredModel>, here: Box<LocalExtractor> },
}

// === impl Made ===

impl Made {
    async fn open(args: &DatasetArgs) -> anyhow::Result<Self> {
        let (Some(name), Some(extractor)) = (&args.model, &args.extractor) else {
            let recipe = Box::new(args.run.recipe()?);
            return Ok(Self::Tensors { dataset: args.connect().await?, recipe });
        };
        let dataset = args.connect().await?;
        let model = Box::new(dataset.registered_model(name)?);
        let options = LocalOptions {
            onnxruntime: args.onnxruntime.clone(),
            devices: args.device.clone(),
            engines: user_cache().map(|cache| cache.join("engines")),
            ..LocalOptions::default()
        };
        let here = LocalExtractor::open(extractor.clone(), model.info.clone(), dataset.options(), options).await?;
        Ok(Self::Features { dataset, model, here: Box::new(here) })
    }

    fn dataset(&self) -> &Dataset {
        match self {
            Self::Tensors { dataset, .. } | Self::Features { dataset, .. } => dataset,
        }
    }

    fn making(&self) -> Making<'_> {
        match self {
            Self::Tensors { recipe, .. } => Making::Tensors(recipe),
            Self::Features { model, here, .. } => Making::Features { model, here: &**here },
        }
    }
}
