//! Why a sample travels as it does: what every way would have cost it, and what that is worth at the plan's prices.
//!
//! A price says what a second of a resource is worth in seconds of the epoch. A way's price for a sample is what its
//! bytes, CPU seconds and device seconds take of each resource, times the prices: an optimal plan gives each sample its
//! cheapest way, but for the few that keep resources even.

use std::fmt;

use headwater_types::{DevicePool, Way};
use serde::Serialize;

use crate::algorithm::Algorithm;
use crate::cost::CostModel;
use crate::error::PlanningError;
use crate::plan::Plan;
use crate::profile::{Cost, Profile};
use crate::sophon;

/// Why a sample travels as it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The sample's index.
    pub index: usize,
    /// The sample's key.
    pub key: Option<String>,
    /// Columns of the decoded photo.
    pub width: Option<u32>,
    /// Rows of the decoded photo.
    pub height: Option<u32>,
    /// Whether the sample's costs were measured. Otherwise they were predicted from those of other samples.
    pub measured: bool,
    /// The server that has the sample.
    pub server: String,
    /// The way by which the plan has it travel.
    pub way: Way,
    /// The reason, in a sentence.
    pub reason: String,
    /// Every way of the profile.
    pub ways: Vec<WayCost>,
}

/// What a way costs a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WayCost {
    /// The way.
    pub way: Way,
    /// Bytes of the sample's payload.
    pub bytes: u64,
    /// CPU seconds of the server's pool.
    pub storage_seconds: f64,
    /// Seconds of one of the server's devices, where the plan has them infer; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_device_seconds: Option<f64>,
    /// CPU seconds of the trainer.
    pub trainer_seconds: f64,
    /// Seconds of one of the trainer's devices, where the plan has them infer; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trainer_device_seconds: Option<f64>,
    /// The worth of these bytes and seconds at the plan's prices, in seconds of the epoch.
    pub price: f64,
    /// Whether the plan could choose it: allowed, and not without a core.
    pub possible: bool,
}

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExplainError {
    /// The plan was made from another profile.
    #[error("the plan was made from profile {plan}, and this one is {profile}: give the profile that it was made from")]
    OtherProfile {
        /// The digest in the plan.
        plan: String,
        /// The digest of the profile.
        profile: String,
    },
    /// The profile has no sample with this index.
    #[error("there is no sample {index}: the profile has {samples}, from 0")]
    NoSample {
        /// The index that was asked for.
        index: usize,
        /// The number of samples in the profile.
        samples: usize,
    },
    /// The plan's resources do not fit the profile.
    #[error(transparent)]
    Resources(#[from] PlanningError),
}

/// Says of sample `index` why it travels as it does.
///
/// # Errors
/// [`ExplainError`] where plan and profile do not belong together, or there is no such sample.
pub fn explain(profile: &Profile, plan: &Plan, index: usize) -> Result<Explanation, ExplainError> {
    let digest = profile.digest();
    if plan.inputs.profile != digest || plan.len() != profile.len() {
        return Err(ExplainError::OtherProfile { plan: plan.inputs.profile.short(), profile: digest.short() });
    }
    let samples = profile.len();
    let none = || ExplainError::NoSample { index, samples };
    let (facts, server) = (profile.facts(index).ok_or_else(none)?, profile.server_of(index).ok_or_else(none)?);
    let way = plan.way(index).ok_or_else(none)?;
    let resources = &plan.inputs.resources;
    let model = CostModel::new(profile, resources)?;
    let prices: Vec<_> = model
        .lines
        .iter()
        .map(|line| plan.prediction.resources.iter().find(|time| time.resource == line.resource))
        .map(|time| time.map_or(0.0, |time| time.price))
        .collect();
    let rates = model.rates(&prices)[server];
    let row = profile.row(index);
    let ways = profile.ways().iter().enumerate().map(|(position, &way)| {
        let (cost, load) = (profile.cost(index, position).unwrap_or_default(), row.load(position));
        let Cost { bytes, storage_seconds, trainer_seconds } = cost;
        let possible = plan.inputs.allowed.contains(&way) && model.lacking(server, position, load).is_none();
        let of_device = |devices: Option<DevicePool>, times: f64| devices.map(|devices| times * devices.seconds());
        WayCost {
            way,
            bytes,
            storage_seconds,
            storage_device_seconds: of_device(resources.servers[server].devices, load.inferred_there),
            trainer_seconds,
            trainer_device_seconds: of_device(resources.trainer_devices, load.inferred_here),
            price: rates.of(load),
            possible,
        }
    });
    let ways: Vec<_> = ways.collect();
    Ok(Explanation {
        index,
        key: facts.key.map(str::to_owned),
        width: facts.width,
        height: facts.height,
        measured: facts.measured,
        server: profile.servers()[server].address.clone(),
        way,
        reason: reason(plan.algorithm, way, &ways),
        ways,
    })
}

fn reason(algorithm: Algorithm, chosen: Way, ways: &[WayCost]) -> String {
    match algorithm {
        Algorithm::Optimal => by_price(chosen, ways),
        Algorithm::Sophon => by_efficiency(chosen, ways),
        Algorithm::MinimumBytes => format!("{chosen} has the fewest bytes of the ways that are possible"),
        Algorithm::Static(_) => format!("the plan is {algorithm}: every sample travels as {chosen}"),
    }
}

fn by_price(chosen: Way, ways: &[WayCost]) -> String {
    let possible = || ways.iter().filter(|way| way.possible);
    let others = possible().filter(|way| way.way != chosen).min_by(|a, b| a.price.total_cmp(&b.price));
    let (Some(own), Some(next)) = (possible().find(|way| way.way == chosen), others) else {
        return format!("{chosen} is the only way that is possible");
    };
    let (own, price, next) = (Seconds(own.price), own.price, next);
    let difference = Seconds((next.price - price).abs());
    // Prices have about 15 digits: what differs in the twelfth is the same.
    if (next.price - price).abs() <= 1e-12 * price.max(next.price) {
        format!(
            "{chosen} and {} are worth the same ({own}): of equals the earlier cut is taken, unless the later keeps \
             resources even",
            next.way
        )
    } else if price < next.price {
        format!(
            "{chosen} is the cheapest at the plan's prices ({own}); the next, {}, would be {difference} more",
            next.way
        )
    } else {
        format!(
            "{chosen} is {difference} dearer than {} at the plan's prices: one of the samples that make the \
             resources even",
            next.way
        )
    }
}

fn by_efficiency(chosen: Way, ways: &[WayCost]) -> String {
    let raw = ways.first().map_or(0, |way| way.bytes);
    let stages = ways.iter().filter(|way| sophon::number(way.way).is_some() && (way.possible || way.way == chosen));
    // The first of equals, as the greedy has it.
    let Some(smallest) = stages.min_by_key(|way| way.bytes).filter(|way| way.bytes < raw) else {
        return "no stage is smaller than the stored photo".to_owned();
    };
    let saved = (raw - smallest.bytes) as f64 / 1e6 * 8.0;
    let efficiency = saved / smallest.storage_seconds;
    let what = format!(
        "{} saves {saved:.3} Mb for {} of storage CPU, {efficiency:.1} Mb a second",
        smallest.way,
        Seconds(smallest.storage_seconds)
    );
    if chosen.is_offloaded() {
        format!("{what}: taken before the network had become faster than the servers' cores")
    } else {
        format!("{what}: samples of higher efficiency had used up the servers' cores")
    }
}

/// Seconds with a unit that suits them.
pub struct Seconds(pub f64);

// === impl Seconds ===

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0.0 => "0 s".to_owned(),
            s if s < 1e-6 => format!("{:.3} ns", s * 1e9),
            s if s < 1e-3 => format!("{:.3} us", s * 1e6),
            s if s < 1.0 => format!("{:.3} ms", s * 1e3),
            s => format!("{s:.3} s"),
        };
        f.pad(&text)
    }
}
