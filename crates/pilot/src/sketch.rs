//! A profile made on the spot, for who plans and was given none: few samples, and only the ways that may pay.

use std::sync::Arc;

use headwater_client::Dataset;
use headwater_plan::{Profile, Way};
use headwater_types::{BitsPerSecond, Cut, Epoch, SampleIndex, Seed};

use crate::autopilot::{Autopilot, AutopilotOptions};
use crate::error::PilotError;
use crate::network::{NetworkOptions, network};
use crate::profile::{Phase, ProfileOptions, Samples, profile};
use crate::resources::resources_of;
use crate::steering::Steering;
use crate::target::{Making, Target};
use crate::ways::ways_between;

/// Totals within 5 %: a plan hardly changes below that, and the epoch waits.
const PRECISION: f64 = 0.05;

/// The ways that are worth a look, tensors or features: a whole photo's pixels and floats never pay.
pub fn worth_a_look<'a>(target: impl Into<Target<'a>>) -> Vec<Way> {
    ways_between(target, |way| matches!(way.cut(), Cut::JpegCrop | Cut::Flipped | Cut::Features))
}

/// Profiles a dataset a little. `told` as in [`profile`].
///
/// # Errors
/// Those of [`profile`].
pub async fn sketch<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    ways: Vec<Way>,
    (seed, epoch): (Seed, Epoch),
    told: &(dyn Fn(Phase, u64) + Sync),
) -> Result<Profile, PilotError> {
    let options = ProfileOptions { ways, samples: Samples::Within(PRECISION), repeats: 2, seed, epoch };
    profile(dataset, making, &options, told).await
}

/// What arrives here at most. All servers at once cannot be measured one at a time: the fastest of them shows what this
/// machine's own network takes at least, and a running epoch finds out the rest.
///
/// # Errors
/// Servers that do not answer.
pub async fn bandwidth_of(
    dataset: &Dataset,
    options: &NetworkOptions,
    told: &(dyn Fn(Phase, u64) + Sync),
) -> Result<Option<BitsPerSecond>, PilotError> {
    told(Phase::Network, 0);
    let links = network(dataset, options, &|more| told(Phase::Network, more)).await?;
    let fastest = links.iter().filter_map(|link| link.bandwidth).map(BitsPerSecond::get).fold(0.0, f64::max);
    Ok(BitsPerSecond::new(fastest))
}

/// Everything that `--plan auto` takes: a little profile, the network, a plan, and a pilot for it.
///
/// # Errors
/// Servers that cannot be asked, a dataset that cannot be profiled, and where there is no plan.
pub async fn auto<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    address: (Seed, Epoch),
    samples: &[SampleIndex],
    told: &(dyn Fn(Phase, u64) + Sync),
) -> Result<Steering, PilotError> {
    let making = making.into();
    // What is fetched for a profile is not what was asked for: it counts by itself.
    let servers: Vec<_> = dataset.partitions().iter().map(|partition| partition.address.clone()).collect();
    let apart = Dataset::connect(&servers, dataset.name(), dataset.options().clone()).await?;
    let profile = Arc::new(sketch(&apart, making, worth_a_look(making.target()), address, told).await?);
    tracing::info!(measured = profile.provenance().measured, samples = profile.len(), "profiled a little");
    let mut resources = resources_of(dataset);
    resources.bandwidth = bandwidth_of(&apart, &NetworkOptions::default(), told).await?;
    Ok(Steering::piloted(Autopilot::planned(profile, resources, AutopilotOptions::default(), samples).await?))
}
