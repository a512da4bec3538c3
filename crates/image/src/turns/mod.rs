//! Turns at something that is short, given to whoever has had least: to priorities by their weight, to clients alike,
//! to the jobs of a client alike, to the calls of a job alike.
//!
//! A semaphore would give turns in the order in which they are asked for, and so to a client with 64 calls 64 times
//! what one with a single call has. What a turn costs is known when it is over: until then it counts as much as the
//! flow's last one.
//!
//! A turn that is dropped gives its place back, and counts as nothing unless it was settled.

mod books;
mod flow;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use books::Books;

pub use flow::Flow;

/// So many places, of which each turn has one. Clones are the same places.
#[derive(Clone)]
pub struct Turns(Arc<Mutex<State>>);

struct State {
    places: usize,
    free: usize,
    books: Books,
    /// Flows that wait.
    queues: Vec<Queue>,
    /// What a turn costs, about, of a flow of which nothing is known.
    usual: f64,
}

/// The turns that a flow waits for, in order.
struct Queue {
    flow: Flow,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn of a flow.
#[must_use = "dropping a turn gives it up"]
pub struct Turn {
    turns: Turns,
    flow: Flow,
    /// What it counts as.
    charged: f64,
    has_place: bool,
    is_settled: bool,
}

/// How much the cost of one turn moves what a turn usually costs.
const MOVED: f64 = 1.0 / 16.0;

// === impl Turns ===

impl Turns {
    /// So many places, for turns that cost about so much each.
    pub fn new(places: usize, usual: f64) -> Self {
        let (books, queues) = (Books::default(), Vec::new());
        Self(Arc::new(Mutex::new(State { places, free: places, books, queues, usual })))
    }

    /// Waits for a turn of this flow.
    pub async fn take(&self, flow: &Flow) -> Turn {
        let receiver = {
            let mut state = self.state();
            if state.free > 0 && state.queues.is_empty() {
                return self.grant(&mut state, flow);
            }
            let (sender, receiver) = oneshot::channel();
            match state.queues.iter_mut().find(|queue| queue.flow.is(flow)) {
                Some(queue) => queue.waiting.push_back(sender),
                None => state.queues.push(Queue { flow: flow.clone(), waiting: VecDeque::from([sender]) }),
            }
            receiver
        };
        // Those that waited before may be gone.
        self.serve();
        match receiver.await {
            Ok(turn) => turn,
            // The sender lives in the queue until the turn is given, and the queue as long as `self`.
            Err(_) => std::future::pending().await,
        }
    }

    /// Places that are free.
    pub fn free(&self) -> usize {
        self.state().free
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grant(&self, state: &mut State, flow: &Flow) -> Turn {
        let charged = state.books.last(flow).unwrap_or(state.usual);
        state.books.charge(flow, charged);
        state.free -= 1;
        Turn { turns: self.clone(), flow: flow.clone(), charged, has_place: true, is_settled: false }
    }

    /// Gives turns for as long as there are places.
    fn serve(&self) {
        loop {
            let next = self.next(&mut self.state());
            let Some((waiting, turn)) = next else { return };
            // The turn of somebody who does not wait any more is dropped here, where nothing is locked.
            drop(waiting.send(turn));
        }
    }

    fn next(&self, state: &mut State) -> Option<(oneshot::Sender<Turn>, Turn)> {
        for queue in &mut state.queues {
            while queue.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                queue.waiting.pop_front();
            }
        }
        state.queues.retain(|queue| !queue.waiting.is_empty());
        if state.free == 0 {
            return None;
        }
        let ranks = state.queues.iter().map(|queue| state.books.rank(&queue.flow)).enumerate();
        let (at, _) =
            ranks.min_by(|(_, one), (_, other)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal))?;
        let queue = &mut state.queues[at];
        let (flow, waiting) = (queue.flow.clone(), queue.waiting.pop_front()?);
        Some((waiting, self.grant(state, &flow)))
    }
}

// === impl State ===

impl State {
    /// A place is free again.
    fn leave(&mut self) {
        self.free += 1;
        if self.free == self.places && self.queues.is_empty() {
            self.books = Books::default();
        }
    }
}

// === impl Turn ===

