//! The models of a server as classifiers: opened when they are first asked for. Heads are opened at the start, so that
//! a mistake among them is found there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use headwater_features::{Classifier, ClassifierError, ExtractorOptions, ModelSpec, Runtime};
use headwater_pipeline::ModelSet;
use headwater_types::{ModelName, caps};

use crate::args::ServeArgs;
use crate::models::options;

/// What can label samples.
#[derive(Default)]
pub(crate) struct Classifiers {
    /// `None` where the server has no model.
    runtime: Option<Arc<Runtime>>,
    models: Vec<ModelSpec>,
    options: ExtractorOptions,
    opened: Mutex<BTreeMap<ModelName, Arc<Classifier>>>,
}

/// Why a model does not label.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoClassifier {
    #[error("no model or head {asked:?} is registered: registered are [{registered}], see --model and --head")]
    Unknown { asked: String, registered: String },
    #[error("model {name} cannot label: {source}")]
    Unfit { name: ModelName, source: ClassifierError },
}

// === impl Classifiers ===

impl Classifiers {
    /// Opens the heads. Blocks.
    ///
    /// # Errors
    /// A head that cannot be read, or of an extractor that is not registered.
    pub(crate) fn register(args: &ServeArgs, models: &ModelSet) -> Result<Self> {
        if args.model.is_empty() {
            return Ok(Self::default());
        }
        let runtime = Runtime::load(args.onnxruntime.as_deref())?;
        let mut opened = BTreeMap::new();
        for spec in &args.head {
            let head = Classifier::of_head(&runtime, spec, models.iter().cloned(), caps::MAX_MODEL_BYTES);
            let head = head.with_context(|| format!("--head {}", spec.name))?;
            tracing::info!(
                head = %head.name(), digest = %head.digest().short(), extractor = %head.extractor().name(),
                classes = head.count(), "head registered"
            );
            opened.insert(spec.name.clone(), Arc::new(head));
        }
        Ok(Self {
            runtime: Some(runtime),
            models: args.model.clone(),
            options: options(args),
            opened: Mutex::new(opened),
        })
    }

    /// The heads.
    pub(crate) fn heads(&self) -> Vec<Arc<Classifier>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let is_model = |name: &ModelName| self.models.iter().any(|spec| spec.name == *name);
        opened.iter().filter(|(name, _)| !is_model(name)).map(|(_, head)| Arc::clone(head)).collect()
    }

    /// The model or head of this name. Blocks where it is opened.
    pub(crate) fn get(&self, models: &ModelSet, name: &ModelName) -> Result<Arc<Classifier>, NoClassifier> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened.get(name) {
            return Ok(Arc::clone(known));
        }
        let spec = self.models.iter().find(|spec| spec.name == *name);
        let (Some(spec), Some(extractor), Some(runtime)) = (spec, models.get(name), &self.runtime) else {
            let heads = opened.keys().map(ModelName::as_str);
            let all: std::collections::BTreeSet<_> =
                self.models.iter().map(|spec| spec.name.as_str()).chain(heads).collect();
            let registered = all.into_iter().collect::<Vec<_>>().join(", ");
            return Err(NoClassifier::Unknown { asked: name.to_string(), registered });
        };
        let made = Classifier::of_model(runtime, spec, extractor, &self.options);
        let made = Arc::new(made.map_err(|source| NoClassifier::Unfit { name: name.clone(), source })?);
        opened.insert(name.clone(), Arc::clone(&made));
        Ok(made)
    }
}
