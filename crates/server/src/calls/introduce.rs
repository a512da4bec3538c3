//! `Introduce`: who the server is, for those with which it shares a store.

use std::sync::Arc;

use headwater_wire::{Introduction, proto};
use tonic::Status;

use crate::homes::model_digest;
use crate::served::Served;

use super::desk::Desk;

/// A server that starts or stops is no home, and says so. That is not counted among the refusals: it is asked every
/// second.
pub(super) fn introduce(desk: &Desk) -> Result<proto::Introduction, Status> {
    let house = desk.life.house()?;
    house.check_running()?;
    let home = |served: &Arc<Served>| {
        let digests: Vec<_> = served.held().iter().map(|generation| generation.digest()).collect();
        (served.name.clone(), digests)
    };
    let introduction = Introduction {
        name: house.share.as_ref().map(|share| share.name.clone()),
        instance: desk.instance,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        has_workers: house.resources.workers() > 0,
        datasets: desk.life.datasets.iter().map(home).filter(|(_, digests)| !digests.is_empty()).collect(),
        models: house.models.now().models.iter().map(|model| model_digest(model)).collect(),
    };
    Ok(introduction.into())
}
