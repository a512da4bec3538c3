//! Asking the servers which samples they have in their caches.

use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_wire::cached::{CachedQuery, from_bits};
use headwater_wire::{Samples, proto};
use tokio::time::{sleep, timeout};
use tonic::Code;

use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::replicas::Seat;
use crate::trouble::Trouble;

// === impl Dataset ===

impl Dataset {
    /// Whether each of these samples is in its server's cache. A server that is too old to say it has none.
    ///
    /// # Errors
    /// An index past the end; a server that cannot be reached, or that refuses.
    pub async fn cached(&self, indices: &[u64]) -> Result<Vec<bool>, ClientError> {
        self.0.union.check_index(indices.iter().copied().max())?;
        let dataset = self.0.union.name.as_str();
        let each = (0..).zip(self.0.union.partitions.iter().zip(&self.0.servers));
        let each = each.map(|(task, (partition, server))| async move {
            ask_all(dataset, partition, server, indices, (&self.0.options.retry, task)).await
        });
        let mut cached = vec![false; indices.len()];
        for (place, flag) in try_join_all(each).await?.into_iter().flatten() {
            cached[place] = flag;
        }
        Ok(cached)
    }
}

/// What one server has of its own: each place in the list, and whether the sample there is cached.
async fn ask_all(
    dataset: &str,
    partition: &Partition,
    server: &Arc<Seat>,
    indices: &[u64],
    (retry, task): (&Retry, u64),
) -> Result<Vec<(usize, bool)>, ClientError> {
    let held = partition.first..partition.end();
    let own: Vec<_> = indices.iter().enumerate().filter(|(_, index)| held.contains(index)).collect();
    let mut cached = Vec::with_capacity(own.len());
    for part in own.chunks(MAX_SAMPLES_PER_CALL) {
        let list = part.iter().map(|(_, index)| **index - held.start).collect();
        let (dataset, dataset_digest) = (dataset.to_owned(), Some(partition.digest));
        let query = CachedQuery { dataset, dataset_digest, samples: Samples::List(list) };
        let bits = ask_patiently(server, query.into(), retry, task).await?;
        let flags = match bits {
            None => vec![false; part.len()],
            Some(bits) => from_bits(&bits, part.len()).map_err(|invalid| server.protocol(invalid.to_string()))?,
        };
        cached.extend(part.iter().map(|(place, _)| *place).zip(flags));
    }
    Ok(cached)
}

/// The server's flags; `None` from one that is too old.
async fn ask_patiently(
    server: &Arc<Seat>,
    request: proto::CachedRequest,
    retry: &Retry,
    task: u64,
) -> Result<Option<bytes::Bytes>, ClientError> {
    let mut patience = Patience::for_answer(server.address(), retry, task);
    loop {
        let answer = timeout(server.answer_within(retry.stall), ask(server, request.clone())).await;
        match answer.unwrap_or(Err(Trouble::Silent("no answer"))) {
            Ok(answer) => return Ok(Some(answer.cached)),
            Err(Trouble::Lasting(ClientError::Refused { code: Code::Unimplemented, .. })) => {
                tracing::debug!(server = %server.address(), "the server is too old to say what it has cached");
                return Ok(None);
            }
            Err(trouble) => {
                server.forget_idle();
                sleep(patience.bear(trouble)?).await;
            }
        }
    }
}

async fn ask(server: &Arc<Seat>, request: proto::CachedRequest) -> Result<proto::CachedAnswer, Trouble> {
    let client = server.connect().await?;
    let response = client.jobs().cached(request).await.map_err(|status| client.judge(&status))?;
    client.put_back();
    Ok(response.into_inner())
}
