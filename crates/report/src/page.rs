//! The page about a profile and its plan.

use std::fmt;

use headwater_plan::{Mode, Plan, Profile, Source};

use crate::available::Available;
use crate::chart::escape;
use crate::epochs::epochs;
use crate::html::{head, section};
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

// === impl Page ===

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provenance = self.profile.provenance();
        let name = provenance.dataset.as_ref().map_or_else(|| "a profile".to_owned(), ToString::to_string);
        let title = format!("Headwater: {}", escape(&name));
        head(f, &title)?;
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
