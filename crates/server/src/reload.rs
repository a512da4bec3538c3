//! Listing datasets anew while they are served: on SIGHUP, when asked, and every `--refresh`.
//!
//! ```text
//! SIGHUP, storage-server reload, --refresh ─▶ Reloader (one run at a time) ─▶ store.list ─▶ differences ─▶ generation
//! ```
//!
//! A listing that finds nothing new changes nothing. One that fails changes nothing either, and says so. A dataset that
//! could not be opened is opened.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use headwater_cli::exit;
use headwater_pipeline::SharedCache;
use headwater_store::Underway;
use headwater_types::differences::count;
use headwater_types::{DatasetName, Differences, Digest};
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::generation::Generation;
use crate::keeper;
use crate::open::{First, Opener, next_generation};
use crate::served::Served;
use crate::supervisor::Supervisor;

/// Lists all datasets of a server anew.
pub(crate) struct Reloader {
    datasets: Vec<(Arc<Served>, Arc<Opener>)>,
    /// For how long earlier generations are held after their last call.
    keep: Duration,
    supervisor: Arc<Supervisor>,
    /// The cache of datasets that are opened later, once it is open itself.
    cache: OnceLock<Arc<SharedCache>>,
    wanted: Notify,
    /// Held by what lists.
    turn: Mutex<()>,
    /// Runs that have begun.
    begun: AtomicU64,
    /// The last run that ended, and what came of it.
    ended: watch::Sender<(u64, Arc<Vec<Reloaded>>)>,
}

/// What came of listing a dataset anew.
#[derive(Clone, Debug)]
pub(crate) struct Reloaded {
    pub(crate) dataset: DatasetName,
    pub(crate) outcome: Outcome,
    /// What is served from now on: number, digest and samples; `None` where nothing is.
    pub(crate) now: Option<(u64, Digest, u64)>,
}

/// What a listing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Unchanged,
    /// How many samples were removed, added and replaced.
    Changed([u64; 3]),
    Failed(String),
}

/// How often generations are looked for that nobody has any more.
const LOOK: Duration = Duration::from_secs(5);

// === impl Reloader ===

impl Reloader {
    pub(crate) fn new(
        datasets: Vec<(Arc<Served>, Arc<Opener>)>,
        keep: Duration,
        supervisor: Arc<Supervisor>,
    ) -> Arc<Self> {
        let (cache, wanted, turn) = (OnceLock::new(), Notify::new(), Mutex::default());
        let (begun, ended) = (AtomicU64::new(0), watch::Sender::default());
        Arc::new(Self { datasets, keep, supervisor, cache, wanted, turn, begun, ended })
    }

    /// Gives datasets that are opened from now on this cache. Only the first call counts.
    pub(crate) fn use_cache(&self, cache: Option<&Arc<SharedCache>>) {
        if let Some(cache) = cache {
            self.cache.get_or_init(|| Arc::clone(cache));
        }
    }

    /// Asks for a run, without waiting for it. Several that are asked for while one runs are one.
    pub(crate) fn ask(&self) {
        self.wanted.notify_one();
    }

    /// Lists one dataset anew, once no other listing runs.
    pub(crate) async fn reload_of(&self, dataset: &DatasetName) {
        let Some((served, opener)) = self.datasets.iter().find(|(served, _)| served.name == *dataset) else { return };
        let _turn = self.turn.lock().await;
        reload(served, opener, self.cache.get(), &CancellationToken::new()).await;
    }

    /// Asks for a run, and waits for one that begins after this.
    pub(crate) async fn reload(&self) -> Arc<Vec<Reloaded>> {
        let mut ended = self.ended.subscribe();
        let begun = self.begun.load(Ordering::SeqCst);
        self.ask();
        match ended.wait_for(|(run, _)| *run > begun).await {
            Ok(done) => Arc::clone(&done.1),
            // The sender lives as long as this.
            Err(_closed) => Arc::default(),
        }
    }

    /// What is being done, in words; empty where no listing runs.
    pub(crate) fn doing(&self) -> String {
        let words = self.datasets.iter().map(|(served, _)| served.listings(|listings| listings.words()));
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// Runs whenever it is asked to, and after each `refresh`, until the server stops.
    pub(crate) async fn run(self: Arc<Self>, refresh: Option<Duration>, stop: CancellationToken) {
        let mut due = refresh.map(|every| Instant::now() + spread(every));
        loop {
            let wait = due.map_or(LOOK, |due| due.saturating_duration_since(Instant::now()).min(LOOK));
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wanted.notified() => {}
                () = tokio::time::sleep(wait) => {
                    self.datasets.iter().for_each(|(served, _)| served.let_go(self.keep));
                    if due.is_none_or(|due| due > Instant::now()) {
                        continue;
                    }
                }
            }
            if stop.run_until_cancelled(self.run_once(&stop)).await.is_none() {
                return;
            }
            due = refresh.map(|every| Instant::now() + spread(every));
        }
    }

    async fn run_once(&self, stop: &CancellationToken) {
        let _turn = self.turn.lock().await;
        let run = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        self.supervisor.reloading();
        let mut listings = JoinSet::new();
        for (place, (served, opener)) in self.datasets.iter().enumerate() {
            let (served, opener, stop) = (Arc::clone(served), Arc::clone(opener), stop.clone());
            let cache = self.cache.get().cloned();
            listings.spawn(async move { (place, reload(&served, &opener, cache.as_ref(), &stop).await) });
        }
        let mut all = listings.join_all().await;
        all.sort_by_key(|(place, _)| *place);
        let all: Vec<_> = all.into_iter().map(|(_, reloaded)| reloaded).collect();
        let words = all.iter().map(Reloaded::words).collect::<Vec<_>>().join(", ");
        self.supervisor.ready(&format!("serving; listed anew: {words}"));
        self.ended.send_replace((run, Arc::new(all)));
    }
}

