//! The relaxation in which samples may be divided between ways, solved to a known distance from its optimum.
//!
//! For prices of resources that sum to 1, each sample taking its cheapest way is a lower bound on every epoch (weak
//! duality):
//!
//! ```text
//! bound(prices) = sum over resources of price x fixed seconds + sum over samples of min over ways of price x seconds
//! ```
//!
//! The best prices are found by column generation: the [`Master`] mixes the assignments that are there and says prices;
//! one pass over the samples at those prices gives a bound, and an assignment that improves the mixture if any does.
//! Mixture and bound meet at the optimum. Passes are made at prices between the best so far and the master's (Wentges
//! 1997), which jump about otherwise. Most of the work is done on a sample of the samples; the bound that is reported
//! is always of all of them.

use super::master::Master;
use super::problem::{Pass, Problem, View};
use crate::cost::CostModel;

/// A solution of the relaxation.
#[derive(Debug)]
pub(super) struct Relaxed {
    /// The bound in seconds: no assignment has a shorter epoch.
    pub(super) bound: f64,
    /// The prices that prove the bound.
    pub(super) prices: Vec<f64>,
    /// Assignments of all samples that are mixed.
    pub(super) passes: Vec<Vec<u8>>,
    /// For each server the passes that it follows, each with its part.
    pub(super) mixture: Vec<Vec<(usize, f64)>>,
}

/// Samples on which prices are found before all are looked at.
const SUBSET: usize = 20_000;
/// The most samples of a dataset that is looked at whole from the start.
const SMALL: usize = 2 * SUBSET;
/// How much longer than the bound the mixture's epoch may be on a small dataset, relative to the bound.
const TOLERANCE: f64 = 1e-7;
/// How much longer than the bound the mixture's epoch may be on a large dataset, where a pass takes time and each
/// sample is a millionth.
const COARSE: f64 = 2e-5;
/// The most passes on a small view, and on all of a large dataset.
const MOST_PASSES: usize = 300;
const MOST_WHOLE_PASSES: usize = 24;
/// How many of the subset's last prices the passes over all samples begin with.
const STARTS: usize = 6;
/// How far passes stay with the best prices so far.
const SMOOTHING: f64 = 0.5;

/// One run of column generation.
struct Generation<'p, 'a> {
    problem: &'p Problem<'a>,
    view: View,
    master: Option<Master>,
    /// The prices of each pass.
    asked: Vec<Vec<f64>>,
    passes: Vec<Pass>,
    bound: f64,
    best_prices: Vec<f64>,
}

/// Solves the relaxation.
pub(super) fn solve(problem: &Problem<'_>) -> Relaxed {
    let samples = problem.model.profile.len();
    let whole = if samples <= SMALL {
        let mut whole = Generation::new(problem, View::WHOLE);
        whole.begin(&first_prices(problem.model));
        whole.run(TOLERANCE, MOST_PASSES);
        whole
    } else {
        let mut part = Generation::new(problem, View::of_about(SUBSET, samples));
        part.begin(&first_prices(problem.model));
        part.run(COARSE, MOST_PASSES);
        let mut whole = Generation::new(problem, View::WHOLE);
        whole.begin(&part.last_prices());
        whole.run(COARSE, MOST_WHOLE_PASSES);
        whole
    };
    whole.finish()
}

