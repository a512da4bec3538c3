//! Telling the servers in which samples' places the job gives others.
//!
//! It is help and no duty, as an announcement is: what was not heard is counted
//! ([`Counters::announcements_unheard`](crate::Counters)), and ends no epoch.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use headwater_types::caps::MAX_REPLACED_PER_CALL;
use headwater_types::{JobName, SampleIndex};
use headwater_wire::proto;
use headwater_wire::replaced::ReplacedReport;
use tokio::time::timeout;

use crate::dataset::Dataset;
use crate::partition::Partition;
use crate::replicas::Seat;
use crate::trouble::Trouble;

/// How long one answer is waited for: a pass waits meanwhile.
const ANSWER: Duration = Duration::from_secs(1);

// === impl Dataset ===

impl Dataset {
    /// Tells each server which of its samples are left out, where a job is named. How many of these samples were heard
    /// of.
    pub async fn replaced(&self, indices: &[u64]) -> u64 {
        let Some(job) = self.0.job().clone() else { return 0 };
        let each = self.0.union.partitions.iter().zip(&self.0.servers);
        let heard = join_all(each.map(|(partition, server)| self.tell(&job, partition, server, indices))).await;
        heard.into_iter().sum()
    }

    async fn tell(&self, job: &JobName, partition: &Partition, server: &Arc<Seat>, indices: &[u64]) -> u64 {
        let held = partition.first..partition.end();
        let own = indices.iter().filter(|index| held.contains(index));
        let own: Vec<_> = own.map(|index| SampleIndex(index - held.start)).collect();
        let mut heard = 0;
        for part in own.chunks(MAX_REPLACED_PER_CALL) {
            let report = ReplacedReport {
                dataset: self.0.union.name.as_str().to_owned(),
                dataset_digest: Some(partition.digest),
                job: job.clone(),
                samples: part.to_vec(),
            };
            match timeout(ANSWER, send(server, report.into())).await.unwrap_or(Err(Trouble::Silent("no answer"))) {
                Ok(()) => heard += part.len() as u64,
                Err(trouble) => {
                    server.forget_idle();
                    self.0.counting.announcements_unheard.add(1);
                    tracing::debug!(server = %server.address(), %job, "what is left out was not heard: {trouble}");
                }
            }
        }
        heard
    }
}

async fn send(server: &Arc<Seat>, request: proto::ReplacedRequest) -> Result<(), Trouble> {
    let client = server.connect().await?;
    client.jobs().replaced(request).await.map_err(|status| client.judge(&status))?;
    client.put_back();
    Ok(())
}
