//! A profile made on the spot, for commands that plan and were given none: few samples, and only the ways that may pay.

use std::sync::Arc;

use anyhow::Context as _;
use headwater_cli::Progress;
use headwater_client::{ClientOptions, Dataset, ServerAddress};
use headwater_pilot::{
    Autopilot, AutopilotOptions, NetworkOptions, ProfileOptions, Samples, network, profile, resources_of, ways_between,
};
use headwater_plan::{Cores, Profile, Way};
use headwater_types::{BitsPerSecond, Cut, Epoch, Recipe, SampleIndex, Seed};

use crate::gauge::Bars;
use crate::steering::Steering;

/// Totals within 5 %: a plan hardly changes below that, and the epoch waits.
const PRECISION: f64 = 0.05;

/// The ways that are worth a look: a whole photo's pixels and floats never pay.
pub(crate) fn worth_a_look() -> Vec<Way> {
    ways_between(|way| matches!(way.cut(), Cut::JpegCrop | Cut::Flipped))
}

/// Profiles a dataset a little.
pub(crate) async fn sketch(
    dataset: &Dataset,
    recipe: &Recipe,
    ways: Vec<Way>,
    (seed, epoch): (Seed, Epoch),
    progress: &Progress,
) -> anyhow::Result<Profile> {
    let bars = Bars::new(progress);
    let options = ProfileOptions { ways, samples: Samples::Within(PRECISION), repeats: 2, seed, epoch };
    let profile = profile(dataset, recipe, &options, &|phase, more| bars.told(phase, more)).await?;
    let measured = profile.provenance().measured;
    tracing::info!(
        measured,
        samples = profile.len(),
        "profiled a little: give --profile FILE to plan from a better one"
    );
    Ok(profile)
}

/// What arrives here at most. All servers at once cannot be measured one at a time: the fastest of them shows what this
/// machine's own network takes at least, and a running epoch finds out the rest.
pub(crate) async fn bandwidth_of(dataset: &Dataset, progress: &Progress) -> anyhow::Result<Option<BitsPerSecond>> {
    let bar = progress.items("network, ms", None);
    let links = network(dataset, &NetworkOptions::default(), &|more| bar.add(more)).await?;
    let fastest = links.iter().filter_map(|link| link.bandwidth).map(BitsPerSecond::get).fold(0.0, f64::max);
    Ok(BitsPerSecond::new(fastest))
}

/// Everything that `--plan auto` takes: a little profile, the network, a plan, and a pilot for it.
pub(crate) async fn auto(
    servers: &[ServerAddress],
    dataset: &Dataset,
    recipe: &Recipe,
    options: ClientOptions,
    address: (Seed, Epoch),
    samples: &[SampleIndex],
    progress: &Progress,
) -> anyhow::Result<Steering> {
    let threads = u32::try_from(options.cpu_workers.get()).unwrap_or(u32::MAX);
    // What is fetched for a profile is not what the command fetched: it counts by itself.
    let apart = Dataset::connect(servers, dataset.name(), options).await?;
    let profile = Arc::new(sketch(&apart, recipe, worth_a_look(), address, progress).await?);
    let mut resources = resources_of(dataset);
    resources.trainer_cores = Some(Cores::from(threads));
    resources.bandwidth = bandwidth_of(&apart, progress).await?;
    let samples = samples.to_vec();
    // A million samples take a planner a second.
    let piloted =
        tokio::task::spawn_blocking(move || Autopilot::new(profile, resources, AutopilotOptions::default(), &samples));
    Ok(Steering::piloted(piloted.await.context("planning")??))
}
