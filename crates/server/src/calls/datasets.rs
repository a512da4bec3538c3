//! `ListDatasets`: which datasets the server has, and how each of them is.

use headwater_types::ByteCount;
use headwater_wire::proto::{self, DatasetList};
use headwater_wire::status::Refusal;
use headwater_wire::{DatasetState, ListedDataset, ServedDataset};
use tonic::Status;

use crate::shared::Shared;

use super::desk::Desk;

pub(super) fn list_datasets(desk: &Desk) -> Result<DatasetList, Status> {
    let name = desk.dataset.clone();
    let dataset = match desk.life.shared() {
        Ok(shared) => {
            ServedDataset { name, state: DatasetState::Serving, reason: String::new(), listed: Some(listed(shared)) }
        }
        Err(Refusal::Starting { doing }) => {
            ServedDataset { name, state: DatasetState::Starting, reason: doing, listed: None }
        }
        Err(refusal) => return Err(desk.refuse(refusal)),
    };
    let (datasets, instance) = (vec![proto::ServedDataset::from(dataset)], desk.instance.to_vec().into());
    Ok(DatasetList { datasets, server_version: env!("CARGO_PKG_VERSION").to_owned(), instance })
}

fn listed(shared: &Shared) -> ListedDataset {
    let catalog = &shared.pipeline.catalog;
    ListedDataset {
        samples: catalog.len() as u64,
        classes: catalog.classes().len() as u64,
        stored: ByteCount::new(catalog.bytes_total().get()),
        source: shared.source.to_owned(),
        generation: 1,
        digest: catalog.digest(),
        part: shared.part,
    }
}
