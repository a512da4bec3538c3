//! Solves small problems exactly, by branch and bound over the samples whose way regrets do not decide.

use super::assignment::Assignment;
use super::problem::{Dual, Problem};
use super::rounding::lines_of;
use super::tree::{Open, OpenWay, descend};
use crate::cost::Rates;

/// The most nodes that are looked at: about half a second.
const MOST_NODES: usize = 1_500_000;
/// Nodes where only a few samples are looked at: a few milliseconds.
const REPAIR_NODES: usize = 20_000;
/// The most samples that may be left open.
const MOST_OPEN: usize = 400;

/// Looks for the shortest epoch; `true` if the assignment is known to have it.
pub(super) fn finish(assignment: &mut Assignment, problem: &Problem<'_>, dual: &Dual) -> bool {
    let Some((open, closed)) = open_samples(assignment, problem, dual) else { return false };
    descend(assignment, problem.model, (open, closed), (dual.bound, MOST_NODES))
}

/// Looks for a shorter epoch in which only these samples, each with its server, travel another way.
pub(super) fn choose_anew(assignment: &mut Assignment, problem: &Problem<'_>, dual: &Dual, samples: &[(usize, usize)]) {
    let rates = problem.model.rates(&dual.prices);
    let most = assignment.most_regret(dual.bound);
    let open = samples.iter().map(|&(server, index)| {
        let ways = ways(problem, (server, index), &rates[server], most);
        Open { index, ways }
    });
    let open: Vec<_> = open.filter(|sample| !sample.ways.is_empty()).collect();
    let closed = assignment.clone();
    descend(assignment, problem.model, (open, closed), (dual.bound, REPAIR_NODES));
}

/// The samples that are open, and an assignment in which all others are decided. `None` where too many are open.
fn open_samples(assignment: &Assignment, problem: &Problem<'_>, dual: &Dual) -> Option<(Vec<Open>, Assignment)> {
    let model = problem.model;
    let most = assignment.most_regret(dual.bound);
    let (mut open, mut closed) = (Vec::<Open>::new(), assignment.choices.clone());
    let rates = model.rates(&dual.prices);
    for (server, rates) in rates.iter().enumerate() {
        for index in model.profile.samples_of(server) {
            let ways = ways(problem, (server, index), rates, most);
            match ways.len() {
                // Rounding has cut every way: nothing is better than what there is.
                0 => {}
                1 => closed[index] = ways[0].position,
                _ => open.push(Open { index, ways }),
            }
            if open.len() > MOST_OPEN {
                return None;
            }
        }
    }
    Some((open, Assignment::new(model, closed)))
}

/// The ways of a sample that may be in a better assignment, the cheapest first, without ways that another way equals
/// or beats on every resource.
fn ways(problem: &Problem<'_>, (server, index): (usize, usize), rates: &Rates, most: f64) -> Vec<OpenWay> {
    let model = problem.model;
    let row = model.profile.row(index);
    let mut ways: Vec<_> = problem
        .allowed
        .iter()
        .filter(|&&position| problem.is_possible(server, index, position))
        .map(|&position| {
            let mut seconds = vec![0.0; model.lines.len()];
            lines_of(model, server).for_each(|at| seconds[at] = model.lines[at].rates.of(row.load(position)));
            OpenWay { position: position as u8, regret: rates.of(row.load(position)), seconds }
        })
        .collect();
    ways.sort_by(|a, b| a.regret.total_cmp(&b.regret));
    let cheapest = ways.first().map_or(0.0, |way| way.regret);
    ways.iter_mut().for_each(|way| way.regret -= cheapest);
    ways.retain(|way| way.regret <= most);
    let mut kept = Vec::<OpenWay>::new();
    for way in ways {
        let no_better = |other: &OpenWay| other.seconds.iter().zip(&way.seconds).all(|(other, own)| other <= own);
        if !kept.iter().any(no_better) {
            kept.push(way);
        }
    }
    kept
}
