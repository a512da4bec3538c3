//! Having a server label its samples, and following that to its end.

use std::sync::Arc;

use headwater_wire::labels::{Labelling, LabellingState, Relabel};
use headwater_wire::proto;
use tokio::time::{sleep, timeout};

use super::control::of_server;
use crate::connection::Server;
use crate::error::ClientError;
use crate::options::{ClientOptions, Retry};
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// Has a server label what it has not labelled, and waits for the end. A server that restarts meanwhile goes on by
/// itself and is found again. `told` hears how far it is. `task` keeps servers that are asked at once from being asked
/// again in step.
///
/// # Errors
/// A server that cannot be reached, that refuses, or that stays away for longer than the options' patience.
pub async fn relabel(
    address: &ServerAddress,
    relabel: &Relabel,
    options: &ClientOptions,
    task: u64,
    told: &(dyn Fn(&Labelling) + Sync),
) -> Result<Labelling, ClientError> {
    // It says at once where no server is, and which is too old.
    of_server(address, options, task).await?;
    let retry = options.retry.clone().consistent();
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_samples(server.address(), &retry, task, Arc::default());
    let mut request = relabel.clone();
    loop {
        match follow(&server, &mut request, (&retry, &mut patience), told).await {
            Ok(ended) => return Ok(ended),
            Err(trouble) => sleep(patience.bear(trouble)?).await,
        }
    }
}

/// One call, followed to the labelling's end.
async fn follow(
    server: &Server,
    relabel: &mut Relabel,
    (retry, patience): (&Retry, &mut Patience),
    told: &(dyn Fn(&Labelling) + Sync),
) -> Result<Labelling, Trouble> {
    let silent = |_| Trouble::Silent("a labelling went silent");
    let client = server.connect().await?;
    let answer = timeout(retry.stall, client.labels().relabel(proto::RelabelRequest::from(relabel.clone()))).await;
    let mut stream = answer.map_err(silent)?.map_err(|status| server.judge(&status))?.into_inner();
    let mut last = None;
    loop {
        let message = timeout(retry.stall, stream.message()).await.map_err(silent)?;
        let Some(message) = message.map_err(|status| server.judge(&status))? else { break };
        let broke = |invalid: headwater_wire::status::Invalid| Trouble::Lasting(server.protocol(invalid.to_string()));
        let labelling = Labelling::try_from(message).map_err(broke)?;
        // The server has taken the call: what was to be forgotten is not forgotten again by the next one.
        relabel.from_scratch = false;
        patience.beat();
        patience.progressed();
        told(&labelling);
        last = Some(labelling);
    }
    match last {
        Some(labelling) if labelling.state.is_ended() => Ok(labelling),
        Some(labelling) if labelling.state == LabellingState::Stopping => {
            Err(Trouble::Passing("the server is stopping".to_owned()))
        }
        _ => Err(Trouble::Passing("the server ended the call before the labelling".to_owned())),
    }
}
