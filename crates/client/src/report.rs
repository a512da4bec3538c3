//! Reporting to the servers how much samples mattered, to each server what concerns its own samples.
//!
//! One server of a partition must have taken a report. The others that are up are told too, so that whoever is asked
//! later knows as much; one that does not hear it is counted, and holds nobody up for long.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use headwater_types::caps::MAX_LOSSES_PER_CALL;
use headwater_types::{JobName, SampleIndex, SampleKey};
use headwater_wire::proto;
use headwater_wire::report::{LOSSES_LEASE, LossReport, Which};
use tokio::time::{sleep, timeout};

use crate::counters::Counting;
use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::replicas::{Member, Seat, Standing};
use crate::trouble::Trouble;
use crate::union::Union;

/// A sample whose loss is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportedSample {
    /// The sample of this index in the dataset.
    Index(SampleIndex),
    /// The sample of this key, which every server is asked for.
    Key(SampleKey),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportSummary {
    /// Samples whose loss a server keeps.
    pub kept: u64,
    /// Samples that no server knows.
    pub unknown: u64,
}

/// How long another server of the partition may take to hear a report.
const HEARD: Duration = Duration::from_secs(2);

// === impl Dataset ===

impl Dataset {
    /// Reports to the servers how much these samples mattered. They keep the latest loss of each sample, in memory.
    ///
    /// # Errors
    /// As for fetching: a server that cannot be reached, or that refuses.
    pub async fn report(&self, losses: &[(ReportedSample, f32)]) -> Result<ReportSummary, ClientError> {
        let job = self.0.job().clone();
        send(&self.0.union, &self.0.servers, (&self.0.options.retry, job, &self.0.counting), losses).await
    }
}

/// Sends each server its part, all at once.
async fn send(
    union: &Union,
    servers: &[Arc<Seat>],
    (retry, job, counting): (&Retry, Option<JobName>, &Counting),
    losses: &[(ReportedSample, f32)],
) -> Result<ReportSummary, ClientError> {
    for (which, _) in losses {
        match which {
            ReportedSample::Index(index) => union.check_index(Some(index.0))?,
            ReportedSample::Key(_) => {}
        }
    }
    if losses.iter().any(|(_, loss)| !loss.is_finite()) {
        return Err(ClientError::Request(
            "a loss that is not a finite number cannot be reported: see where it comes from",
        ));
    }
    let dataset = union.name.as_str();
    let job = &job;
    let each = (0..).zip(union.partitions.iter().zip(servers)).map(|(task, (partition, server))| async move {
        let mut kept = 0;
        for (samples, losses) in parts(partition, losses) {
            let (dataset, dataset_digest) = (dataset.to_owned(), Some(partition.digest));
            let report = LossReport { dataset, dataset_digest, samples, losses, job: job.clone(), lease: LOSSES_LEASE };
            kept += deliver(server, report.into(), (retry, counting), task).await?;
        }
        Ok::<u64, ClientError>(kept)
    });
    let kept: u64 = try_join_all(each).await?.into_iter().sum();
    Ok(ReportSummary { kept, unknown: (losses.len() as u64).saturating_sub(kept) })
}

/// The reports to one server, each of at most [`MAX_LOSSES_PER_CALL`] losses.
fn parts(partition: &Partition, losses: &[(ReportedSample, f32)]) -> Vec<(Which, Vec<f32>)> {
    let held = partition.first..partition.end();
    let (mut indices, mut keys) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for (which, loss) in losses {
        match which {
            ReportedSample::Index(index) if held.contains(&index.0) => {
                indices.0.push(index.0 - held.start);
                indices.1.push(*loss);
            }
            ReportedSample::Index(_) => {}
            ReportedSample::Key(key) => {
                keys.0.push(key.clone());
                keys.1.push(*loss);
            }
        }
    }
    let by_index = indices.0.chunks(MAX_LOSSES_PER_CALL).zip(indices.1.chunks(MAX_LOSSES_PER_CALL));
    let by_key = keys.0.chunks(MAX_LOSSES_PER_CALL).zip(keys.1.chunks(MAX_LOSSES_PER_CALL));
    by_index
        .map(|(which, losses)| (Which::Indices(which.to_vec()), losses.to_vec()))
        .chain(by_key.map(|(which, losses)| (Which::Keys(which.to_vec()), losses.to_vec())))
        .collect()
}

/// One call, made again while a server cannot be reached: a loss that is reported twice is kept once.
async fn deliver(
    server: &Arc<Seat>,
    request: proto::ReportRequest,
    (retry, counting): (&Retry, &Counting),
    task: u64,
) -> Result<u64, ClientError> {
    let mut patience = Patience::for_answer(server.address(), retry, task);
    loop {
        let answer = timeout(server.answer_within(retry.stall), ask(server, request.clone())).await;
        match answer.unwrap_or(Err(Trouble::Silent("no answer"))) {
            Ok((summary, heard)) => {
                tell_others(server, &heard, &request, counting).await;
                return Ok(summary.kept);
            }
            Err(trouble) => {
                server.forget_idle();
                sleep(patience.bear(trouble)?).await;
            }
        }
    }
}

/// What the server says that was asked, and which it is.
async fn ask(
    server: &Arc<Seat>,
    request: proto::ReportRequest,
) -> Result<(proto::ReportSummary, Arc<Member>), Trouble> {
    let client = server.connect().await?;
    let response = client.losses().report(request).await.map_err(|status| client.judge(&status))?;
    let member = client.member();
    client.put_back();
    Ok((response.into_inner(), member))
}

/// Tells the other servers of the partition what one has heard.
async fn tell_others(seat: &Arc<Seat>, heard: &Arc<Member>, request: &proto::ReportRequest, counting: &Counting) {
    let others = seat.members().into_iter().filter(|other| !Arc::ptr_eq(other, heard));
    let told = others.filter(|other| other.standing() == Standing::Up).map(|other| async move {
        let telling = timeout(HEARD, tell(seat, Arc::clone(&other), request.clone())).await;
        if let Err(trouble) = telling.unwrap_or(Err(Trouble::Silent("no answer"))) {
            counting.reports_unheard.add(1);
            let server = other.server.address();
            tracing::debug!(%server, %trouble, "a replica has not heard of losses that another has");
            seat.doubt(&other);
        }
    });
    join_all(told).await;
}

async fn tell(seat: &Arc<Seat>, other: Arc<Member>, request: proto::ReportRequest) -> Result<(), Trouble> {
    let client = seat.connect_beside(other).await?;
    client.losses().report(request).await.map_err(|status| client.judge(&status))?;
    client.put_back();
    Ok(())
}