impl Turn {
    /// Gives the place to the next. What the turn cost is still to be settled.
    pub fn give_place(&mut self) {
        if std::mem::take(&mut self.has_place) {
            self.turns.state().leave();
            self.turns.serve();
        }
    }

    /// The turn is over, or sure to come about, and cost so much.
    pub fn settle(&mut self, cost: f64) {
        let mut state = self.turns.state();
        state.books.correct(&self.flow, cost - self.charged);
        state.books.remember(&self.flow, cost);
        state.usual += (cost - state.usual) * MOVED;
        self.charged = cost;
        self.is_settled = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_settled {
            self.turns.state().books.correct(&self.flow, -self.charged);
        }
        self.give_place();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use headwater_types::Priority;
    use tokio::task::{JoinSet, yield_now};

    use super::*;

    fn flow(client: &str) -> Flow {
        Flow::new(Priority::Normal, client, "")
    }

    #[tokio::test]
    async fn a_place_is_had_once_and_given_back() {
        let (turns, flow) = (Turns::new(1, 1.0), flow("a"));
        let first = turns.take(&flow).await;
        let mut second = Box::pin(turns.take(&flow));
        assert!(futures_poll(&mut second).is_none());
        drop(first);
        let mut second = second.await;
        assert_eq!(turns.free(), 0);
        second.give_place();
        assert_eq!(turns.free(), 1);
        drop(second);
        assert_eq!(turns.free(), 1);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_is_in_nobodys_way() {
        let (turns, flow) = (Turns::new(1, 1.0), flow("a"));
        let first = turns.take(&flow).await;
        let mut given_up = Box::pin(turns.take(&flow));
        assert!(futures_poll(&mut given_up).is_none());
        let last = turns.take(&flow);
        drop((given_up, first));
        drop(last.await);
        assert_eq!(turns.free(), 1);
    }

    /// A turn that was given to somebody who has gone meanwhile goes to the next.
    #[tokio::test]
    async fn a_turn_that_nobody_takes_is_not_lost() {
        let (turns, flow) = (Turns::new(1, 1.0), flow("a"));
        let first = turns.take(&flow).await;
        let mut gone = Box::pin(turns.take(&flow));
        assert!(futures_poll(&mut gone).is_none());
        drop(first);
        drop(gone);
        drop(turns.take(&flow).await);
        assert_eq!(turns.free(), 1);
    }

    #[tokio::test]
    async fn turns_are_shared_by_client_whoever_asks_more_often() {
        let turns = Turns::new(2, 1.0);
        let had: Arc<[AtomicUsize; 2]> = Arc::default();
        let mut working = JoinSet::new();
        for (client, calls) in [(0, 16), (1, 1)] {
            for _ in 0..calls {
                let (flow, turns, had) = (flow(["a", "b"][client]), turns.clone(), Arc::clone(&had));
                // Of each call several samples wait at a time, as in a window.
                for _ in 0..8 {
                    let (flow, turns, had) = (flow.clone(), turns.clone(), Arc::clone(&had));
                    working.spawn(async move {
                        while had.iter().map(|had| had.load(Ordering::Relaxed)).sum::<usize>() < 2000 {
                            let mut turn = turns.take(&flow).await;
                            yield_now().await;
                            turn.settle(1.0);
                            had[client].fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            }
        }
        while let Some(done) = working.join_next().await {
            done.unwrap();
        }
        let [many, one] = [0, 1].map(|client| had[client].load(Ordering::Relaxed));
        assert!(many.abs_diff(one) < 200, "{many} and {one}");
    }

    #[tokio::test]
    async fn a_turn_that_was_not_used_counts_as_nothing() {
        let (turns, [wasteful, other]) = (Turns::new(2, 1.0), [flow("a"), flow("b")]);
        let _busy = turns.take(&flow("c")).await;
        for _ in 0..50 {
            drop(turns.take(&wasteful).await);
        }
        let mut held = turns.take(&other).await;
        held.settle(1.0);
        let mut waiting = [Box::pin(turns.take(&other)), Box::pin(turns.take(&wasteful))];
        assert!(waiting.iter_mut().all(|turn| futures_poll(turn).is_none()));
        drop(held);
        let [other, wasteful] = &mut waiting;
        let had = [futures_poll(other), futures_poll(wasteful)];
        assert!(had[0].is_none() && had[1].is_some());
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
