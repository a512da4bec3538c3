//! One call for samples: what it asks, what comes of it, and why it ends.

use std::pin::pin;

use headwater_types::{FailureKind, SampleIndex};
use headwater_wire::{Delivery, proto};
use tokio::task::consume_budget;
use tokio::time::Instant;

use crate::chunk::Chunk;
use crate::job::FetchJob;
use crate::live::Following;
use crate::outlet::Put;
use crate::replicas::Seated;
use crate::reply::{NoMessage, Reply};
use crate::sample::Sample;
use crate::second::{Second, Turn, Waiting};
use crate::trace::{CallSpan, SampleTrace};
use crate::trouble::Trouble;

/// A call that a server has taken.
pub(crate) struct Call<'a> {
    job: &'a FetchJob,
    client: &'a Seated,
    reply: Reply,
    /// What has come of it, and was not taken yet.
    first: Option<proto::FetchBatch>,
    /// Most samples of the call.
    at_most: usize,
    waiting: Waiting<'a>,
    /// The trace of the chunk.
    trace: &'a SampleTrace,
}

/// How a call ended.
pub(crate) enum End {
    /// Every sample was answered, some perhaps with failures that may pass.
    Answered,
    /// The worker hung up: what is missing can be asked for at once, only so many samples at a time.
    HungUp { at_most: usize },
    /// The worker hung up because what is missing is to come another way now.
    Replanned,
    /// Another server of the partition, which was asked for what is missing too, was sooner.
    Overtaken(Box<Second>),
    /// The server broke the protocol.
    Broke(String),
    /// The call failed.
    Failed(Trouble),
}

// === impl Call ===

impl<'a> Call<'a> {
    /// Calls for the first `at_most` samples of what is missing of a chunk.
    pub(crate) async fn open(
        job: &'a FetchJob,
        client: &'a Seated,
        chunk: &Chunk,
        (at_most, trace): (usize, &'a SampleTrace),
    ) -> Result<Self, Trouble> {
        let reply = Reply::to(job, client, trace, chunk.missing().take(at_most)).await?;
        Ok(Self { job, client, reply, first: None, at_most, waiting: Waiting::new(job, trace), trace })
    }

    /// A call that has overtaken another, and of which this has come.
    pub(crate) fn after(
        job: &'a FetchJob,
        client: &'a Seated,
        (reply, first): (Reply, proto::FetchBatch),
        (at_most, trace): (usize, &'a SampleTrace),
    ) -> Self {
        Self { job, client, reply, first: Some(first), at_most, waiting: Waiting::new(job, trace), trace }
    }

    /// Takes what comes until the call ends, and settles it in the chunk.
    pub(crate) async fn read(mut self, chunk: &mut Chunk, plan: &mut Option<Following>) -> End {
        while self.reply.awaited.len() > 0 {
            let next = match self.first.take() {
                Some(batch) => Ok(batch),
                None => self.next(chunk, plan).await,
            };
            let taken = match next {
                Ok(batch) => self.take(batch, chunk).await,
                Err(end) => Err(end),
            };
            if let Err(end) = taken {
                end.tell(&mut self.reply.span);
                return end;
            }
        }
        End::Answered
    }

    async fn next(&mut self, chunk: &Chunk, plan: &mut Option<Following>) -> Result<proto::FetchBatch, End> {
        let Self { job, client, reply, at_most, waiting, .. } = self;
        let _wait = client.line.wait();
        let mut received = client.line.received();
        waiting.begin();
        let mut message = pin!(reply.next(job, client));
        let mut replanned = pin!(replanned(job, chunk, plan));
        loop {
            tokio::select! {
                // First: with a slow reader there is always another message, and the change would wait for the call's
                // end.
                biased;
                () = &mut replanned => return Err(End::Replanned),
                message = &mut message => {
                    let batch = message?;
                    waiting.heard(&batch);
                    return Ok(batch);
                }
                turn = waiting.turn() => match turn {
                    Turn::Overtaken(second) => return Err(End::Overtaken(second)),
                    Turn::Long => {
                        let now = client.line.received();
                        let is_bringing = std::mem::replace(&mut received, now) != now;
                        waiting.long(client, is_bringing, || chunk.missing().take(*at_most).cloned().collect());
                    }
                },
            }
        }
    }

    async fn take(&mut self, batch: proto::FetchBatch, chunk: &mut Chunk) -> Result<(), End> {
        for sample in batch.samples {
            let position = self.reply.awaited.take(&sample).map_err(End::Broke)?;
            // A checksum is computed here: others may want the thread.
            consume_budget().await;
            let Some(mut sample) = judge(self.job, chunk, position, sample) else { continue };
            self.reply.span.came();
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
            let may_block_another = outlet.is_ordered() && self.reply.is_open();
            tokio::select! {
                () = room => {}
                () = refusals.any(), if may_block_another => self.reply.hang_up(),
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
            Self::Overtaken(_) => span.give_up("another server was sooner"),
            Self::Broke(message) => span.fail(message),
            Self::Failed(trouble) => span.fail(&trouble.to_string()),
        }
    }
}

impl From<NoMessage> for End {
    fn from(no: NoMessage) -> Self {
        match no {
            NoMessage::HungUp => Self::HungUp { at_most: usize::MAX },
            NoMessage::Broke(message) => Self::Broke(message),
            NoMessage::Failed(trouble) => Self::Failed(trouble),
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
