//! From a mixture of assignments to one: samples on which the mixture agrees keep their way, and the others are dealt
//! out so that every resource stays close to what the mixture uses.
//!
//! The samples in dispute are gone through from the largest to the smallest; each takes the one of its ways that leaves
//! the sum of squared deviations smallest, so that what the large ones leave over the small ones even out. Many samples
//! alike, all in dispute, are divided in the mixture's proportion this way.

use super::problem::Problem;
use super::relaxation::Relaxed;
use crate::cost::{CostModel, Load};

/// A sample on which a mixture's assignments differ.
#[derive(Clone, Copy)]
struct Disputed {
    index: u32,
    /// Seconds between the sample's ways, on the resource where they differ most.
    spread: f32,
}

/// Weight of resources that have time to spare: enough to choose between equals.
const IDLE: f64 = 1e-3;

/// The choices of one assignment that is close to the mixture.
pub(super) fn round(problem: &Problem<'_>, relaxed: &Relaxed) -> Vec<u8> {
    let model = problem.model;
    let mut choices = vec![0; model.profile.len()];
    let mut deviation = vec![0.0; model.lines.len()];
    let largest = relaxed.prices.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let weights: Vec<_> = relaxed.prices.iter().map(|price| IDLE + price / largest).collect();
    for (server, parts) in relaxed.mixture.iter().enumerate() {
        let range = model.profile.samples_of(server);
        let Some((&(first, _), others)) = parts.split_first() else { continue };
        choices[range.clone()].copy_from_slice(&relaxed.passes[first][range.clone()]);
        if others.is_empty() {
            continue;
        }
        let mut disputed: Vec<_> = range
            .filter(|&index| others.iter().any(|&(pass, _)| relaxed.passes[pass][index] != choices[index]))
            .map(|index| Disputed { index: index as u32, spread: spread(model, server, index, parts, relaxed) })
            .collect();
        disputed.sort_unstable_by(|a, b| b.spread.total_cmp(&a.spread).then(a.index.cmp(&b.index)));
        for Disputed { index, .. } in disputed {
            let index = index as usize;
            let row = model.profile.row(index);
            let way = |pass: usize| usize::from(relaxed.passes[pass][index]);
            let mean = parts.iter().fold(Load::default(), |sum, &(pass, part)| sum.plus(part, row.load(way(pass))));
            let mut best = (f64::INFINITY, way(first));
            for &(pass, _) in parts {
                let off = row.load(way(pass)).minus(mean);
                let squared: f64 = lines_of(model, server)
                    .map(|at| {
                        let (now, more) = (deviation[at], model.lines[at].rates.of(off));
                        // What changes of the sum of squares; the rest is the same for all ways.
                        weights[at] * more * (2.0 * now + more)
                    })
                    .sum();
                if squared < best.0 {
                    best = (squared, way(pass));
                }
            }
            let off = row.load(best.1).minus(mean);
            lines_of(model, server).for_each(|at| deviation[at] += model.lines[at].rates.of(off));
            choices[index] = best.1 as u8;
        }
    }
    choices
}

/// The resources that a server's samples use.
pub(super) fn lines_of<'m>(model: &'m CostModel<'_>, server: usize) -> impl Iterator<Item = usize> + 'm {
    let touches = move |at: &usize| model.lines[*at].server.is_none_or(|of| of == server);
    (0..model.lines.len()).filter(touches)
}

fn spread(model: &CostModel<'_>, server: usize, index: usize, parts: &[(usize, f64)], relaxed: &Relaxed) -> f32 {
    let row = model.profile.row(index);
    let of_line = |at: usize| {
        let seconds =
            parts.iter().map(|&(pass, _)| model.lines[at].rates.of(row.load(usize::from(relaxed.passes[pass][index]))));
        let (least, most) = seconds.fold((f64::INFINITY, 0.0_f64), |(least, most), s| (least.min(s), most.max(s)));
        most - least
    };
    lines_of(model, server).map(of_line).fold(0.0, f64::max) as f32
}
