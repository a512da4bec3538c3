//! What `tuner plan` prints.

use std::fmt;

use headwater_plan::partition::Choice;
use headwater_types::Digest;
use serde::Serialize;

/// Where a network is cut, and how many servers are worth it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartitionSummary {
    /// The choice of the shortest epoch.
    #[serde(flatten)]
    pub(crate) best: Choice,
    /// The smallest number of servers from which on no larger number shortens the epoch by the part `worth`.
    pub(crate) enough: usize,
    /// The part of an epoch by which more servers have to shorten it.
    pub(crate) worth: f64,
    /// Images of an epoch.
    pub(crate) images: u32,
    /// The network's file.
    pub(crate) model: String,
    /// Its digest.
    pub(crate) model_digest: Digest,
    /// The tuner's cores.
    pub(crate) tuner_cores: f64,
    /// The best choice for each number of servers, from 1; those are missing for which no cut can be used.
    pub(crate) by_servers: Vec<Choice>,
    /// The best choice for each cut that can be used, in the profile's order.
    pub(crate) by_cut: Vec<Choice>,
    /// Whether the time of servers' devices is estimated from that of cores, on which the profile was measured.
    pub(crate) estimated: bool,
    /// Cuts of the profile that were not measured, and so are not looked at.
    pub(crate) not_measured: usize,
}

/// Most characters of a cut's name in a table.
const NAME: usize = 40;
/// Cuts in the table, from the shortest epoch on; JSON has all.
const MOST_ROWS: usize = 12;

// === impl PartitionSummary ===

impl PartitionSummary {
    /// Whether a server has devices.
    fn has_devices(&self) -> bool {
        self.by_servers.iter().any(|choice| choice.stages.device.is_some())
    }
}

impl fmt::Display for PartitionSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Choice { cut, batch, servers, epoch_seconds, waits_for, .. } = &self.best;
        writeln!(
            f,
            "{}, {} images: cut at {cut}{}, in batches of {batch}",
            self.model,
            self.images,
            coded(&self.best)
        )?;
        writeln!(f, "epoch {epoch_seconds:.2} s with {servers} servers; it waits for {waits_for}")?;
        let part = 100.0 * self.worth;
        writeln!(f, "more than {} servers shorten it by less than {part} %", self.enough)?;
        writeln!(f, "\nby servers")?;
        heads(f, self.has_devices())?;
        for choice in &self.by_servers {
            row(f, choice)?;
        }
        writeln!(f, "\n\nby cut, the shortest epochs")?;
        heads(f, self.has_devices())?;
        let mut shortest: Vec<_> = self.by_cut.iter().collect();
        shortest.sort_by(|a, b| a.epoch_seconds.total_cmp(&b.epoch_seconds));
        for choice in shortest.iter().take(MOST_ROWS) {
            row(f, choice)?;
        }
        if let Some(more) = shortest.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
            write!(f, "\n{more} more cuts take longer: see --json")?;
        }
        if self.estimated {
            write!(
                f,
                "\ndevices: the time of fronts is estimated from that of cores; profiler model --servers measures it"
            )?;
        }
        match self.not_measured {
            0 => Ok(()),
            cuts => write!(f, "\n{cuts} cuts were not measured: profiler model says why"),
        }
    }
}

fn heads(f: &mut fmt::Formatter<'_>, has_devices: bool) -> fmt::Result {
    let cut = "cut";
    write!(
        f,
        "servers  {cut:NAME$}  {:>5}  {:>10}  {:>9}  {:>9}  {:>9}  ",
        "batch", "epoch s", "storage", "network", "tuner"
    )?;
    if has_devices {
        write!(f, "{:>9}  ", "device")?;
    }
    f.write_str("waits for")
}

fn row(f: &mut fmt::Formatter<'_>, choice: &Choice) -> fmt::Result {
    let Choice { cut, batch, servers, epoch_seconds, stages, waits_for, .. } = choice;
    let name: String = format!("{cut}{}", coded(choice)).chars().take(NAME).collect();
    let (storage, network, tuner) = (stages.storage, stages.network, stages.tuner);
    write!(
        f,
        "\n{servers:>7}  {name:NAME$}  {batch:>5}  {epoch_seconds:>10.2}  {storage:>9.2}  {network:>9.2}  {tuner:>9.2}"
    )?;
    if let Some(device) = stages.device {
        write!(f, "  {device:>9.2}")?;
    }
    write!(f, "  {waits_for}")
}

fn coded(choice: &Choice) -> &'static str {
    if choice.coded { "+lossless" } else { "" }
}
