//! Asking the servers which samples are of low importance to the job, by the losses that it has reported.

use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::JobName;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_wire::cached::from_bits;
use headwater_wire::low::LowQuery;
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

/// What the servers say of samples' importance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LowSamples {
    /// Whether each of the samples that were asked about is of low importance.
    pub low: Vec<bool>,
    /// Samples of the whole dataset of which the job has reported a loss.
    pub known: u64,
}

/// What one server is asked.
struct Question<'a> {
    dataset: &'a str,
    job: &'a JobName,
    share: f64,
    retry: &'a Retry,
    task: u64,
}

// === impl Dataset ===

impl Dataset {
    /// Whether each of these samples is of low importance to the job of this dataset ([`join`](Dataset::join)): on each
    /// server this share of the samples of which the job has reported a loss is, the lowest. None is where no job is
    /// named. A server that is too old to say it knows of none.
    ///
    /// # Errors
    /// An index past the end; a server that cannot be reached, or that refuses.
    pub async fn low(&self, share: f64, indices: &[u64]) -> Result<LowSamples, ClientError> {
        self.0.union.check_index(indices.iter().copied().max())?;
        let mut found = LowSamples { low: vec![false; indices.len()], known: 0 };
        let Some(job) = self.0.job().clone() else { return Ok(found) };
        let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
        let each = (0..).zip(self.0.union.partitions.iter().zip(&self.0.servers));
        let each = each.map(|(task, (partition, server))| {
            let question = Question { dataset, job: &job, share, retry, task };
            async move { question.ask_all(partition, server, indices).await }
        });
        for (known, flags) in try_join_all(each).await? {
            found.known += known;
            flags.into_iter().for_each(|(place, flag)| found.low[place] = flag);
        }
        Ok(found)
    }
}

// === impl Question ===

impl Question<'_> {
    /// What one server has of its own: of how many samples it knows a loss, and each place in the list with whether the
    /// sample there is of low importance.
    async fn ask_all(
        &self,
        partition: &Partition,
        server: &Arc<Seat>,
        indices: &[u64],
    ) -> Result<(u64, Vec<(usize, bool)>), ClientError> {
        let held = partition.first..partition.end();
        let own: Vec<_> = indices.iter().enumerate().filter(|(_, index)| held.contains(index)).collect();
        let (mut known, mut low) = (0, Vec::with_capacity(own.len()));
        for part in own.chunks(MAX_SAMPLES_PER_CALL) {
            let list = part.iter().map(|(_, index)| **index - held.start).collect();
            let query = LowQuery {
                dataset: self.dataset.to_owned(),
                dataset_digest: Some(partition.digest),
                job: self.job.clone(),
                share: self.share,
                samples: Samples::List(list),
            };
            let Some(answer) = self.ask_patiently(server, query.into()).await? else { break };
            let flags = from_bits(&answer.low, part.len()).map_err(|invalid| server.protocol(invalid.to_string()))?;
            known = answer.known;
            low.extend(part.iter().map(|(place, _)| *place).zip(flags));
        }
        Ok((known, low))
    }

    /// The server's answer; `None` from one that is too old.
    async fn ask_patiently(
        &self,
        server: &Arc<Seat>,
        request: proto::LowRequest,
    ) -> Result<Option<proto::LowAnswer>, ClientError> {
        let mut patience = Patience::for_answer(server.address(), self.retry, self.task);
        loop {
            let answer = timeout(server.answer_within(self.retry.stall), ask(server, request.clone())).await;
            match answer.unwrap_or(Err(Trouble::Silent("no answer"))) {
                Ok(answer) => return Ok(Some(answer)),
                Err(Trouble::Lasting(ClientError::Refused { code: Code::Unimplemented, .. })) => {
                    let server = server.address();
                    tracing::warn!(%server, "the server is too old to give samples in others' places");
                    return Ok(None);
                }
                Err(trouble) => {
                    server.forget_idle();
                    sleep(patience.bear(trouble)?).await;
                }
            }
        }
    }
}

async fn ask(server: &Arc<Seat>, request: proto::LowRequest) -> Result<proto::LowAnswer, Trouble> {
    let client = server.connect().await?;
    let response = client.jobs().low(request).await.map_err(|status| client.judge(&status))?;
    client.put_back();
    Ok(response.into_inner())
}
