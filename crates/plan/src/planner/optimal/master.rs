//! The master problem of column generation: the best mixture of assignments found so far.
//!
//! ```text
//! minimise z
//! over     w[s,p] >= 0                                          (how much of server s follows its assignment p)
//! with     sum over s, p of w[s,p] x seconds[r](s, p) + fixed[r] <= z      for each resource r    (price of r)
//!          sum over p of w[s,p] = 1                                        for each server s      (worth of s)
//! ```
//!
//! This is Dantzig and Wolfe's decomposition (1960) of the planning problem's relaxation, with a block for each server.
//! It is solved by the revised simplex method with an explicit inverse: there are as many rows as resources and
//! servers, a handful, and columns are only ever added, so that each solution is where the next one starts. A linear
//! programming library would be hundreds of times this code for the same few rows.

use crate::cost::{CostModel, Load};

/// A column: one server's assignment.
#[derive(Clone, Debug)]
struct Column {
    server: usize,
    /// The pass that made the column.
    pass: usize,
    /// Row and coefficient for each resource that the column touches; its server's row has a coefficient of 1 beside.
    seconds: Vec<(usize, f64)>,
}

/// What stands in a row of the basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Variable {
    Epoch,
    Slack(usize),
    Column(usize),
}

/// The master problem.
#[derive(Debug)]
pub(super) struct Master {
    resources: usize,
    /// Seconds are divided by it, so that tolerances mean the same for a minute and a month.
    scale: f64,
    columns: Vec<Column>,
    /// The right-hand sides of the rows.
    limits: Vec<f64>,
    basis: Vec<Variable>,
    /// The inverse of the basis, row by row.
    inverse: Vec<f64>,
    /// The values of the basis' variables.
    values: Vec<f64>,
    pivots: usize,
}

/// A reduced cost below this counts as none.
const COST_TOLERANCE: f64 = 1e-11;
/// An element below this is no pivot.
const PIVOT_TOLERANCE: f64 = 1e-9;
/// Pivots after which the inverse is made anew, before rounding errors add up.
const REFACTOR: usize = 50;

// === impl Master ===

impl Master {
    /// Makes a master problem of one assignment for each server.
    pub(super) fn new(model: &CostModel<'_>, loads: &[Load]) -> Self {
        let resources = model.lines.len();
        let seconds = model.seconds(loads);
        let epoch = CostModel::epoch(&seconds);
        let scale = if epoch > 0.0 { epoch } else { 1.0 };
        let mut limits: Vec<_> = model.lines.iter().map(|line| -line.fixed / scale).collect();
        limits.extend(loads.iter().map(|_| 1.0));
        let longest = (0..resources).max_by(|&a, &b| seconds[a].total_cmp(&seconds[b])).unwrap_or(0);
        let mut basis: Vec<_> =
            (0..resources).map(|r| if r == longest { Variable::Epoch } else { Variable::Slack(r) }).collect();
        basis.extend((0..loads.len()).map(Variable::Column));
        let rows = basis.len();
        let (inverse, values) = (vec![0.0; rows * rows], vec![0.0; rows]);
        let mut master = Self { resources, scale, columns: Vec::new(), limits, basis, inverse, values, pivots: 0 };
        for (server, load) in loads.iter().enumerate() {
            master.push(model, server, 0, *load);
        }
        master.refactor();
        master
    }

    /// Adds one server's assignment.
    pub(super) fn push(&mut self, model: &CostModel<'_>, server: usize, pass: usize, load: Load) {
        let touched = model.lines.iter().enumerate().filter(|(_, line)| line.server.is_none_or(|of| of == server));
        let seconds = touched.map(|(row, line)| (row, line.rates.of(load) / self.scale));
        let seconds = seconds.filter(|(_, seconds)| *seconds != 0.0).collect();
        self.columns.push(Column { server, pass, seconds });
    }

    /// Solves for the columns that there are. Should rounding ever make it turn in circles it ends where it is: with a
    /// mixture that is possible, and prices from which a bound follows whatever they are.
    pub(super) fn solve(&mut self) {
        let most = 200 + 20 * (self.columns.len() + self.basis.len());
        let mut idle = 0;
        for _ in 0..most {
            // A long standstill is a circle: then the first candidate instead of the steepest (Bland) leads out of it.
            let Some(entering) = self.entering(idle > 2 * self.basis.len()) else { return };
            let direction = self.times_inverse(entering);
            let Some((row, step)) = self.leaving(&direction) else { return };
            idle = if step > 1e-13 { 0 } else { idle + 1 };
            self.pivot(row, entering, &direction, step);
        }
    }

    /// The mixture's epoch, in seconds.
    pub(super) fn epoch(&self) -> f64 {
        let at = self.basis.iter().position(|variable| *variable == Variable::Epoch);
        at.map_or(f64::INFINITY, |row| self.values[row] * self.scale)
    }

    /// What a second of each resource is worth: not negative, and 1 in all.
    pub(super) fn prices(&self) -> Vec<f64> {
        let duals = self.duals();
        let prices: Vec<_> = duals[..self.resources].iter().map(|dual| (-dual).max(0.0)).collect();
        let sum: f64 = prices.iter().sum();
        let even = 1.0 / self.resources as f64;
        prices.into_iter().map(|price| if sum > 0.0 { price / sum } else { even }).collect()
    }

    /// For each server the passes that it follows, with their parts: positive, and 1 in all.
    pub(super) fn mixture(&self, servers: usize) -> Vec<Vec<(usize, f64)>> {
        let mut mixture = vec![Vec::<(usize, f64)>::new(); servers];
        for (variable, &value) in self.basis.iter().zip(&self.values) {
            if let Variable::Column(column) = *variable
                && value > 1e-12
            {
                let Column { server, pass, .. } = self.columns[column];
                mixture[server].push((pass, value));
            }
        }
        for parts in &mut mixture {
            parts.sort_by_key(|part| part.0);
            let sum: f64 = parts.iter().map(|part| part.1).sum();
            parts.iter_mut().for_each(|part| part.1 /= sum);
        }
        mixture
    }

