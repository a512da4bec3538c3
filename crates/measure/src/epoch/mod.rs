//! `profiler epoch`: one epoch as a trainer would stream it, measured and held against what was predicted.

mod args;
mod drive;
mod mode;
mod report;

pub(crate) use args::EpochArgs;
pub(crate) use report::{Compared, EpochReport, Pair};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use headwater_cli::{GrowingBar, Outcome, Progress};
use headwater_client::{ClientOptions, Dataset};
use headwater_pilot::{
    Appraisal, Autopilot, AutopilotOptions, Headway, NetworkOptions, Sketch, SketchOptions, Steering, resources_of,
    shuffled, sketch, ways_between,
};
use headwater_plan::{Algorithm, Plan, Prediction, Profile, Resources, plan, sophon};
use headwater_types::{BitsPerSecond, Recipe, SampleIndex, Way};

use crate::plan::{Allowed, read_plan, read_profile};
use drive::{Course, drive};
use mode::Mode;

/// Plans if need be, streams the epoch, and says how it went.
pub(crate) async fn epoch(args: &EpochArgs, progress: &Progress) -> anyhow::Result<Outcome<EpochReport>> {
    let recipe = args.run.recipe()?;
    let file = args.plan()?;
    let options = ClientOptions { cpu_workers: args.trainer_cores(), ..args.served.options() };
    let dataset = args.served.connect(args.limit_bandwidth, options.clone()).await?;
    let samples = shuffled(dataset.len(), args.run.address());
    let prepared = prepare(args, file, &dataset, &recipe, &samples, progress).await?;
    let course = Course {
        dataset: &dataset,
        recipe: Arc::new(recipe.clone()),
        samples,
        address: args.run.address(),
        batch_size: args.batch_size,
        accelerator_rate: args.accelerator_rate,
        digest: args.digest,
        halve_after: args.halve_after,
        options,
    };
    let measured = drive(course, &prepared.steering, progress).await?;
    let few_enough = measured.failures.check(measured.samples, args.failures.max_failures);
    Ok(Outcome::of(EpochReport::new(args, &dataset, &recipe, &prepared, &measured), few_enough))
}

/// How the epoch is steered, and what was predicted of it.
pub(crate) struct Prepared {
    steering: Steering,
    prediction: Option<Prediction>,
    resources: Resources,
    /// What was made of the epoch before it began, where it was to be profiled on the spot.
    appraisal: Option<Appraisal>,
}

async fn prepare(
    args: &EpochArgs,
    file: Option<&Path>,
    dataset: &Dataset,
    recipe: &Recipe,
    samples: &[SampleIndex],
    progress: &Progress,
) -> anyhow::Result<Prepared> {
    let mut resources = resources(args, dataset);
    if let Some(file) = file {
        let plan = read_plan(file)?;
        let steering =
            Steering::by(&plan, dataset, recipe).with_context(|| format!("--mode plan {}", file.display()))?;
        return Ok(Prepared { steering, prediction: Some(plan.prediction), resources, appraisal: None });
    }
    let Some(algorithm) = args.mode.algorithm() else { bail!("--mode {} is no mode", args.mode) };
    if let (Algorithm::Static(way), None) = (algorithm, &args.profile) {
        let steering = Steering::new(way);
        return Ok(Prepared { steering, prediction: None, resources, appraisal: None });
    }
    let (profile, appraisal) = match &args.profile {
        Some(file) => {
            let profile = read_profile(file)?;
            if args.mode.plans() && resources.bandwidth.is_none() {
                resources.bandwidth = fastest(dataset, progress).await?;
            }
            (profile, None)
        }
        None => {
            let (appraisal, sketch) = sketched(args, recipe, samples, &resources, progress).await?;
            let Some(Sketch { profile, bandwidth }) = sketch else {
                let (steering, appraisal) = (Steering::new(Way::ENCODED), Some(appraisal));
                return Ok(Prepared { steering, prediction: None, resources, appraisal });
            };
            resources.bandwidth = bandwidth;
            (profile, Some(appraisal))
        }
    };
    check(&profile, dataset, recipe)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    if args.mode == Mode::Auto {
        let options = AutopilotOptions { allowed, algorithm, ..AutopilotOptions::default() };
        let autopilot = Autopilot::planned(Arc::new(profile), resources.clone(), options, samples).await?;
        let prediction = autopilot.prediction().cloned();
        return Ok(Prepared { steering: Steering::piloted(autopilot), prediction, resources, appraisal });
    }
    let given = resources.clone();
    let planned = tokio::task::spawn_blocking(move || plan(&profile, &given, &allowed, algorithm));
    let plan: Plan = planned.await.context("planning")??;
    let steering = match algorithm {
        Algorithm::Static(way) => Steering::new(way),
        _ => Steering::by(&plan, dataset, recipe)?,
    };
    Ok(Prepared { steering, prediction: Some(plan.prediction), resources, appraisal })
}

