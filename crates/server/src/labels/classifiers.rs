//! The models of a server as classifiers: opened when they are first asked for. Heads are opened before they serve, so
//! that a mistake among them is found there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_features::{Classifier, ClassifierError, ExtractorOptions, HeadSpec, ModelSpec, Runtime};
use headwater_pipeline::ModelSet;
use headwater_types::{Digest, ModelName};

/// What can label samples.
#[derive(Default)]
pub(crate) struct Classifiers {
    /// `None` where the server has no model.
    runtime: Option<Arc<Runtime>>,
    models: Vec<ModelSpec>,
    heads: BTreeMap<ModelName, Head>,
    options: ExtractorOptions,
    /// Models that were asked for.
    opened: Mutex<BTreeMap<ModelName, Arc<Classifier>>>,
}

/// A head, or why it does not fit the models that serve.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) spec: HeadSpec,
    /// Of its file.
    pub(crate) digest: Digest,
    pub(crate) opened: Result<Arc<Classifier>, String>,
}

/// Why a model does not label.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoClassifier {
    #[error("no model or head {asked:?} is registered: registered are [{registered}], see --model and --head")]
    Unknown { asked: String, registered: String },
    #[error("model {name} cannot label: {source}")]
    Unfit { name: ModelName, source: Box<ClassifierError> },
    #[error("head {name} does not fit the models that serve now: {why}; push a head that was trained on them")]
    UnfitHead { name: ModelName, why: String },
}

// === impl Classifiers ===

impl Classifiers {
    pub(crate) fn new(
        runtime: Option<Arc<Runtime>>,
        models: Vec<ModelSpec>,
        heads: BTreeMap<ModelName, Head>,
        options: ExtractorOptions,
    ) -> Self {
        Self { runtime, models, heads, options, opened: Mutex::default() }
    }

    /// These with another file of a model, and these heads.
    pub(crate) fn with_model(
        &self,
        runtime: Option<Arc<Runtime>>,
        spec: &ModelSpec,
        heads: BTreeMap<ModelName, Head>,
    ) -> Self {
        let others = self.models.iter().filter(|other| other.name != spec.name).cloned();
        let models = others.chain([spec.clone()]).collect();
        let mut opened = self.opened().clone();
        opened.remove(&spec.name);
        Self { runtime, models, heads, options: self.options.clone(), opened: Mutex::new(opened) }
    }

    /// These with another head.
    pub(crate) fn with_head(&self, head: Head) -> Self {
        let mut heads = self.heads.clone();
        heads.insert(head.spec.name.clone(), head);
        let (runtime, models, opened) = (self.runtime.clone(), self.models.clone(), self.opened().clone());
        Self { runtime, models, heads, options: self.options.clone(), opened: Mutex::new(opened) }
    }

    /// The heads.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Head> {
        self.heads.values()
    }

    /// The head of this name.
    pub(crate) fn head(&self, name: &ModelName) -> Option<&Head> {
        self.heads.get(name)
    }

    /// The model or head of this name. Blocks where it is opened.
    pub(crate) fn get(&self, models: &ModelSet, name: &ModelName) -> Result<Arc<Classifier>, NoClassifier> {
        if let Some(head) = self.heads.get(name) {
            let unfit = |why: String| NoClassifier::UnfitHead { name: name.clone(), why };
            return head.opened.clone().map_err(unfit);
        }
        let mut opened = self.opened();
        if let Some(known) = opened.get(name) {
            return Ok(Arc::clone(known));
        }
        let spec = self.models.iter().find(|spec| spec.name == *name);
        let (Some(spec), Some(extractor), Some(runtime)) = (spec, models.get(name), &self.runtime) else {
            let models = self.models.iter().map(|spec| spec.name.as_str());
            let all: BTreeSet<_> = models.chain(self.heads.keys().map(ModelName::as_str)).collect();
            let registered = all.into_iter().collect::<Vec<_>>().join(", ");
            return Err(NoClassifier::Unknown { asked: name.to_string(), registered });
        };
        let made = Classifier::of_model(runtime, spec, extractor, &self.options);
        let made =
            Arc::new(made.map_err(|source| NoClassifier::Unfit { name: name.clone(), source: Box::new(source) })?);
        opened.insert(name.clone(), Arc::clone(&made));
        Ok(made)
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<ModelName, Arc<Classifier>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
