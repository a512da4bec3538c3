//! `ListDatasets`: which datasets the server has, and how each of them is.

use headwater_wire::proto::DatasetList;
use headwater_wire::status::Refusal;
use headwater_wire::{DatasetState, ListedDataset, ServedDataset};
use tonic::Status;

use crate::gate::shows;
use crate::served::{Served, Standing};

use super::desk::Desk;

pub(super) fn list_datasets(desk: &Desk) -> Result<DatasetList, Status> {
    let house = match desk.life.house() {
        Ok(_) => None,
        Err(Refusal::Starting { doing }) => Some(doing),
        Err(refusal) => return Err(desk.refuse(refusal)),
    };
    let shown = desk.life.datasets.iter().filter(|served| shows(served.name.as_str()).is_ok());
    let datasets = shown.map(|served| describe(served, house.as_deref()).into()).collect();
    let instance = desk.instance.to_vec().into();
    Ok(DatasetList { datasets, server_version: env!("CARGO_PKG_VERSION").to_owned(), instance })
}

/// How a dataset is; `house` is what the server is doing before it can serve any.
fn describe(served: &Served, house: Option<&str>) -> ServedDataset {
    let (state, reason) = match (served.standing(), house) {
        (Standing::NotReady(reason), _) => (DatasetState::NotReady, reason),
        (_, Some(doing)) => (DatasetState::Starting, doing.to_owned()),
        (Standing::Starting(doing), None) => (DatasetState::Starting, doing),
        (Standing::Serving, None) => (DatasetState::Serving, served.listings(|listings| listings.words())),
    };
    ServedDataset { name: served.name.clone(), state, reason, listed: listed(served) }
}

/// What is served of a dataset now.
fn listed(served: &Served) -> Option<ListedDataset> {
    let now = served.current()?;
    let catalog = now.catalog();
    Some(ListedDataset {
        samples: catalog.len() as u64,
        classes: catalog.classes().len() as u64,
        stored: catalog.bytes_total(),
        fetched: served.fetched.bytes(),
        source: now.pipeline.store.source().to_owned(),
        generation: now.number,
        digest: now.digest(),
        part: served.part,
    })
}
