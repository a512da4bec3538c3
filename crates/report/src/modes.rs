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
        writeln!(
            f,
            "<div class=\"wide\"><table><tr><th>mode</th><th>epoch, s</th><th>network, s</th><th>servers' CPU, s</th>\
             <th>trainer's CPU, s</th><th>accelerator, s</th><th>sent, {}</th><th>offloaded</th></tr>",
            unit.name
        )?;
        let name = self.plan.algorithm.to_string();
        row(
            f,
            true,
            &name,
            cells(prediction.seconds(), self.resources),
            &unit.of(prediction.bytes as f64),
            prediction.offloaded,
        )?;
        for mode in self.modes {
            let name = mode.algorithm.to_string();
            match &mode.outcome {
                Some(outcome) => {
                    let (seconds, sent) = (cells(outcome.seconds, self.resources), unit.of(outcome.bytes as f64));
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
