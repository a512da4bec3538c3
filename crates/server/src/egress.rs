//! What the server sends within `--max-bandwidth`: so many bits a second, shared by clients alike.
//!
//! A kernel shares a link by connection, so that a client with 64 of them has 64 times what another with one has. Where
//! the server is told how much there is, it sends no more than that, and gives turns to whichever client has had least.
//! A connection that its peer does not read takes no turn, and so leaves its share to the others.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use headwater_image::{Flow, Turn, Turns};
use headwater_types::{BitsPerSecond, Priority};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::peer::Peer;

/// All that is sent.
#[derive(Clone)]
pub(crate) struct Egress(Arc<Shared>);

struct Shared {
    /// In bytes a second.
    rate: f64,
    /// One place: whoever has it sends.
    turns: Turns,
    /// When the link will have taken what was sent.
    spent: Mutex<Instant>,
}

/// What one connection sends.
pub(crate) struct Outflow {
    egress: Egress,
    flow: Flow,
    state: State,
}

enum State {
    /// It has nothing to send, or its socket is full.
    Resting,
    Waiting(BoxFuture<'static, Turn>),
    /// It is its turn, once the link has taken what was sent before.
    Next(Turn, Pin<Box<Sleep>>),
}

/// How long the link may have been idle without losing what it could have taken: longer than threads wait for a busy
/// core.
const BURST: Duration = Duration::from_millis(25);
/// Bytes of one turn, as time of the link,
const TURN: Duration = Duration::from_millis(2);
/// and their bounds: what a system call is worth, and what HTTP/2 has of a stream.
const TURN_BYTES: [f64; 2] = [4_096.0, 262_144.0];

// === impl Egress ===

impl Egress {
    pub(crate) fn new(rate: BitsPerSecond) -> Self {
        let shared =
            Shared { rate: rate.get() / 8.0, turns: Turns::new(1, TURN_BYTES[0]), spent: Mutex::new(Instant::now()) };
        Self(Arc::new(shared))
    }

    /// What a connection of this peer sends.
    pub(crate) fn outflow(&self, peer: &Peer) -> Outflow {
        Outflow { egress: self.clone(), flow: Flow::new(Priority::Normal, &peer.client(), ""), state: State::Resting }
    }

    fn turn_bytes(&self) -> usize {
        (self.0.rate * TURN.as_secs_f64()).clamp(TURN_BYTES[0], TURN_BYTES[1]) as usize
    }

    fn spent(&self) -> MutexGuard<'_, Instant> {
        self.0.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many bytes are on their way.
    fn spend(&self, bytes: usize) {
        let mut spent = self.spent();
        let since = Instant::now().checked_sub(BURST).map_or(*spent, |idle| idle.max(*spent));
        *spent = since + Duration::from_secs_f64(bytes as f64 / self.0.rate);
    }
}

// === impl Outflow ===

impl Outflow {
    /// Sends by `write`, which is told how many bytes it may send at most and says how many it has sent.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut Context<'_>, usize) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut turn = ready!(self.poll_turn(context));
        // Where the socket is full, or gone, the turn is given up, and counts as nothing.
        let written = ready!(write(context, self.egress.turn_bytes()))?;
        self.egress.spend(written);
        turn.settle(written as f64);
        Poll::Ready(Ok(written))
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        loop {
            match &mut self.state {
                State::Resting => {
                    let (turns, flow) = (self.egress.0.turns.clone(), self.flow.clone());
                    self.state = State::Waiting(Box::pin(async move { turns.take(&flow).await }));
                }
                State::Waiting(waiting) => {
                    let turn = ready!(waiting.as_mut().poll(context));
                    let spent = *self.egress.spent();
                    self.state = State::Next(turn, Box::pin(sleep_until(spent)));
                }
                State::Next(_, until) => {
                    ready!(until.as_mut().poll(context));
                    if let State::Next(turn, _) = std::mem::replace(&mut self.state, State::Resting) {
                        return Poll::Ready(turn);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Sends whatever it may, for ever.
    async fn send(mut outflow: Outflow, sent: Arc<AtomicUsize>) {
        loop {
            let written = poll_fn(|context| outflow.poll(context, |_, most| Poll::Ready(Ok(most)))).await;
            sent.fetch_add(written.unwrap(), Ordering::Relaxed);
        }
    }

    fn client(address: &str) -> Peer {
        Peer::new(Some(address.parse().unwrap()))
    }

    /// What clients send in ten seconds, each on so many connections, in bytes.
    async fn sent(egress: &Egress, connections: &[(&str, usize)]) -> Vec<usize> {
        let sent: Vec<_> = connections.iter().map(|_| Arc::<AtomicUsize>::default()).collect();
        let mut sending = tokio::task::JoinSet::new();
        for ((address, count), sent) in connections.iter().zip(&sent) {
            for _ in 0..*count {
                sending.spawn(send(egress.outflow(&client(address)), Arc::clone(sent)));
            }
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        sending.shutdown().await;
        sent.iter().map(|sent| sent.load(Ordering::Relaxed)).collect()
    }

    fn megabits(number: f64) -> Egress {
        Egress::new(BitsPerSecond::new(number * 1e6).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_of_64_connections_sends_what_one_of_a_single_connection_does() {
        let sent = sent(&megabits(80.0), &[("10.0.0.1:1", 64), ("10.0.0.2:1", 1)]).await;
        assert!(sent.iter().sum::<usize>().abs_diff(100_000_000) < 1_000_000, "{sent:?}");
        assert!(sent[0].abs_diff(sent[1]) < 1_000_000, "{sent:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_read_leaves_its_share_to_others() {
        let egress = megabits(80.0);
        let mut unread = egress.outflow(&client("10.0.0.3:1"));
        let stopped = tokio::spawn(async move {
            poll_fn(|context| unread.poll(context, |_, _| Poll::<io::Result<usize>>::Pending)).await
        });
        let sent = sent(&egress, &[("10.0.0.1:1", 1)]).await;
        assert!(sent[0].abs_diff(100_000_000) < 1_000_000 && !stopped.is_finished(), "{sent:?}");
        stopped.abort();
    }
}