/// The first prices, which know nothing of the samples: all resources alike, and each kind of resource alone.
fn first_prices(model: &CostModel<'_>) -> Vec<Vec<f64>> {
    let even = |chosen: &dyn Fn(&str) -> bool| {
        let count = model.lines.iter().filter(|line| chosen(line.resource.kind())).count();
        let price = |kind| if chosen(kind) { 1.0 / count as f64 } else { 0.0 };
        (count > 0).then(|| model.lines.iter().map(|line| price(line.resource.kind())).collect())
    };
    let networks = |kind: &str| kind == "network" || kind == "server-network";
    [
        even(&|_| true),
        even(&networks),
        even(&|kind| kind == "storage-cpu"),
        even(&|kind| kind == "trainer-cpu"),
        even(&|kind| kind == "accelerator"),
        even(&|kind| kind == "storage-device"),
        even(&|kind| kind == "trainer-device"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

// === impl Generation ===

impl<'p, 'a> Generation<'p, 'a> {
    fn new(problem: &'p Problem<'a>, view: View) -> Self {
        Self {
            problem,
            view,
            master: None,
            asked: Vec::new(),
            passes: Vec::new(),
            bound: f64::NEG_INFINITY,
            best_prices: Vec::new(),
        }
    }

    fn begin(&mut self, starts: &[Vec<f64>]) {
        for prices in starts {
            self.pass(prices.clone());
        }
    }

    /// Makes passes until the mixture is within `tolerance` of the bound, or `most` passes are made.
    fn run(&mut self, tolerance: f64, most: usize) {
        let mut smoothing = SMOOTHING;
        for _ in 0..most {
            let Some(master) = &mut self.master else { return };
            master.solve();
            let epoch = master.epoch();
            if epoch - self.bound <= tolerance * epoch {
                return;
            }
            let of_master = master.prices();
            let towards = |(best, new): (&f64, &f64)| smoothing * best + (1.0 - smoothing) * new;
            let prices: Vec<_> = self.best_prices.iter().zip(&of_master).map(towards).collect();
            // Where prices between the two give no better bound, go nearer to the master's: at its own, a pass either
            // improves the mixture or proves it.
            let before = self.bound;
            self.pass(prices);
            smoothing = match self.bound > before {
                true => SMOOTHING,
                false if smoothing > 0.1 => smoothing / 2.0,
                false => 0.0,
            };
        }
        if let Some(master) = &mut self.master {
            master.solve();
        }
    }

    /// Looks at the samples at these prices.
    fn pass(&mut self, prices: Vec<f64>) {
        let model = self.problem.model;
        let pass = self.problem.cheapest(&model.rates(&prices), self.view);
        let bound = pass.worth + model.fixed(&prices);
        if bound > self.bound {
            (self.bound, self.best_prices) = (bound, prices.clone());
        }
        match &mut self.master {
            None => self.master = Some(Master::new(model, &pass.loads)),
            Some(master) => {
                for (server, load) in pass.loads.iter().enumerate() {
                    if !self.passes.iter().any(|earlier| model.bits(earlier.loads[server]) == model.bits(*load)) {
                        master.push(model, server, self.passes.len(), *load);
                    }
                }
            }
        }
        self.asked.push(prices);
        self.passes.push(pass);
    }

    /// The prices at which it ended, and those whose assignments it mixes, by their part.
    fn last_prices(&self) -> Vec<Vec<f64>> {
        let mut prices = vec![self.best_prices.clone()];
        let mixture = self.master.as_ref().map(|master| master.mixture(self.problem.model.without_cores.len()));
        let mut parts = vec![0.0; self.passes.len()];
        for (pass, part) in mixture.into_iter().flatten().flatten() {
            parts[pass] += part;
        }
        let mut order: Vec<_> = (0..parts.len()).filter(|&pass| parts[pass] > 0.0).collect();
        order.sort_by(|&a, &b| parts[b].total_cmp(&parts[a]));
        prices.extend(order.into_iter().take(STARTS).map(|pass| self.asked[pass].clone()));
        prices.dedup();
        prices
    }

    fn finish(self) -> Relaxed {
        let servers = self.problem.model.without_cores.len();
        let mixture = self.master.map(|master| master.mixture(servers)).unwrap_or_default();
        Relaxed {
            bound: self.bound,
            prices: self.best_prices,
            passes: self.passes.into_iter().map(|pass| pass.choices).collect(),
            mixture,
        }
    }
}
