//! All fetch streams together: what becomes of streams that nobody reads.
//!
//! A stream is *stalled* while the network takes nothing of what is ready for it. Where other streams wait for memory,
//! stalled streams give up what they have, the largest first, until there is enough. A stream that is stalled for too
//! long is ended, which its reader finds once it reads on. A peer that does not read on for long after that, or while
//! memory is short, loses its connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use headwater_pipeline::{Resources, Waits};
use headwater_types::ByteCount;
use headwater_wire::status::Refusal;
use tokio::time::sleep;

use crate::allowance::{Allowance, Share};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::seldom::Seldom;

/// A stream is stalled after so long: longer than a socket's buffer takes to drain for a reader at 1 MB/s.
const STALLED: Duration = Duration::from_secs(2);
/// A stream waits for its reader after so long: the network takes what it can within microseconds.
const UNTAKEN: Duration = Duration::from_millis(20);
/// How long samples wait for memory before stalled streams lose theirs: most get it sooner, from streams that are read.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often streams that nobody reads are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long a reader has to find that its stream ended, before its connection is closed: so many times the limit.
const NOTICE: u32 = 10;
/// Most clients that a waiting client is told of by name.
const TOLD: usize = 3;

/// Open streams.
#[derive(Default)]
pub(crate) struct Streams {
    allowance: Allowance,
    open: Mutex<Vec<Weak<Outbox>>>,
}

/// What a stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Memory that others hold.
    Memory,
    Store,
    /// The CPU, or a model.
    Work,
    /// The client, or the network to it.
    Reader,
}

/// What one client holds, and what its streams wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) bytes: u64,
    pub(crate) streams: usize,
    /// For how long the network has taken nothing of what is ready, where it is longer than [`STALLED`].
    pub(crate) stalled: Option<Duration>,
    /// Streams by what they wait for: the place is the [`Awaited`].
    pub(crate) awaited: [usize; 4],
}

// === impl Streams ===

impl Streams {
    /// The share of a new stream in what HTTP/2 may have.
    pub(crate) fn share(&self) -> Share {
        self.allowance.share()
    }

    pub(crate) fn add(&self, stream: &Arc<Outbox>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| stream.strong_count() > 0);
        open.push(Arc::downgrade(stream));
    }

    fn all(&self) -> Vec<Arc<Outbox>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }

    /// Frees the memory of streams that nobody reads, whenever samples wait for memory. It goes on for as long as the
    /// server lives.
    pub(crate) async fn relieve(&self, resources: &Resources) {
        loop {
            resources.short().await;
            loop {
                sleep(PATIENCE).await;
                let Some(shortage) = resources.shortage() else { break };
                self.shed(shortage);
            }
        }
    }

    /// Has stalled streams give up what they hold, the largest first, until so much is freed.
    fn shed(&self, wanted: ByteCount) {
        let mut stalled = self.all();
        stalled.retain(|stream| stream.stalled_for().is_some_and(|time| time >= STALLED));
        stalled.sort_by_key(|stream| std::cmp::Reverse(stream.account.held()));
        let mut found = 0;
        for stream in stalled {
            let held = stream.account.held().get();
            if found >= wanted.get() || held == 0 {
                break;
            }
            tracing::debug!(
                connection = stream.peer.connection(),
                bytes = held,
                "memory is short: a stream that nobody reads gives up"
            );
            stream.shed();
            found += held;
        }
        if found < wanted.get() {
            self.hang_up(STALLED);
        }
    }

    /// Hangs up on the peer that for the longest time, and at least for so long, has not read that its streams ended.
    fn hang_up(&self, at_least: Duration) {
        let all = self.all();
        let lives = |peer: &Peer| all.iter().any(|stream| stream.peer.is(peer) && !stream.is_ended());
        let unheard = all.iter().filter_map(|stream| Some((stream.unheard_for()?, stream)));
        let longest =
            unheard.filter(|(time, stream)| *time >= at_least && !lives(&stream.peer)).max_by_key(|(time, _)| *time);
        if let Some((time, stream)) = longest {
            let (connection, seconds) = (stream.peer.connection(), time.as_secs());
            tracing::warn!(connection, seconds, "hanging up on a peer that has not read that its stream ended");
            stream.peer.hang_up();
        }
    }

    /// Ends streams that nobody has read for so long. It goes on for as long as the server lives.
    pub(crate) async fn end_unread(&self, limit: Duration, metrics: &Metrics) {
        let said = Seldom::default();
        loop {
            sleep(LOOK.min(limit)).await;
            for stream in self.all() {
                if let Some(time) = stream.stalled_for().filter(|&time| time >= limit) {
                    let (connection, seconds) = (stream.peer.connection(), time.as_secs());
                    if let Some(streams) = said.again() {
                        tracing::warn!(streams, connection, seconds, "unread streams end, see --unread-limit");
                    }
                    stream.end(metrics.refuse(Refusal::Unread { seconds }));
                }
            }
            self.hang_up(limit * NOTICE);
        }
    }

    /// The clients that have streams, those first that hold most.
    pub(crate) fn clients(&self) -> Vec<(String, Holding)> {
        let mut clients = BTreeMap::<String, Holding>::new();
        for stream in self.all() {
            clients.entry(stream.account.client().to_owned()).or_default().add(&stream);
        }
        let mut clients: Vec<_> = clients.into_iter().collect();
        clients.sort_by_key(|(_, holding)| std::cmp::Reverse(holding.bytes));
        clients
    }

    /// Says who holds memory, to a client that waits for it: `811 MiB of 1 GiB are held by 10.0.0.5 (3 streams, not
    /// read for 12 s)`.
    pub(crate) fn holders(&self, resources: &Resources) -> String {
        let mut clients = self.clients();
        clients.retain(|(_, holding)| holding.bytes > 0);
        let total = resources.memory();
        let words = clients.iter().take(TOLD).map(|(client, holding)| holding.words(client));
        let others = match clients.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} others"),
        };
        format!("of {total} (--memory) are held {}{others}", words.collect::<Vec<_>>().join(", "))
    }
}

