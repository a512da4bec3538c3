//! What `profiler plan` says: the plan in numbers, and every simple mode beside it.

use std::fmt;
use std::path::Path;

use headwater_plan::prediction::Seconds;
use headwater_plan::{Mode, ModeOutcome, Plan, Profile, Resource, ResourceTime, Server};
use headwater_types::Digest;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What `profiler plan` says.
pub(crate) struct Report {
    out: Option<String>,
    plan_digest: Digest,
    profile: Digest,
    plan: Plan,
    modes: Vec<Mode>,
    /// How many samples travel by each of the profile's ways.
    cuts: Vec<(String, u64)>,
}

// === impl Report ===

impl Report {
    pub(super) fn new(out: Option<&Path>, profile: &Profile, plan: Plan, modes: Vec<Mode>) -> Self {
        let counts = plan.counts();
        let count = |way| counts.iter().find(|(known, _)| *known == way).map_or(0, |(_, count)| *count);
        Self {
            out: out.map(|path| path.display().to_string()),
            plan_digest: plan.digest(),
            profile: plan.inputs.profile,
            cuts: profile.ways().iter().map(|&way| (way.to_string(), count(way))).collect(),
            plan,
            modes,
        }
    }

    /// Whether devices infer, at servers or at the trainer.
    fn has_devices(&self) -> bool {
        let is_device =
            |time: &ResourceTime| matches!(time.resource, Resource::StorageDevice(_) | Resource::TrainerDevice);
        self.plan.prediction.resources.iter().any(is_device)
    }

    fn servers(&self) -> &[Server] {
        &self.plan.inputs.servers
    }
}

impl Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let prediction = &self.plan.prediction;
        let mode = |mode: &Mode| {
            let outcome = mode.outcome.as_ref().map(
                |outcome| json!({ "offloaded": outcome.offloaded, "bytes": outcome.bytes, "seconds": outcome.seconds }),
            );
            json!({ "algorithm": mode.algorithm, "outcome": outcome })
        };
        let cuts: Map<_, _> = self.cuts.iter().map(|(way, count)| (way.clone(), Value::from(*count))).collect();
        let resources: Vec<_> = prediction.resources.iter().map(|time| resource(time, self.servers())).collect();
        json!({
            "algorithm": self.plan.algorithm,
            "samples": self.plan.len(),
            "offloaded": prediction.offloaded,
            "bytes": prediction.bytes,
            "seconds": prediction.seconds(),
            "bound": prediction.bound,
            "gap": prediction.gap,
            "proven": prediction.proven,
            "cuts": cuts,
            "bottleneck": name(prediction.bottleneck, self.servers()),
            "resources": resources,
            "modes": self.modes.iter().map(mode).collect::<Vec<_>>(),
            "plan": self.out,
            "plan_digest": self.plan_digest,
            "profile_digest": self.profile,
        })
        .serialize(serializer)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, prediction) = (&self.plan, &self.plan.prediction);
        writeln!(f, "{} samples, {} offloaded, {} sent", plan.len(), prediction.offloaded, bytes(prediction.bytes))?;
        for (way, count) in self.cuts.iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "  {count:>9}  {way}")?;
        }
        writeln!(f)?;
        write!(f, "{:26}  {:>12}", "seconds of", "bytes")?;
        columns(self.has_devices(), &Seconds::default())
            .try_for_each(|(column, _)| write!(f, "  {column:>w$}", w = width(column)))?;
        writeln!(f)?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, sent, seconds: &Seconds| {
            write!(f, "{name:26}  {:>12}", bytes(sent))?;
            columns(self.has_devices(), seconds)
                .try_for_each(|(column, seconds)| write!(f, "  {seconds:>w$.2}", w = width(column)))?;
            writeln!(f)
        };
        row(f, &format!("> {} (this plan)", plan.algorithm), prediction.bytes, &prediction.seconds())?;
        for mode in &self.modes {
            let name = mode.algorithm.to_string();
            match &mode.outcome {
                Some(ModeOutcome { bytes, seconds, .. }) => row(f, &format!("  {name}"), *bytes, seconds)?,
                None => {
                    writeln!(f, "  {name:24}  not possible: somebody lacks the cores for it, or a server the model")?;
                }
            }
        }
        writeln!(f)?;
        for time in prediction.resources.iter().filter(|time| self.servers().len() > 1 || time.price > 0.0) {
            let name = name(time.resource, self.servers());
            writeln!(f, "{name:34}  {:>11.3} s  a second is worth {:.4} s of the epoch", time.seconds, time.price)?;
        }
        write!(
            f,
            "epoch {:.3} s by the {}; no plan can have less than {:.3} s ({})",
            prediction.epoch,
            name(prediction.bottleneck, self.servers()),
            prediction.bound,
            match prediction.gap {
                _ if prediction.proven => "this is the best there is".to_owned(),
                gap => format!("gap {:.4} %", 100.0 * gap),
            }
        )?;
        match &self.out {
            Some(out) => write!(f, "\nwritten to {out}, digest {}", self.plan_digest.short()),
            None => write!(f, "\nnot written: give --out FILE"),
        }
    }
}

/// Kinds of resource and their seconds; devices only where there are some.
fn columns(has_devices: bool, seconds: &Seconds) -> impl Iterator<Item = (&'static str, f64)> {
    let Seconds { network, storage_cpu, storage_device, trainer_cpu, trainer_device, accelerator, epoch } = *seconds;
    let columns = [
        ("network", network),
        ("storage cpu", storage_cpu),
        ("storage device", storage_device),
        ("trainer cpu", trainer_cpu),
        ("trainer device", trainer_device),
        ("accelerator", accelerator),
        ("epoch", epoch),
    ];
    columns.into_iter().filter(move |(name, _)| has_devices || !name.ends_with("device"))
}

/// The width of a column.
fn width(column: &str) -> usize {
    column.len().max(11)
}

fn resource(time: &ResourceTime, servers: &[Server]) -> Value {
    let server = time.resource.server().and_then(|place| servers.get(place)).map(|server| &server.address);
    json!({ "resource": time.resource.kind(), "server": server, "seconds": time.seconds, "price": time.price })
}

/// A resource with its server's address.
pub(super) fn name(resource: Resource, servers: &[Server]) -> String {
    let kind = resource.kind().replace('-', " ");
    match resource.server().and_then(|place| servers.get(place)) {
        Some(server) => format!("{kind} of {}", server.address),
        None => kind,
    }
}

/// In decimal units, as networks count.
pub(crate) fn bytes(bytes: u64) -> String {
    let (scale, unit) = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
        .into_iter()
        .find(|(scale, _)| bytes as f64 >= *scale)
        .unwrap_or((1.0, "B"));
    if scale == 1.0 { format!("{bytes} B") } else { format!("{:.3} {unit}", bytes as f64 / scale) }
}
