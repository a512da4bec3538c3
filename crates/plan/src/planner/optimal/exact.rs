//! Branch and bound: small problems are solved to the end.
//!
//! Three things cut the tree: a way whose regret (see `search`) is more than the incumbent's distance from the bound is
//! in no better assignment; regrets add up along a branch; and no resource can get below what it has plus the least of
//! what is left. It gives up after a number of nodes that takes a moment: large problems do not need it, since their
//! gap is small.

use super::problem::Problem;
use super::rounding::lines_of;
use super::search::Assignment;
use crate::cost::CostModel;

/// The most nodes that are looked at: about half a second.
const MOST_NODES: usize = 1_500_000;
/// The most nodes in a repair, where only a few samples are open: a few milliseconds.
const REPAIR_NODES: usize = 20_000;
/// The most samples that may be left open.
const MOST_OPEN: usize = 400;
/// How much shorter than the incumbent an epoch must be to count as shorter, relative to the incumbent.
const SHORTER: f64 = 1e-12;

/// One way of an open sample.
struct Choice {
    position: u8,
    regret: f64,
    /// Seconds of each resource.
    seconds: Vec<f64>,
}

/// A sample with more than one way that may be in a better assignment.
struct Open {
    index: usize,
    choices: Vec<Choice>,
}

struct Tree<'t> {
    open: &'t [Open],
    /// For each depth the least that the samples from there on need of each resource, `[depth + 1, resources]`.
    least: Vec<f64>,
    resources: usize,
    bound: f64,
    best: f64,
    /// The way that is chosen at each depth.
    path: Vec<usize>,
    best_path: Option<Vec<usize>>,
    nodes: usize,
    most_nodes: usize,
}

/// Looks for the shortest epoch; `true` if the assignment is known to have it.
pub(super) fn finish(problem: &Problem<'_>, prices: &[f64], bound: f64, assignment: &mut Assignment) -> bool {
    let Some((open, closed)) = open_samples(problem, prices, bound, assignment) else { return false };
    descend(problem.model, open, closed, bound, MOST_NODES, assignment)
}

/// Looks for a shorter epoch in which only these samples travel otherwise.
pub(super) fn repair(
    problem: &Problem<'_>,
    prices: &[f64],
    bound: f64,
    assignment: &mut Assignment,
    samples: &[(usize, usize)],
) {
    let rates = problem.model.rates(prices);
    let most = most_regret(assignment, bound);
    let open = samples.iter().map(|&(server, index)| {
        let choices = choices(problem, server, index, &rates[server], most);
        Open { index, choices }
    });
    let open: Vec<_> = open.filter(|sample| !sample.choices.is_empty()).collect();
    let closed = assignment.clone();
    descend(problem.model, open, closed, bound, REPAIR_NODES, assignment);
}

/// The largest regret that a way of a better assignment has. Room for rounding: what is a hair above may be in one as
/// good.
fn most_regret(assignment: &Assignment, bound: f64) -> f64 {
    (assignment.epoch - bound) * (1.0 + 1e-9) + 1e-12 * assignment.epoch
}

/// Goes through the tree of the open samples; `closed` says what all others do. Whether it was gone through to the end.
fn descend(
    model: &CostModel<'_>,
    mut open: Vec<Open>,
    mut closed: Assignment,
    bound: f64,
    nodes: usize,
    best: &mut Assignment,
) -> bool {
    // The largest first: what the small ones cannot mend is known early.
    let size = |sample: &Open| sample.choices.iter().flat_map(|choice| &choice.seconds).copied().fold(0.0, f64::max);
    open.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.index.cmp(&b.index)));
    for sample in &open {
        let Some(server) = model.profile.server_of(sample.index) else { return false };
        let load = model.profile.row(sample.index).load(closed.choices[sample.index].into());
        lines_of(model, server).for_each(|at| closed.seconds[at] -= model.lines[at].rates.of(load));
    }
    let resources = model.lines.len();
    let mut least = vec![0.0; (open.len() + 1) * resources];
    for depth in (0..open.len()).rev() {
        for at in 0..resources {
            let of_sample = open[depth].choices.iter().map(|choice| choice.seconds[at]).fold(f64::INFINITY, f64::min);
            least[depth * resources + at] = least[(depth + 1) * resources + at] + of_sample;
        }
    }
    let mut tree = Tree {
        least,
        resources,
        bound,
        best: best.epoch,
        path: vec![0; open.len()],
        best_path: None,
        nodes: 0,
        most_nodes: nodes,
        open: &open,
    };
    let complete = tree.descend(0, &closed.seconds, 0.0);
    if let Some(path) = tree.best_path {
        let mut choices = closed.choices;
        for (sample, place) in open.iter().zip(path) {
            choices[sample.index] = sample.choices[place].position;
        }
        let found = Assignment::new(model, choices);
        if found.epoch < best.epoch {
            *best = found;
        }
    }
    complete
}

