//! What an epoch would take in every simple mode, to be compared with a plan.

use headwater_types::Way;

use super::{fixed, positions, sophon};
use crate::algorithm::Algorithm;
use crate::cost::CostModel;
use crate::error::PlanningError;
use crate::prediction::{ResourceTime, Seconds};
use crate::profile::Profile;
use crate::resources::Resources;

/// What an epoch takes in one mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// The algorithm that decides.
    pub algorithm: Algorithm,
    /// The epoch's outcome; `None` where the mode is not possible because no core is there for it.
    pub outcome: Option<ModeOutcome>,
}

/// What an epoch takes in a mode that is possible.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeOutcome {
    /// Samples whose cut is not `encoded`.
    pub offloaded: u64,
    /// Bytes of all payloads.
    pub bytes: u64,
    /// Seconds by kind of resource.
    pub seconds: Seconds,
    /// Every limited resource's seconds.
    pub resources: Vec<ResourceTime>,
}

/// Each allowed way for all samples, the fewest bytes, and SOPHON's greedy: what a plan should be compared with.
///
/// # Errors
/// As [`plan`](super::plan), but for modes that are not possible.
pub fn compare(profile: &Profile, resources: &Resources, allowed: &[Way]) -> Result<Vec<Mode>, PlanningError> {
    let model = CostModel::new(profile, resources)?;
    let allowed = positions(profile, allowed)?;
    let mode = |algorithm, choices: Option<Vec<u8>>| Mode {
        algorithm,
        outcome: choices.map(|choices| ModeOutcome::new(&model, &choices)),
    };
    let mut modes: Vec<_> = allowed
        .iter()
        .map(|&position| mode(Algorithm::Static(profile.ways()[position]), fixed::uniform(&model, position).ok()))
        .collect();
    modes.push(mode(Algorithm::MinimumBytes, fixed::minimum_bytes(&model, &allowed).ok()));
    let sophon = sophon::plan(&model, resources, &allowed);
    modes.push(mode(Algorithm::Sophon, model.check(&sophon).is_ok().then_some(sophon)));
    Ok(modes)
}

// === impl ModeOutcome ===

impl ModeOutcome {
    fn new(model: &CostModel<'_>, choices: &[u8]) -> Self {
        let loads = model.loads(choices);
        let seconds = model.seconds(&loads);
        let resources = model.times(&seconds, &vec![0.0; seconds.len()]);
        Self {
            offloaded: choices.iter().filter(|&&choice| choice != 0).count() as u64,
            bytes: loads.iter().map(|load| load.bytes as u64).sum(),
            seconds: Seconds::of(&resources),
            resources,
        }
    }
}
