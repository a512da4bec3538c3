//! The models that a server can run, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_features::Extractor;
use headwater_types::ModelName;

/// Registered models.
#[derive(Clone, Default)]
pub struct ModelSet {
    by_name: BTreeMap<ModelName, Arc<Extractor>>,
}

// === impl ModelSet ===

impl ModelSet {
    /// Adds a model; gives it back where there is one of its name already.
    pub fn insert(&mut self, extractor: Extractor) -> Result<(), Extractor> {
        if self.by_name.contains_key(extractor.name()) {
            return Err(extractor);
        }
        self.by_name.insert(extractor.name().clone(), Arc::new(extractor));
        Ok(())
    }

    /// The model of this name.
    pub fn get(&self, name: &ModelName) -> Option<&Arc<Extractor>> {
        self.by_name.get(name)
    }

    /// Every model, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Extractor>> {
        self.by_name.values()
    }
}