/// What is not decided yet, and what is. `None` where too much is open.
fn open_samples(
    problem: &Problem<'_>,
    prices: &[f64],
    bound: f64,
    assignment: &Assignment,
) -> Option<(Vec<Open>, Assignment)> {
    let model = problem.model;
    let most = most_regret(assignment, bound);
    let (mut open, mut closed) = (Vec::<Open>::new(), assignment.choices.clone());
    let rates = model.rates(prices);
    for (server, rates) in rates.iter().enumerate() {
        for index in model.profile.samples_of(server) {
            let choices = choices(problem, server, index, rates, most);
            match choices.len() {
                // Rounding has cut every way: nothing is better than what there is.
                0 => {}
                1 => closed[index] = choices[0].position,
                _ => open.push(Open { index, choices }),
            }
            if open.len() > MOST_OPEN {
                return None;
            }
        }
    }
    Some((open, Assignment::new(model, closed)))
}

/// The ways of a sample that may be in a better assignment, the cheapest first, without those that another is as good
/// as in all.
fn choices(problem: &Problem<'_>, server: usize, index: usize, rates: &crate::cost::Rates, most: f64) -> Vec<Choice> {
    let model = problem.model;
    let row = model.profile.row(index);
    let mut choices: Vec<_> = problem
        .allowed
        .iter()
        .filter(|&&position| problem.is_possible(server, index, position))
        .map(|&position| {
            let mut seconds = vec![0.0; model.lines.len()];
            lines_of(model, server).for_each(|at| seconds[at] = model.lines[at].rates.of(row.load(position)));
            Choice { position: position as u8, regret: rates.of(row.load(position)), seconds }
        })
        .collect();
    choices.sort_by(|a, b| a.regret.total_cmp(&b.regret));
    let cheapest = choices.first().map_or(0.0, |choice| choice.regret);
    choices.iter_mut().for_each(|choice| choice.regret -= cheapest);
    choices.retain(|choice| choice.regret <= most);
    let mut kept = Vec::<Choice>::new();
    for choice in choices {
        let no_better = |other: &Choice| other.seconds.iter().zip(&choice.seconds).all(|(other, own)| other <= own);
        if !kept.iter().any(no_better) {
            kept.push(choice);
        }
    }
    kept
}

// === impl Tree ===

impl Tree<'_> {
    /// Whether everything below was looked at, or shown to be no better.
    fn descend(&mut self, depth: usize, seconds: &[f64], regret: f64) -> bool {
        self.nodes += 1;
        if self.nodes > self.most_nodes {
            return false;
        }
        let limit = self.best * (1.0 - SHORTER);
        let least = &self.least[depth * self.resources..(depth + 1) * self.resources];
        let reachable = seconds.iter().zip(least).all(|(seconds, least)| seconds + least < limit);
        if !reachable || self.bound + regret >= limit {
            return true;
        }
        let open = self.open;
        let Some(sample) = open.get(depth) else {
            self.best = CostModel::epoch(seconds);
            self.best_path = Some(self.path.clone());
            return true;
        };
        let mut complete = true;
        for (place, choice) in sample.choices.iter().enumerate() {
            self.path[depth] = place;
            let after: Vec<_> = seconds.iter().zip(&choice.seconds).map(|(now, more)| now + more).collect();
            complete &= self.descend(depth + 1, &after, regret + choice.regret);
            if !complete && self.nodes > self.most_nodes {
                return false;
            }
        }
        complete
    }
}
