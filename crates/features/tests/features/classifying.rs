//! Promise: a classifier gives the classes that the model's own file, or a head over its features, says; what cannot
//! label is refused with the reason.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_features::{Classifier, ClassifierError, Extractor, HeadSpec, InputSettings, ModelSpec};
use headwater_onnx::{Dense, Dim, GraphBuilder, Head, ValueFacts};
use headwater_types::{ByteCount, ClassId, Digest};
use tempfile::TempDir;

use crate::support::{FEATURES, SIDE, expected, noise, options, picture, recipe, runtime};

const CLASSES: usize = 3;
const NO_LIMIT: ByteCount = ByteCount::mebibytes(16);

/// Where a classifier's scores come from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// The features.
    Features,
    /// What the features are made of.
    Pool,
}

/// The model of the other tests with three classes.
fn classifier(from: From, outputs: &[&str]) -> Vec<u8> {
    let mut graph = GraphBuilder::new("classifier");
    let side = Dim::Fixed(SIDE.into());
    graph.input(&ValueFacts::float32("input", &[Dim::symbol("N"), Dim::Fixed(3), side.clone(), side]));
    graph.global_average_pool("pool", "input").flatten("flat", "pool");
    graph.constant("weight", &[FEATURES, 3], &noise(FEATURES * 3, 1)).constant(
        "bias",
        &[FEATURES],
        &noise(FEATURES, 2),
    );
    graph.gemm("features", ["flat", "weight", "bias"]);
    let (source, width) = if from == From::Pool { ("flat", 3) } else { ("features", FEATURES) };
    graph.constant("scores", &[CLASSES, width], &noise(CLASSES * width, 3)).constant("shift", &[CLASSES], &noise(3, 4));
    graph.gemm("logits", [source, "scores", "shift"]).softmax("probs", "logits");
    for output in outputs {
        let width = if *output == "features" { FEATURES } else { CLASSES };
        graph.output(&ValueFacts::float32(output, &[Dim::symbol("N"), Dim::Fixed(width as u64)]));
    }
    graph.finish()
}

/// The best class and its probability of these inputs to the last layer.
fn best(inputs: &[f32]) -> (ClassId, f32) {
    let (weights, shift) = (noise(CLASSES * inputs.len(), 3), noise(3, 4));
    let logit = |class: usize| {
        let row = &weights[class * inputs.len()..][..inputs.len()];
        shift[class] + row.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f32>()
    };
    let logits: Vec<f32> = (0..CLASSES).map(logit).collect();
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    let (class, logit) = (0..).zip(logits).max_by(|one, other| one.1.total_cmp(&other.1)).unwrap();
    (ClassId(class), logit.exp() / sum)
}

/// A model's file, and what it is registered as.
struct Registered {
    _folder: TempDir,
    spec: ModelSpec,
    extractor: Arc<Extractor>,
}

fn register(bytes: &[u8], output: Option<&str>) -> Option<Registered> {
    let (runtime, folder) = (runtime()?, tempfile::tempdir().unwrap());
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    let (name, output) = ("small".parse().unwrap(), output.map(str::to_owned));
    let spec = ModelSpec { name, path, recipe: "small".into(), output, classes: None, input: InputSettings::default() };
    let extractor = Arc::new(Extractor::open(&runtime, &spec, recipe(), &options()).unwrap());
    Some(Registered { _folder: folder, spec, extractor })
}

impl Registered {
    fn classifier(&self) -> Result<Classifier, ClassifierError> {
        Classifier::of_model(&runtime().unwrap(), &self.spec, &self.extractor, &options())
    }

    /// What a classifier says of some pictures: the best class of each.
    async fn labels(&self, classifier: &Classifier) -> Vec<(ClassId, f32)> {
        let mut features = Vec::new();
        for seed in 0..5 {
            features.extend(classifier.extractor().extract(picture(seed)).await.unwrap().features);
        }
        let labels: Vec<_> = classifier.label(&features, 2).unwrap().into_iter().map(Result::unwrap).collect();
        assert!(labels.len() == 5 && labels.iter().all(|best| best.len() == 2 && best[0].score >= best[1].score));
        labels.iter().map(|best| (best[0].class, best[0].score)).collect()
    }
}

#[track_caller]
fn assert_same(said: &[(ClassId, f32)], wanted: impl Iterator<Item = (ClassId, f32)>) {
    for (said, wanted) in said.iter().zip(wanted) {
        assert!(said.0 == wanted.0 && (said.1 - wanted.1).abs() < 1e-5, "{said:?} {wanted:?}");
    }
}

