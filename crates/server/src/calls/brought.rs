//! `OpenLabelling` and `LabelFeatures`: a labelling whose features a client brings.

use std::sync::Arc;

use headwater_types::Digest;
use headwater_wire::labels::{BroughtFeatures, OpenLabelling, OpenedLabelling, Relabel};
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use tokio::task::spawn_blocking;
use tonic::{Request, Status};

use super::desk::Desk;
use crate::labelling::Brought;
use crate::offer::Offer;

pub(super) async fn open(
    desk: &Desk,
    request: Request<proto::OpenLabellingRequest>,
) -> Result<proto::OpenedLabelling, Status> {
    let open = OpenLabelling::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let OpenLabelling { labelling, first, features } = open;
    let offer = allowed(desk, &labelling)?;
    let forgets = labelling.from_scratch && first == 0;
    let opened = spawn_blocking(move || {
        let generation = Arc::clone(&offer.generation);
        let opened = Brought::open(&offer.house, generation, (&labelling, &features), forgets)?.opened(first);
        say(&labelling, &opened, first);
        Ok::<_, Refusal>(opened)
    });
    let opened = opened.await.map_err(|_| desk.refuse(Invalid::new("the labelling could not be opened")))?;
    Ok(opened.map_err(|refusal| desk.refuse(refusal))?.into())
}

pub(super) async fn label(
    desk: &Desk,
    request: Request<proto::LabelFeaturesRequest>,
) -> Result<proto::LabelledFeatures, Status> {
    let brought = BroughtFeatures::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let offer = allowed(desk, &brought.labelling)?;
    // Of an earlier generation a sample's place says nothing here.
    if offer.generation.digest() != brought.dataset_digest {
        return Err(desk.refuse(Refusal::Changed { what: "dataset" }));
    }
    let _place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    let labelled = spawn_blocking(move || {
        let labels = Brought::find(&offer.house, Arc::clone(&offer.generation), &brought.labelling)?;
        same(labels.digest(), brought.digest)?;
        labels.take(&brought)
    });
    let labelled = labelled.await.map_err(|_| desk.refuse(Invalid::new("the features could not be labelled")))?;
    let unscored = labelled.map_err(|refusal| desk.refuse(refusal))?;
    Ok(proto::LabelledFeatures { unscored: unscored.into_iter().map(Into::into).collect() })
}

/// What is served of a labelling's dataset now, where a client may label it.
fn allowed(desk: &Desk, labelling: &Relabel) -> Result<Arc<Offer>, Status> {
    let offer = desk.offer(labelling.dataset.as_str(), None)?;
    offer.house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    desk.labelling.check_idle(labelling).map_err(|invalid| desk.refuse(invalid))?;
    Ok(offer)
}

/// Features of another labeller would be labels of nobody.
fn same(now: Digest, opened: Digest) -> Result<(), Refusal> {
    if now == opened { Ok(()) } else { Err(Refusal::Changed { what: "model" }) }
}

fn say(labelling: &Relabel, opened: &OpenedLabelling, first: u64) {
    let Relabel { dataset, model, .. } = labelling;
    let (samples, lacking) = (opened.samples, opened.lacking(first).count());
    tracing::info!(%dataset, %model, samples, first, lacking, "a labelling is opened: its features are brought");
}
