//! Telling the servers what a job reads next, so that they keep it and read it ahead.
//!
//! An announcement is help and no duty: a server that is too old for it, or cannot be reached, ends no epoch. What was
//! not heard is counted ([`Counters::announcements_unheard`](crate::Counters)), and logged at debug.

use std::sync::Arc;
use std::time::Duration;

use headwater_types::{Address, JobName};
use headwater_wire::announce::{AnnouncedOrder, Announcement, Outcome, Said};
use headwater_wire::proto;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use tonic::Code;

use crate::connection::Server;
use crate::counters::Counting;
use crate::dataset::{Dataset, Inner};
use crate::error::ClientError;
use crate::trouble::Trouble;

/// A pass of one rank, as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The job: the same in all its processes.
    pub job: JobName,
    /// The rank, from 0.
    pub rank: u32,
    /// How long this counts while it is read, if nothing more comes.
    pub lease: Duration,
    /// Its order; `None` where no server can compute that.
    pub order: Option<PassOrder>,
}

/// An order that servers can compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassOrder {
    /// Seed and number of the epoch.
    pub address: Address,
    /// Whether the samples come in the permutation of that address.
    pub shuffle: bool,
    /// The epoch's samples; `None`: all of the dataset.
    pub choice: Option<Arc<Vec<u64>>>,
    /// Whether the epochs that follow have the same samples.
    pub repeats: bool,
    /// What is before this position is done.
    pub position: u64,
}

/// An announced pass. Dropping it only ends the announcing: what was said counts for its lease.
#[derive(Debug)]
pub struct Announced {
    news: watch::Sender<News>,
    task: AbortOnDropHandle<()>,
}

/// What the servers are to hear of a pass that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// What is before this position is done.
    Reached(u64),
    /// The pass has ended at this position, and the job says nothing more for so long.
    Rests(u64, Duration),
    /// The rank is done for good.
    Ends,
}

/// How often servers hear how far a pass is.
const BEAT: Duration = Duration::from_secs(1);
/// How long one answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);

// === impl Dataset ===

impl Dataset {
    /// Says which job this dataset is read for: from here on its calls for samples and its reports name it.
    pub fn join(&self, job: &JobName) {
        *self.0.job() = Some(job.clone());
    }

    /// Announces a pass to all servers, and goes on telling them how far it is until the result is closed or dropped.
    /// Returns at once.
    pub fn announce(&self, pass: &Pass) -> Announced {
        self.join(&pass.job);
        let Inner { union, servers, counting, runtime, .. } = &*self.0;
        let (news, heard) = watch::channel(News::Reached(pass.order.as_ref().map_or(0, |order| order.position)));
        let mut crier = JoinSet::new();
        let each = union.partitions.iter().zip(servers);
        let each = each.flat_map(|(partition, seat)| seat.members().into_iter().map(move |member| (partition, member)));
        for (partition, member) in each {
            let order = pass.order.clone().map(|order| AnnouncedOrder {
                address: order.address,
                shuffle: order.shuffle,
                samples: union.samples(),
                first: partition.first,
                choice: order.choice.map(|choice| choice.to_vec()),
                repeats: order.repeats,
                position: order.position,
            });
            let announcer = Announcer {
                server: Arc::clone(&member.server),
                counting: Arc::clone(counting),
                announcement: Announcement {
                    dataset: union.name.as_str().to_owned(),
                    dataset_digest: Some(partition.digest),
                    job: pass.job.clone(),
                    rank: pass.rank,
                    lease: pass.lease,
                    said: order.map_or(Said::Unknown, Said::Begins),
                },
            };
            crier.spawn_on(announcer.run(heard.clone()), runtime);
        }
        let task = AbortOnDropHandle::new(runtime.spawn(async move { while crier.join_next().await.is_some() {} }));
        Announced { news, task }
    }
}

// === impl Announced ===

impl Announced {
    /// What is before this position is done. Servers hear of it within a second.
    pub fn reached(&self, position: u64) {
        self.news.send_replace(News::Reached(position));
    }

    /// The pass has ended at this position, and the job says nothing more for so long. Waits until the servers have
    /// heard, and no longer than `most`.
    pub async fn rest(self, position: u64, lease: Duration, most: Duration) {
        self.close(News::Rests(position, lease), most).await;
    }

