use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_learn::{FeatureSet, HeadKind, Runs, TrainOptions, in_validation};
use headwater_tables::features::{Assembly, FeatureFolder, FeatureProvenance, PartFolder};
use headwater_types::{ByteCount, ClassId, Digest, FailureKind, SampleFailure, SampleIndex, SampleKey, Seed};
use tokio_util::sync::CancellationToken;

use crate::gathered::Gathered;
use crate::learner::Learner;
use crate::{FeatureSource, Listener, TrainingOptions, train};

const SAMPLES: u64 = 600;
const FEATURE_LEN: usize = 8;

fn key(index: u64) -> SampleKey {
    format!("{index}.jpg").parse().unwrap()
}

/// Three classes, one sample in 10 without a label, one in 50 broken, sample 7 not finite; the last element tells
/// samples apart.
fn sample(index: u64) -> (Option<ClassId>, Result<Vec<f32>, SampleFailure>) {
    let class = (index % 3) as usize;
    let label = (index % 10 != 9).then_some(ClassId(class as u32));
    if index % 50 == 49 {
        return (label, Err(SampleFailure::new(FailureKind::Malformed, "broken")));
    }
    let spread = |at: usize| (index * (at as u64 + 3) % 17) as f32 / 8.0;
    let mut feature: Vec<_> = (0..FEATURE_LEN).map(|at| if at == class { 5.0 } else { spread(at) }).collect();
    feature[FEATURE_LEN - 1] = index as f32 * 1e-3;
    if index == 7 {
        feature[0] = f32::NAN;
    }
    (label, Ok(feature))
}

/// A finished extraction of all samples, as a source.
fn source(dir: &tempfile::TempDir) -> FeatureSource {
    let provenance = FeatureProvenance {
        dataset: "photos".parse().unwrap(),
        dataset_digest: Digest::of(b"dataset"),
        samples: SAMPLES,
        // As --classes may pin them: not sorted.
        classes: vec!["zebra".into(), "ant".into(), "emu".into()],
        model: "net".parse().unwrap(),
        model_digest: Digest::of(b"model"),
        recipe_digest: Digest::of(b"recipe"),
        output: "features".into(),
        feature_len: FEATURE_LEN,
    };
    let mut assembly = Assembly::new(0..SAMPLES, FEATURE_LEN);
    for index in 0..SAMPLES {
        match sample(index) {
            (label, Ok(feature)) => assembly.fill(SampleIndex(index), key(index), label, &feature).unwrap(),
            (_, Err(failure)) => assembly.fail(SampleIndex(index), Some(&key(index)), &failure).unwrap(),
        }
    }
    PartFolder::open(dir.path()).unwrap().write(&provenance, &assembly.finish()).unwrap();
    FeatureSource::Folder(FeatureFolder::open(dir.path()).unwrap())
}

fn options(validation_fraction: f64, seed: Seed) -> TrainingOptions {
    let train = TrainOptions { seed, epochs: 5, ..TrainOptions::default() };
    TrainingOptions { validation_fraction, memory: ByteCount::mebibytes(1), head: HeadKind::Softmax, train }
}

fn nobody() -> Listener {
    Arc::new(|_| {})
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_runs_learn_what_runs_one_after_the_other_do() {
    let dir = tempfile::tempdir().unwrap();
    let (source, stop) = (source(&dir), CancellationToken::new());
    let (runs, options) = (Runs::new(SAMPLES, 4, Seed(1)).unwrap(), options(0.2, Seed(1)));
    let overlapped = train(&source, &runs, options, nobody(), &stop).await.unwrap();
    assert_eq!(overlapped.runs.len(), 4);

    let mut learner = Learner::new(source.provenance(), options).unwrap();
    for run in 0..4 {
        let mut gathered = Gathered::new(source.provenance(), &options).unwrap();
        gathered.take_all(source.run(&runs, run).unwrap(), &options, &nobody(), &stop).await.unwrap();
        learner.learn(gathered, &nobody(), &|| false).unwrap();
    }
    assert_eq!(learner.finish().unwrap().head, overlapped.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_validation_is_never_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let (source, stop) = (source(&dir), CancellationToken::new());
    let (runs, options) = (Runs::new(SAMPLES, 3, Seed(5)).unwrap(), options(0.3, Seed(5)));
    let (mut trained, mut validated) = (FeatureSet::new(FEATURE_LEN, 3), BTreeSet::new());
    for run in 0..3 {
        let mut gathered = Gathered::new(source.provenance(), &options).unwrap();
        gathered.take_all(source.run(&runs, run).unwrap(), &options, &nobody(), &stop).await.unwrap();
        validated.extend(gathered.validation.iter().map(|(feature, _)| feature[FEATURE_LEN - 1].to_bits()));
        gathered.train.set().labels().iter().for_each(|label| trained.push(&[0.0; FEATURE_LEN], *label).unwrap());
    }
    let is_good = |index: &u64| matches!(sample(*index), (Some(_), Ok(_))) && *index != 7;
    let (kept, left): (Vec<u64>, Vec<u64>) =
        (0..SAMPLES).filter(is_good).partition(|index| in_validation(&key(*index), Seed(5), 0.3));
    let last = |index: &u64| sample(*index).1.unwrap()[FEATURE_LEN - 1].to_bits();
    assert_eq!(validated, kept.iter().map(last).collect());
    assert_eq!(trained.len(), left.len());
    assert!(left.iter().all(|index| !validated.contains(&last(index))));
}