// === impl Reloaded ===

impl Reloaded {
    fn words(&self) -> String {
        let Self { dataset, outcome, .. } = self;
        match outcome {
            Outcome::Unchanged => format!("{dataset} unchanged"),
            Outcome::Changed([removed, added, replaced]) => {
                format!("{dataset} with {added} added, {removed} removed, {replaced} replaced")
            }
            Outcome::Failed(_) => format!("{dataset} failed"),
        }
    }
}

/// Begins to serve a dataset, and goes on with what belongs to that.
pub(crate) fn begin(served: &Arc<Served>, first: First, stop: &CancellationToken) {
    let First { generation, past, underway } = first;
    served.serve(generation, past);
    keeper::keep(served, stop.clone());
    if let Some(underway) = underway {
        let (served, stop) = (Arc::clone(served), stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(catch_up(&served, underway)).await });
    }
}

/// Waits for the listing that what is served was kept from, and serves what it has found. A reload that was quicker has
/// found as much.
async fn catch_up(served: &Arc<Served>, underway: Underway) {
    let Some(kept) = served.current() else { return };
    let listed = match underway.done().await {
        Ok(catalog) => next_generation(served, &kept, Arc::clone(&kept.pipeline.store), catalog).await,
        Err(error) => Err(anyhow::Error::new(error).context(served.setting.clone())),
    };
    let is_current = served.current().is_some_and(|now| Arc::ptr_eq(&now, &kept));
    if !is_current {
        return;
    }
    let outcome = match listed {
        Ok(next) => publish(served, next),
        Err(error) => Outcome::Failed(exit::in_one_line(&error)),
    };
    conclude(served, &outcome);
}

/// Lists one dataset anew, or opens it.
async fn reload(
    served: &Arc<Served>,
    opener: &Opener,
    cache: Option<&Arc<SharedCache>>,
    stop: &CancellationToken,
) -> Reloaded {
    let outcome = match served.current() {
        Some(_) => relist(served, opener).await,
        None => match opener.open(served, cache).await {
            Ok(first) => {
                let samples = first.generation.catalog().len() as u64;
                begin(served, first, stop);
                Outcome::Changed([0, samples, 0])
            }
            Err(error) => {
                let reason = exit::in_one_line(&error);
                served.fail(reason.clone());
                Outcome::Failed(reason)
            }
        },
    };
    conclude(served, &outcome);
    let now = served.current().map(|now| (now.number, now.digest(), now.catalog().len() as u64));
    Reloaded { dataset: served.name.clone(), outcome, now }
}

/// Notes what a listing came to, and says it.
fn conclude(served: &Served, outcome: &Outcome) {
    say(served, outcome);
    let place = match outcome {
        Outcome::Unchanged => 0,
        Outcome::Changed(_) => 1,
        Outcome::Failed(_) => 2,
    };
    served.listings(|listings| {
        listings.counts[place] += 1;
        listings.doing = None;
        listings.failed = match outcome {
            Outcome::Failed(reason) => Some(reason.clone()),
            Outcome::Unchanged | Outcome::Changed(_) => None,
        };
    });
}

/// Lists a dataset that is served already.
async fn relist(served: &Served, opener: &Opener) -> Outcome {
    match opener.relist(served).await {
        Ok(next) => publish(served, next),
        Err(error) => Outcome::Failed(exit::in_one_line(&error)),
    }
}

/// Serves what a listing has found, where it is something else.
fn publish(served: &Served, next: Option<(Generation, Differences)>) -> Outcome {
    let Some((next, differences)) = next else { return Outcome::Unchanged };
    let counts = [&differences.removed, &differences.added, &differences.replaced].map(|ranges| count(ranges));
    served.publish(next, differences);
    Outcome::Changed(counts)
}

fn say(served: &Served, outcome: &Outcome) {
    let dataset = &served.name;
    let Some(now) = served.current() else {
        return tracing::warn!(%dataset, ?outcome, "the dataset is still not ready");
    };
    let (generation, digest) = (now.number, now.digest().short().to_string());
    match outcome {
        Outcome::Unchanged => tracing::info!(%dataset, generation, digest, "listed anew: nothing has changed"),
        Outcome::Changed([removed, added, replaced]) => tracing::info!(
            %dataset,
            generation,
            digest,
            removed,
            added,
            replaced,
            samples = now.catalog().len(),
            memory_of_earlier = served.earlier_memory().get(),
            "a new generation is served"
        ),
        Outcome::Failed(reason) => tracing::warn!(
            %dataset,
            generation,
            digest,
            reason,
            "the dataset could not be listed anew: what was listed before is served on"
        ),
    }
}

/// A time within a tenth of this, so that servers that were started together do not list together.
fn spread(every: Duration) -> Duration {
    let share = (RandomState::new().hash_one("refresh") % 2001) as f64 / 10_000.0;
    every.mul_f64(0.9 + share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_are_spread_within_a_tenth() {
        let every = Duration::from_secs(100);
        let spread: Vec<_> = (0..100).map(|_| spread(every).as_secs_f64()).collect();
        assert!(spread.iter().all(|seconds| (90.0..=110.1).contains(seconds)), "{spread:?}");
        assert!(spread.iter().any(|seconds| *seconds != spread[0]));
    }
}
