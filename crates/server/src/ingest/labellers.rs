//! Who labels the photos that come.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_features::Classifier;
use headwater_types::ModelName;
use headwater_wire::status::{Invalid, Refusal};

use crate::args::IngestSpec;
use crate::generation::Generation;
use crate::house::House;

/// A classifier, and how many classes of each photo its labelling keeps; `None` where it has labelled nothing yet.
pub(super) type LabellerOf = (Arc<Classifier>, Option<u32>);

/// The labellers of a dataset: the one that the settings name; else those that have labelled it and are registered
/// still; else the only one that the server has. Blocks on the index.
///
/// # Errors
/// A model that the settings name and that cannot label, an index that cannot be read.
pub(super) fn labellers(house: &House, generation: &Generation, spec: &IngestSpec) -> Result<Vec<LabellerOf>, Refusal> {
    let mut earlier = BTreeMap::new();
    if let Some(shelf) = &house.shelf {
        let runs = shelf.index.runs(&generation.pipeline.store.place());
        // Of several of one name, that which began last.
        for run in runs.map_err(|error| Refusal::NoLabels { message: error.to_string() })? {
            earlier.insert(run.labeller.model.clone(), run.labeller);
        }
    }
    // A model of which another version serves by now labels on: what the one before has said is of the one before.
    let top_k = |name: &ModelName| earlier.get(name).map(|labeller| labeller.top_k);
    if let Some(name) = &spec.label_by {
        let named = get(house, name)?;
        return Ok(vec![(named, top_k(name))]);
    }
    let current = |name: &ModelName| {
        // One that is not registered any more labels no more.
        Some((get(house, name).ok()?, top_k(name)))
    };
    let of_earlier: Vec<_> = earlier.keys().filter_map(current).collect();
    if !of_earlier.is_empty() {
        return Ok(of_earlier);
    }
    let active = house.models.now();
    let heads = active.classifiers.heads().map(|head| head.spec.name.clone());
    let names: Vec<_> = active.models.iter().map(|model| model.name().clone()).chain(heads).collect();
    let mut able: Vec<_> = names.iter().filter_map(|name| get(house, name).ok()).collect();
    Ok(if able.len() == 1 { able.pop().map(|only| (only, None)).into_iter().collect() } else { Vec::new() })
}

/// The labeller of this name. Blocks where it is opened.
pub(super) fn get(house: &House, name: &ModelName) -> Result<Arc<Classifier>, Refusal> {
    let found = house.models.classifier(name);
    found.map_err(|error| Refusal::Invalid(Invalid::new(error.to_string())))
}
