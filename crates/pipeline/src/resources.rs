//! What jobs draw from: memory for encoded bytes, memory for decoding, and CPU workers.
//!
//! A job is somebody's work as a whole: a fetch stream, a survey, an indexing run. All its samples take their memory
//! and their CPU time through it, so that the memory is counted as the job's and its priority holds everywhere:
//!
//! ```text
//! Resources ─┬─ encoded ──┐                 ┌─ share of memory: priority, client, connection, job
//!            ├─ decoded ──┼─▶ Job: account ─┤
//!            └─ workers ──┘                 └─ flow, by which workers are shared: priority, client, job, call
//! ```

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_image::{CpuPool, Scratch, Timed};
use headwater_types::{ByteCount, Priority, SampleFailure};
use tokio::sync::Semaphore;

use crate::account::{Account, Accounts, Caller};
use crate::budget::{MemoryBudget, Permit};
use crate::failure::{pool_failure, stopping};

/// Pieces of work that wait for a CPU worker, for each worker: enough that none idles, and few enough that work that is
/// no longer wanted was not queued long ago. Callers wait when the queue is full.
const QUEUED_PER_WORKER: usize = 4;
/// Pieces of background work that run or wait in that queue, for each worker: one runs and one is next, so that work
/// that a client waits for stands behind few of them.
const BACKGROUND_PER_WORKER: usize = 2;

/// Memory for all samples in flight, in its two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// For bytes as they are stored.
    pub encoded: ByteCount,
    /// For decoding and for what comes of it.
    pub decoded: ByteCount,
}

/// Memory and CPU workers that all jobs of a process share.
pub struct Resources {
    encoded: MemoryBudget,
    decoded: MemoryBudget,
    pool: CpuPool,
    accounts: Accounts,
    /// Places of background work with the workers.
    background: Arc<Semaphore>,
}

/// A job, which draws from the resources as its priority and its share allow. Clones are the same job.
#[derive(Clone)]
pub struct Job {
    resources: Arc<Resources>,
    account: Account,
}

// === impl Resources ===

impl Resources {
    /// Starts so many CPU workers, with this memory. Without workers all work on pixels is refused.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn new(memory: Memory, workers: usize) -> io::Result<Arc<Self>> {
        let pool = match NonZeroUsize::new(workers) {
            Some(workers) => CpuPool::new(workers, workers.get() * QUEUED_PER_WORKER)?,
            None => CpuPool::empty(),
        };
        Ok(Arc::new(Self {
            encoded: MemoryBudget::new(memory.encoded),
            decoded: MemoryBudget::new(memory.decoded),
            pool,
            accounts: Accounts::default(),
            // Without workers there is one place all the same: the pool refuses what comes to it.
            background: Arc::new(Semaphore::new(workers.max(1) * BACKGROUND_PER_WORKER)),
        }))
    }

    /// A job for this caller.
    pub fn serve(self: &Arc<Self>, priority: Priority, caller: &Caller<'_>) -> Job {
        Job { resources: Arc::clone(self), account: self.accounts.open(priority, caller) }
    }

    /// A job that no client waits for.
    pub fn background(self: &Arc<Self>) -> Job {
        Job { resources: Arc::clone(self), account: Account::alone(Priority::Background) }
    }

    /// Number of CPU workers.
    pub fn workers(&self) -> usize {
        self.pool.workers()
    }

    /// Memory that samples in flight may take together.
    pub fn memory(&self) -> ByteCount {
        self.of_both(MemoryBudget::total)
    }

    /// Memory that samples in flight hold.
    pub fn memory_in_use(&self) -> ByteCount {
        self.of_both(MemoryBudget::in_use)
    }

    /// Memory that samples wait for, beyond what is free; `None` where none waits.
    pub fn shortage(&self) -> Option<ByteCount> {
        let shortages = [&self.encoded, &self.decoded].map(MemoryBudget::shortage);
        shortages.into_iter().flatten().reduce(|one, other| ByteCount::new(one.get() + other.get()))
    }

    /// Waits until a sample begins to wait for memory.
    pub async fn short(&self) {
        tokio::select! {
            () = self.encoded.short() => {}
            () = self.decoded.short() => {}
        }
    }

    fn of_both(&self, count: fn(&MemoryBudget) -> ByteCount) -> ByteCount {
        ByteCount::new(count(&self.encoded).get() + count(&self.decoded).get())
    }
}

// === impl Job ===

impl Job {
    /// What the job holds, and what it waits for.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Waits for memory for encoded bytes.
    ///
    /// # Errors
    /// Those of [`MemoryBudget::acquire`].
    pub async fn encoded(&self, bytes: ByteCount) -> Result<Permit, SampleFailure> {
        self.resources.encoded.acquire(&self.account, bytes).await
    }