/// What the epoch may use: as it was said, and else as it is announced.
fn resources(args: &EpochArgs, dataset: &Dataset) -> Resources {
    let mut resources = resources_of(dataset);
    if let Some(cores) = args.storage_cores {
        resources.servers.iter_mut().for_each(|server| server.cores = cores);
    }
    resources.accelerator_rate = args.accelerator_rate;
    resources.bandwidth = args.bandwidth.or(args.limit_bandwidth);
    resources
}

/// A profile on the spot: of all modes that plan, only `auto` goes without where the epoch is too short for one.
async fn sketched(
    args: &EpochArgs,
    recipe: &Recipe,
    samples: &[SampleIndex],
    resources: &Resources,
    progress: &Progress,
) -> anyhow::Result<(Appraisal, Option<Sketch>)> {
    let insist = args.mode != Mode::Auto;
    let options = SketchOptions {
        budget: args.profile_seconds.or(insist.then_some(INSISTED)),
        insist,
        ways: sketched_ways(&args.mode, &args.allow_cuts, recipe),
        bandwidth: resources.bandwidth,
    };
    let address = args.run.address();
    // Connected to anew: a limit on the epoch's bandwidth is none on what is measured for its plan.
    let unlimited = args.served.connect(None, args.served.options()).await?;
    let bar = GrowingBar::new(progress, "profile");
    let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
    Ok(sketch(&unlimited, recipe, &options, address, samples, &on_progress).await?)
}

/// What a profile on the spot may take for a mode that cannot do without.
const INSISTED: Duration = Duration::from_secs(10);

/// What arrives from the fastest server.
async fn fastest(dataset: &Dataset, progress: &Progress) -> anyhow::Result<Option<BitsPerSecond>> {
    let bar = progress.items("network, ms", None);
    let links = headwater_pilot::network(dataset, &NetworkOptions::default(), &|more| bar.add(more)).await?;
    let rates = links.iter().filter_map(|link| link.bandwidth).map(BitsPerSecond::get);
    Ok(BitsPerSecond::new(rates.fold(0.0, f64::max)))
}

/// What is profiled on the spot; what is worth a look where it is empty. SOPHON looks at every stage that it has.
fn sketched_ways(mode: &Mode, allowed: &[Allowed], recipe: &Recipe) -> Vec<Way> {
    match allowed {
        [] if *mode == Mode::Sophon => ways_between(recipe, |way| sophon::number(way).is_some()),
        [] => Vec::new(),
        some => ways_between(recipe, |way| !Allowed::ways(some, &[way]).is_empty()),
    }
}

/// A profile may only be planned from where it was made.
fn check(profile: &Profile, dataset: &Dataset, recipe: &Recipe) -> anyhow::Result<()> {
    let provenance = profile.provenance();
    if profile.len() as u64 != dataset.len()
        || provenance.dataset_digest.is_some_and(|digest| digest != dataset.digest())
    {
        bail!(
            "--profile is of another dataset, or of these servers in another order: profile this one (profiler dataset)"
        );
    }
    if let Some(model) = &provenance.model {
        bail!(
            "--profile is for features of the model {}, and an epoch streams tensors: profile without --model, or follow a plan of \
             it with tuner",
            model.name
        );
    }
    if let Some(of) = &provenance.recipe
        && of.digest != recipe.digest()
    {
        bail!(
            "--profile is of the recipe {}, and not of this {}: profile this one (profiler dataset)",
            of.name,
            recipe.name()
        );
    }
    Ok(())
}
