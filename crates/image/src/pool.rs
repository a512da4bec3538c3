//! The pool on which pixels are computed: named threads, each with a [`Scratch`] of its own, behind a bounded queue.
//!
//! When the queue is full, callers wait, asynchronously, and whose flow has had the least time of the workers is next
//! ([`Turns`]). A job whose caller has gone before it starts is skipped. A panic in a job is an error to its caller and
//! a counter, and its worker goes on with fresh buffers. The async runtime's own blocking pool would do none of this:
//! it is sized for waiting, not for computing.

use std::any::Any;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use headwater_types::Priority;
use tokio::sync::oneshot;

use crate::scratch::Scratch;
use crate::turns::{Flow, Turns};

/// A sized pool of worker threads. Dropping it waits for the jobs that are running, and skips those that are not.
pub struct CpuPool {
    /// The way to the workers; `None` once the pool is being dropped, and where it has no workers.
    jobs: Option<Sender<PoolJob>>,
    /// Places in the queue. The channel has as many, so that the holder of a place can put its job there without
    /// waiting.
    places: Turns,
    /// Of jobs that are nobody's in particular.
    own: Flow,
    panics: Arc<AtomicU64>,
    workers: Vec<JoinHandle<()>>,
}

/// What a job gave, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed<T> {
    /// The job's result.
    pub value: T,
    /// Time from the call until a worker took the job up.
    pub queued: Duration,
    /// Time from then until the job was done.
    pub ran: Duration,
}

/// Why a job gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The pool is stopping.
    #[error("the CPU pool is closed: the server is stopping")]
    Closed,
    /// The pool has no workers.
    #[error("there are no CPU workers (--cpu-workers 0)")]
    NoWorkers,
    /// The job panicked with this message: a fault of the program.
    #[error("a job of the CPU pool panicked: {0}")]
    Panicked(String),
}

type PoolJob = Box<dyn FnOnce(&mut Scratch) + Send>;

/// What a job takes about, in seconds, before any is known: a small photo.
const USUAL: f64 = 1e-3;
/// Jobs in the longest queue: more than any machine has cores.
const MOST_QUEUED: usize = 1 << 16;

// === impl CpuPool ===

impl CpuPool {
    /// Starts `workers` threads with a queue of `queue` jobs (at least 1) before them.
    ///
    /// # Errors
    /// An error of the system where it gives no more threads.
    pub fn new(workers: NonZeroUsize, queue: usize) -> io::Result<Self> {
        let queue = queue.clamp(1, MOST_QUEUED);
        let (jobs, receiver) = crossbeam_channel::bounded(queue);
        let mut pool = Self {
            jobs: Some(jobs),
            places: Turns::new(queue, USUAL),
            own: Flow::alone(Priority::Normal),
            panics: Arc::default(),
            workers: Vec::with_capacity(workers.get()),
        };
        for index in 0..workers.get() {
            let receiver = receiver.clone();
            let worker = thread::Builder::new().name(format!("cpu-{index}")).spawn(move || work(&receiver))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// A pool without workers, which answers every job with an error at once.
    pub fn empty() -> Self {
        let (places, own) = (Turns::new(0, USUAL), Flow::alone(Priority::Normal));
        Self { jobs: None, places, own, panics: Arc::default(), workers: Vec::new() }
    }

    /// Runs a job on a worker, in the order in which jobs come. Dropping the future takes the job back if it has not
    /// started.
    ///
    /// # Errors
    /// `Closed` while the pool stops, `NoWorkers` where it has none, `Panicked` where the job does.
    pub async fn run<T, F>(&self, job: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Scratch) -> T + Send + 'static,
    {
        self.run_timed(&self.own, job).await.map(|timed| timed.value)
    }

    /// Runs a job of this flow on a worker, once it is its turn, and also gives the times that the job waited and ran.
    ///
    /// # Errors
    /// Those of [`Self::run`].
    pub async fn run_timed<T, F>(&self, flow: &Flow, job: F) -> Result<Timed<T>, PoolError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Scratch) -> T + Send + 'static,
    {
        if self.workers.is_empty() {
            return Err(PoolError::NoWorkers);
        }
        let called = Instant::now();
        let mut turn = self.places.take(flow).await;
        let (answer, result) = oneshot::channel();
        let panics = Arc::clone(&self.panics);
        let job: PoolJob = Box::new(move |scratch| {
            turn.give_place();
            if answer.is_closed() {
                return;
            }
            let started = Instant::now();
            // A panic may leave the scratch half done, which is thrown away, and the job's own state, which is gone.
            let outcome = catch_unwind(AssertUnwindSafe(|| job(scratch))).map_err(|panic| {
                *scratch = Scratch::new();
                panics.fetch_add(1, Ordering::Relaxed);
                let words = words(panic.as_ref());
                tracing::error!(panic = %words, "a job of the CPU pool panicked");
                PoolError::Panicked(words)
            });
            let ran = started.elapsed();
            turn.settle(ran.as_secs_f64());
            let timed = outcome.map(|value| Timed { value, queued: started - called, ran });
            // The caller may have gone meanwhile; its result is dropped then.
            drop(answer.send(timed));
        });
        let jobs = self.jobs.as_ref().ok_or(PoolError::Closed)?;
        jobs.try_send(job).map_err(|_| PoolError::Closed)?;
        result.await.unwrap_or(Err(PoolError::Closed))
    }

    /// The number of worker threads.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The number of jobs that have panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

impl Drop for CpuPool {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A job may own the pool, and be the last to do so: a thread cannot wait for itself.
            if worker.thread().id() != thread::current().id() {
                // It cannot have panicked: jobs are caught, and nothing else runs there.
                drop(worker.join());
            }
        }
    }
}

