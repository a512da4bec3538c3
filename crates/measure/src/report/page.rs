//! The page: HTML with its plots inside, that loads nothing. Light or dark as its reader's machine is; where it is narrow, plots and tables
//! scroll by themselves, and their text stays as large as it is.

use std::fmt;

use headwater_plan::prediction::Seconds;
use headwater_plan::{Mode, Plan, Profile, Resource, Resources, Source};
use headwater_types::Way;

use super::chart::{Axis, Series, Spread, escape, lines, map, shares, spreads};
use super::given::Given;
use super::number::{Unit, number};
use super::sweep::{Regions, Sweep};

/// Everything that the page shows.
pub(crate) struct Page<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) plan: &'a Plan,
    pub(crate) given: Given<'a>,
    pub(crate) modes: &'a [Mode],
    pub(crate) bandwidths: Sweep,
    pub(crate) cores: Sweep,
    pub(crate) regions: Regions,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--muted:#475059;--grid:#dde1e6}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14171a;--muted:#a9b1ba;--grid:#363c44}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:24px auto;padding:0 16px}\
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;line-height:1.25;margin:36px 0 4px}p{margin:4px 0 12px;color:var(--muted)}\
.wide{overflow-x:auto}.wide>*{min-width:680px}\
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums}.wide>table{min-width:0}\
th,td{padding:4px 14px 4px 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}\
th{font-weight:600;vertical-align:bottom;white-space:normal}th:first-child,td:first-child{text-align:left}\
tr.chosen td{font-weight:700}svg{width:100%;height:auto;display:block}\
svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg text.label{fill:var(--muted)}\
svg .grid{stroke:var(--grid);stroke-width:1}\
ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;margin:4px 0 8px;padding:0}ul.legend+svg{margin:0}\
ul.legend i{display:inline-block;width:14px;height:14px;margin-right:7px;vertical-align:-2px}";
/// Groups of samples by size.
const GROUPS: usize = 10;
/// What an epoch can wait for.
const KINDS: [&str; 5] =
    ["trainer's network", "a server's network", "servers' cores", "trainer's cores", "accelerator"];
/// What stands where there is no number.
const NONE: &str = "\u{2013}";

// === impl Page ===

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provenance = self.profile.provenance();
        let name = provenance.dataset.as_ref().map_or_else(|| "a profile".to_owned(), ToString::to_string);
        let title = format!("Headwater: {}", escape(&name));
        writeln!(f, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>")?;
        writeln!(f, "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>")?;
        writeln!(f, "<h1>{title}</h1><p>{}</p>", escape(&self.origin()))?;
        writeln!(f, "<p><strong>Made for</strong> {}</p>", escape(&self.given.to_string()))?;
        self.summary(f)?;
        let sizes = Unit::bytes(self.median_bytes());
        let words = "From the 5th to the 95th percentile, and the median.";
        section(f, "Bytes of a sample, by way", words, &self.sizes(sizes))?;
        self.costs(f, sizes)?;
        let words = "The plan's ways, for a tenth of the samples each, from the smallest photos to the largest.";
        section(f, "Who is cut where", words, &self.cuts())?;
        let words =
            "Predicted seconds of an epoch: the optimal plan, and one way for all, the fewest bytes, SOPHON's greedy.";
        let unit = Unit::bandwidth(self.bandwidths.places.iter().copied());
        let label = format!("bandwidth of the trainer's network, {}", unit.name);
        let places: Vec<_> = self.bandwidths.places.iter().map(|place| place / unit.size).collect();
        let plot = epochs(&label, true, &places, &self.bandwidths.series);
        section(f, "Over bandwidth of the trainer's network", words, &plot)?;
        let plot = epochs("cores of each server", false, &self.cores.places, &self.cores.series);
        section(f, "Over cores of each server", words, &plot)?;
        let words = "The resource that takes longest under the plan, and the epoch's seconds.";
        section(f, "What an epoch waits for", words, &self.regions(unit))?;
        writeln!(f, "<p>Profile {}; plan {}.</p></body></html>", self.plan.inputs.profile, self.plan.digest())
    }
}

