//! The plan beside every simple mode, as a table.

use std::fmt;

use headwater_plan::prediction::Seconds;
use headwater_plan::{Mode, Plan, Prediction, Resources};

use crate::chart::escape;
use crate::number::{NONE, Unit, number};
use crate::waits;

/// The plan, and the modes that it is held against.
pub(crate) struct Modes<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) modes: &'a [Mode],
    /// What there is to use: a mode has no seconds where nothing limits it.
    pub(crate) resources: &'a Resources,
}

// === impl Modes ===

impl fmt::Display for Modes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prediction = &self.plan.prediction;
        headline(f, prediction)?;
        let sent = self.modes.iter().filter_map(|mode| mode.outcome.as_ref()).map(|outcome| outcome.bytes);
        let unit = Unit::bytes(sent.chain([prediction.bytes]).max().unwrap_or_default() as f64);
        let columns = cells(prediction.seconds(), self.resources);
        let heads: String = columns.iter().map(|(head, _)| format!("<th>{head}, s</th>")).collect();
        writeln!(
            f,
            "<div class=\"wide\"><table><tr><th>mode</th>{heads}<th>sent, {}</th><th>offloaded</th></tr>",
            unit.name
        )?;
        let name = self.plan.algorithm.to_string();
        row(f, true, &name, &columns, &unit.of(prediction.bytes as f64), prediction.offloaded)?;
        for mode in self.modes {
            let name = mode.algorithm.to_string();
            match &mode.outcome {
                Some(outcome) => {
                    let (seconds, sent) = (cells(outcome.seconds, self.resources), unit.of(outcome.bytes as f64));
                    row(f, false, &name, &seconds, &sent, outcome.offloaded)?;
                }
                None => writeln!(
                    f,
                    "<tr><td>{}</td><td colspan=\"{}\">not possible: no cores for it</td></tr>",
                    escape(&name),
                    columns.len() + 2
                )?,
            }
        }
        writeln!(f, "</table></div>")
    }
}

/// The epoch of the plan, and what it waits for.
fn headline(f: &mut fmt::Formatter<'_>, prediction: &Prediction) -> fmt::Result {
    if prediction.epoch > 0.0 {
        let (epoch, bound, gap) = (number(prediction.epoch), number(prediction.bound), prediction.gap * 100.0);
        let waits = waits::name(prediction.bottleneck);
        writeln!(
            f,
            "<h2>An epoch: {epoch} s</h2><p>No plan can be shorter than {bound} s (a gap of {gap:.3} %). It waits for: \
             {waits}.</p>"
        )
    } else {
        writeln!(
            f,
            "<h2>An epoch waits for nothing</h2><p>Nothing was given that this plan could wait for, so that every \
             sample comes as \
             it is stored: give --bandwidth, --server-bandwidth, --trainer-cores or --accelerator-rate.</p>"
        )
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    chosen: bool,
    name: &str,
    seconds: &[(&str, String)],
    sent: &str,
    offloaded: u64,
) -> fmt::Result {
    let class = if chosen { " class=\"chosen\"" } else { "" };
    let seconds: String = seconds.iter().map(|(_, seconds)| format!("<td>{seconds}</td>")).collect();
    writeln!(f, "<tr{class}><td>{}</td>{seconds}<td>{sent}</td><td>{offloaded}</td></tr>", escape(name))
}

/// A mode's seconds, each under its head; none of what nothing limits. Devices are there only where some infer.
fn cells(seconds: Seconds, resources: &Resources) -> Vec<(&'static str, String)> {
    let network = resources.bandwidth.is_some() || resources.servers.iter().any(|server| server.bandwidth.is_some());
    let of = |limited: bool, value: f64| if limited { number(value) } else { NONE.to_owned() };
    let there = resources.servers.iter().any(|server| server.devices.is_some());
    let here = resources.trainer_devices.is_some();
    let cells = [
        (true, "epoch", of(seconds.epoch > 0.0, seconds.epoch)),
        (true, "network", of(network, seconds.network)),
        (true, "servers' CPU", number(seconds.storage_cpu)),
        (there, "servers' devices", number(seconds.storage_device)),
        (true, "trainer's CPU", of(resources.trainer_cores.is_some(), seconds.trainer_cpu)),
        (here, "trainer's devices", number(seconds.trainer_device)),
        (true, "accelerator", of(resources.accelerator_rate.is_some(), seconds.accelerator)),
    ];
    cells.into_iter().filter(|(shown, ..)| *shown).map(|(_, head, cell)| (head, cell)).collect()
}
