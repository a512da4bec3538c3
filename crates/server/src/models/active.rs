//! What serves at one moment. It never changes: an activation makes another.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_cli::exit::in_one_line;
use headwater_features::{Extractor, ModelSpec};
use headwater_pipeline::ModelSet;
use headwater_types::{Digest, ModelName};

use super::opening::Opening;
use crate::labels::{Classifiers, Head};

/// Models and heads by name.
#[derive(Default)]
pub(crate) struct Active {
    pub(crate) models: ModelSet,
    pub(crate) classifiers: Classifiers,
}

// === impl Active ===

impl Active {
    /// The digest of the file that serves by this name, and whether it is a head.
    pub(super) fn file(&self, name: &ModelName) -> Option<(Digest, bool)> {
        let model = self.models.get(name).map(|model| (model.digest(), false));
        model.or_else(|| Some((self.classifiers.head(name)?.digest, true)))
    }

    /// This with another model in the place of that of its name. Heads that were trained on the features of the one
    /// before fit no more, and heads of the other fit again: the names of those that fit no more are returned. Blocks.
    pub(super) fn with_model(&self, opening: &Opening, spec: &ModelSpec, model: Extractor) -> (Self, Vec<String>) {
        let mut models = ModelSet::default();
        // The first of a name stays.
        for each in [Arc::new(model)].into_iter().chain(self.models.iter().cloned()) {
            models.insert(each);
        }
        let heads: BTreeMap<_, _> = self.classifiers.heads().map(|head| (head.spec.name.clone(), head)).collect();
        let heads: BTreeMap<_, _> =
            heads.into_iter().map(|(name, head)| (name, refit(head, opening, &models))).collect();
        let unfit = heads.iter().filter(|(_, head)| head.opened.is_err()).map(|(name, _)| name.to_string()).collect();
        let classifiers = self.classifiers.with_model(opening.runtime().ok(), spec, heads);
        (Self { models, classifiers }, unfit)
    }

    /// This with another head in the place of that of its name.
    pub(super) fn with_head(&self, head: Head) -> Self {
        Self { models: self.models.clone(), classifiers: self.classifiers.with_head(head) }
    }
}

/// A head over these models: as it is where its extractor still serves.
fn refit(head: &Head, opening: &Opening, models: &ModelSet) -> Head {
    if let Ok(opened) = &head.opened
        && models.iter().any(|model| Arc::ptr_eq(model, opened.extractor()))
    {
        return head.clone();
    }
    let opened = opening.head(&head.spec, models).map_err(|error| {
        let (head, why) = (&head.spec.name, in_one_line(&error));
        tracing::warn!(%head, why, "a head does not fit the models that serve now, and labels nothing");
        why
    });
    Head { opened, ..head.clone() }
}
