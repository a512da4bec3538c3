//! A worker: one of the streams that run at once to a server. It takes a chunk of the request, calls for it, and calls
//! again for what is missing until nothing is.

use std::sync::Arc;

use tokio::time::sleep;

use crate::call::{Call, End};
use crate::chunk::Chunk;
use crate::error::ClientError;
use crate::job::FetchJob;
use crate::live::{Following, LivePlan};
use crate::patience::Patience;
use crate::refusals::Refused;
use crate::replicas::Seated;
use crate::second::Second;
use crate::trace::SampleTrace;
use crate::trouble::Trouble;

/// One of the streams that run at once to a server.
pub(crate) struct Worker {
    job: Arc<FetchJob>,
    client: Option<Seated>,
    was_connected: bool,
    plan: Option<Following>,
    patience: Patience,
}

/// What the calls for one chunk have come to.
struct Tries<'a> {
    /// Most samples of the next call.
    at_most: usize,
    /// Calls in a row that broke the protocol and brought nothing.
    breaches: u32,
    /// The server refuses the worker because it has as many calls as it takes.
    refused: Option<Refused<'a>>,
    /// Whether the log says that a call ended early.
    is_logged: bool,
}

/// Calls in a row that break the protocol and bring nothing, after which no other is made.
const MOST_BREACHES: u32 = 3;

// === impl Worker ===

impl Worker {
    pub(crate) fn new(job: Arc<FetchJob>, number: u64) -> Self {
        let patience = Patience::for_samples(job.seat.address(), &job.options.retry, number, Arc::clone(&job.pulse));
        let plan = job.live.as_ref().map(LivePlan::follow);
        Self { job, client: None, was_connected: false, plan, patience }
    }

    /// Works until there is no chunk left.
    pub(crate) async fn run(mut self) -> Result<(), ClientError> {
        let job = Arc::clone(&self.job);
        while let Some(chunk) = job.source.next() {
            self.choose();
            self.serve(&job, chunk).await?;
        }
        self.lend();
        Ok(())
    }

    /// Sees a chunk through.
    async fn serve(&mut self, job: &FetchJob, mut chunk: Chunk) -> Result<(), ClientError> {
        let trace = job.origin.follow(&chunk, &job.fetch, job.partition.first);
        let mut tries = Tries { at_most: usize::MAX, breaches: 0, refused: None, is_logged: false };
        loop {
            let before = chunk.missing().len();
            let end = self.call(job, &mut chunk, (&mut tries, &trace)).await;
            let missing = chunk.missing().len();
            let progress = missing < before;
            if progress {
                self.patience.progressed();
                tries.breaches = 0;
            }
            if chunk.is_settled() {
                return Ok(());
            }
            let Some(trouble) = self.judge(job, end, progress, &mut tries) else { continue };
            let problem = trouble.to_string();
            trace.event("retry", "headwater.problem", &problem);
            let pause = self.patience.bear(trouble).inspect_err(|_| trace.fail(&problem))?;
            job.counting.retries.add(1);
            let server = job.seat.address();
            if std::mem::replace(&mut tries.is_logged, true) && !progress {
                let pause_seconds = pause.as_secs_f64();
                tracing::debug!(%server, missing, pause_seconds, %problem, "asking again for what is missing");
            } else {
                tracing::info!(%server, missing, %problem, "a call ended early: asking again for what is missing");
            }
            sleep(pause).await;
        }
    }

    /// One call for the first of what is missing, each sample as the plan says now.
    async fn call<'a>(
        &mut self,
        job: &'a FetchJob,
        chunk: &mut Chunk,
        (tries, trace): (&mut Tries<'a>, &SampleTrace),
    ) -> End {
        if let Some(plan) = &mut self.plan {
            chunk.replan(job.partition.first, &plan.now());
        }
        if let Err(trouble) = self.connect(job).await {
            return End::Failed(trouble);
        }
        let Some(client) = &self.client else { return End::HungUp { at_most: tries.at_most } };
        let end = match Call::open(job, client, chunk, (tries.at_most, trace)).await {
            Ok(call) => {
                tries.refused = None;
                call.read(chunk, &mut self.plan).await
            }
            Err(trouble) => End::Failed(trouble),
        };
        self.follow(job, chunk, end, (tries.at_most, trace)).await
    }