#[tokio::test]
async fn the_rest_of_a_models_file_scores_its_features() {
    for outputs in [&["features", "probs", "logits"][..], &["features", "logits"], &["features", "probs"]] {
        let Some(registered) = register(&classifier(From::Features, outputs), None) else { return };
        let classifier = registered.classifier().unwrap();
        assert!(Arc::ptr_eq(classifier.extractor(), &registered.extractor), "its features are those of the model");
        assert_eq!((classifier.count(), classifier.classes().len()), (CLASSES, 0));
        let wanted = (0..5).map(|seed| best(&expected(&picture(seed))));
        assert_same(&registered.labels(&classifier).await, wanted);
    }
}

#[tokio::test]
async fn a_model_whose_output_is_scores_and_one_that_scores_something_else_run_as_a_whole() {
    let bytes = classifier(From::Features, &["features", "probs", "logits"]);
    for output in ["probs", "logits"] {
        let Some(registered) = register(&bytes, Some(output)) else { return };
        let classifier = registered.classifier().unwrap();
        assert_same(&registered.labels(&classifier).await, (0..5).map(|seed| best(&expected(&picture(seed)))));
    }
    let Some(registered) = register(&classifier(From::Pool, &["features", "probs"]), None) else { return };
    let classifier = registered.classifier().unwrap();
    assert!(!Arc::ptr_eq(classifier.extractor(), &registered.extractor));
    assert_eq!(classifier.extractor().output(), "probs");
    let labels = registered.labels(&classifier).await;
    assert!(labels.iter().all(|(class, score)| class.0 < 3 && *score >= 1.0 / 3.0), "{labels:?}");
}

fn head_of(extractor: Digest, recipe: Digest, features: usize) -> Head {
    let layer = Dense { inputs: features, outputs: CLASSES, weights: noise(CLASSES * features, 3), bias: noise(3, 4) };
    let classes = ["cat", "dog", "owl"].map(str::to_owned).to_vec();
    Head { layers: vec![layer], classes, extractor, recipe }
}

fn open_head(registered: &Registered, head: &[u8]) -> Result<Classifier, ClassifierError> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("head.onnx");
    std::fs::write(&path, head).unwrap();
    let spec = HeadSpec { name: "head".parse().unwrap(), path };
    let extractors = std::iter::once(Arc::clone(&registered.extractor));
    Classifier::of_head(&runtime().unwrap(), &spec, extractors, NO_LIMIT)
}

#[tokio::test]
async fn a_head_scores_the_features_of_the_extractor_that_it_names_and_of_no_other() {
    let Some(registered) = register(&classifier(From::Features, &["features"]), None) else { return };
    let (digest, recipe) = (registered.extractor.digest(), recipe().digest());
    let head = open_head(&registered, &head_of(digest, recipe, FEATURES).write().unwrap()).unwrap();
    assert_eq!((head.classes(), head.count()), (&["cat", "dog", "owl"].map(str::to_owned)[..], CLASSES));
    assert_same(&registered.labels(&head).await, (0..5).map(|seed| best(&expected(&picture(seed)))));

    let refused = |head: Head| open_head(&registered, &head.write().unwrap()).err().unwrap().to_string();
    let other = refused(head_of(Digest::of(b"other"), recipe, FEATURES));
    assert!(other.contains("head head") && other.contains("small"), "{other}");
    let other = refused(head_of(digest, Digest::of(b"other"), FEATURES));
    assert!(other.contains("another recipe"), "{other}");
    let wide = refused(head_of(digest, recipe, FEATURES + 1));
    assert!(wide.contains("float32 of 5") && wide.contains("[N, 6]"), "{wide}");
    let none = open_head(&registered, &classifier(From::Features, &["probs"])).err().unwrap();
    assert!(matches!(none, ClassifierError::NotAHead { .. }), "{none}");
}

#[test]
fn what_cannot_label_is_refused_with_the_reason() {
    let Some(registered) = register(&classifier(From::Features, &["features"]), None) else { return };
    let refused = |registered: &Registered| registered.classifier().err().unwrap();
    let none = refused(&registered).to_string();
    assert!(none.contains("model small has no output probs or logits") && none.contains("--head"), "{none}");
    let Some(mut named) = register(&classifier(From::Features, &["features", "probs"]), None) else { return };
    let names = named.spec.path.with_file_name("classes.txt");
    std::fs::write(&names, "cat\ndog\n").unwrap();
    named.spec.classes = Some(names.clone());
    assert!(matches!(refused(&named), ClassifierError::Classes { names: 2, scores: 3 }));
    std::fs::write(&names, "cat\ndog\nowl\n").unwrap();
    let (with_names, digest) =
        (named.classifier().unwrap(), |registered: &Registered| registered.classifier().unwrap().digest());
    assert_eq!(with_names.classes(), ["cat", "dog", "owl"]);
    named.spec.classes = None;
    assert_ne!(with_names.digest(), digest(&named), "other names are other labels");
    std::fs::write(&named.spec.path, classifier(From::Features, &["features", "logits"])).unwrap();
    assert!(matches!(refused(&named), ClassifierError::Changed { .. }));
}
