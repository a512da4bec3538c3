//! A model that says of which class a sample is.
//!
//! ```text
//! photo ─▶ Extractor ─▶ features ─┬─▶ head: the rest of the same file, after its features ─┐
//!          (a registered model)   ├─▶ head: a file that tuner fine-tune has written        ├─▶ scores ─▶ the best
//!                                 └─▶ the output is scores already                         ┘
//! ```
//!
//! Whatever the head, the features are those of the extractor, so that several heads over one extractor share what is
//! kept of its features.

mod classes;
mod error;
mod head;
mod scores;
mod spec;

use std::sync::{Arc, Mutex, PoisonError};

use headwater_onnx::{Limits, tail};
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, ModelName, Recipe};

use crate::extractor::Extractor;
use crate::model::{read_file, read_model};
use crate::options::ExtractorOptions;
use crate::runtime::Runtime;
use crate::spec::ModelSpec;

use classes::{classes_of, named_in};
use head::HeadSession;
use scores::{ScoresOutput, choose};

pub use error::ClassifierError;
pub use scores::Labels;
pub use spec::HeadSpec;

/// An extractor with what makes scores of its features.
pub struct Classifier {
    name: ModelName,
    extractor: Arc<Extractor>,
    scoring: Scoring,
    /// Digest of the file that decides of the classes: the head's, or the model's.
    file: Digest,
    digest: Digest,
    classes: Vec<String>,
    count: usize,
}

/// How features become scores.
enum Scoring {
    /// The extractor's output is scores.
    Direct(ScoresOutput),
    Head(Mutex<HeadSession>),
}

// === impl Classifier ===

impl Classifier {
    /// A registered model as a classifier: by its output, or by the part of its file that follows it. Where its scores
    /// are made of something else than that output, the model is opened once more, as a whole. Blocks while the file is
    /// read anew.
    ///
    /// # Errors
    /// A model without scores, a file that is another one by now, and those of reading and opening it.
    pub fn of_model(
        runtime: &Arc<Runtime>,
        spec: &ModelSpec,
        extractor: &Arc<Extractor>,
        options: &ExtractorOptions,
    ) -> Result<Self, ClassifierError> {
        let limits = Limits { max_bytes: options.max_model, ..Limits::default() };
        let file = read_model(spec, options.max_model)?;
        let facts = headwater_onnx::check(&file, &limits)?;
        if facts.digest != extractor.digest() {
            return Err(ClassifierError::Changed { path: spec.path.clone() });
        }
        let classes = match &spec.classes {
            Some(path) => named_in(path)?,
            None => classes_of(&facts)?,
        };
        if let Some(output) = ScoresOutput::named(extractor.output()) {
            let scoring = Scoring::Direct(output);
            return Self::new(&spec.name, extractor, scoring, (facts.digest, classes, extractor.feature_len()));
        }
        let output = choose(&facts).ok_or_else(|| ClassifierError::no_scores(&spec.name, &facts))?;
        let head = match tail(&file, extractor.output(), &[output.name()], &limits) {
            Ok(head) => head,
            Err(reason) => {
                let model = &spec.name;
                tracing::info!(%model, %reason, "its scores are not made of its features: it runs as a whole");
                let spec = ModelSpec { output: Some(output.name().to_owned()), ..spec.clone() };
                let whole = Extractor::open(runtime, &spec, Recipe::clone(extractor.recipe()), options)?;
                let count = whole.feature_len();
                return Self::new(
                    &spec.name,
                    &Arc::new(whole),
                    Scoring::Direct(output),
                    (facts.digest, classes, count),
                );
            }
        };
        let session = HeadSession::open(runtime, &head, (extractor.feature_len(), output), &limits)?;
        let count = session.classes();
        Self::new(&spec.name, extractor, Scoring::Head(Mutex::new(session)), (facts.digest, classes, count))
    }

    /// A head that was trained on the features of one of these extractors, of which it says which. Blocks.
    ///
    /// # Errors
    /// A head of another extractor or recipe, and those of reading and opening it.
    pub fn of_head(
        runtime: &Arc<Runtime>,
        spec: &HeadSpec,
        extractors: impl Iterator<Item = Arc<Extractor>>,
        max_bytes: ByteCount,
    ) -> Result<Self, ClassifierError> {
        let limits = Limits { max_bytes, ..Limits::default() };
        let file = read_file(&spec.name, &spec.path, max_bytes)?;
        let facts = headwater_onnx::check(&file, &limits)?;
        let extractor = spec.extractor_of(&facts, extractors)?;
        let output = choose(&facts).ok_or_else(|| ClassifierError::no_scores(&spec.name, &facts))?;
        let pruned = headwater_onnx::prune(&file, &[output.name()], &limits)?;
        let session = HeadSession::open(runtime, &pruned, (extractor.feature_len(), output), &limits)?;
        let (classes, count) = (classes_of(&facts)?, session.classes());
        Self::new(&spec.name, &extractor, Scoring::Head(Mutex::new(session)), (facts.digest, classes, count))
    }

    fn new(
        name: &ModelName,
        extractor: &Arc<Extractor>,
        scoring: Scoring,
        (file, classes, count): (Digest, Vec<String>, usize),
    ) -> Result<Self, ClassifierError> {
        if !classes.is_empty() && classes.len() != count {
            return Err(ClassifierError::Classes { names: classes.len(), scores: count });
        }
        // Other names are other labels, where they are not the file's own.
        let names = Digest::of(classes.join("\n").as_bytes());
        let digest = Digester::default()
            .field(&extractor.digest().as_bytes()[..])
            .field(extractor.output().as_bytes())
            .field(&extractor.recipe().digest().as_bytes()[..])
            .field(&file.as_bytes()[..])
            .field(&names.as_bytes()[..])
            .finish();
        let (name, extractor) = (name.clone(), Arc::clone(extractor));
        Ok(Self { name, extractor, scoring, file, digest, classes, count })
    }

    /// The best classes of each of these rows of features, at most so many, the best first; or `NotFinite` for a row
    /// whose scores are not.
    ///
    /// # Errors
    /// What the runtime says where the head cannot be run.
    pub fn label(&self, features: &[f32], most: usize) -> Result<Vec<Labels>, String> {
        match &self.scoring {
            Scoring::Direct(output) => Ok(output.best(features, self.count, most)),
            Scoring::Head(session) => {
                let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
                session.run(features, most)
            }
        }
    }

    /// The name by which requests ask for it.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// The model whose features are scored.
    pub fn extractor(&self) -> &Arc<Extractor> {
        &self.extractor
    }

    /// BLAKE3 of the file that decides of the classes: the head's, or the model's.
    pub fn file(&self) -> Digest {
        self.file
    }

    /// What decides of a sample's labels beside its bytes: the files, the output that is taken as features, the recipe,
    /// and the names of the classes. It is the same on every device.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The names of the classes in the order of the scores; none where the file has none.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of classes.
    pub fn count(&self) -> usize {
        self.count
    }
}
