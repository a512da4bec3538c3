//! The shortest predicted epoch, and how short any can be.
//!
//! A multiple-choice problem: of each sample one way, so that the resource that takes longest takes as little as
//! possible. Its relaxation is solved to the end ([`relaxation`]), which gives prices and a bound; its solution divides
//! few samples, or many that are alike, and is made whole ([`rounding`]), then better ([`search`], [`repair`]), and on
//! small datasets the best there is ([`exact`]).

mod problem;

mod master;
mod relaxation;
mod rounding;

mod assignment;
mod changes;
mod search;
mod steps;

mod exact;
mod repair;
mod tree;

pub(super) use problem::Dual;

use crate::cost::CostModel;
use crate::error::PlanningError;
use assignment::Assignment;
use problem::Problem;

/// A plan that is as good as it could be made.
pub(super) struct Optimum {
    pub(super) choices: Vec<u8>,
    pub(super) dual: Dual,
    /// Whether no plan is better.
    pub(super) proven: bool,
}

/// How close to the bound, relative to it, a plan of a small dataset is good enough.
const GOOD_ENOUGH: f64 = 1e-7;
/// How close to the bound a plan of a large dataset is good enough: work takes longer there, and each sample weighs
/// less.
const GOOD_ENOUGH_LARGE: f64 = 3e-5;
/// The most samples of a small dataset.
const LARGE: usize = 40_000;
/// How close to the bound a plan is not repaired: a tenth of what is promised for a thousand samples.
const MENDED: f64 = 1e-4;
/// The most samples of a dataset on which branch and bound is tried.
const MOST_EXACT: usize = 20_000;

/// The best of what can be found and of `others`, which it is never worse than.
pub(super) fn plan(model: &CostModel<'_>, allowed: &[usize], others: Vec<Vec<u8>>) -> Result<Optimum, PlanningError> {
    let problem = Problem::new(model, allowed)?;
    let relaxed = relaxation::solve(&problem);
    let dual = Dual { bound: relaxed.bound, prices: relaxed.prices.clone() };
    let close = if model.profile.len() > LARGE { GOOD_ENOUGH_LARGE } else { GOOD_ENOUGH };
    let good_enough = dual.bound * (1.0 + close);
    let mut best = Assignment::new(model, rounding::round(&problem, &relaxed));
    drop(relaxed);
    search::improve(&mut best, &problem, &dual, good_enough);
    for choices in others {
        let mut other = Assignment::new(model, choices);
        if other.epoch < best.epoch {
            search::improve(&mut other, &problem, &dual, good_enough);
            best = other;
        }
    }
    repair::mend(&mut best, &problem, &dual, dual.bound * (1.0 + MENDED));
    let mut proven = best.epoch <= dual.bound * (1.0 + 1e-12);
    if !proven && model.profile.len() <= MOST_EXACT {
        proven = exact::finish(&mut best, &problem, &dual);
    }
    Ok(Optimum { choices: best.choices, dual, proven })
}

/// The prices and the bound, without a plan.
pub(super) fn dual(model: &CostModel<'_>, allowed: &[usize]) -> Result<Dual, PlanningError> {
    let problem = Problem::new(model, allowed)?;
    let relaxed = relaxation::solve(&problem);
    Ok(Dual { bound: relaxed.bound, prices: relaxed.prices })
}
