//! A worker: one of the streams that run at once to a server. It takes a chunk of the request, calls for it, and calls
//! again for what is missing until nothing is.

use std::pin::pin;
use std::sync::Arc;

use headwater_types::{Backoff, FailureKind, SampleIndex};
use headwater_wire::{Delivery, Fetch, proto};
use prost::Message;
use tokio::task::consume_budget;
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;

use crate::arriving::Line;
use crate::awaited::Awaited;
use crate::chunk::{Chunk, ChunkSource, as_asked};
use crate::connection::{Client, Server, Trouble};
use crate::counters::Counting;
use crate::error::ClientError;
use crate::expect::{Expectation, broken};
use crate::live::{Following, LivePlan};
use crate::options::ClientOptions;
use crate::outlet::{Outlet, Put};
use crate::partition::Partition;
use crate::pulse::Pulse;
use crate::sample::Sample;

/// What the workers of one server share.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) server: Arc<Server>,
    pub(crate) partition: Partition,
    pub(crate) source: ChunkSource,
    /// What is asked, but for the samples, and how and as of which epoch each comes.
    pub(crate) fetch: Fetch,
    pub(crate) expectation: Expectation,
    /// The plan that says how samples come, where that may change.
    pub(crate) live: Option<LivePlan>,
    pub(crate) pulse: Pulse,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) options: ClientOptions,
    pub(crate) counting: Arc<Counting>,
}

pub(crate) struct Worker {
    job: Arc<Job>,
    client: Option<Client>,
    plan: Option<Following>,
    was_connected: bool,
    backoff: Backoff,
}

/// How a call ended.
enum End {
    /// Every sample was answered, some perhaps with failures that may pass.
    Answered,
    /// The worker hung up: what is missing can be asked for at once, only so many at a time.
    HungUp { at_most: usize },
    /// The worker hung up because what is missing is to come another way now.
    Replanned,
    /// The server broke the protocol.
    Broke(String),
    /// The call failed.
    Failed(Trouble),
}

/// Calls in a row that break the protocol and bring nothing, after which no other is made.
const MOST_BREACHES: u32 = 3;
/// Bytes before each message: a flag and a length.
const GRPC_PREFIX: u64 = 5;

// === impl Worker ===

impl Worker {
    pub(crate) fn new(job: Arc<Job>, number: u64) -> Self {
        let backoff = job.options.retry.backoff(number);
        let plan = job.live.as_ref().map(LivePlan::follow);
        Self { job, client: None, plan, was_connected: false, backoff }
    }

    /// Works until there is no chunk left.
    pub(crate) async fn run(mut self) -> Result<(), ClientError> {
        let job = Arc::clone(&self.job);
        while let Some(chunk) = job.source.next() {
            self.serve(&job, chunk).await?;
        }
        if let Some(client) = self.client {
            job.server.put_back(client);
        }
        Ok(())
    }

