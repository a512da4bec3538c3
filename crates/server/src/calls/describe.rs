//! `Describe`: what a server serves of a dataset, and which models it can run.

use headwater_features::Extractor;
use headwater_store::LeftOut;
use headwater_types::Digest;
use headwater_wire::devices::devices_to;
use headwater_wire::field::fields_to;
use headwater_wire::proto::{self, DatasetDescription, DescribeRequest, ModelDescription};
use headwater_wire::status::Invalid;
use tonic::Status;

use crate::offer::Offer;

use super::desk::Desk;

pub(super) fn describe(desk: &Desk, request: &DescribeRequest) -> Result<DatasetDescription, Status> {
    let asked = (!request.digest.is_empty()).then(|| Digest::try_from(&request.digest[..])).transpose();
    let asked = asked.map_err(|error| desk.refuse(Invalid::new(error.to_string())))?;
    let offer = desk.offer(&request.dataset, asked)?;
    let Offer { house, served, generation, .. } = &*offer;
    let catalog = generation.catalog();
    let listing = catalog.listing();
    Ok(DatasetDescription {
        dataset: served.name.to_string(),
        samples: catalog.len() as u64,
        digest: catalog.digest().as_bytes().to_vec().into(),
        classes: catalog.classes().to_vec(),
        models: house.models.now().models.iter().map(|model| describe_model(model)).collect(),
        cpu_workers: u32::try_from(house.resources.workers()).unwrap_or(u32::MAX),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        stored_bytes: catalog.bytes_total().get(),
        part: Some(proto::Part { number: served.part.number(), count: served.part.count() }),
        listing: Some(proto::Listing {
            samples: listing.samples,
            digest: listing.digest.as_bytes().to_vec().into(),
            sketch: listing.sketch.hashes().collect(),
        }),
        instance: desk.instance.to_vec().into(),
        sample_epochs: true,
        names_digest: catalog.names().as_bytes().to_vec().into(),
        limits: Some(generation.pipeline.limits.into()),
        left_out: catalog.skipped().left_out(listing.samples).into_iter().map(describe_left_out).collect(),
        generation: generation.number,
        fields: fields_to(catalog.fields()),
        source: generation.pipeline.store.source().to_owned(),
    })
}

fn describe_model(model: &Extractor) -> ModelDescription {
    ModelDescription {
        name: model.name().to_string(),
        digest: model.digest().as_bytes().to_vec().into(),
        recipe: model.recipe().to_toml(),
        output: model.output().to_owned(),
        feature_len: u32::try_from(model.feature_len()).unwrap_or(u32::MAX),
        device: model.runs_on(),
        devices: devices_to(model.pool()),
    }
}

/// What the listing left out for one reason, as clients hear of it.
fn describe_left_out(left: LeftOut) -> proto::LeftOut {
    let LeftOut { reason, count, warning, first, suffixes, is_usual } = left;
    let (reason, warning) = (reason.as_str().to_owned(), warning.to_owned());
    proto::LeftOut { reason, count, warning, first, suffixes, usual: is_usual }
}
