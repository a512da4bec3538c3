//! Repairs an assignment where steps one by one cannot: chooses the ways of a few samples anew, all at once.

use super::assignment::Assignment;
use super::exact;
use super::problem::{Dual, Problem};
use super::steps::steps;

/// The most rounds of choosing a few samples' ways anew.
const REPAIRS: usize = 120;
/// The samples whose ways are chosen anew in one round.
const AT_ONCE: usize = 16;
/// The steps, of those that are worth most, whose samples are drawn from.
const POOL: usize = 160;

/// Gives a few samples at a time the best ways that there are while all others stay. They are drawn from the samples of
/// the steps that are worth most. Single steps and pairs do not suffice where samples are few, large or alike.
pub(super) fn mend(assignment: &mut Assignment, problem: &Problem<'_>, dual: &Dual, good_enough: f64) {
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut samples = samples_of(assignment, problem, dual);
    for _ in 0..REPAIRS {
        if assignment.epoch <= good_enough || samples.len() < 2 {
            return;
        }
        // A part of a shuffle (xorshift: the same every time).
        let count = samples.len().min(AT_ONCE);
        for place in 0..count {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let other = place + (dice % (samples.len() - place) as u64) as usize;
            samples.swap(place, other);
        }
        let before = assignment.epoch;
        exact::choose_anew(assignment, problem, dual, &samples[..count]);
        if assignment.epoch < before {
            samples = samples_of(assignment, problem, dual);
        }
    }
}

/// Server and sample of each of the steps that are worth most.
fn samples_of(assignment: &Assignment, problem: &Problem<'_>, dual: &Dual) -> Vec<(usize, usize)> {
    let steps = steps(assignment, problem, dual);
    let mut samples: Vec<_> = steps.iter().take(POOL).map(|step| (step.server, step.index)).collect();
    samples.sort_unstable();
    samples.dedup();
    samples
}
