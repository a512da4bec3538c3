//! An assignment made better step by step: one sample takes another way, or two do at once.

use super::assignment::Assignment;
use super::changes::{Changes, excess};
use super::problem::{Dual, Problem};
use super::steps::{Step, steps};
use crate::cost::CostModel;

/// The most steps that are taken.
const MOST_STEPS: usize = 400;

/// Takes steps while they shorten the epoch, or bring the resources that are over the bound closer to it.
pub(super) fn improve(assignment: &mut Assignment, problem: &Problem<'_>, dual: &Dual, good_enough: f64) {
    let model = problem.model;
    for _ in 0..4 {
        if assignment.epoch <= good_enough {
            return;
        }
        let before = assignment.epoch;
        let steps = steps(assignment, problem, dual);
        take(assignment, model, &steps, dual.bound);
        // Sums that were kept up to date for long are made anew.
        let choices = std::mem::take(&mut assignment.choices);
        *assignment = Assignment::new(model, choices);
        if assignment.epoch >= before {
            return;
        }
    }
}

/// Takes the best step, or the best two at once, as long as there are any that help.
fn take(assignment: &mut Assignment, model: &CostModel<'_>, steps: &[Step], bound: f64) {
    let mut changes = Changes::new(model, steps);
    for _ in 0..MOST_STEPS {
        changes.refresh(model, &assignment.choices);
        let now = excess(&assignment.seconds, bound);
        if now <= 0.0 {
            return;
        }
        let single = changes.best_single(&assignment.seconds, bound);
        let chosen = match single {
            Some((less, step)) if less < now * (1.0 - 1e-9) => vec![step],
            _ => match changes.best_pair(&assignment.seconds, bound) {
                Some((less, one, other)) if less < now * (1.0 - 1e-9) => vec![one, other],
                _ => return,
            },
        };
        for place in chosen {
            changes.apply(place, &mut assignment.seconds);
            assignment.choices[steps[place].index] = steps[place].position;
        }
    }
}
