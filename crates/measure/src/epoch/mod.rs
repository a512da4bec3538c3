//! `profiler epoch`: one epoch as a trainer would stream it, measured and held against what was predicted.

mod args;
mod drive;
mod mode;
mod report;

pub(crate) use args::EpochArgs;
pub(crate) use report::{Compared, EpochReport, Pair};

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use headwater_cli::{Outcome, PhaseBars, Progress};
use headwater_client::{ClientOptions, Dataset};
use headwater_pilot::{
    Autopilot, AutopilotOptions, NetworkOptions, Steering, bandwidth_of, resources_of, shuffled, sketch, ways_between,
    worth_a_look,
};
use headwater_plan::{Algorithm, Plan, Prediction, Profile, Resources, Way, plan};
use headwater_types::Recipe;

use crate::plan::{Allowed, read_plan, read_profile};
use drive::{Course, drive};
use mode::Mode;

/// Plans if need be, streams the epoch, and says how it went.
pub(crate) async fn epoch(args: &EpochArgs, progress: &Progress) -> anyhow::Result<Outcome<EpochReport>> {
    let recipe = args.run.recipe()?;
    let file = args.plan()?;
    let options = ClientOptions { cpu_workers: args.trainer_cores(), ..args.served.options() };
    let dataset = args.served.connect(args.limit_bandwidth, options.clone()).await?;
    let samples = shuffled(dataset.len(), args.run.seed(), args.run.epoch());
    let resources = resources(args, &dataset, progress).await?;
    let prepared = prepare(args, file, &dataset, &recipe, &resources, &samples, progress).await?;
    let course = Course {
        dataset: &dataset,
        recipe: Arc::new(recipe.clone()),
        samples,
        seed: args.run.seed(),
        epoch: args.run.epoch(),
        batch_size: args.batch_size,
        accelerator_rate: args.accelerator_rate,
        digest: args.digest,
        halve_after: args.halve_after,
        options,
    };
    let measured = drive(course, &prepared.steering, progress).await?;
    let told = measured.failures.tell(measured.samples, args.failures.max_failures);
    Ok(Outcome::of(EpochReport::new(args, &dataset, &recipe, resources, &prepared, &measured), told))
}

/// How the epoch is steered, and what was predicted of it.
pub(crate) struct Prepared {
    steering: Steering,
    prediction: Option<Prediction>,
    /// Samples of the profile that were measured, where one was made on the spot.
    sketched: Option<u64>,
}

async fn prepare(
    args: &EpochArgs,
    file: Option<&Path>,
    dataset: &Dataset,
    recipe: &Recipe,
    resources: &Resources,
    samples: &[headwater_types::SampleIndex],
    progress: &Progress,
) -> anyhow::Result<Prepared> {
    let unplanned = |steering| Prepared { steering, prediction: None, sketched: None };
    if let Some(file) = file {
        let plan = read_plan(file)?;
        let steering =
            Steering::by(&plan, dataset, recipe).with_context(|| format!("--mode plan {}", file.display()))?;
        return Ok(Prepared { steering, prediction: Some(plan.prediction), sketched: None });
    }
    let Some(algorithm) = args.mode.algorithm() else { bail!("--mode {} is no mode", args.mode) };
    if let (Algorithm::Static(way), None) = (algorithm, &args.profile) {
        return Ok(unplanned(Steering::fixed(way)));
    }
    let (profile, sketched) = match &args.profile {
        Some(file) => (read_profile(file)?, None),
        None => {
            let ways = sketched_ways(&args.mode, &args.allow_cuts, recipe);
            let address = (args.run.seed(), args.run.epoch());
            // Connected to anew: a limit on the epoch's bandwidth is none on what is measured for its plan.
            let unlimited = args.served.connect(None, args.served.options()).await?;
            let bars = PhaseBars::new(progress);
            let profile =
                sketch(&unlimited, recipe, ways, address, &|phase, more| bars.told(phase.title(), phase.total(), more))
                    .await?;
            let (measured, samples) = (profile.provenance().measured, profile.len());
            tracing::info!(measured, samples, "profiled a little: give --profile FILE to plan from a better one");
            (profile, Some(measured))
        }
    };
    check(&profile, dataset, recipe)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    if args.mode == Mode::Auto {
        let options = AutopilotOptions { allowed, algorithm, ..AutopilotOptions::default() };
        let autopilot = Autopilot::planned(Arc::new(profile), resources.clone(), options, samples).await?;
        let prediction = autopilot.prediction().cloned();
        return Ok(Prepared { steering: Steering::piloted(autopilot), prediction, sketched });
    }
    let resources = resources.clone();
    let planned = tokio::task::spawn_blocking(move || plan(&profile, &resources, &allowed, algorithm));
    let plan: Plan = planned.await.context("planning")??;
    let steering = match algorithm {
        Algorithm::Static(way) => Steering::fixed(way),
        _ => Steering::by(&plan, dataset, recipe)?,
    };
    Ok(Prepared { steering, prediction: Some(plan.prediction), sketched })
}

/// What the epoch may use: as it was said, and else as it is announced or measured.
async fn resources(args: &EpochArgs, dataset: &Dataset, progress: &Progress) -> anyhow::Result<Resources> {
    let mut resources = resources_of(dataset);
    if let Some(cores) = args.storage_cores {
        resources.servers.iter_mut().for_each(|server| server.cores = cores);
    }
    resources.accelerator_rate = args.accelerator_rate;
    resources.bandwidth = match args.bandwidth.or(args.limit_bandwidth) {
        None if args.mode.plans() => {
            let (bars, options) = (PhaseBars::new(progress), NetworkOptions::default());
            bandwidth_of(dataset, &options, &|phase, more| bars.told(phase.title(), phase.total(), more)).await?
        }
        said => said,
    };
    Ok(resources)
}

/// What is profiled on the spot. SOPHON looks at every stage that it has.
fn sketched_ways(mode: &Mode, allowed: &[Allowed], recipe: &Recipe) -> Vec<Way> {
    match allowed {
        [] if *mode == Mode::Sophon => ways_between(recipe, |way| way.sophon_number().is_some()),
        [] => worth_a_look(recipe),
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
