//! A request that was held against its dataset: whatever is wrong with it is an error before any call.

use headwater_spans::SpanContext;
use headwater_types::{Field, NetworkCut, Recipe, Way};

use crate::chunk_source::Wish;
use crate::error::ClientError;
use crate::model::{ModelInfo, RegisteredModel};
use crate::partition::Partition;
use crate::request::FetchRequest;
use crate::union::Union;

/// A request that fits its dataset: its indices, tables and model exist, and nothing in it contradicts the rest of it
/// or the dataset.
#[derive(Debug)]
pub(crate) struct CheckedRequest {
    pub(crate) wish: Wish,
    /// The request's recipe, or its model's.
    pub(crate) recipe: Option<Recipe>,
    pub(crate) model: Option<RegisteredModel>,
    /// Where the model's network is cut.
    pub(crate) cut: Option<NetworkCut>,
    pub(crate) floats: bool,
    pub(crate) ordered: bool,
    pub(crate) measure_cpu: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) caller: Option<SpanContext>,
}

// === impl CheckedRequest ===

impl CheckedRequest {
    /// Holds a request against the dataset.
    ///
    /// # Errors
    /// An index past the end; a table of another length; a model that is missing or not the same everywhere; a way
    /// without the recipe or model that it needs; fields that are not there; servers that are too old for what is
    /// asked.
    pub(crate) fn new(request: FetchRequest, union: &Union) -> Result<Self, ClientError> {
        let FetchRequest { indices, recipe, ways, floats, addresses, model, ordered, measure_cpu, fields, caller } =
            request;
        let wish = Wish { indices, ways, addresses };
        union.check_index(wish.indices.max())?;
        if wish.ways.len().is_some_and(|len| len != union.samples()) {
            let message = "a table of cuts and pixel codings must have one for each sample of the dataset";
            return Err(ClientError::Request(message));
        }
        check_addresses(&wish, union)?;
        let (model, cut) = model.map(|asked| asked.found(union)).transpose()?.unzip();
        let cut: Option<NetworkCut> = cut.flatten();
        if cut.is_none() && wish.ways.may_be_coded_features() {
            return Err(ClientError::Request("features travel coded from a cut of a network only"));
        }
        check_needs(&wish, recipe.as_ref(), model.as_ref().map(|model| &model.info))?;
        if let Some(model) = &model {
            check_model(&wish, model, union)?;
        }
        let fields = union.named_fields(&fields)?;
        let recipe = recipe.or_else(|| model.as_ref().map(|model| model.info.recipe.clone()));
        Ok(Self { wish, recipe, model, cut, floats, ordered, measure_cpu, fields, caller })
    }
}

/// Sees to it that a list of epochs has one for each sample, and that the servers know epochs of single samples.
fn check_addresses(wish: &Wish, union: &Union) -> Result<(), ClientError> {
    let Wish { indices, addresses, .. } = wish;
    if addresses.len().is_some_and(|len| len != indices.len()) {
        return Err(ClientError::Request("a list of epochs must have one for each of the indices"));
    }
    if !addresses.differ() {
        return Ok(());
    }
    let asked = |partition: &&Partition| indices.any_in(partition.first..partition.end(), |_| true);
    match union.partitions.iter().filter(|partition| !partition.sample_epochs).find(asked) {
        None => Ok(()),
        Some(Partition { address, server_version, .. }) => {
            Err(ClientError::NoSampleEpochs { server: address.clone(), version: server_version.clone() })
        }
    }
}

/// Sees to it that the recipe and the model are there that the ways need, and belong to each other.
fn check_needs(wish: &Wish, recipe: Option<&Recipe>, model: Option<&ModelInfo>) -> Result<(), ClientError> {
    let takes_features = wish.ways.may_take_features();
    match (model, recipe) {
        (None, _) if takes_features => Err(ClientError::Request("the cut features needs a model: see --model")),
        (None, None) if wish.ways.may_take_pixels() => {
            Err(ClientError::Request("cuts between encoded and features need a recipe: see --recipe"))
        }
        (Some(model), Some(recipe)) if takes_features && model.recipe.digest() != recipe.digest() => {
            let message = "features are made with the recipe that the model was registered with: leave --recipe out";
            Err(ClientError::Request(message))
        }
        _ => Ok(()),
    }
}

/// Sees to it that every server has the model that is asked for features.
fn check_model(wish: &Wish, model: &RegisteredModel, union: &Union) -> Result<(), ClientError> {
    let takes_features = |index| wish.ways.of(index).is_some_and(Way::is_features);
    let without = union.partitions.iter().zip(&model.servers).enumerate().filter(|(_, (_, has_model))| !**has_model);
    for (place, (partition, _)) in without {
        if wish.indices.any_in(partition.first..partition.end(), takes_features) {
            return Err(union.lacks_model(place, &model.info.name));
        }
    }
    Ok(())
}