    fn rows(&self) -> usize {
        self.basis.len()
    }

    /// The row of the inverse that belongs to the epoch: nothing else has a cost.
    fn duals(&self) -> &[f64] {
        let rows = self.rows();
        let at = self.basis.iter().position(|variable| *variable == Variable::Epoch).unwrap_or(0);
        &self.inverse[at * rows..(at + 1) * rows]
    }

    fn entering(&self, first: bool) -> Option<Variable> {
        let duals = self.duals();
        let slacks = (0..self.resources).map(|row| (Variable::Slack(row), -duals[row]));
        let columns = self.columns.iter().enumerate().map(|(place, column)| {
            let seconds: f64 = column.seconds.iter().map(|&(row, seconds)| duals[row] * seconds).sum();
            (Variable::Column(place), -seconds - duals[self.resources + column.server])
        });
        let mut better = slacks.chain(columns).filter(|(_, cost)| *cost < -COST_TOLERANCE);
        let chosen = if first { better.next() } else { better.min_by(|a, b| a.1.total_cmp(&b.1)) };
        chosen.map(|(variable, _)| variable).filter(|variable| !self.basis.contains(variable))
    }

    fn leaving(&self, direction: &[f64]) -> Option<(usize, f64)> {
        let mut chosen: Option<(usize, f64)> = None;
        for (row, (&value, &slope)) in self.values.iter().zip(direction).enumerate() {
            // The epoch may be anything: it never leaves.
            if slope <= PIVOT_TOLERANCE || self.basis[row] == Variable::Epoch {
                continue;
            }
            let step = value.max(0.0) / slope;
            let better = chosen.is_none_or(|(other, least)| {
                step < least - 1e-14 || (step <= least + 1e-14 && slope > direction[other])
            });
            if better {
                chosen = Some((row, step));
            }
        }
        chosen
    }

    fn pivot(&mut self, row: usize, entering: Variable, direction: &[f64], step: f64) {
        let rows = self.rows();
        self.basis[row] = entering;
        let pivot = direction[row];
        let pivot_row: Vec<_> =
            self.inverse[row * rows..(row + 1) * rows].iter().map(|element| element / pivot).collect();
        for (other, &slope) in direction.iter().enumerate() {
            let of_row = &mut self.inverse[other * rows..(other + 1) * rows];
            if other == row {
                of_row.copy_from_slice(&pivot_row);
            } else if slope != 0.0 {
                of_row.iter_mut().zip(&pivot_row).for_each(|(element, of_pivot)| *element -= slope * of_pivot);
            }
        }
        self.values.iter_mut().zip(direction).for_each(|(value, slope)| *value -= step * slope);
        self.values[row] = step;
        self.pivots += 1;
        if self.pivots.is_multiple_of(REFACTOR) {
            self.refactor();
        }
    }

    /// Row and coefficient of each entry of a variable's column.
    fn coefficients(&self, variable: Variable) -> Vec<(usize, f64)> {
        match variable {
            Variable::Epoch => (0..self.resources).map(|row| (row, -1.0)).collect(),
            Variable::Slack(row) => vec![(row, 1.0)],
            Variable::Column(place) => {
                let Column { server, ref seconds, .. } = self.columns[place];
                seconds.iter().copied().chain([(self.resources + server, 1.0)]).collect()
            }
        }
    }

    fn times_inverse(&self, variable: Variable) -> Vec<f64> {
        let (rows, column) = (self.rows(), self.coefficients(variable));
        let row = |row: usize| column.iter().map(|&(at, value)| self.inverse[row * rows + at] * value).sum();
        (0..rows).map(row).collect()
    }

    /// Inverts the basis from scratch (Gauss and Jordan, with row pivoting).
    fn refactor(&mut self) {
        let rows = self.rows();
        let mut matrix = vec![0.0; rows * rows];
        for (at, &variable) in self.basis.iter().enumerate() {
            for (row, value) in self.coefficients(variable) {
                matrix[row * rows + at] += value;
            }
        }
        let mut inverse = vec![0.0; rows * rows];
        (0..rows).for_each(|row| inverse[row * rows + row] = 1.0);
        for at in 0..rows {
            let size = |row: &usize| matrix[row * rows + at].abs();
            let Some(best) = (at..rows).max_by(|a, b| size(a).total_cmp(&size(b))) else { return };
            if size(&best) < 1e-14 {
                // A basis is never singular but by rounding; the inverse that there is will do until the next pivot.
                return;
            }
            for column in 0..rows {
                matrix.swap(at * rows + column, best * rows + column);
                inverse.swap(at * rows + column, best * rows + column);
            }
            let pivot = matrix[at * rows + at];
            for column in 0..rows {
                matrix[at * rows + column] /= pivot;
                inverse[at * rows + column] /= pivot;
            }
            for row in (0..rows).filter(|&row| row != at) {
                let factor = matrix[row * rows + at];
                if factor == 0.0 {
                    continue;
                }
                for column in 0..rows {
                    matrix[row * rows + column] -= factor * matrix[at * rows + column];
                    inverse[row * rows + column] -= factor * inverse[at * rows + column];
                }
            }
        }
        self.inverse = inverse;
        let value = |row: usize| (0..rows).map(|at| self.inverse[row * rows + at] * self.limits[at]).sum();
        self.values = (0..rows).map(value).collect();
    }
}
