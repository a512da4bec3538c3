use std::path::Path;

use headwater_types::{ClassId, FailureKind, SampleFailure, SampleIndex, SampleKey};

use super::*;
use crate::args::tests::fine_tune as args;
use crate::fixture::provenance;
use headwater_tables::features::{Assembly, PartFolder};

const SAMPLES: u64 = 600;
const FEATURE_LEN: usize = 8;

fn key(index: u64) -> SampleKey {
    format!("{index}.jpg").parse().unwrap()
}

/// Three blobs around three corners, one sample in 10 without a label, one in 50 broken, sample 7 not finite.
fn blob(index: u64) -> (Option<ClassId>, Result<Vec<f32>, SampleFailure>) {
    let class = (index % 3) as u32;
    let label = (index % 10 != 9).then_some(ClassId(class));
    if index % 50 == 49 {
        return (label, Err(SampleFailure::new(FailureKind::Malformed, "broken")));
    }
    // The sum of digests' bytes is near enough to normal.
    let digest = headwater_types::Digest::of(&index.to_le_bytes());
    let noise =
        |at: usize| digest.as_bytes()[4 * at..][..4].iter().map(|byte| f32::from(*byte) / 128.0 - 1.0).sum::<f32>();
    let corner = |at: usize| if at == class as usize { 5.0 } else { 0.0 };
    let mut feature: Vec<_> = (0..FEATURE_LEN).map(|at| corner(at) + noise(at)).collect();
    // Tells samples apart: no multiple of the noise's step.
    feature[FEATURE_LEN - 1] += index as f32 * 1e-4;
    if index == 7 {
        feature[0] = f32::NAN;
    }
    (label, Ok(feature))
}

/// A finished extraction of all samples, in two parts.
fn extraction() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = PartFolder::open(dir.path()).unwrap();
    for range in [0..256, 256..SAMPLES] {
        let mut assembly = Assembly::new(range.clone(), FEATURE_LEN);
        for index in range {
            match blob(index) {
                (label, Ok(feature)) => assembly.fill(SampleIndex(index), key(index), label, &feature).unwrap(),
                (_, Err(failure)) => assembly.fail(SampleIndex(index), Some(&key(index)), &failure).unwrap(),
            }
        }
        folder.write(&provenance(SAMPLES, FEATURE_LEN), &assembly.finish()).unwrap();
    }
    dir
}

async fn train(features: &Path, out: &Path, more: &[&str]) -> anyhow::Result<serde_json::Value> {
    let (features, out) = (features.to_str().unwrap(), out.to_str().unwrap());
    let arguments = [&["--features", features, "--out", out, "--epochs", "10"][..], more].concat();
    let outcome = fine_tune(&args(&arguments), &Progress::hidden(), &CancellationToken::new()).await?;
    assert!(outcome.fault().is_none(), "{outcome:?}");
    Ok(serde_json::to_value(outcome.made().unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_told_apart_and_every_image_is_accounted_for() {
    let (features, dir) = (extraction(), tempfile::tempdir().unwrap());
    for head in ["softmax", "mlp"] {
        let summary =
            train(features.path(), &dir.path().join(head), &["--head", head, "--hidden", "16"]).await.unwrap();
        let number = |name: &str| summary[name].as_f64().unwrap();
        assert!(number("validation_top1") > 0.95, "{head}: {summary}");
        assert!(number("train_top1") > 0.95, "{head}: {summary}");
        assert_eq!(summary["failed"], 13);
        let first = ["49.jpg", "99.jpg", "149.jpg", "199.jpg", "249.jpg"];
        assert_eq!(
            summary["failures"],
            serde_json::json!([
                { "kind": "malformed", "count": 12, "keys": first },
                { "kind": "not-finite", "count": 1, "keys": ["7.jpg"] },
            ])
        );
        // Of 60 without a label, 12 are broken as well.
        assert_eq!(summary["unlabelled"], 48);
        assert_eq!(number("trained") + number("validated") + 48.0 + 13.0, SAMPLES as f64);
        let runs = summary["runs"].as_array().unwrap();
        assert_eq!(runs.iter().map(|run| run["images"].as_u64().unwrap()).collect::<Vec<_>>(), [200, 200, 200]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), if head == "mlp" { 2 } else { 1 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_head_and_another_seed_another() {
    let (features, dir) = (extraction(), tempfile::tempdir().unwrap());
    let mut digests = Vec::new();
    for seed in ["1", "1", "2"] {
        let summary = train(features.path(), &dir.path().join("head.onnx"), &["--seed", seed]).await.unwrap();
        let bytes = std::fs::read(dir.path().join("head.onnx")).unwrap();
        assert_eq!(summary["head_digest"], headwater_types::Digest::of(&bytes).to_string());
        digests.push(summary["head_digest"].clone());
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_that_teaches_nothing_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let features = extraction();
    let out = dir.path().join("head.onnx");
    let errors = [
        (train(&dir.path().join("none"), &out, &[]).await, "none"),
        (train(dir.path(), &out, &[]).await, "holds no features"),
        (train(features.path(), &dir.path().join("no/such/head.onnx"), &[]).await, "there is no folder"),
        (train(features.path(), dir.path(), &[]).await, "is a folder"),
        (train(features.path(), &out, &["--replay-memory", "1KiB"]).await, "--replay-memory"),
        (train(features.path(), &out, &["--runs", "601"]).await, "give 600 or fewer"),
    ];
    for (result, words) in errors {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    std::fs::write(dir.path().join("other.onnx"), "another model").unwrap();
    let other = dir.path().join("other.onnx");
    let joined = dir.path().join("joined.onnx");
    let join = ["--join", other.to_str().unwrap(), "--joined-out", joined.to_str().unwrap()];
    let error = train(features.path(), &out, &join).await.unwrap_err();
    let why = error.downcast_ref();
    assert!(matches!(why, Some(TrainingError::Save(SaveError::OtherExtractor { .. }))), "{error}");
    assert!(!out.exists() && !joined.exists());

    let mut one_class = provenance(1, 1);
    one_class.classes.truncate(1);
    for (classes, words) in [(1, "has 1 class and"), (0, "has no labels and")] {
        one_class.classes.truncate(classes);
        let args = args(&["--out", out.to_str().unwrap()]);
        let error = rehearse(&args, &one_class, open_outputs(&args).unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_in_the_features_is_found_before_anything_is_trained() {
    let (features, dir) = (extraction(), tempfile::tempdir().unwrap());
    std::fs::remove_file(features.path().join("part-0000000256.parquet")).unwrap();
    let error = train(features.path(), &dir.path().join("head.onnx"), &[]).await.unwrap_err().to_string();
    assert!(error.contains("lacks sample 256"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_training_and_writes_nothing() {
    let (features, dir) = (extraction(), tempfile::tempdir().unwrap());
    let out = dir.path().join("head.onnx");
    let arguments = ["--features", features.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
    let args = args(&[&arguments[..], &["--epochs", "100000000", "--patience", "100000000"]].concat());
    let stop = CancellationToken::new();
    let hidden = Progress::hidden();
    let stopping = async {
        // Not a measurement: long enough to be in the middle of it, and the outcome is the same if it is not.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        stop.cancel();
    };
    let (trained, ()) = tokio::join!(Box::pin(fine_tune(&args, &hidden, &stop)), stopping);
    let error = trained.unwrap_err();
    let why = error.downcast_ref();
    assert!(matches!(why, Some(TrainingError::Interrupted { trained: 0, runs: 3, samples: SAMPLES, .. })), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
