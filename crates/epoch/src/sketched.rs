//! What is measured before an epoch that is to be planned without a profile.

use std::time::Duration;

use headwater_client::Dataset;
use headwater_pilot::{Appraisal, NetworkOptions, Sketch, SketchOptions, network, sketch, ways_between};
use headwater_plan::{Allowed, Resources, sophon};
use headwater_types::{BitsPerSecond, Recipe, SampleIndex, Way};

use crate::error::EpochError;
use crate::mode::EpochMode;
use crate::options::EpochOptions;
use crate::stage::{EpochStage, StageListener};

/// What a profile may take for a mode that needs one, where nothing else was said.
const INSISTED: Duration = Duration::from_secs(10);

/// Profiles a little. Only [`EpochMode::Auto`] goes without a profile where the epoch is too short for one.
pub(crate) async fn sketched(
    options: &EpochOptions,
    samples: &[SampleIndex],
    resources: &Resources,
    listener: StageListener<'_>,
) -> Result<(Appraisal, Option<Sketch>), EpochError> {
    let insist = options.mode != EpochMode::Auto;
    let sketched = SketchOptions {
        budget: options.profile_time.or(insist.then_some(INSISTED)),
        insist,
        ways: sketched_ways(&options.mode, &options.allowed, &options.recipe),
        bandwidth: resources.bandwidth,
    };
    // A connection of its own: the limit on the epoch's bandwidth is none on what is measured for its plan.
    let unlimited = options.connect(None, options.client.clone()).await?;
    let on_progress = |headway| listener(EpochStage::Profiling(headway));
    Ok(sketch(&unlimited, &options.recipe, &sketched, options.address, samples, &on_progress).await?)
}

/// The bandwidth from the fastest server.
pub(crate) async fn fastest(
    dataset: &Dataset,
    listener: StageListener<'_>,
) -> Result<Option<BitsPerSecond>, EpochError> {
    let on_progress = |milliseconds| listener(EpochStage::Network(milliseconds));
    let links = network(dataset, &NetworkOptions::default(), &on_progress).await?;
    let rates = links.iter().filter_map(|link| link.bandwidth).map(BitsPerSecond::get);
    Ok(BitsPerSecond::new(rates.fold(0.0, f64::max)))
}

/// The ways that are profiled; where the list is empty, the ways that are worth a look. SOPHON looks at every stage
/// that it has.
fn sketched_ways(mode: &EpochMode, allowed: &[Allowed], recipe: &Recipe) -> Vec<Way> {
    match allowed {
        [] if *mode == EpochMode::Sophon => ways_between(recipe, |way| sophon::number(way).is_some()),
        [] => Vec::new(),
        some => ways_between(recipe, |way| !Allowed::ways(some, &[way]).is_empty()),
    }
}