    /// Goes on with whichever call has overtaken the one that ended like this.
    async fn follow(&mut self, job: &FetchJob, chunk: &mut Chunk, mut end: End, most: (usize, &SampleTrace)) -> End {
        while let End::Overtaken(second) = end {
            job.counting.hedges_won.add(1);
            let Second { client, reply, batch } = *second;
            // The slow server is asked whether it is there.
            let client = self.client.insert(client);
            end = Call::after(job, client, (reply, batch), most).read(chunk, &mut self.plan).await;
        }
        end
    }

    /// Connects, where the worker has no connection.
    async fn connect(&mut self, job: &FetchJob) -> Result<(), Trouble> {
        if self.client.is_none() {
            self.client = Some(job.seat.connect().await?);
            if std::mem::replace(&mut self.was_connected, true) {
                job.counting.reconnects.add(1);
            }
        }
        Ok(())
    }

    /// Keeps, lends or drops the connection after a call that ended like this, and says what the next call must wait
    /// for; `None` where the next call can be made at once.
    fn judge<'a>(&mut self, job: &'a FetchJob, end: End, progress: bool, tries: &mut Tries<'a>) -> Option<Trouble> {
        let asked_at_most = std::mem::replace(&mut tries.at_most, usize::MAX);
        match end {
            End::HungUp { at_most } => {
                tries.at_most = at_most;
                // Another worker may have no connection, where the server takes no more.
                self.lend();
                None
            }
            End::Replanned => {
                job.counting.replanned.add(1);
                // What is underway there would come first, and is of no use any more.
                self.abandon();
                None
            }
            // The few that were asked for are there: on to the others.
            End::Answered if progress && asked_at_most < usize::MAX => None,
            End::Answered => Some(Trouble::Passing("some samples failed in a way that may pass".to_owned())),
            End::Broke(message) => {
                self.hang_up(job);
                tries.breaches += 1;
                Some(match tries.breaches < MOST_BREACHES {
                    true => Trouble::Passing(message),
                    false => Trouble::Lasting(job.seat.protocol(message)),
                })
            }
            // `follow` has gone on with it.
            End::Overtaken(_) => None,
            // It says nothing of this connection or of those that others have lent.
            End::Failed(trouble @ Trouble::Lasting(_)) => Some(trouble),
            End::Failed(Trouble::Busy(message)) => {
                tries.refused.get_or_insert_with(|| job.refusals.refuse());
                // It may be one too many, which the server closes: the next try takes one that another worker has lent,
                // or another server.
                (self.client, self.was_connected) = (None, false);
                Some(Trouble::Busy(message))
            }
            End::Failed(trouble) => {
                self.hang_up(job);
                Some(trouble)
            }
        }
    }

    /// Leaves the connection where another server would be asked now: one that is back, or less busy.
    fn choose(&mut self) {
        if self.client.as_ref().is_some_and(Seated::is_second_best) {
            self.lend();
        }
    }

    /// Leaves the connection to whichever worker opens a call next.
    fn lend(&mut self) {
        if let Some(client) = self.client.take() {
            client.put_back();
            self.was_connected = false;
        }
    }

    /// Drops a connection that is in order, but of no use: the next is no reconnection.
    fn abandon(&mut self) {
        if let Some(client) = self.client.take() {
            client.abandon();
        }
        self.was_connected = false;
    }

    /// Drops a connection that may be broken, and idle ones with it: they are as old.
    fn hang_up(&mut self, job: &FetchJob) {
        self.client = None;
        job.seat.forget_idle();
    }
}
