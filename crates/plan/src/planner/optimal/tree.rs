//! Branch and bound over samples whose ways are open.
//!
//! Three things cut the tree: a way whose regret (see [`steps`](super::steps)) is more than the incumbent's distance
//! from the bound is in no better assignment; regrets add up along a branch; and no resource can get below what it has
//! plus the least of what is left. It gives up after a number of nodes that takes a moment: large problems do not need
//! it, since their gap is small.

use super::assignment::Assignment;
use super::rounding::lines_of;
use crate::cost::CostModel;

/// An epoch that is this much shorter than the incumbent's, relative to it, counts as shorter.
const SHORTER: f64 = 1e-12;

/// One way of an open sample.
pub(super) struct OpenWay {
    pub(super) position: u8,
    pub(super) regret: f64,
    /// Seconds of each resource.
    pub(super) seconds: Vec<f64>,
}

/// A sample with more than one way that may be in a better assignment.
pub(super) struct Open {
    pub(super) index: usize,
    pub(super) ways: Vec<OpenWay>,
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

/// Goes through the tree of the open samples; `closed` says what all others do. Returns whether the whole
/// tree was searched.
pub(super) fn descend(
    best: &mut Assignment,
    model: &CostModel<'_>,
    (mut open, mut closed): (Vec<Open>, Assignment),
    (bound, most_nodes): (f64, usize),
) -> bool {
    // The largest first: what the small ones cannot mend is known early.
    let size = |sample: &Open| sample.ways.iter().flat_map(|way| &way.seconds).copied().fold(0.0, f64::max);
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
            let of_sample = open[depth].ways.iter().map(|way| way.seconds[at]).fold(f64::INFINITY, f64::min);
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
        most_nodes,
        open: &open,
    };
    let complete = tree.descend(0, &closed.seconds, 0.0);
    if let Some(path) = tree.best_path {
        let mut choices = closed.choices;
        for (sample, place) in open.iter().zip(path) {
            choices[sample.index] = sample.ways[place].position;
        }
        let found = Assignment::new(model, choices);
        if found.epoch < best.epoch {
            *best = found;
        }
    }
    complete
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
        for (place, choice) in sample.ways.iter().enumerate() {
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