fn work(jobs: &Receiver<PoolJob>) {
    let mut scratch = Scratch::new();
    for job in jobs {
        job(&mut scratch);
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::JoinSet;

    use super::*;

    fn pool(workers: usize, queue: usize) -> CpuPool {
        CpuPool::new(NonZeroUsize::new(workers).unwrap(), queue).unwrap()
    }

    #[tokio::test]
    async fn many_more_jobs_than_places_all_come_back() {
        let pool = Arc::new(pool(2, 1));
        let mut jobs = JoinSet::new();
        for i in 0..500_u64 {
            let pool = Arc::clone(&pool);
            jobs.spawn(async move { pool.run(move |_| i * i).await });
        }
        let mut sum = 0;
        while let Some(result) = jobs.join_next().await {
            sum += result.unwrap().unwrap();
        }
        assert_eq!((sum, pool.workers()), ((0..500).map(|i| i * i).sum(), 2));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_worker_goes_on() {
        let pool = pool(1, 4);
        let outcome = pool
            .run(|scratch| {
                scratch.decoded.push(1);
                panic!("broken {}", "job");
            })
            .await;
        assert_eq!(outcome, Err::<(), _>(PoolError::Panicked("broken job".to_owned())));
        assert_eq!(pool.run(|scratch| scratch.decoded.len()).await, Ok(0));
        assert_eq!(pool.panics(), 1);
    }

    #[tokio::test]
    async fn a_job_whose_caller_has_gone_is_skipped_and_gives_its_place_back() {
        let pool = Arc::new(pool(1, 1));
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = oneshot::channel();
        let busy = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move |_| {
                    started.send(()).unwrap();
                    held.recv().unwrap();
                })
                .await
            }
        });
        running.await.unwrap();
        let (ran, has_run) = mpsc::channel();
        let mut gone = Box::pin(pool.run(move |_| ran.send(()).unwrap()));
        assert!(futures_poll(&mut gone).is_none());
        drop(gone);
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(pool.run(|_| 7).await, Ok(7));
        assert!(has_run.recv().is_err(), "the job was dropped without having run");
    }

    #[tokio::test]
    async fn time_in_the_queue_is_told_apart_from_time_at_work() {
        let pool = pool(1, 1);
        let timed = pool.run_timed(&Flow::alone(Priority::Normal), |_| Instant::now()).await.unwrap();
        assert!(timed.queued + timed.ran < Duration::from_secs(60));
    }

    #[tokio::test]
    async fn where_nobody_works_a_job_is_refused_and_does_not_wait() {
        assert_eq!(CpuPool::empty().run(|_| ()).await, Err(PoolError::NoWorkers));
    }

    #[tokio::test]
    async fn dropping_the_pool_waits_for_its_threads() {
        let pool = pool(3, 8);
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        pool.run(move |_| drop(held)).await.unwrap();
        drop(pool);
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    /// Polls a future once.
    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