    /// The rank is done for good. Waits as [`rest`](Self::rest) does.
    pub async fn end(self, most: Duration) {
        self.close(News::Ends, most).await;
    }

    async fn close(self, last: News, most: Duration) {
        self.news.send_replace(last);
        // A server that does not hear it has the lease.
        let _ = timeout(most, self.task).await;
    }
}

// === impl News ===

impl News {
    fn is_last(self) -> bool {
        matches!(self, Self::Rests(..) | Self::Ends)
    }
}

/// Tells one server.
struct Announcer {
    server: Arc<Server>,
    counting: Arc<Counting>,
    /// The beginning of the pass.
    announcement: Announcement,
}

// === impl Announcer ===

impl Announcer {
    async fn run(self, mut news: watch::Receiver<News>) {
        let mut is_heard = false;
        loop {
            let latest = *news.borrow_and_update();
            match self.tell(latest, is_heard).await {
                Ok(Outcome::Counts) => is_heard = true,
                Ok(Outcome::Full) => self.unheard("the server keeps no more jobs"),
                Ok(Outcome::Unheard) => self.unheard("the server hears of this pass only now"),
                Err(Trouble::Lasting(ClientError::Refused { code: Code::Unimplemented, .. })) => {
                    return self.unheard("the server is too old to be told what comes next");
                }
                Err(trouble) => {
                    self.server.forget_idle();
                    self.unheard(&trouble.to_string());
                }
            }
            if latest.is_last() || !self.pause(latest, &mut news).await {
                return;
            }
        }
    }

    /// Tells how far the pass is, with its beginning where the server has not heard that or has forgotten it.
    async fn tell(&self, news: News, is_heard: bool) -> Result<Outcome, Trouble> {
        if news == News::Ends || is_heard {
            let outcome = self.send(self.progress(news), news).await?;
            if outcome != Outcome::Unheard {
                return Ok(outcome);
            }
            // The server has been started anew, or the lease has run out.
        }
        self.send(self.beginning(news), news).await
    }

    fn beginning(&self, news: News) -> Said {
        match (&self.announcement.said, news) {
            (Said::Begins(order), News::Reached(position) | News::Rests(position, _)) => {
                Said::Begins(AnnouncedOrder { position, ..order.clone() })
            }
            (said, _) => said.clone(),
        }
    }

    fn progress(&self, news: News) -> Said {
        match (&self.announcement.said, news) {
            (_, News::Ends) => Said::Ends,
            (Said::Begins(order), News::Reached(position) | News::Rests(position, _)) => {
                Said::Reached(order.address, position)
            }
            (said, _) => said.clone(),
        }
    }

    async fn send(&self, said: Said, news: News) -> Result<Outcome, Trouble> {
        let lease = match news {
            News::Rests(_, lease) => lease,
            News::Reached(_) | News::Ends => self.announcement.lease,
        };
        let request = Announcement { said, lease, ..self.announcement.clone() };
        let ask = async {
            let client = self.server.connect().await?;
            let request = proto::AnnounceRequest::from(request);
            let answer = client.jobs().announce(request).await.map_err(|status| self.server.judge(&status))?;
            self.server.put_back(client);
            Ok::<_, Trouble>(answer.into_inner())
        };
        let answer = timeout(ANSWER, ask).await.unwrap_or(Err(Trouble::Silent("no answer")))?;
        self.counting.announcements.add(1);
        Outcome::try_from(answer).map_err(|invalid| Trouble::Lasting(self.server.protocol(invalid.to_string())))
    }

    /// Waits until there is something to say: news, at most once a beat, or that the job is still there. `false`: never
    /// again.
    async fn pause(&self, latest: News, news: &mut watch::Receiver<News>) -> bool {
        let (began, lease) = (Instant::now(), self.announcement.lease);
        let last = async { news.wait_for(|news| news.is_last()).await.is_ok() };
        tokio::select! {
            last = last => return last,
            () = sleep_until(began + BEAT.min(lease / 3)) => {}
        }
        let changed = async { news.wait_for(|news| *news != latest).await.is_ok() };
        tokio::select! {
            changed = changed => changed,
            () = sleep_until(began + lease / 3) => true,
        }
    }

    fn unheard(&self, why: &str) {
        self.counting.announcements_unheard.add(1);
        let server = self.server.address();
        tracing::debug!(%server, job = %self.announcement.job, "what comes next was not heard: {why}");
    }
}
