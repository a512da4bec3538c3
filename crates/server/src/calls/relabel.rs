//! `Relabel`: has a model label a dataset, and says how far that is, until it has ended.

use std::time::Duration;

use futures::{StreamExt, stream};
use headwater_types::Digest;
use headwater_wire::labels::Relabel;
use headwater_wire::proto;
use headwater_wire::status::Invalid;
use tokio::time::timeout;
use tonic::{Request, Status};

use super::desk::Desk;

/// The least time between two messages.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a caller hears that the labelling lives, where it is no further.
const TELL: Duration = Duration::from_secs(2);

/// The messages of a labelling.
pub(super) type Labellings = stream::BoxStream<'static, Result<proto::Labelling, Status>>;

/// Begins it, or finds it. It goes on where the caller hangs up.
pub(super) async fn relabel(desk: &Desk, request: Request<proto::RelabelRequest>) -> Result<Labellings, Status> {
    let request = Relabel::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let offer = desk.offer(request.dataset.as_str(), None::<Digest>)?;
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let (jobs, house) = (desk.labelling.clone(), house.clone());
    let begun = tokio::task::spawn_blocking(move || jobs.begin(&house, &offer.generation, request)).await;
    let job = begun.map_err(|_| desk.refuse(Invalid::new("the labelling could not be begun")))?;
    let job = job.map_err(|refusal| desk.refuse(refusal))?;
    let messages = stream::unfold(Some((job.follow(), false)), |state| async move {
        let (mut told, is_later) = state?;
        if is_later {
            // Whether it was further in this time or not: the caller hears that it lives.
            let _ = timeout(TELL, told.changed()).await;
        }
        if is_later && !told.borrow().state.is_ended() {
            let _ = timeout(PAUSE, told.wait_for(|now| now.state.is_ended())).await;
        }
        let now = told.borrow_and_update().clone();
        let ends = now.state.is_ended() || now.state == headwater_wire::labels::LabellingState::Stopping;
        Some((Ok(proto::Labelling::from(now)), (!ends).then_some((told, true))))
    });
    Ok(messages.boxed())
}
