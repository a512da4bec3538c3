//! Opening a cache: joining the processes that have it, or beginning it anew on what a former job left on the SSD.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use headwater_policy::{PolicyName, Tier};
use headwater_types::ByteCount;

use super::books::{Books, Own};
use super::error::NodeError;
use super::hold::{Node, clock};
use super::layout::{Header, Row, State, Uses, table_bytes};
use super::members::{self, Members};
use super::owner::Owned;
use super::place::{Place, remove};
use super::settings::{NodeSettings, prefix};
use super::table::{self, Table};
use super::tiers::Tiers;
use super::values::{Values, private_folder};

/// Times that a folder is looked for whose last process leaves meanwhile.
const TRIES: u32 = 100;

impl Node {
    /// Joins the cache of this name, or begins it. Whoever begins it decides limits and policy: those that are in force
    /// are [`Node::limits`] and [`Node::policy`].
    ///
    /// # Errors
    /// Memory for less than the table; a folder that holds other files, is another user's, or in use for another
    /// dataset; what the system refuses.
    pub fn open(settings: &NodeSettings) -> Result<Self, NodeError> {
        let path = settings.folder(rustix::process::geteuid().as_raw());
        for _ in 0..TRIES {
            let folder = private_folder(&path)?;
            let table = Table::open(&folder, &path)?;
            table.lock()?;
            let is_gone = table.is_gone();
            // The lock is taken again below, by the books; nobody removes a table that is there in between, for this
            // process holds the file.
            let opened = if is_gone { Ok(None) } else { begin_or_join(settings, &path, &folder, table).map(Some) };
            match opened {
                Ok(Some(node)) => return Ok(node),
                Ok(None) => {}
                Err(error) => {
                    // Nothing is left of a cache that was not begun.
                    let _ = remove_if_orphaned(&path);
                    return Err(error);
                }
            }
        }
        Err(NodeError::Busy { path })
    }
}

fn begin_or_join(settings: &NodeSettings, path: &Path, folder: &File, table: Table) -> Result<Node, NodeError> {
    let identity = *settings.identity().as_bytes();
    let members = Members::open(folder).map_err(NodeError::io("open", &path.join(members::FOLDER)))?;
    let memory = Values::open(folder, path)?;
    let others = members.alive(None).map_err(NodeError::io("read", path))?;
    let header = table.header()?.filter(|_| others);
    if others && header.as_ref().is_none_or(|header| header.identity != identity) {
        return Err(NodeError::InUse { path: path.to_owned() });
    }
    let ssd = settings.ssd.as_ref().map(|(ssd, limit)| Owned::open(ssd).map(|owned| (owned, *limit))).transpose()?;
    let tiers = match &header {
        Some(header) => {
            ssd.as_ref().map_or(Ok(()), |(ssd, _)| ssd.share(header.token))?;
            Tiers::new(memory, ssd.map(|(ssd, _)| ssd))
        }
        None => begin(settings, &table, &members, memory, ssd)?,
    };
    let joined = members.join().map_err(NodeError::io("join", path))?;
    let (member, was_dead) = joined.ok_or_else(|| NodeError::TooMany { path: path.to_owned() })?;
    table.unlock();
    let counts = Mutex::new(table.counts_of(member.number)?);
    let place = Place { path: path.to_owned(), identity };
    let node = Node::new(place, table, (members, member), tiers, counts)?;
    if was_dead {
        node.mend_after_the_dead()?;
    }
    Ok(node)
}

