//! `tuner plan`: where a network is cut, and how many servers are worth it.

use anyhow::{Context as _, bail};
use headwater_cli::Outcome;
use headwater_onnx::{Limits, check, file};
use headwater_plan::Cores;
use headwater_plan::partition::{NetworkProfile, partition};
use headwater_tables::network;
use headwater_types::Digest;
use headwater_types::caps::MAX_MODEL_BYTES;

use crate::args::PartitionArgs;
use crate::report::PartitionSummary;

/// Reads model and profile, and plans.
pub(crate) async fn plan(args: &PartitionArgs) -> anyhow::Result<Outcome<PartitionSummary>> {
    let args = args.clone();
    // A plan of a thousand servers takes tenths of a second of CPU.
    let planned = tokio::task::spawn_blocking(move || planned(&args)).await.context("planning")??;
    Ok(Outcome::done(planned))
}

fn planned(args: &PartitionArgs) -> anyhow::Result<PartitionSummary> {
    let (profile, model_digest) = (read_profile(args)?, read_model(args)?);
    if profile.model_digest != model_digest {
        bail!(
            "--profile {} is of {} with the digest {}, and --model {} has {}: profile this file with profiler model",
            args.profile.display(),
            profile.model,
            profile.model_digest.short(),
            args.model.display(),
            model_digest.short()
        );
    }
    let fleet = args.fleet(&profile)?;
    let plan = partition(&profile, &fleet, args.images.get().into(), args.worth)?;
    Ok(PartitionSummary {
        best: plan.best,
        enough: plan.enough,
        worth: args.worth,
        images: args.images.get(),
        model: profile.model,
        model_digest,
        tuner_cores: fleet.tuner_cores.map_or(0.0, Cores::get),
        by_servers: plan.by_servers,
        by_cut: plan.by_cut,
        estimated: plan.estimated,
        not_measured: profile.not_measured.len(),
    })
}

/// The profile that was given.
pub(crate) fn read_profile(args: &PartitionArgs) -> anyhow::Result<NetworkProfile> {
    network::read(&args.profile).with_context(|| format!("--profile {}", args.profile.display()))
}

/// The digest of the model that was given.
fn read_model(args: &PartitionArgs) -> anyhow::Result<Digest> {
    let path = args.model.display();
    let bytes = file::read(&args.model, MAX_MODEL_BYTES).with_context(|| format!("cannot read --model {path}"))?;
    Ok(check(&bytes, &Limits::default()).with_context(|| format!("--model {path}"))?.digest)
}
