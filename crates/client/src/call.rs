//! One call for samples: what it asks, what comes of it, and why it ends.

use std::pin::pin;
use std::sync::Arc;

use headwater_types::{FailureKind, SampleIndex};
use headwater_wire::{Delivery, Fetch, proto};
use prost::Message;
use tokio::task::consume_budget;
use tokio::time::Instant;
use tonic::Streaming;

use crate::arriving::Line;
use crate::awaited::Awaited;
use crate::chunk::Chunk;
use crate::job::FetchJob;
use crate::live::Following;
use crate::outlet::Put;
use crate::replicas::Seated;
use crate::sample::Sample;
use crate::trace::{CallSpan, SampleTrace};
use crate::trouble::Trouble;
use crate::wanted::as_asked;

/// A call that a server has taken.
pub(crate) struct Call<'a> {
    job: &'a FetchJob,
    /// What is still to come.
    awaited: Awaited,
    line: Arc<Line>,
    client: &'a Seated,
    /// The trace of the chunk, and this call's part of it.
    trace: &'a SampleTrace,
    span: CallSpan,
    /// `None` once the call was given up so that another worker can make one.
    stream: Option<Streaming<proto::FetchBatch>>,
}

/// How a call ended.
pub(crate) enum End {
    /// Every sample was answered, some perhaps with failures that may pass.
    Answered,
    /// The worker hung up: what is missing can be asked for at once, only so many samples at a time.
    HungUp { at_most: usize },
    /// The worker hung up because what is missing is to come another way now.
    Replanned,
    /// The server broke the protocol.
    Broke(String),
    /// The call failed.
    Failed(Trouble),
}

/// Bytes before each message: a flag and a length.
const GRPC_PREFIX: u64 = 5;

// === impl Call ===

