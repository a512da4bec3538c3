//! The page: HTML with its plots inside, that loads nothing. Light or dark as its reader's machine is; where it is
//! narrow, plots and tables scroll by themselves, and their text stays as large as it is.

use std::fmt;

use headwater_plan::{Mode, Plan, Profile, Source};

use crate::available::Available;
use crate::chart::escape;
use crate::epochs::epochs;
use crate::modes::Modes;
use crate::number::Unit;
use crate::sweep::{Regions, Sweep};
use crate::waits::regions;
use crate::ways::Ways;

/// Everything that the page shows.
pub struct Page<'a> {
    /// What samples cost.
    pub profile: &'a Profile,
    /// The plan that the page is about.
    pub plan: &'a Plan,
    /// What the plan may use.
    pub available: Available<'a>,
    /// Every simple mode, with the same resources.
    pub modes: &'a [Mode],
    /// Epochs over the bandwidth of the trainer's network.
    pub bandwidths: Sweep,
    /// Epochs over the cores of each server.
    pub cores: Sweep,
    /// What an epoch waits for, over both.
    pub regions: Regions,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--muted:#475059;--grid:#dde1e6}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14171a;--muted:#a9b1ba;--grid:#363c44}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:24px \
auto;padding:0 16px}\
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;line-height:1.25;margin:36px 0 4px}p{margin:4px 0 \
12px;color:var(--muted)}\
.wide{overflow-x:auto}.wide>*{min-width:680px}\
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums}.wide>table{min-width:0}\
th,td{padding:4px 14px 4px 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}\
th{font-weight:600;vertical-align:bottom;white-space:normal}th:first-child,td:first-child{text-align:left}\
tr.chosen td{font-weight:700}svg{width:100%;height:auto;display:block}\
svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg text.label{fill:var(--muted)}\
svg .grid{stroke:var(--grid);stroke-width:1}\
ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;margin:4px 0 8px;padding:0}ul.legend+svg{margin:0}\
ul.legend i{display:inline-block;width:14px;height:14px;margin-right:7px;vertical-align:-2px}";
// === impl Page ===

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provenance = self.profile.provenance();
        let name = provenance.dataset.as_ref().map_or_else(|| "a profile".to_owned(), ToString::to_string);
        let title = format!("Headwater: {}", escape(&name));
        writeln!(f, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>")?;
        writeln!(f, "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>")?;
        writeln!(f, "<h1>{title}</h1><p>{}</p>", escape(&self.origin()))?;
        writeln!(f, "<p><strong>Made for</strong> {}</p>", escape(&self.available.to_string()))?;
        let modes = Modes { plan: self.plan, modes: self.modes, resources: self.available.resources };
        write!(f, "{modes}")?;
        let ways = Ways { profile: self.profile, plan: self.plan };
        let sizes = Unit::bytes(ways.median_bytes());
        let words = "From the 5th to the 95th percentile, and the median.";
        section(f, "Bytes of a sample, by way", words, &ways.sizes(sizes))?;
        ways.costs(f, sizes)?;
        let words = "The plan's ways, for a tenth of the samples each, from the smallest photos to the largest.";
        section(f, "Who is cut where", words, &ways.cuts())?;
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
        section(f, "What an epoch waits for", words, &regions(&self.regions, unit))?;
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
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, words: &str, plot: &str) -> fmt::Result {
    writeln!(f, "<h2>{}</h2><p>{}</p><div class=\"wide\">{plot}</div>", escape(title), escape(words))
}
