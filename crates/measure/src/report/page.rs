//! The page: HTML with its plots inside, that loads nothing.

use std::fmt;

use headwater_plan::prediction::Seconds;
use headwater_plan::{Mode, Plan, Profile, Resource, Way};

use super::chart::{Axis, Spread, escape, lines, map, shares, spreads};
use super::sweep::{Regions, Sweep};

/// Everything that the page shows.
pub(crate) struct Page<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) plan: &'a Plan,
    pub(crate) modes: &'a [Mode],
    pub(crate) bandwidths: Sweep,
    pub(crate) cores: Sweep,
    pub(crate) regions: Regions,
}

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:1100px;margin:24px auto;padding:0 20px}\
h1{font-size:28px;margin:0 0 4px}h2{font-size:20px;margin:36px 0 4px}p{margin:4px 0 12px;color:#475059}\
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums}\
th,td{padding:4px 14px 4px 0;text-align:right;border-bottom:1px solid #e3e6ea}th:first-child,td:first-child{text-align:left}\
tr.chosen td{font-weight:700}svg{width:100%;height:auto;display:block}\
svg text{font:13px system-ui,sans-serif;fill:#1b1f24}svg text.label{font-size:14px;fill:#475059}svg text.cell{font-size:12px}\
svg .grid{stroke:#e3e6ea;stroke-width:1}";
/// Groups of samples by size.
const GROUPS: usize = 10;
/// What an epoch can wait for.
const KINDS: [&str; 5] =
    ["trainer's network", "a server's network", "servers' cores", "trainer's cores", "accelerator"];

// === impl Page ===

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provenance = self.profile.provenance();
        let name = provenance.dataset.as_ref().map_or_else(|| "a profile".to_owned(), ToString::to_string);
        let title = format!("Headwater: {}", escape(&name));
        writeln!(f, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>")?;
        writeln!(f, "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>")?;
        writeln!(f, "<h1>{title}</h1><p>{}</p>", escape(&self.origin()))?;
        self.summary(f)?;
        section(f, "Bytes of a sample, by way", "From the 5th to the 95th percentile, and the median.", &self.sizes())?;
        self.costs(f)?;
        let words = "The plan's ways, for a tenth of the samples each, from the smallest photos to the largest.";
        section(f, "Who is cut where", words, &self.cuts())?;
        let words = "Predicted seconds of an epoch. Dashed: one way for all, the fewest bytes, SOPHON's greedy.";
        section(
            f,
            "Over bandwidth of the trainer's network",
            words,
            &epochs("bandwidth", true, bandwidth, &self.bandwidths),
        )?;
        section(f, "Over cores of each server", words, &epochs("cores of each server", false, number, &self.cores))?;
        let words = "The resource that takes longest under the plan, and the epoch's seconds.";
        section(f, "What an epoch waits for", words, &self.regions())?;
        writeln!(f, "<p>Profile {}; plan {}.</p></body></html>", self.plan.inputs.profile, self.plan.digest())
    }
}

impl Page<'_> {
    fn origin(&self) -> String {
        let provenance = self.profile.provenance();
        let recipe = provenance.recipe.as_ref().map_or_else(String::new, |recipe| format!(" under {}", recipe.name));
        format!(
            "{} samples{recipe} on {} server(s), {} of them measured on {} on {}",
            self.profile.len(),
            self.profile.servers().len(),
            provenance.measured,
            provenance.host,
            provenance.date,
        )
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prediction = &self.plan.prediction;
        writeln!(
            f,
            "<h2>An epoch: {} s</h2><p>No plan can be shorter than {} s (a gap of {:.3} %). It waits for: {}.</p><table><tr>\
             <th>mode</th><th>epoch, s</th><th>network, s</th><th>servers' CPU, s</th><th>trainer's CPU, s</th>\
             <th>accelerator, s</th><th>sent</th><th>offloaded</th></tr>",
            number(prediction.epoch),
            number(prediction.bound),
            prediction.gap * 100.0,
            KINDS[kind(prediction.bottleneck)],
        )?;
        row(f, true, &self.plan.algorithm.to_string(), prediction.seconds(), prediction.bytes, prediction.offloaded)?;
        for mode in self.modes {
            match &mode.outcome {
                Some(outcome) => {
                    row(f, false, &mode.algorithm.to_string(), outcome.seconds, outcome.bytes, outcome.offloaded)?;
                }
                None => writeln!(
                    f,
                    "<tr><td>{}</td><td colspan=\"7\">not possible: no cores for it</td></tr>",
                    escape(&mode.algorithm.to_string())
                )?,
            }
        }
        writeln!(f, "</table>")
    }

    fn sizes(&self) -> String {
        let ways = self.profile.ways().iter().enumerate().map(|(position, way)| {
            let mut sizes = self.column(position, |cost| cost.bytes as f64);
            sizes.sort_by(f64::total_cmp);
            Spread {
                name: way.to_string(),
                low: percentile(&sizes, 0.05),
                middle: percentile(&sizes, 0.5),
                high: percentile(&sizes, 0.95),
            }
        });
        spreads(Axis { label: "bytes", logarithmic: true, format: bytes }, &ways.collect::<Vec<_>>())
    }

    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "<table><tr><th>way</th><th>mean bytes</th><th>server's CPU, ms</th><th>trainer's CPU, ms</th></tr>"
        )?;
        for (position, way) in self.profile.ways().iter().enumerate() {
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
            writeln!(
                f,
                "<tr><td>{way}</td><td>{}</td><td>{:.3}</td><td>{:.3}</td></tr>",
                bytes(mean(self.column(position, |cost| cost.bytes as f64))),
                mean(self.column(position, |cost| cost.storage_seconds)) * 1e3,
                mean(self.column(position, |cost| cost.trainer_seconds)) * 1e3,
            )?;
        }
        writeln!(f, "</table>")
    }

    fn cuts(&self) -> String {
        let stored = self.column(0, |cost| cost.bytes as f64);
        let mut order: Vec<_> = (0..stored.len()).collect();
        order.sort_by(|a, b| stored[*a].total_cmp(&stored[*b]));
        let used: Vec<_> = self.plan.counts().into_iter().filter(|(_, count)| *count > 0).map(|(way, _)| way).collect();
        let groups = order.chunks(order.len().div_ceil(GROUPS).max(1));
        let (names, bars): (Vec<_>, Vec<_>) = groups
            .map(|group| {
                let largest = group.last().map_or(0.0, |index| stored[*index]);
                let share = |way| {
                    let of_way = group.iter().filter(|index| self.plan.way(**index) == Some(way)).count();
                    of_way as f64 / group.len() as f64
                };
                (format!("to {}", bytes(largest)), used.iter().map(|way| share(*way)).collect::<Vec<_>>())
            })
            .unzip();
        let part = |way: &Way| (self.profile.position(*way).unwrap_or_default(), way.to_string());
        shares(&names, &used.iter().map(part).collect::<Vec<_>>(), &bars)
    }

    fn regions(&self) -> String {
        let Regions { bandwidths, cores, cells } = &self.regions;
        let none = KINDS.len();
        let cell = |cell: &Option<(Resource, f64)>| match cell {
            Some((resource, epoch)) => (kind(*resource), number(*epoch)),
            None => (none, "-".to_owned()),
        };
        let cells: Vec<Vec<_>> = cells.iter().map(|row| row.iter().map(cell).collect()).collect();
        let mut parts: Vec<_> = KINDS.map(str::to_owned).to_vec();
        if cells.iter().flatten().any(|(part, _)| *part == none) {
            parts.push("not possible".to_owned());
        }
        let words = |values: &[f64], format: fn(f64) -> String| values.iter().map(|v| format(*v)).collect::<Vec<_>>();
        map(
            ("bandwidth of the trainer's network", &words(bandwidths, bandwidth)),
            ("cores of each server", &words(cores, number)),
            &parts,
            &cells,
        )
    }

    fn column(&self, position: usize, of: impl Fn(headwater_plan::Cost) -> f64) -> Vec<f64> {
        (0..self.profile.len()).filter_map(|index| self.profile.cost(index, position)).map(of).collect()
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, words: &str, plot: &str) -> fmt::Result {
    writeln!(f, "<h2>{}</h2><p>{}</p>{plot}", escape(title), escape(words))
}