    /// Sees a chunk through.
    async fn serve(&mut self, job: &Job, mut chunk: Chunk) -> Result<(), ClientError> {
        let mut at_most = usize::MAX;
        let mut breaches = 0;
        let mut starving = None;
        let mut told = false;
        let mut heard = String::new();
        loop {
            let before = chunk.missing().len();
            if let Some(plan) = &mut self.plan {
                chunk.replan(job.partition.first, &plan.now());
            }
            let end = match self.open(job, &chunk, at_most).await {
                Ok((line, stream)) => {
                    starving = None;
                    read(job, &mut chunk, at_most, (&line, stream), &mut self.plan).await
                }
                Err(trouble) => End::Failed(trouble),
            };
            if chunk.is_settled() {
                return Ok(());
            }
            let progress = chunk.missing().len() < before;
            if progress {
                self.backoff.reset();
                breaches = 0;
            }
            let asked_at_most = std::mem::replace(&mut at_most, usize::MAX);
            let mut busy = false;
            let problem = match end {
                End::HungUp { at_most: limit } => {
                    at_most = limit;
                    // Another worker may have no connection, where the server takes no more.
                    self.lend(job);
                    continue;
                }
                End::Replanned => {
                    job.counting.replanned.add(1);
                    // What is underway there would come first, and is of no use any more.
                    self.client = None;
                    self.was_connected = false;
                    continue;
                }
                // The few that were asked for are there: on to the others.
                End::Answered if progress && asked_at_most < usize::MAX => continue,
                End::Answered => "some samples failed in a way that may pass".to_owned(),
                End::Broke(message) => {
                    self.hang_up(job);
                    breaches += 1;
                    if breaches >= MOST_BREACHES {
                        return Err(job.server.protocol(message));
                    }
                    message
                }
                End::Failed(Trouble::Lasting(error)) => return Err(error),
                End::Failed(Trouble::Busy(message)) => {
                    starving.get_or_insert_with(|| job.pulse.starve());
                    // It may be one too many, which the server closes: the next try takes one that another worker has lent.
                    self.client = None;
                    self.was_connected = false;
                    busy = true;
                    message
                }
                End::Failed(Trouble::Starting(doing)) => {
                    self.hang_up(job);
                    // One that has been restarted lives, as long as it says something new.
                    if doing != heard {
                        job.pulse.beat();
                        heard.clone_from(&doing);
                    }
                    doing
                }
                End::Failed(Trouble::Passing(message)) => {
                    self.hang_up(job);
                    message
                }
            };
            let waited = job.pulse.silence();
            if waited >= job.options.retry.give_up_after {
                let server = job.server.address().clone();
                return Err(match busy {
                    true => ClientError::Busy { server, waited, message: problem },
                    false => ClientError::Unreachable { server, waited, last: problem },
                });
            }
            job.counting.retries.add(1);
            let pause = self.backoff.pause();
            let missing = chunk.missing().len();
            let server = job.server.address();
            if job.pulse.is_worth_a_word() {
                let (silent_seconds, patience_seconds) = (waited.as_secs(), job.options.retry.give_up_after.as_secs());
                tracing::warn!(%server, silent_seconds, patience_seconds, %problem, "server gives nothing: asking it again until it does, or patience ends");
            }
            if std::mem::replace(&mut told, true) && !progress {
                tracing::debug!(%server, missing, pause_seconds = pause.as_secs_f64(), %problem, "asking again for what is missing");
            } else {
                tracing::info!(%server, missing, %problem, "a call ended early: asking again for what is missing");
            }
            sleep(pause).await;
        }
    }

    /// Leaves the connection to whichever worker opens a call next.
    fn lend(&mut self, job: &Job) {
        if let Some(client) = self.client.take() {
            job.server.put_back(client);
            self.was_connected = false;
        }
    }

    /// Drops a connection that may be broken, and idle ones with it: they are as old.
    fn hang_up(&mut self, job: &Job) {
        self.client = None;
        job.server.forget_idle();
    }

    /// Calls for the first of what is missing.
    async fn open(
        &mut self,
        job: &Job,
        chunk: &Chunk,
        at_most: usize,
    ) -> Result<(Arc<Line>, Streaming<proto::FetchBatch>), Trouble> {
        let (samples, cuts, pixels, epochs) = as_asked(chunk.missing().take(at_most));
        let request = proto::FetchRequest::from(Fetch { samples, cuts, pixels, epochs, ..job.fetch.clone() });
        let client = match &mut self.client {
            Some(client) => client,
            none => {
                let client = job.server.connect().await?;
                if std::mem::replace(&mut self.was_connected, true) {
                    job.counting.reconnects.add(1);
                }
                none.insert(client)
            }
        };
        match timeout(job.options.retry.stall, client.samples().fetch(request)).await {
            Ok(Ok(response)) => Ok((Arc::clone(&client.line), response.into_inner())),
            Ok(Err(status)) => Err(job.server.judge(&status)),
            Err(_elapsed) => Err(Trouble::Passing("a call was not answered".to_owned())),
        }
    }
}

