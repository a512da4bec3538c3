//! The models that a server can run, by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    /// Adds a model. The first of a name stays; `false` says that the name was taken.
    pub fn insert(&mut self, extractor: Arc<Extractor>) -> bool {
        match self.by_name.entry(extractor.name().clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(extractor);
                true
            }
        }
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
