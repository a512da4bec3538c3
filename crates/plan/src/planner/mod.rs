//! The planners, which choose a way for each sample.
//!
//! Every algorithm's choices are judged by one cost function ([`crate::cost`]) and against one bound, so that their
//! predictions can be compared.

mod compare;
mod fixed;
mod optimal;
mod sophon;

pub use compare::{Mode, ModeOutcome, compare};

use headwater_types::Way;

use crate::algorithm::Algorithm;
use crate::cost::CostModel;
use crate::error::PlanningError;
use crate::plan::{Inputs, Plan};
use crate::prediction::Prediction;
use crate::profile::Profile;
use crate::resources::{Resource, Resources};
use optimal::Dual;

/// Plans an epoch: for each sample of the profile one of the `allowed` ways (those of them that the profile has; all
/// where it is empty).
///
/// # Errors
/// [`PlanningError`] where the resources are not those of the profile's servers, where nothing is allowed, where a
/// sample has no possible way (none that needs no storage CPU, at a server without cores), or where a static way was
/// not profiled.
pub fn plan(
    profile: &Profile,
    resources: &Resources,
    allowed: &[Way],
    algorithm: Algorithm,
) -> Result<Plan, PlanningError> {
    let model = CostModel::new(profile, resources)?;
    let allowed = positions(profile, allowed)?;
    let (choices, dual, proven) = match algorithm {
        Algorithm::Optimal => {
            let optimum = optimal::plan(&model, &allowed, others(&model, resources, &allowed))?;
            (optimum.choices, optimum.dual, optimum.proven)
        }
        Algorithm::Sophon => {
            let choices = sophon::plan(&model, resources, &allowed);
            model.check(&choices)?;
            (choices, optimal::dual(&model, &allowed)?, false)
        }
        Algorithm::MinimumBytes => (fixed::minimum_bytes(&model, &allowed)?, optimal::dual(&model, &allowed)?, false),
        Algorithm::Static(way) => {
            let known = || PlanningError::NoSuchWay { way, known: profile.ways().to_vec() };
            let position = profile.position(way).ok_or_else(known)?;
            (fixed::uniform(&model, position)?, optimal::dual(&model, &allowed)?, false)
        }
    };
    let prediction = predict(&model, &choices, &dual, proven);
    let inputs = inputs(profile, resources, &allowed);
    Ok(Plan::of_profile(algorithm, inputs, prediction, profile.ways().to_vec(), choices))
}

/// The positions of the allowed ways among the profile's.
fn positions(profile: &Profile, allowed: &[Way]) -> Result<Vec<usize>, PlanningError> {
    let ways = profile.ways();
    let is_allowed = |way: &Way| allowed.is_empty() || allowed.contains(way);
    let positions: Vec<_> = (0..ways.len()).filter(|&position| is_allowed(&ways[position])).collect();
    let nothing = || PlanningError::NothingAllowed { known: ways.to_vec() };
    (!positions.is_empty()).then_some(positions).ok_or_else(nothing)
}

/// The plans that the optimal plan is never worse than: the best static mode, the fewest bytes, and SOPHON's.
fn others(model: &CostModel<'_>, resources: &Resources, allowed: &[usize]) -> Vec<Vec<u8>> {
    let mut others: Vec<_> = fixed::best_uniform(model, allowed).into_iter().collect();
    others.extend(fixed::minimum_bytes(model, allowed).ok());
    if allowed.contains(&0) {
        let sophon = sophon::plan(model, resources, allowed);
        others.extend(model.check(&sophon).is_ok().then_some(sophon));
    }
    others
}

fn predict(model: &CostModel<'_>, choices: &[u8], dual: &Dual, proven: bool) -> Prediction {
    let loads = model.loads(choices);
    let seconds = model.seconds(&loads);
    let epoch = CostModel::epoch(&seconds);
    // By rounding alone a bound can be above what reaches it.
    let bound = dual.bound.clamp(0.0, epoch);
    let longest = (0..seconds.len()).max_by(|&a, &b| seconds[a].total_cmp(&seconds[b]).then(b.cmp(&a)));
    Prediction {
        offloaded: choices.iter().filter(|&&choice| choice != 0).count() as u64,
        bytes: loads.iter().map(|load| load.bytes as u64).sum(),
        epoch,
        bound,
        gap: if epoch > bound { epoch / bound - 1.0 } else { 0.0 },
        proven: proven || epoch <= bound * (1.0 + 1e-12),
        bottleneck: longest.map_or(Resource::Network, |at| model.lines[at].resource),
        resources: model.times(&seconds, &dual.prices),
    }
}

fn inputs(profile: &Profile, resources: &Resources, allowed: &[usize]) -> Inputs {
    let provenance = profile.provenance();
    Inputs {
        profile: profile.digest(),
        source: provenance.source,
        dataset: provenance.dataset.clone(),
        dataset_digest: provenance.dataset_digest,
        recipe: provenance.recipe.as_ref().map(|recipe| recipe.name.clone()),
        recipe_digest: provenance.recipe.as_ref().map(|recipe| recipe.digest),
        model: provenance.model.as_ref().map(|model| model.name.clone()),
        model_digest: provenance.model.as_ref().map(|model| model.digest),
        seed: provenance.seed,
        epoch: provenance.epoch,
        allowed: allowed.iter().map(|&position| profile.ways()[position]).collect(),
        resources: resources.clone(),
        servers: profile.servers().to_vec(),
    }
}

#[cfg(test)]
mod tests;
