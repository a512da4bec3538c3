//! A second question, where hedging is on: a server that keeps a call waiting for longer than nearly all calls wait is
//! overtaken by another of its partition, which is asked for the same samples, if that one is sooner.
//!
//! Only one of the two is ever read on, so that no sample comes twice: the first that brings samples wins, and the
//! other call is dropped.

use std::pin::Pin;
use std::sync::Arc;

use headwater_wire::proto;
use tokio::time::{Instant, sleep_until};

use crate::job::FetchJob;
use crate::replicas::{Member, Seated};
use crate::reply::{NoMessage, Reply};
use crate::trace::SampleTrace;
use crate::wanted::Wanted;

/// A call that has overtaken another.
pub(crate) struct Second {
    pub(crate) client: Seated,
    pub(crate) reply: Reply,
    /// What has come of it, and was not taken yet.
    pub(crate) batch: proto::FetchBatch,
}

/// How long a call has waited for samples, and who else is asked for them.
pub(crate) struct Waiting<'a> {
    job: &'a FetchJob,
    trace: &'a SampleTrace,
    /// Since when; `None` while samples are taken.
    since: Option<Instant>,
    /// When to look whether it has been long.
    due: Instant,
    asking: Option<Asking<'a>>,
}

/// What there is to be done about a call that waits.
pub(crate) enum Turn {
    /// It has waited for long.
    Long,
    /// Another call was sooner.
    Overtaken(Box<Second>),
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Second, String>> + Send + 'a>>;

// === impl Second ===

impl Second {
    /// Asks this server for these samples, until the first of them has come; or says why none does.
    async fn ask(
        (job, trace): (&FetchJob, &SampleTrace),
        member: Arc<Member>,
        wanted: Vec<Wanted>,
    ) -> Result<Self, String> {
        let client = job.seat.connect_beside(member).await.map_err(|trouble| trouble.to_string())?;
        let mut reply = Reply::to(job, &client, trace, wanted.iter()).await.map_err(|trouble| trouble.to_string())?;
        reply.span.hedge();
        let batch = loop {
            let _wait = client.line.wait();
            match reply.next(job, &client).await {
                Ok(batch) if batch.samples.iter().any(|sample| sample.failure.is_none()) => break batch,
                // What fails here is the first server's to say.
                Ok(batch) if !batch.samples.is_empty() => return Err("samples fail there".to_owned()),
                Ok(_) => {}
                Err(NoMessage::Broke(message)) => return Err(message),
                Err(NoMessage::HungUp) => return Err("it was given up".to_owned()),
                Err(NoMessage::Failed(trouble)) => return Err(trouble.to_string()),
            }
        };
        Ok(Self { client: client.chosen(), reply, batch })
    }
}

// === impl Waiting ===

impl<'a> Waiting<'a> {
    pub(crate) fn new(job: &'a FetchJob, trace: &'a SampleTrace) -> Self {
        Self { job, trace, since: None, due: Instant::now(), asking: None }
    }

    /// The call waits from now on, if it did not already.
    pub(crate) fn begin(&mut self) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            self.later();
        }
    }

    /// A message has come: what else was asked is dropped, once it has samples.
    pub(crate) fn heard(&mut self, batch: &proto::FetchBatch) {
        if !batch.samples.is_empty() {
            let since = self.since.take();
            self.asking = None;
            if let (Some(mut hedging), Some(since)) = (self.job.seat.hedging(), since) {
                hedging.took(since.elapsed());
            }
        }
    }

    /// Waits until there is something to be done: for ever, where hedging is off.
    pub(crate) async fn turn(&mut self) -> Turn {
        if self.job.seat.hedging().is_none() {
            return std::future::pending().await;
        }
        while let Some(asking) = &mut self.asking {
            let asked = asking.await;
            self.asking = None;
            match asked {
                Ok(second) => return Turn::Overtaken(Box::new(second)),
                Err(problem) => {
                    let server = self.job.seat.address();
                    tracing::debug!(%server, %problem, "a second server was asked, and is no sooner");
                    self.later();
                }
            }
        }
        sleep_until(self.due).await;
        Turn::Long
    }

    /// It has been long: asks another server for these samples, if there is one and few were asked a second time.
    /// `is_bringing`: something has come meanwhile, so that it is the network that takes long.
    pub(crate) fn long(&mut self, client: &Seated, is_bringing: bool, wanted: impl FnOnce() -> Vec<Wanted>) {
        self.later();
        let (job, trace) = (self.job, self.trace);
        let Some(member) = client.another().filter(|_| !is_bringing) else { return };
        if job.seat.hedging().is_some_and(|mut hedging| hedging.may()) {
            job.counting.hedged.add(1);
            self.asking = Some(Box::pin(Second::ask((job, trace), member, wanted())));
        }
    }

    fn later(&mut self) {
        if let Some(hedging) = self.job.seat.hedging() {
            self.due = Instant::now() + hedging.after();
        }
    }
}