/// Takes what comes until the call ends.
async fn read(
    job: &Job,
    chunk: &mut Chunk,
    at_most: usize,
    (line, stream): (&Line, Streaming<proto::FetchBatch>),
    plan: &mut Option<Following>,
) -> End {
    let mut awaited = Awaited::new(chunk.missing().take(at_most), job.partition.sample_epochs);
    let mut call = Some(stream);
    while awaited.len() > 0 {
        let Some(stream) = &mut call else { return End::HungUp { at_most: usize::MAX } };
        let wait = line.wait();
        let message = tokio::select! {
            // First: with a slow reader there is always another message, and the change would wait for the call's end.
            biased;
            () = leave(job, chunk, plan) => return End::Replanned,
            message = timeout(job.options.retry.stall, stream.message()) => message,
        };
        drop(wait);
        let batch = match message {
            Ok(Ok(Some(batch))) => batch,
            Ok(Ok(None)) => return End::Broke(format!("it ended a call with {} samples to come", awaited.len())),
            Ok(Err(status)) => return End::Failed(job.server.judge(&status)),
            Err(_elapsed) => return End::Failed(Trouble::Passing("a call went silent".to_owned())),
        };
        job.counting.bytes_received.add(batch.encoded_len() as u64 + GRPC_PREFIX);
        job.pulse.beat();
        if let Some(proto::Waiting { reason, detail }) = &batch.waiting
            && job.pulse.hears_busy()
        {
            let server = job.server.address();
            tracing::warn!(%server, missing = awaited.len(), "the server is busy: {reason}: {detail}");
        }
        for sample in batch.samples {
            let position = match awaited.take(&sample) {
                Ok(position) => position,
                Err(message) => return End::Broke(message),
            };
            // A checksum is computed here: others may want the thread.
            consume_budget().await;
            let Some(sample) = judge(job, chunk, position, sample) else { continue };
            let earliest = chunk.earliest().unwrap_or(position);
            if !hand_over(job, position, earliest, sample, &mut call).await {
                return End::HungUp { at_most: 1 };
            }
            chunk.settle(position);
        }
    }
    End::Answered
}

/// Waits until the plan says of some sample of this chunk that it is to come another way; for ever, where it cannot.
async fn leave(job: &Job, chunk: &Chunk, plan: &mut Option<Following>) {
    let Some(plan) = plan else { return std::future::pending().await };
    loop {
        plan.changed().await;
        if chunk.differs(job.partition.first, &plan.now()) {
            return;
        }
    }
}

/// The sample of this place as its reader gets it; `None` where it is to be asked for again.
fn judge(job: &Job, chunk: &mut Chunk, position: u64, sample: proto::Sample) -> Option<Sample> {
    let index = SampleIndex(sample.index);
    let wanted = chunk.at(position)?;
    let delivery = Delivery::try_from(sample).unwrap_or_else(|invalid| {
        let failure = broken(&job.partition, index, &invalid.to_string());
        Delivery { index, position: None, key: None, label: None, cpu: None, outcome: Err(failure) }
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

/// Waits for room for a sample, and meanwhile gives up the call where it keeps a worker of the same server from its
/// own: the reader may be waiting for just that one's samples. False: there will be no room before an earlier sample of
/// this chunk has come.
async fn hand_over(
    job: &Job,
    position: u64,
    earliest: u64,
    mut sample: Sample,
    call: &mut Option<Streaming<proto::FetchBatch>>,
) -> bool {
    let mut holding = None;
    loop {
        let mut room = pin!(job.outlet.room.notified());
        room.as_mut().enable();
        sample = match job.outlet.put(position, earliest, sample) {
            Put::Done => return true,
            Put::Overflow => return false,
            Put::Full(sample) => *sample,
        };
        holding.get_or_insert_with(|| job.pulse.hold());
        let may_block_another = job.outlet.is_ordered() && call.is_some();
        tokio::select! {
            () = room => {}
            () = job.pulse.someone_starves(), if may_block_another => *call = None,
        }
    }
}
