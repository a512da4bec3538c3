//! The features of all servers, brought here: the worker of `--mode central`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use futures::StreamExt as _;
use headwater_cli::{GrowingBar, Progress};
use headwater_client::label_calls::FailuresOfKind;
use headwater_client::training_calls::{FeatureMoments, PreparedFeatures};
use headwater_extraction::Connected;
use headwater_federation::Here;
use headwater_learn::{FeatureSet, in_validation};
use headwater_pilot::Headway;
use headwater_types::{ByteCount, FailureKind, Seed};

use crate::args::FineTuneArgs;

/// Keys that are named of each kind of failure.
const NAMED: u64 = 5;

/// Brings the features.
pub(super) async fn here(args: &FineTuneArgs, progress: &Progress) -> Result<Here> {
    let connected = Connected::new(args.served_model()?).await?;
    let bar = GrowingBar::new(progress, "profile");
    let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
    let all = (0..connected.provenance().samples).into();
    let servers = connected.steer(&all, &on_progress).await?;
    let provenance = servers.provenance().clone();
    let (dim, classes) = (provenance.feature_len, provenance.classes.len());
    let needed = ByteCount::new(provenance.samples.saturating_mul(4 * dim as u64));
    if needed > args.replay_memory {
        anyhow::bail!(
            "the features of {} samples take {needed} here, and --replay-memory allows {}: give more, or another \
             --mode, which leaves them on the servers",
            provenance.samples,
            args.replay_memory
        );
    }
    let set = || FeatureSet::new(dim, classes);
    let (mut train, mut held_out, mut unlabelled) = (set(), set(), 0);
    let mut failed: BTreeMap<FailureKind, (u64, Vec<String>)> = BTreeMap::new();
    let bar = progress.items("extract", Some(provenance.samples));
    let mut arrivals = servers.features(0..provenance.samples, true)?;
    while let Some(sample) = arrivals.next().await {
        let sample = sample?;
        bar.add(1);
        match (sample.outcome, &sample.key, sample.label) {
            (Ok(feature), Some(key), Some(label)) => {
                let is_held_out = in_validation(key, Seed(args.seed), args.validation_fraction);
                if is_held_out { held_out.push(&feature, label)? } else { train.push(&feature, label)? }
            }
            (Ok(_), ..) => unlabelled += 1,
            (Err(failure), key, _) => {
                tracing::debug!(?key, %failure, "leaving out a sample: it has no feature");
                let (count, named) = failed.entry(failure.kind).or_default();
                *count += 1;
                named.extend(key.as_ref().map(|key| key.as_str().to_owned()).filter(|_| *count <= NAMED));
            }
        }
    }
    let failed = failed.into_iter().map(|(kind, (count, first_keys))| FailuresOfKind { kind, count, first_keys });
    let facts = PreparedFeatures {
        instance: [0; 16],
        part: (1, 1),
        dataset_digest: provenance.dataset_digest,
        classes: provenance.classes,
        labels: Vec::new(),
        held_out: 0,
        unlabelled,
        failed: failed.collect(),
        model_digest: provenance.model_digest,
        recipe_digest: provenance.recipe_digest,
        output: provenance.output,
        feature_len: u32::try_from(dim).context("features of this length")? as usize,
        moments: FeatureMoments::default(),
        slowdown: 1.0,
    };
    Ok(Here::new(facts, train, held_out))
}
