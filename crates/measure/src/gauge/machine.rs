//! `profiler machine`: cores, their speed, and the accelerator's.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use headwater_cli::Progress;
use headwater_cli::exit::UsageError;
use headwater_cli::recipe::find as find_recipe;
use headwater_cli::settings::Findings;
use headwater_cli::values::some_seconds;
use headwater_features::Devices;
use serde::Serialize;

use super::accelerator::{Rate, measure};
use crate::recipe::check_recipe;

const EXAMPLES: &str = "\
Examples:
  profiler machine
  profiler machine --recipe imagenet-eval --json
  profiler machine --model net.onnx --recipe imagenet-eval --device cuda \\
      --onnxruntime /opt/onnxruntime/lib/libonnxruntime.so

A generated photo of 500 x 375 pixels and 59 kB is decoded, cropped,
resized, flipped and normalised, over and over. With --model, samples a
second through that network, on pixels that are ready: what to give to
profiler plan as --accelerator-rate.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MachineArgs {
    /// What is done to the photo: a recipe in the box, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "imagenet-train")]
    recipe: String,

    /// Seconds for each measurement
    #[arg(long, value_name = "SECONDS", default_value = "1.0", value_parser = some_seconds)]
    seconds: Duration,

    /// A network, to be measured too; the recipe must be the one that makes its input
    #[arg(long, env = "HEADWATER_MACHINE_MODEL", value_name = "FILE.onnx")]
    model: Option<PathBuf>,

    /// Where the network runs: cpu, cuda or tensorrt; cuda:N and tensorrt:N are the GPU of that number, from 0, and
    /// several of a kind are separated by commas. A device that is not there is an error
    #[arg(long, value_name = "DEVICE,…", default_value = "cpu")]
    device: Devices,

    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater, in the
    /// Python environment that the program is in, and in .venv if not given
    #[arg(long, visible_alias = "ort-library", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
}

#[derive(Serialize)]
pub(crate) struct MachineReport {
    host: String,
    cores: usize,
    recipe: String,
    photo_bytes: usize,
    photo_size: [u32; 2],
    photos_per_core: f64,
    photos_of_all_cores: f64,
    lossless_crops_per_core: f64,
    accelerator: Option<Rate>,
}

// === impl MachineArgs ===

impl MachineArgs {
    /// Whether the arguments fit together: clap sees only those that are flags.
    pub(crate) fn check_usage(&self) -> Result<(), UsageError> {
        match &self.model {
            None if self.device.is_accelerator() => {
                Err(UsageError("--device without --model: no network is measured; give --model FILE.onnx".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Notes what would keep the command from starting.
    pub(crate) fn check(&self, findings: &mut Findings) {
        check_recipe(Some(&self.recipe), findings);
        let files = [("--model", &self.model), ("--onnxruntime", &self.onnxruntime)];
        for (setting, file) in files {
            file.iter().for_each(|file| findings.readable_file(setting, file));
        }
    }
}

/// Measures, and prints what came of it.
pub(crate) async fn machine(args: &MachineArgs, progress: &Progress) -> anyhow::Result<MachineReport> {
    let time = args.seconds;
    let recipe = find_recipe(&args.recipe)?;
    let bar = progress.items("measurements", Some(3 + u64::from(args.model.is_some())));
    // First: what is wrong with a file is said at once.
    let accelerator = match &args.model {
        Some(model) => {
            let (model, recipe) = (model.clone(), recipe.clone());
            let rate = measure(model, recipe, args.device.clone(), args.onnxruntime.clone(), time).await?;
            bar.add(1);
            Some(rate)
        }
        None => None,
    };
    let measured = {
        let recipe = recipe.clone();
        // There are three measurements: the channel never fills.
        let (sender, mut done) = tokio::sync::mpsc::channel(3);
        // Nobody listens any more only where the command was ended.
        let on_progress = move |more| _ = sender.blocking_send(more);
        let measuring = tokio::task::spawn_blocking(move || headwater_pilot::machine(&recipe, time, &on_progress));
        while let Some(more) = done.recv().await {
            bar.add(more);
        }
        measuring.await.context("measuring")??
    };
    drop(bar);
    Ok(MachineReport {
        host: headwater_pilot::hostname(),
        cores: measured.cores,
        recipe: recipe.name().to_string(),
        photo_bytes: measured.photo_bytes,
        photo_size: measured.photo_size,
        photos_per_core: measured.photos_per_core,
        photos_of_all_cores: measured.photos_of_all,
        lossless_crops_per_core: measured.lossless_per_core,
        accelerator,
    })
}

impl fmt::Display for MachineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.photos_of_all_cores;
        writeln!(f, "{}: {} cores", self.host, self.cores)?;
        writeln!(f, "{:>9.0} photos/s to tensors on one core, {all:.0} on all at once", self.photos_per_core)?;
        write!(f, "{:>9.0} crops/s coded without loss on one core", self.lossless_crops_per_core)?;
        if let Some(rate) = &self.accelerator {
            let Rate { model, device, batch, samples_per_second } = rate;
            write!(f, "\n{samples_per_second:>9.0} samples/s through {model} on {device}, in batches of {batch}")?;
        }
        Ok(())
    }
}