impl<'a> Call<'a> {
    /// Calls for the first `at_most` samples of what is missing of a chunk.
    pub(crate) async fn open(
        job: &'a FetchJob,
        client: &'a Seated,
        chunk: &Chunk,
        (at_most, trace): (usize, &'a SampleTrace),
    ) -> Result<Self, Trouble> {
        let wanted = chunk.missing().take(at_most);
        let (samples, ways, epochs) = as_asked(wanted.clone());
        let request = proto::FetchRequest::from(Fetch { samples, ways, epochs, ..job.fetch.clone() });
        let mut samples = client.samples();
        let mut span = CallSpan::new(trace, client.address(), wanted.len());
        let opening = samples.fetch(span.request(request));
        let response = client.wait(job.options.retry.stall, "a call was not answered", opening).await;
        let response = response.and_then(|response| response.map_err(|status| client.judge(&status)));
        let stream = response.inspect_err(|trouble| span.fail(&trouble.to_string()))?.into_inner();
        let awaited = Awaited::new(wanted, job.partition.sample_epochs);
        let line = Arc::clone(&client.line);
        Ok(Self { job, awaited, line, client, trace, span, stream: Some(stream) })
    }

    /// Takes what comes until the call ends, and settles it in the chunk.
    pub(crate) async fn read(mut self, chunk: &mut Chunk, plan: &mut Option<Following>) -> End {
        while self.awaited.len() > 0 {
            let taken = match self.next(chunk, plan).await {
                Ok(batch) => self.take(batch, chunk).await,
                Err(end) => Err(end),
            };
            if let Err(end) = taken {
                end.tell(&mut self.span);
                return end;
            }
        }
        End::Answered
    }

    async fn next(&mut self, chunk: &Chunk, plan: &mut Option<Following>) -> Result<proto::FetchBatch, End> {
        let Some(stream) = &mut self.stream else { return Err(End::HungUp { at_most: usize::MAX }) };
        let _wait = self.line.wait();
        let message = tokio::select! {
            // First: with a slow reader there is always another message, and the change would wait for the call's end.
            biased;
            () = replanned(self.job, chunk, plan) => return Err(End::Replanned),
            message = self.client.wait(self.job.options.retry.stall, "a call went silent", stream.message()) => message,
        };
        match message {
            Ok(Ok(Some(batch))) => Ok(batch),
            Ok(Ok(None)) => Err(End::Broke(format!("it ended a call with {} samples to come", self.awaited.len()))),
            Ok(Err(status)) => Err(End::Failed(self.client.judge(&status))),
            Err(trouble) => Err(End::Failed(trouble)),
        }
    }

    async fn take(&mut self, batch: proto::FetchBatch, chunk: &mut Chunk) -> Result<(), End> {
        self.hear(&batch);
        for sample in batch.samples {
            let position = self.awaited.take(&sample).map_err(End::Broke)?;
            // A checksum is computed here: others may want the thread.
            consume_budget().await;
            let Some(mut sample) = judge(self.job, chunk, position, sample) else { continue };
            self.span.came();
            self.trace.came();
            sample.trace = self.trace.of_sample();
            let earliest = chunk.earliest().unwrap_or(position);
            if !self.hand_over(position, earliest, sample).await {
                return Err(End::HungUp { at_most: 1 });
            }
            chunk.settle(position);
        }
        Ok(())
    }

    /// Every message is a sign of life; one may say that the server is busy.
    fn hear(&mut self, batch: &proto::FetchBatch) {
        let FetchJob { counting, pulse, .. } = self.job;
        let bytes = batch.encoded_len() as u64 + GRPC_PREFIX;
        counting.bytes_received.add(bytes);
        self.span.hear(bytes);
        pulse.beat();
        let Some(proto::Waiting { reason, detail }) = &batch.waiting else { return };
        self.span.busy(reason, detail);
        if pulse.hears_busy() {
            let server = self.client.address();
            tracing::warn!(%server, missing = self.awaited.len(), "the server is busy: {reason}: {detail}");
        }
    }

    /// Waits for room for a sample. Meanwhile it gives up the call where that keeps another worker of the same server
    /// from a call whose samples the reader may be waiting for. False: there will be no room before an earlier sample
    /// of the same chunk has come.
    async fn hand_over(&mut self, position: u64, earliest: u64, mut sample: Sample) -> bool {
        let FetchJob { outlet, pulse, refusals, .. } = self.job;
        let mut holding = None;
        loop {
            let mut room = pin!(outlet.room.notified());
            room.as_mut().enable();
            sample = match outlet.put(position, earliest, sample) {
                Put::Done => return true,
                Put::Overflow => return false,
                Put::Full(sample) => *sample,
            };
            holding.get_or_insert_with(|| pulse.hold());
            let may_block_another = outlet.is_ordered() && self.stream.is_some();
            tokio::select! {
                () = room => {}
                () = refusals.any(), if may_block_another => self.stream = None,
            }
        }
    }
}

// === impl End ===

impl End {
    /// Says in the call's span why it ended before its last sample.
    fn tell(&self, span: &mut CallSpan) {
        match self {
            Self::Answered => {}
            Self::HungUp { .. } => span.give_up("its samples have no room, or another call comes first"),
            Self::Replanned => span.give_up("what is missing is to come another way"),
            Self::Broke(message) => span.fail(message),
            Self::Failed(trouble) => span.fail(&trouble.to_string()),
        }
    }
}

/// Waits until the plan says of some sample of this chunk that it is to come another way. Without a live plan it waits
/// for ever.
async fn replanned(job: &FetchJob, chunk: &Chunk, plan: &mut Option<Following>) {
    let Some(plan) = plan else { return std::future::pending().await };
    loop {
        plan.changed().await;
        if chunk.differs(job.partition.first, &plan.now()) {
            return;
        }
    }
}

/// The sample of this place as its reader gets it; `None` where it is to be asked for again.
fn judge(job: &FetchJob, chunk: &mut Chunk, position: u64, sample: proto::Sample) -> Option<Sample> {
    let index = SampleIndex(sample.index);
    let wanted = chunk.at(position)?;
    let delivery = Delivery::try_from(sample).unwrap_or_else(|invalid| {
        let failure = job.partition.breach(index, &invalid.to_string());
        Delivery { index, position: None, key: None, label: None, fields: Vec::new(), cpu: None, outcome: Err(failure) }
    });
    let retry = &job.options.retry;
    if let Err(failure) = &delivery.outcome
        && failure.is_retryable()
    {
        wanted.failures += 1;
        let since = *wanted.failing_since.get_or_insert_with(Instant::now);
        // A server that stops says so of each sample: that is waited out as if it could not be reached.
        let waits = failure.kind == FailureKind::Unavailable && since.elapsed() < retry.give_up_after;
        if waits || wanted.failures < retry.sample_attempts.get() {
            job.counting.sample_retries.add(1);
            return None;
        }
    }
    Some(job.expectation.accept(&job.partition, wanted, delivery))
}
