//! Steps from one assignment to another: one sample takes another way.
//!
//! Which steps are worth trying is known from the prices. A way's regret is what it costs more than its sample's
//! cheapest way, and all regrets of an assignment sum to at most its epoch less the bound: a way with a larger regret
//! than that is in no better assignment, and never looked at.

use std::collections::HashMap;

use super::assignment::Assignment;
use super::problem::{Dual, Problem};
use crate::cost::CostModel;

/// A step: a sample and the way that it could take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) index: usize,
    pub(super) server: usize,
    pub(super) position: u8,
    regret: f64,
}

/// Steps that are looked at.
const SINGLES: usize = 6000;
/// How many of the steps that change the same are kept.
const ALIKE: usize = 6;

/// The steps that a better assignment may consist of, those of least regret first.
pub(super) fn steps(assignment: &Assignment, problem: &Problem<'_>, dual: &Dual) -> Vec<Step> {
    let model = problem.model;
    let rates = model.rates(&dual.prices);
    let (mut steps, mut limit) = (Vec::new(), assignment.most_regret(dual.bound));
    for (server, rates) in rates.iter().enumerate() {
        for index in model.profile.samples_of(server) {
            let row = model.profile.row(index);
            let worth = |position: usize| rates.of(row.load(position));
            let possible = |&position: &usize| problem.is_possible(server, index, position);
            let least = problem.allowed.iter().copied().filter(possible).map(worth).fold(f64::INFINITY, f64::min);
            for &position in problem.allowed {
                let regret = worth(position) - least;
                let same = usize::from(assignment.choices[index]) == position;
                if !same && regret <= limit && possible(&position) {
                    steps.push(Step { index, server, position: position as u8, regret });
                }
            }
            // The way that it has is a step, too, once it has taken another.
            if steps.len() > 2 * SINGLES {
                steps.select_nth_unstable_by(SINGLES, |a, b| a.regret.total_cmp(&b.regret));
                steps.truncate(SINGLES);
                limit = steps.iter().map(|step| step.regret).fold(0.0, f64::max);
            }
        }
    }
    steps.sort_by(|a, b| a.regret.total_cmp(&b.regret).then(a.index.cmp(&b.index)));
    thin(assignment, model, &mut steps);
    steps.truncate(SINGLES);
    steps
}

/// Keeps a few of the steps that change the same: they are as good as thousands, and leave room for others.
fn thin(assignment: &Assignment, model: &CostModel<'_>, steps: &mut Vec<Step>) {
    let mut alike = HashMap::<_, usize>::new();
    steps.retain(|step| {
        let row = model.profile.row(step.index);
        let more = row.load(step.position.into()).minus(row.load(assignment.choices[step.index].into()));
        let key = (step.server, model.bits(more));
        let seen = alike.entry(key).or_default();
        *seen += 1;
        *seen <= ALIKE
    });
}
