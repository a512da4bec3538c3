//! One process's hold on a cache.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use headwater_policy::{PolicyName, Tier};
use headwater_types::ByteCount;
use rustix::time::ClockId;

use super::books::{Books, Own};
use super::counters::{Counter, NodeCounts};
use super::error::NodeError;
use super::members::{Member, Members};
use super::mend::mend;
use super::place::{Place, remove};
use super::sample::SampleId;
use super::table::Table;
use super::tiers::Tiers;
use super::worth::place as number;

/// A cache that processes of one machine share, as one of them holds it. It leaves when it is dropped; the last to
/// leave removes what is in memory. A process that was forked has to open its own, and must not drop this one.
#[derive(Debug)]
pub struct Node {
    place: Place,
    pub(super) table: Table,
    pub(super) members: Members,
    pub(super) member: Member,
    pub(super) tiers: Tiers,
    own: Mutex<Own>,
    counts: Mutex<NodeCounts>,
    born: u64,
    last_stamp: AtomicU64,
    /// When it is looked for the dead again.
    look_again: AtomicU64,
}

/// What came of putting a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is in memory.
    InMemory,
    /// It is on the SSD.
    OnSsd,
    /// Another process was faster.
    Already,
    /// It is larger than both tiers, or worth less than what it would push out.
    Rejected,
    /// The system refused: see [`Node::refused`].
    Refused,
    /// Others were writing for longer than was waited.
    Busy,
}

/// What a tier has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeUsage {
    /// Bytes of its files, in whole blocks, those that are being written included.
    pub bytes: ByteCount,
    /// The most bytes that they may take.
    pub limit: ByteCount,
    /// Its values.
    pub entries: u64,
}

/// Nanoseconds between looks for the dead.
const LOOK_EVERY: u64 = 1_000_000_000;

// === impl Node ===

impl Node {
    pub(super) fn new(
        place: Place,
        table: Table,
        (members, member): (Members, Member),
        tiers: Tiers,
        counts: Mutex<NodeCounts>,
    ) -> Result<Self, NodeError> {
        let born = table.header()?.map_or(0, |header| header.born);
        let (own, last_stamp, look_again) = Default::default();
        Ok(Self { place, table, members, member, tiers, own, counts, born, last_stamp, look_again })
    }

    /// What the processes of this cache have counted since it was begun.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn counts(&self) -> Result<NodeCounts, NodeError> {
        self.table.counts()
    }

    /// What each tier has, memory first. The table's own bytes are not among them.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn usage(&self) -> Result<[NodeUsage; 2], NodeError> {
        self.settle_the_dead()?;
        let books = self.books()?;
        Ok(Tier::BOTH.map(|tier| NodeUsage {
            bytes: ByteCount::new(books.header.bytes[number(tier)]),
            limit: ByteCount::new(books.header.limits[number(tier)]),
            entries: books.header.entries[number(tier)],
        }))
    }

    /// The policy that is in force.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn policy(&self) -> Result<PolicyName, NodeError> {
        Ok(self.books()?.header.policy)
    }

    /// The first thing that the system refused since this was asked last.
    pub fn refused(&self) -> Option<String> {
        self.tiers.take_refused()
    }

    /// Of which sample of which dataset a value is.
    pub(super) fn id(&self, index: u64) -> SampleId {
        SampleId { index, identity: super::layout::u64_at(&self.place.identity, 0) }
    }

    /// The table, locked. A change that was cut is mended first.
    pub(super) fn books(&self) -> Result<Books<'_>, NodeError> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || NodeError::io("read", &self.table.path)(std::io::ErrorKind::UnexpectedEof.into());
        let mut books = Books::lock(&self.table, own)?.ok_or_else(gone)?;
        if books.was_cut() {
            mend(&mut books, &self.tiers, &self.members, None)?;
        }
        Ok(books)
    }

    /// Settles what dead processes were doing, if any died: what they were writing takes room for nothing.
    pub(super) fn settle_the_dead(&self) -> Result<(), NodeError> {
        let dead = self.members.dead().map_err(NodeError::io("ask for", "members".as_ref()))?;
        if dead.is_empty() { Ok(()) } else { self.reclaim() }
    }

    /// The same, once a second.
    pub(super) fn settle_the_dead_now_and_then(&self) -> Result<(), NodeError> {
        let now = clock();
        if now < self.look_again.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.look_again.store(now.saturating_add(LOOK_EVERY), Ordering::Relaxed);
        self.settle_the_dead()
    }

    /// Settles what dead processes were doing.
    pub(super) fn reclaim(&self) -> Result<(), NodeError> {
        mend(&mut self.books()?, &self.tiers, &self.members, None)
    }

    /// Settles what the process was doing that had this one's number before, and died.
    pub(super) fn mend_after_the_dead(&self) -> Result<(), NodeError> {
        mend(&mut self.books()?, &self.tiers, &self.members, Some(self.member.number))
    }

    pub(super) fn count(&self, counter: Counter) {
        self.count_all(&[counter]);
    }

    pub(super) fn count_all(&self, counters: &[Counter]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().for_each(|counter| counts.add(*counter));
        if let Err(error) = self.table.set_counts(self.member.number, *counts) {
            tracing::debug!(%error, "counters");
        }
    }

    /// The time of a use: later than that of the one before it.
    pub(super) fn stamp(&self) -> u64 {
        let now = clock().saturating_sub(self.born);
        let last = self.last_stamp.fetch_max(now, Ordering::Relaxed);
        match last < now {
            true => now,
            false => self.last_stamp.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// One access of a sample: changes what it is worth.
    pub(super) fn used(&self, index: u64) -> Result<(), NodeError> {
        let (_, mut uses) = self.table.row(index)?;
        if let Some(position) = uses.next {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            own.passed.position = own.passed.position.max(position.saturating_add(1));
        }
        uses.used(self.stamp());
        self.table.set_uses(index, uses)
    }

    fn leave(&self) -> Result<(), NodeError> {
        self.table.lock()?;
        self.members.leave(&self.member);
        let others = self.members.alive(None).map_err(NodeError::io("read", &self.place.path));
        let left = if others? { Ok(()) } else { remove(&self.place.path) };
        self.table.unlock();
        left
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::debug!(%error, "leaving a cache");
        }
    }
}

/// Nanoseconds of the machine's clock, the same for all its processes.
pub(super) fn clock() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs().saturating_mul(1_000_000_000).saturating_add(now.tv_nsec.unsigned_abs())
}
