//! `ListLabellings` and `ControlLabelling`: which labellings there are, and what is to become of them.

use headwater_wire::labels::ControlLabelling;
use headwater_wire::proto;
use headwater_wire::status::Invalid;
use tonic::{Request, Status};

use super::desk::Desk;
use crate::gate::shows;

pub(super) fn list(desk: &Desk) -> Result<proto::LabellingList, Status> {
    desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let labellings = desk.labelling.all().into_iter().map(|job| job.labelling());
    let shown = labellings.filter(|labelling| shows(labelling.dataset.as_str()).is_ok());
    let labellings = shown.map(Into::into).collect();
    Ok(proto::LabellingList { labellings })
}

pub(super) async fn control(
    desk: &Desk,
    request: Request<proto::ControlLabellingRequest>,
) -> Result<proto::Labelling, Status> {
    let control = ControlLabelling::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    desk.covers(control.dataset.as_str())?;
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let (jobs, house) = (desk.labelling.clone(), house.clone());
    let told = tokio::task::spawn_blocking(move || jobs.control(&house, &control)).await;
    let job = told.map_err(|_| desk.refuse(Invalid::new("the labelling could not be told")))?;
    Ok(job.map_err(|refusal| desk.refuse(refusal))?.labelling().into())
}
