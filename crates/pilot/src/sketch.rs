//! A profile made on the spot where a plan is wanted and no profile is given. It measures few samples, within a budget
//! of time, and only the ways that may pay.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::Dataset;
use headwater_plan::{Profile, Resources};
use headwater_types::{Address, BitsPerSecond, Cut, SampleIndex, Way};
use tokio::time::Instant;

use crate::appraisal::{Appraisal, LEAST_NETWORK, plain};
use crate::autopilot::{Autopilot, AutopilotOptions};
use crate::error::PilotError;
use crate::headway::{Meter, OnProgress};
use crate::network::{NetworkOptions, network};
use crate::profile::{ProfileOptions, Samples, metered};
use crate::resources::resources_for;
use crate::steering::Steering;
use crate::target::{Making, Target};
use crate::ways::ways_between;

/// Totals are measured within 5 %: a plan hardly changes below that, and the epoch waits.
const PRECISION: f64 = 0.05;
/// Part of a budget that the network takes, all servers together.
const NETWORK_PART: f64 = 0.2;
/// The most time that measuring the network takes at each server.
const MOST_NETWORK: Duration = Duration::from_secs(3);

/// What is measured before a job.
#[derive(Clone, Debug, Default)]
pub struct SketchOptions {
    /// Time that measuring may take. `None` allows [`PROFILE_PART`](crate::PROFILE_PART) of the job's estimated time.
    pub budget: Option<Duration>,
    /// Whether a plan is wanted whatever it takes. Then a budget that is too short for the first measurements is
    /// exceeded.
    pub insist: bool,
    /// The ways that are measured. An empty list stands for the ways that are [worth a look](worth_a_look).
    pub ways: Vec<Way>,
    /// Bits per second that arrive at most. `None` has them measured.
    pub bandwidth: Option<BitsPerSecond>,
}

/// What was measured before a job.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// What samples cost.
    pub profile: Profile,
    /// Bits per second that arrive at most.
    pub bandwidth: Option<BitsPerSecond>,
}

/// The ways that are worth a look, tensors or features: a whole photo's pixels and floats never pay.
pub fn worth_a_look<'a>(target: impl Into<Target<'a>>) -> Vec<Way> {
    ways_between(target, |way| matches!(way.cut(), Cut::JpegCrop | Cut::Flipped | Cut::Features))
}

/// Profiles a dataset a little for a job over these samples, and measures the network. Where the job is too short for
/// that there is no sketch, and the appraisal says why.
///
/// # Errors
/// Servers that cannot be asked, and a dataset that cannot be profiled.
pub async fn sketch<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    options: &SketchOptions,
    address: Address,
    samples: &[SampleIndex],
    on_progress: OnProgress<'_>,
) -> Result<(Appraisal, Option<Sketch>), PilotError> {
    let (begin, making, meter) = (Instant::now(), making.into(), Meter::new(on_progress));
    let ways = if options.ways.is_empty() { worth_a_look(making.target()) } else { options.ways.clone() };
    let mut appraisal = Appraisal::of(dataset, making, &ways, address, samples, options.budget, &meter).await?;
    appraisal.planned |= options.insist;
    if !appraisal.planned {
        appraisal.trace();
        return Ok((appraisal, None));
    }
    let budget = appraisal.budget();
    let bandwidth = match options.bandwidth {
        Some(said) => Some(said),
        None => bandwidth_of(dataset, budget, &meter).await?,
    };
    let budget = Some(budget.saturating_sub(begin.elapsed()));
    let options = ProfileOptions { ways, samples: Samples::Within(PRECISION), repeats: 1, budget, address };
    let profile = metered(dataset, making, &options, &meter).await?;
    (appraisal.measured, appraisal.seconds) = (profile.provenance().measured, begin.elapsed().as_secs_f64());
    appraisal.trace();
    Ok((appraisal, Some(Sketch { profile, bandwidth })))
}

/// Bits per second that arrive here at most. Servers are measured one at a time, which does not show what all of them
/// bring at once. The fastest server shows what this machine's own network takes at least. A running epoch finds out
/// the rest.
async fn bandwidth_of(
    dataset: &Dataset,
    budget: Duration,
    meter: &Meter<'_>,
) -> Result<Option<BitsPerSecond>, PilotError> {
    let servers = u32::try_from(dataset.partitions().len()).unwrap_or(u32::MAX).max(1);
    let time = (budget.mul_f64(NETWORK_PART) / servers).clamp(LEAST_NETWORK, MOST_NETWORK);
    // In twentieths of a second: about as long as a sample takes on a slow network.
    let piece = |time: Duration| u64::try_from(time.as_millis() / 50).unwrap_or_default();
    meter.expect(piece(time) * u64::from(servers));
    let options = NetworkOptions { time, ..NetworkOptions::default() };
    let links = network(dataset, &options, &|_| ()).await?;
    meter.done(piece(time) * u64::from(servers));
    let fastest = links.iter().filter_map(|link| link.bandwidth).map(BitsPerSecond::get).fold(0.0, f64::max);
    Ok(BitsPerSecond::new(fastest))
}

/// Everything that `--plan auto` takes: a little profile, the network, a plan, and a pilot for it. A job that is too
/// short for that goes the plain way.
///
/// # Errors
/// Servers that cannot be asked, a dataset that cannot be profiled, and where there is no plan.
pub async fn auto<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    options: &SketchOptions,
    address: Address,
    samples: &[SampleIndex],
    on_progress: OnProgress<'_>,
) -> Result<(Steering, Appraisal), PilotError> {
    let making = making.into();
    // What is fetched for a profile is not what was asked for: it counts by itself.
    let apart = dataset.again().await?;
    let (appraisal, sketch) = sketch(&apart, making, options, address, samples, on_progress).await?;
    let Some(Sketch { profile, bandwidth }) = sketch else {
        return Ok((Steering::new(plain(dataset, making)), appraisal));
    };
    let resources = Resources { bandwidth, ..resources_for(dataset, making) };
    let autopilot = Autopilot::planned(Arc::new(profile), resources, AutopilotOptions::default(), samples).await?;
    Ok((Steering::piloted(autopilot), appraisal))
}