impl Page<'_> {
    fn origin(&self) -> String {
        let provenance = self.profile.provenance();
        let recipe = provenance.recipe.as_ref().map_or_else(String::new, |recipe| format!(" under {}", recipe.name));
        let servers = match self.profile.servers().len() {
            1 => "1 server".to_owned(),
            several => format!("{several} servers"),
        };
        let (measured, host, date) = (provenance.measured, &provenance.host, &provenance.date);
        let how = match provenance.source {
            Source::Measured => format!("{measured} of them measured on {host} on {date}"),
            Source::Sophon => format!("imported on {date} from what SOPHON's profiler wrote{}", self.files()),
            Source::Synthetic => format!("made up on {date}, not measured"),
        };
        format!("{} samples{recipe} on {servers}, {how}", self.profile.len())
    }

    /// The names of the files that were imported.
    fn files(&self) -> String {
        let names: Vec<_> = self.profile.provenance().files.iter().map(|file| file.name.as_str()).collect();
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prediction = &self.plan.prediction;
        if prediction.epoch > 0.0 {
            let (epoch, bound, gap) = (number(prediction.epoch), number(prediction.bound), prediction.gap * 100.0);
            let waits = KINDS[kind(prediction.bottleneck)];
            writeln!(
                f,
                "<h2>An epoch: {epoch} s</h2><p>No plan can be shorter than {bound} s (a gap of {gap:.3} %). It waits for: \
                 {waits}.</p>"
            )?;
        } else {
            writeln!(
                f,
                "<h2>An epoch waits for nothing</h2><p>Nothing was given that this plan could wait for, so that every sample comes as \
                 it is stored: give --bandwidth, --server-bandwidth, --trainer-cores or --accelerator-rate.</p>"
            )?;
        }
        let sent = self.modes.iter().filter_map(|mode| mode.outcome.as_ref()).map(|outcome| outcome.bytes);
        let unit = Unit::bytes(sent.chain([prediction.bytes]).max().unwrap_or_default() as f64);
        writeln!(
            f,
            "<div class=\"wide\"><table><tr><th>mode</th><th>epoch, s</th><th>network, s</th><th>servers' CPU, s</th>\
             <th>trainer's CPU, s</th><th>accelerator, s</th><th>sent, {}</th><th>offloaded</th></tr>",
            unit.name
        )?;
        let resources = self.given.resources;
        let name = self.plan.algorithm.to_string();
        row(
            f,
            true,
            &name,
            cells(prediction.seconds(), resources),
            &unit.of(prediction.bytes as f64),
            prediction.offloaded,
        )?;
        for mode in self.modes {
            let name = mode.algorithm.to_string();
            match &mode.outcome {
                Some(outcome) => {
                    let (seconds, sent) = (cells(outcome.seconds, resources), unit.of(outcome.bytes as f64));
                    row(f, false, &name, seconds, &sent, outcome.offloaded)?;
                }
                None => writeln!(
                    f,
                    "<tr><td>{}</td><td colspan=\"7\">not possible: no cores for it</td></tr>",
                    escape(&name)
                )?,
            }
        }
        writeln!(f, "</table></div>")
    }

    fn median_bytes(&self) -> f64 {
        let mut sizes = self.column(0, |cost| cost.bytes as f64);
        sizes.sort_by(f64::total_cmp);
        percentile(&sizes, 0.5)
    }

    fn sizes(&self, unit: Unit) -> String {
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

    fn costs(&self, f: &mut fmt::Formatter<'_>, unit: Unit) -> fmt::Result {
        writeln!(
            f,
            "<div class=\"wide\"><table><tr><th>way</th><th>mean, {}</th><th>server's CPU, ms</th><th>trainer's CPU, ms</th></tr>",
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

    fn cuts(&self) -> String {
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

    fn regions(&self, unit: Unit) -> String {
        let Regions { bandwidths, cores, cells } = &self.regions;
        let none = KINDS.len();
        let cell = |cell: &Option<(Resource, f64)>| match cell {
            Some((resource, epoch)) => (kind(*resource), number(*epoch)),
            None => (none, NONE.to_owned()),
        };
        let cells: Vec<Vec<_>> = cells.iter().map(|row| row.iter().map(cell).collect()).collect();
        let mut parts: Vec<_> = KINDS.map(str::to_owned).to_vec();
        if cells.iter().flatten().any(|(part, _)| *part == none) {
            parts.push("not possible".to_owned());
        }
        let bandwidths: Vec<_> = bandwidths.iter().map(|bandwidth| unit.of(*bandwidth)).collect();
        let cores: Vec<_> = cores.iter().map(|cores| number(*cores)).collect();
        let across = format!("bandwidth of the trainer's network, {}", unit.name);
        map((&across, &bandwidths), ("cores of each server", &cores), &parts, &cells)
    }

    fn column(&self, position: usize, of: impl Fn(headwater_plan::Cost) -> f64) -> Vec<f64> {
        (0..self.profile.len()).filter_map(|index| self.profile.cost(index, position)).map(of).collect()
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, words: &str, plot: &str) -> fmt::Result {
    writeln!(f, "<h2>{}</h2><p>{}</p><div class=\"wide\">{plot}</div>", escape(title), escape(words))
}

fn row(
    f: &mut fmt::Formatter<'_>,
    chosen: bool,
    name: &str,
    seconds: [String; 5],
    sent: &str,
    offloaded: u64,
) -> fmt::Result {
    let class = if chosen { " class=\"chosen\"" } else { "" };
    let seconds = seconds.map(|seconds| format!("<td>{seconds}</td>")).concat();
    writeln!(f, "<tr{class}><td>{}</td>{seconds}<td>{sent}</td><td>{offloaded}</td></tr>", escape(name))
}

/// A mode's seconds; none of what nothing limits.
fn cells(seconds: Seconds, resources: &Resources) -> [String; 5] {
    let network = resources.bandwidth.is_some() || resources.servers.iter().any(|server| server.bandwidth.is_some());
    let of = |limited: bool, value: f64| if limited { number(value) } else { NONE.to_owned() };
    [
        of(seconds.epoch > 0.0, seconds.epoch),
        of(network, seconds.network),
        number(seconds.storage_cpu),
        of(resources.trainer_cores.is_some(), seconds.trainer_cpu),
        of(resources.accelerator_rate.is_some(), seconds.accelerator),
    ]
}

/// Epochs over an axis, by mode; in words where there is nothing to wait for.
fn epochs(label: &str, logarithmic: bool, places: &[f64], series: &[Series]) -> String {
    let waits = |series: &Series| series.values.iter().flatten().any(|epoch| *epoch > 0.0);
    if !series.iter().filter(|series| series.chosen).any(waits) {
        return "<p>Nothing was given that the plan could wait for: there is nothing to draw.</p>".to_owned();
    }
    let named = |series: &Series| Series {
        name: series.name.strip_prefix("static:").unwrap_or(&series.name).to_owned(),
        values: series.values.iter().map(|epoch| epoch.filter(|epoch| *epoch > 0.0)).collect(),
        chosen: series.chosen,
    };
    let x = Axis { label, logarithmic, format: number };
    let y = Axis { label: "epoch, s", logarithmic: true, format: number };
    lines(x, y, places, &series.iter().map(named).collect::<Vec<_>>())
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