/// Begins a cache of which no process lives: with nothing in memory, and on the SSD what is there of the same dataset.
fn begin(
    settings: &NodeSettings,
    table: &Table,
    members: &Members,
    memory: Values,
    ssd: Option<(Owned, ByteCount)>,
) -> Result<Tiers, NodeError> {
    let cleared = members.clear().and_then(|()| memory.clear());
    cleared.map_err(NodeError::io("clear", &memory.path))?;
    let own_bytes = table_bytes(settings.samples);
    let too_little = || NodeError::TooLittle {
        memory: settings.memory,
        table: ByteCount::new(own_bytes),
        samples: settings.samples,
    };
    let for_values = settings.memory.get().checked_sub(own_bytes).ok_or_else(too_little)?;
    let (token, identity) = (RandomState::new().hash_one(&settings.name), *settings.identity().as_bytes());
    let mut found = Vec::new();
    if let Some((ssd, _)) = &ssd {
        ssd.take(token, &identity)?;
        found = ssd.values.list().map_err(NodeError::io("read", &ssd.values.path))?;
        found.sort_unstable_by_key(|(_, _, written)| *written);
    }
    let limit = ssd.as_ref().map_or(0, |(_, limit)| limit.get());
    let ssd_block = ssd.as_ref().map_or(1, |(ssd, _)| ssd.values.block);
    let header = Header {
        samples: settings.samples,
        limits: [for_values, limit],
        bytes: [0; 2],
        entries: [0; 2],
        blocks: [memory.block, ssd_block],
        policy: settings.policy.unwrap_or(PolicyName::Planned),
        is_open: settings.policy.is_none(),
        is_changing: false,
        changes: 0,
        announced: 0,
        token,
        born: clock().saturating_sub(found.len() as u64 + 1),
        identity,
    };
    table.begin(&header).map_err(|error| match error {
        NodeError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => too_little(),
        other => other,
    })?;
    let tiers = Tiers::new(memory, ssd.map(|(ssd, _)| ssd));
    restore(table, &tiers, &found)?;
    Ok(tiers)
}

/// Takes up the values on the SSD, the newest first, as many as the limit has room for; the others are removed.
fn restore(table: &Table, tiers: &Tiers, found: &[(u64, u64, u64)]) -> Result<(), NodeError> {
    let Some(ssd) = &tiers.ssd else { return Ok(()) };
    let own = Mutex::new(Own::default());
    let own = own.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut books) = Books::locked(table, own)? else { return Ok(()) };
    for (age, (index, length, _)) in found.iter().enumerate().rev() {
        let taken = books.taken(Tier::Ssd, *length);
        if *index >= books.header.samples || books.header.bytes[1].saturating_add(taken) > books.header.limits[1] {
            ssd.values.remove(*index).map_err(NodeError::io("remove from", &ssd.values.path))?;
            continue;
        }
        let row = Row { state: State::Ssd, length: *length, ..Row::default() };
        books.change(*index, &Row::default(), row)?;
        books.set_uses(*index, Uses { last: age as u64 + 1, count: 1, next: None, then: None })?;
    }
    books.keep_locked();
    Ok(())
}

/// Removes what the dead jobs of this user left in memory: folders of this name, of which nobody lives. Gives the
/// number of caches that were removed.
///
/// # Errors
/// What the system refuses.
pub fn remove_orphans(shared_memory: &Path) -> Result<u64, NodeError> {
    let (user, mut removed) = (rustix::process::geteuid().as_raw(), 0);
    let prefix = prefix(user);
    let read = |path: &Path| std::fs::read_dir(path).map_err(NodeError::io("read", path));
    for entry in read(shared_memory)? {
        let path = entry.map_err(NodeError::io("read", shared_memory))?.path();
        let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix));
        if is_named && path.join(table::NAME).exists() && remove_if_orphaned(&path)? {
            removed += 1;
        }
    }
    Ok(removed)
}

fn remove_if_orphaned(path: &Path) -> Result<bool, NodeError> {
    let folder = match private_folder(path) {
        Ok(folder) => folder,
        Err(NodeError::NotPrivate { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let table = Table::open(&folder, path)?;
    // Where somebody has the lock, somebody lives.
    if !table.try_lock()? {
        return Ok(false);
    }
    let members = Members::open(&folder).map_err(NodeError::io("open", path))?;
    if table.is_gone() || members.alive(None).map_err(NodeError::io("read", path))? {
        return Ok(false);
    }
    remove(path).map(|()| true)
}