fn row(
    f: &mut fmt::Formatter<'_>,
    chosen: bool,
    name: &str,
    seconds: Seconds,
    sent: u64,
    offloaded: u64,
) -> fmt::Result {
    let class = if chosen { " class=\"chosen\"" } else { "" };
    write!(f, "<tr{class}><td>{}</td>", escape(name))?;
    for value in [seconds.epoch, seconds.network, seconds.storage_cpu, seconds.trainer_cpu, seconds.accelerator] {
        write!(f, "<td>{}</td>", number(value))?;
    }
    writeln!(f, "<td>{}</td><td>{offloaded}</td></tr>", bytes(sent as f64))
}

fn epochs(label: &str, logarithmic: bool, format: fn(f64) -> String, sweep: &Sweep) -> String {
    let x = Axis { label, logarithmic, format };
    lines(x, Axis { label: "epoch, s", logarithmic: true, format: number }, &sweep.places, &sweep.series)
}

/// What to call what an epoch waits for.
fn kind(resource: Resource) -> usize {
    match resource {
        Resource::Network => 0,
        Resource::ServerNetwork(_) => 1,
        Resource::StorageCpu(_) => 2,
        Resource::TrainerCpu => 3,
        Resource::Accelerator => 4,
    }
}

/// Of sorted values.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((part * last as f64).round() as usize).copied().unwrap_or_default()
}

/// Three digits.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 99.95 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

fn scaled(value: f64, units: [&str; 4]) -> String {
    let power = [1e9, 1e6, 1e3].iter().position(|unit| value >= *unit);
    let (unit, scale) = power.map_or((units[3], 1.0), |at| (units[at], [1e9, 1e6, 1e3][at]));
    format!("{} {unit}", number(value / scale))
}

/// Decimal units, as networks count.
fn bytes(value: f64) -> String {
    scaled(value, ["GB", "MB", "kB", "B"])
}

fn bandwidth(value: f64) -> String {
    scaled(value, ["Gbps", "Mbps", "kbps", "bps"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_their_unit() {
        assert_eq!([0.0, 2.0, 0.123_4, 12.34, 1234.5, 0.001].map(number), ["0", "2", "0.12", "12.3", "1234", "1.0e-3"]);
        assert_eq!(
            [bytes(150_528.0), bytes(999.0), bandwidth(430e6), bandwidth(1.25e8)],
            ["151 kB", "999 B", "430 Mbps", "125 Mbps"]
        );
        assert_eq!((percentile(&[], 0.5), percentile(&[1.0, 2.0, 9.0], 0.5)), (0.0, 2.0));
    }
}
