//! `Reload`: lists every dataset anew, for who runs the server.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use headwater_wire::proto;
use headwater_wire::status::Refusal;
use tokio::time::timeout;
use tonic::{Request, Status};

use crate::peer::Peer;
use crate::reload::{Outcome, Reloaded};

use super::desk::Desk;

/// How often a caller hears what is being done.
const TELL: Duration = Duration::from_secs(1);

/// The messages of a reload.
pub(super) type Progress = stream::BoxStream<'static, Result<proto::ReloadProgress, Status>>;

/// Begins it. The listing goes on where the caller hangs up.
pub(super) fn reload(desk: &Desk, request: &Request<proto::ReloadRequest>) -> Result<Progress, Status> {
    if !request.extensions().get::<Peer>().is_some_and(Peer::is_local) {
        return Err(desk.refuse(Refusal::NotLocal));
    }
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    if let Some(doing) = desk.life.datasets.doing() {
        return Err(desk.refuse(Refusal::Starting { doing }));
    }
    let reloader = Arc::clone(&desk.reloader);
    let waiting = Box::pin({
        let reloader = Arc::clone(&reloader);
        async move { reloader.reload().await }
    });
    let messages = stream::unfold(Some((reloader, waiting)), |state| async move {
        let (reloader, mut waiting) = state?;
        match timeout(TELL, &mut waiting).await {
            Ok(done) => {
                let datasets = done.iter().map(describe).collect();
                Some((Ok(proto::ReloadProgress { datasets, ..proto::ReloadProgress::default() }), None))
            }
            Err(_elapsed) => {
                let doing = reloader.doing();
                Some((Ok(proto::ReloadProgress { doing, datasets: Vec::new() }), Some((reloader, waiting))))
            }
        }
    });
    Ok(messages.boxed())
}

fn describe(reloaded: &Reloaded) -> proto::ReloadedDataset {
    let (outcome, reason, [removed, added, replaced]) = match &reloaded.outcome {
        Outcome::Unchanged => (proto::ReloadOutcome::Unchanged, String::new(), [0; 3]),
        Outcome::Changed(counts) => (proto::ReloadOutcome::Changed, String::new(), *counts),
        Outcome::Failed(reason) => (proto::ReloadOutcome::Failed, reason.clone(), [0; 3]),
    };
    let (generation, digest, samples) = match &reloaded.now {
        Some((generation, digest, samples)) => (*generation, digest.as_bytes().to_vec(), *samples),
        None => (0, Vec::new(), 0),
    };
    proto::ReloadedDataset {
        dataset: reloaded.dataset.to_string(),
        outcome: outcome.into(),
        reason,
        generation,
        digest: digest.into(),
        samples,
        removed,
        added,
        replaced,
    }
}