// === impl Holding ===

impl Holding {
    fn add(&mut self, stream: &Outbox) {
        self.bytes += stream.account.held().get();
        if stream.is_ended() {
            return;
        }
        let untaken = stream.stalled_for();
        self.streams += 1;
        self.stalled = self.stalled.max(untaken.filter(|&time| time >= STALLED));
        self.awaited[awaited(stream.account.waits(), untaken) as usize] += 1;
    }

    fn words(&self, client: &str) -> String {
        let Self { bytes, streams, stalled, awaited: _ } = self;
        let unread = stalled.map(|time| format!(", not read for {} s", time.as_secs())).unwrap_or_default();
        let plural = if *streams == 1 { "" } else { "s" };
        let about = ByteCount::mebibytes(bytes.div_ceil(1 << 20));
        format!("{about} by {client} ({streams} stream{plural}{unread})")
    }
}

/// What a stream waits for, given what its samples wait for, and for how long the network has taken nothing.
fn awaited(waits: Option<Waits>, untaken: Option<Duration>) -> Awaited {
    match waits {
        Some(Waits::Memory) => Awaited::Memory,
        _ if untaken.is_some_and(|time| time >= UNTAKEN) => Awaited::Reader,
        Some(Waits::Store) => Awaited::Store,
        None => Awaited::Work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_waits_for_memory_then_for_its_reader_then_for_the_store() {
        let long = Some(Duration::from_secs(1));
        assert_eq!(awaited(Some(Waits::Memory), long), Awaited::Memory);
        assert_eq!(awaited(Some(Waits::Store), long), Awaited::Reader);
        assert_eq!(awaited(Some(Waits::Store), Some(Duration::from_millis(1))), Awaited::Store);
        assert_eq!(awaited(None, None), Awaited::Work);
    }

    #[test]
    fn who_holds_memory_is_told_in_whole_mebibytes_and_whether_it_reads() {
        let reads = Holding { bytes: 62_370_804, streams: 1, ..Holding::default() };
        assert_eq!(reads.words("10.0.0.5"), "60MiB by 10.0.0.5 (1 stream)");
        let stopped = Holding { bytes: 1, streams: 3, stalled: Some(Duration::from_secs(12)), ..Holding::default() };
        assert_eq!(stopped.words("10.0.0.6"), "1MiB by 10.0.0.6 (3 streams, not read for 12 s)");
    }
}
