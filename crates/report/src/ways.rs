//! The ways of a profile: what samples cost at each, and which samples a plan sends by each.

use std::fmt;

use headwater_plan::{Cost, Plan, Profile};
use headwater_types::Way;

use crate::chart::{Axis, Spread, shares, spreads};
use crate::number::{Unit, number};

/// Groups of samples by size.
const GROUPS: usize = 10;

/// The ways of a profile, and the plan that chooses among them.
pub(crate) struct Ways<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) plan: &'a Plan,
}

// === impl Ways ===

impl Ways<'_> {
    /// The median of the stored photos.
    pub(crate) fn median_bytes(&self) -> f64 {
        let mut sizes = self.column(0, |cost| cost.bytes as f64);
        sizes.sort_by(f64::total_cmp);
        percentile(&sizes, 0.5)
    }

    /// A plot of the bytes of a sample, by way.
    pub(crate) fn sizes(&self, unit: Unit) -> String {
        let ways = self.profile.ways().iter().enumerate().map(|(position, way)| {
            let mut sizes = self.column(position, |cost| cost.bytes as f64 / unit.size);
            sizes.sort_by(f64::total_cmp);
            Spread {
                name: way.to_string(),
                low: percentile(&sizes, 0.05),
                middle: percentile(&sizes, 0.5),
                high: percentile(&sizes, 0.95),
            }
        });
        spreads(Axis { label: unit.name, logarithmic: true, format: number }, &ways.collect::<Vec<_>>())
    }

    /// A table of the mean costs of a sample, by way.
    pub(crate) fn costs(&self, f: &mut fmt::Formatter<'_>, unit: Unit) -> fmt::Result {
        writeln!(
            f,
            "<div class=\"wide\"><table><tr><th>way</th><th>mean, {}</th><th>server's CPU, ms</th><th>trainer's CPU, \
             ms</th></tr>",
            unit.name
        )?;
        for (position, way) in self.profile.ways().iter().enumerate() {
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
            writeln!(
                f,
                "<tr><td>{way}</td><td>{}</td><td>{:.3}</td><td>{:.3}</td></tr>",
                unit.of(mean(self.column(position, |cost| cost.bytes as f64))),
                mean(self.column(position, |cost| cost.storage_seconds)) * 1e3,
                mean(self.column(position, |cost| cost.trainer_seconds)) * 1e3,
            )?;
        }
        writeln!(f, "</table></div>")
    }

    /// A plot of the shares of the ways, for groups of samples from the smallest photos to the largest.
    pub(crate) fn cuts(&self) -> String {
        let stored = self.column(0, |cost| cost.bytes as f64);
        let mut order: Vec<_> = (0..stored.len()).collect();
        order.sort_by(|a, b| stored[*a].total_cmp(&stored[*b]));
        let used: Vec<_> = self.plan.counts().into_iter().filter(|(_, count)| *count > 0).map(|(way, _)| way).collect();
        let unit = Unit::bytes(percentile(&order.iter().map(|place| stored[*place]).collect::<Vec<_>>(), 0.5));
        let groups = order.chunks(order.len().div_ceil(GROUPS).max(1));
        let (names, bars): (Vec<_>, Vec<_>) = groups
            .map(|group| {
                let largest = group.last().map_or(0.0, |index| stored[*index]);
                let share = |way| {
                    let of_way = group.iter().filter(|index| self.plan.way(**index) == Some(way)).count();
                    of_way as f64 / group.len() as f64
                };
                (unit.of(largest), used.iter().map(|way| share(*way)).collect::<Vec<_>>())
            })
            .unzip();
        let part = |way: &Way| (self.profile.position(*way).unwrap_or_default(), way.to_string());
        let of = format!("photos up to, {}", unit.name);
        shares(&of, &names, &used.iter().map(part).collect::<Vec<_>>(), &bars)
    }

    /// One number of each sample at the way in this place.
    fn column(&self, position: usize, of: impl Fn(Cost) -> f64) -> Vec<f64> {
        (0..self.profile.len()).filter_map(|index| self.profile.cost(index, position)).map(of).collect()
    }
}

/// The value below which this part of the sorted values lies.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((part * last as f64).round() as usize).copied().unwrap_or_default()
}
