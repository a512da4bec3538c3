//! Work that makes more work, shared by a fixed number of threads, and over when none is left.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue whose last piece of work is done first: a folder tree is then walked depth first, and what waits stays
/// small.
pub(super) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    changed: Condvar,
    backlog: usize,
}

struct QueueState<T> {
    waiting: Vec<T>,
    /// Threads that are at work and may yet add more.
    busy: usize,
    closed: bool,
}

/// A thread's turn at work. It ends when the value is dropped, also when the thread panics, so that the others do not
/// wait for it.
struct Turn<'a, T>(&'a Queue<T>);

// === impl Queue ===

impl<T> Queue<T> {
    /// A queue that begins with one piece of work, and takes offers while fewer than `backlog` pieces wait.
    pub(super) fn new(first: T, backlog: usize) -> Self {
        let state = QueueState { waiting: vec![first], busy: 0, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), backlog }
    }

    /// Adds work that nobody else can do now, whatever waits.
    pub(super) fn push(&self, work: T) {
        self.lock().waiting.push(work);
        self.changed.notify_one();
    }

    /// Adds work for another thread, or gives it back if enough waits already.
    pub(super) fn offer(&self, work: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.waiting.len() >= self.backlog {
            return Err(work);
        }
        state.waiting.push(work);
        self.changed.notify_one();
        Ok(())
    }

    /// Works until no work is left and nobody can add any, or until an error, which ends the work of all.
    pub(super) fn work<E>(&self, mut each: impl FnMut(T) -> Result<(), E>) -> Result<(), E> {
        while let Some((work, _turn)) = self.next() {
            each(work).inspect_err(|_| self.close())?;
        }
        Ok(())
    }

    fn next(&self) -> Option<(T, Turn<'_, T>)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(work) = state.waiting.pop() {
                state.busy += 1;
                return Some((work, Turn(self)));
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        // No state is left half-changed by a panic: each change is one statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        if state.busy == 0 && state.waiting.is_empty() {
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    /// A tree of numbers: n has the children 2n and 2n+1, up to 10,000.
    fn count(threads: usize, backlog: usize, stop_at: u64) -> (u64, usize) {
        let (queue, sum) = (Queue::new(1_u64, backlog), AtomicU64::new(0));
        let failed = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        queue.work(|n| {
                            sum.fetch_add(n, Ordering::Relaxed);
                            if 2 * n <= 10_000 {
                                queue.push(2 * n);
                            }
                            if 2 * n < 10_000
                                && let Err(own) = queue.offer(2 * n + 1)
                            {
                                queue.push(own);
                            }
                            if n == stop_at { Err(()) } else { Ok(()) }
                        })
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).filter(Result::is_err).count()
        });
        (sum.into_inner(), failed)
    }

    #[test]
    fn all_work_is_done_once_by_however_many() {
        for (threads, backlog) in [(1, 0), (2, 1), (8, 64)] {
            assert_eq!(count(threads, backlog, 0), (10_000 * 10_001 / 2, 0));
        }
    }

    #[test]
    fn one_error_ends_the_work_of_all() {
        let (sum, failed) = count(4, 8, 1);
        assert_eq!(failed, 1);
        assert!(sum < 10_000 * 10_001 / 2);
    }
}