    /// Waits for memory for decoding and for what comes of it.
    ///
    /// # Errors
    /// Those of [`MemoryBudget::acquire`].
    pub async fn decoded(&self, bytes: ByteCount) -> Result<Permit, SampleFailure> {
        self.resources.decoded.acquire(&self.account, bytes).await
    }

    /// Does a piece of work on a CPU worker, once it is the job's turn. Dropping the future takes the work back if it
    /// has not begun.
    ///
    /// # Errors
    /// `Unavailable` while the process stops; `Internal` where the work panics or there are no workers.
    pub async fn compute<T, F>(&self, work: F) -> Result<Timed<T>, SampleFailure>
    where
        T: Send + 'static,
        F: FnOnce(&mut Scratch) -> T + Send + 'static,
    {
        let place = match self.account.priority() {
            Priority::High | Priority::Normal | Priority::Low => None,
            Priority::Background => {
                let places = Arc::clone(&self.resources.background);
                Some(places.acquire_owned().await.map_err(|_| stopping())?)
            }
        };
        let work = move |scratch: &mut Scratch| {
            let _place = place;
            work(scratch)
        };
        self.resources.pool.run_timed(self.account.flow(), work).await.map_err(|error| pool_failure(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use headwater_types::FailureKind;
    use tokio::task::{JoinSet, yield_now};

    use super::*;

    fn serve(resources: &Arc<Resources>, client: &str) -> Job {
        resources.serve(Priority::Normal, &Caller { client, connection: client, job: "" })
    }

    fn resources(workers: usize) -> Arc<Resources> {
        let memory = Memory { encoded: ByteCount::mebibytes(1), decoded: ByteCount::mebibytes(2) };
        Resources::new(memory, workers).unwrap()
    }

    #[tokio::test]
    async fn what_a_job_draws_is_counted_as_its_own_and_given_back() {
        let resources = resources(1);
        let (job, other) = (serve(&resources, "a"), serve(&resources, "b"));
        let held = [job.encoded(ByteCount::new(10)).await.unwrap(), job.decoded(ByteCount::new(20)).await.unwrap()];
        assert_eq!((job.account().held().get(), other.account().held().get()), (30, 0));
        assert_eq!((resources.memory_in_use().get(), resources.memory()), (30, ByteCount::mebibytes(3)));
        drop(held);
        assert_eq!((resources.memory_in_use().get(), job.account().held().get()), (0, 0));
    }

    /// What a job of the background has in the queue stands before other work, and is little.
    #[tokio::test]
    async fn background_work_takes_no_more_than_its_places_in_the_queue() {
        let resources = resources(1);
        let (release, held) = mpsc::channel::<()>();
        let background = resources.background();
        let busy = tokio::spawn({
            let job = background.clone();
            async move { job.compute(move |_| held.recv().is_ok()).await }
        });
        yield_now().await;
        let mut ahead = JoinSet::new();
        for _ in 0..16 {
            let job = background.clone();
            ahead.spawn(async move { job.compute(|_| ()).await });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        // One runs and one waits in the queue, so that the work for a client is the next but one.
        assert_eq!(resources.background.available_permits(), 0);
        let (job, done) = (serve(&resources, "a"), Arc::new(Semaphore::new(0)));
        let signal = Arc::clone(&done);
        let serving = tokio::spawn(async move { job.compute(move |_| signal.close()).await });
        yield_now().await;
        release.send(()).unwrap();
        serving.await.unwrap().unwrap();
        assert!(done.is_closed() && busy.await.unwrap().unwrap().value);
        while let Some(each) = ahead.join_next().await {
            each.unwrap().unwrap();
        }
    }

    /// A client's many calls are one client's: another with a single call has its half of the workers.
    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "work of a known length, on a thread of the pool")]
    async fn workers_are_shared_by_client_and_not_by_call() {
        let resources = resources(1);
        let done: Arc<[AtomicUsize; 2]> = Arc::default();
        let total = |done: &[AtomicUsize; 2]| done.iter().map(|done| done.load(Ordering::Relaxed)).sum::<usize>();
        let mut working = JoinSet::new();
        for (client, calls) in [(0, 32), (1, 1)] {
            for _ in 0..calls {
                let job = serve(&resources, ["a", "b"][client]);
                for _ in 0..8 {
                    let (job, done) = (job.clone(), Arc::clone(&done));
                    working.spawn(async move {
                        while total(&done) < 600 {
                            job.compute(|_| std::thread::sleep(Duration::from_micros(500))).await.unwrap();
                            done[client].fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            }
        }
        while let Some(each) = working.join_next().await {
            each.unwrap();
        }
        let [many, one] = [0, 1].map(|client| done[client].load(Ordering::Relaxed));
        assert!(one * 3 > many, "{many} of 32 calls, and {one} of one");
    }

    #[tokio::test]
    async fn without_workers_all_work_is_refused() {
        let resources = resources(0);
        for job in [serve(&resources, "a"), resources.background()] {
            let failure = job.compute(|_| ()).await.map(|_| ()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Internal);
        }
    }
}
