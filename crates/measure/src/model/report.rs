//! What `profiler model` prints.

use std::fmt;

use headwater_plan::partition::{CutCosts, NetworkProfile};
use headwater_types::Digest;
use serde::Serialize;

use crate::plan::bytes;

/// What a network costs at its cuts, and the halves that were written.
#[derive(Debug, Serialize)]
pub(crate) struct NetworkCuts {
    #[serde(flatten)]
    pub(super) profile: NetworkProfile,
    /// The halves of --split-at; null without it.
    pub(super) split: Option<WrittenHalves>,
}

/// Two models that were written.
#[derive(Debug, Serialize)]
pub(crate) struct WrittenHalves {
    /// The file from the input to the cut.
    pub(super) front: String,
    /// Its digest.
    pub(super) front_digest: Digest,
    /// The file from the cut to the outputs.
    pub(super) back: String,
    /// Its digest.
    pub(super) back_digest: Digest,
}

/// Most characters of a cut's name in the table.
const NAME: usize = 40;

// === impl NetworkCuts ===

impl fmt::Display for NetworkCuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetworkProfile { model, outputs, recipe, photos, photos_from, photos_failed, .. } = &self.profile;
        writeln!(f, "{model} to {}, recipe {recipe}, {photos} photos ({photos_from})", outputs.join(", "))?;
        if *photos_failed > 0 {
            writeln!(f, "{photos_failed} photos could not be read, and were left out")?;
        }
        let name = "cut";
        write!(
            f,
            "{name:NAME$}  {:>16}  {:>11}  {:>11}  {:>10}  {:>10}",
            "shape", "bytes", "coded", "server ms", "tuner ms"
        )?;
        let of_devices = self.profile.is_of_devices();
        if of_devices {
            write!(f, "  {:>10}", "device ms")?;
        }
        for cut in &self.profile.cuts {
            row(f, cut)?;
            if of_devices {
                let device = cut.device_seconds.map_or_else(|| "-".to_owned(), |device| format!("{:.3}", 1e3 * device));
                write!(f, "  {device:>10}")?;
            }
        }
        for left_out in &self.profile.not_measured {
            write!(f, "\nnot measured: {}: {}", left_out.tensor, left_out.reason)?;
        }
        if self.profile.not_searched > 0 {
            write!(f, "\n{} stretches are too long to be searched for several tensors", self.profile.not_searched)?;
        }
        match &self.split {
            Some(split) => write!(f, "\nwritten to {} and {}", split.front, split.back),
            None => Ok(()),
        }
    }
}

fn row(f: &mut fmt::Formatter<'_>, cut: &CutCosts) -> fmt::Result {
    let name: String = cut.cut.chars().take(NAME).collect();
    let shape = match &cut.tensors[..] {
        [] => "-".to_owned(),
        [tensor] => tensor.shape.iter().map(u64::to_string).collect::<Vec<_>>().join("x"),
        several => format!("{} tensors", several.len()),
    };
    let coded = cut.coded_bytes.map_or_else(|| "-".to_owned(), |coded| bytes(coded as u64));
    let (server, tuner) = (1e3 * cut.server_seconds, 1e3 * cut.tuner_seconds);
    write!(
        f,
        "\n{name:NAME$}  {shape:>16}  {:>11}  {coded:>11}  {server:>10.3}  {tuner:>10.3}",
        bytes(cut.bytes as u64)
    )
}
