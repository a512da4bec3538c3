//! The index of one shard, made by reading it.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::{FailureKind, SampleFailure};

use super::companion::{Role, Value, Wanted};
use super::header::BLOCK;
use super::index::{Index, Making};
use super::scan::MemberKind;
use super::sidecar::{self, Listed, MOST_INDEX};
use super::walk::Walk;
use super::window::Pieces;
use crate::extent::Extent;
use crate::fetched::Fetched;
use crate::local::Root;
use crate::store::Store;

/// Walks through a shard of this machine, from header to header where contents are large.
///
/// # Errors
/// The file cannot be read, or is another than was listed.
pub(super) fn of_file(
    root: &Root,
    store: &dyn Store,
    shard: &Extent,
    wanted: &Wanted,
    fetched: &Fetched,
) -> Result<Index, SampleFailure> {
    let failed = |error: io::Error| SampleFailure::new(FailureKind::Io, format!("it could not be read: {error}"));
    let file = root.file(shard.object().as_str()).map_err(failed)?;
    store.check(shard)?;
    let mut walk = Walk::whole(shard.length().get(), Pieces::LOCAL, wanted);
    while let Some(range) = walk.needs() {
        fetched.read();
        let bytes = file.read(range.clone()).map_err(failed)?;
        fetched.came(bytes.len());
        if bytes.len() as u64 != range.end - range.start {
            return Err(SampleFailure::new(FailureKind::Changed, "it was cut off while it was read"));
        }
        walk.take(range.start, bytes.into());
    }
    store.check(shard)?;
    Ok(walk.finish())
}

/// Walks through a shard of a bucket, in few large requests where contents are small.
///
/// # Errors
/// The store does not give it, or gives another than was listed.
pub(super) async fn of_object(store: &dyn Store, shard: &Extent, wanted: &Wanted) -> Result<Index, SampleFailure> {
    let mut walk = Walk::whole(shard.length().get(), Pieces::REMOTE, wanted);
    while let Some(range) = walk.needs() {
        walk.take(range.start, part(store, shard, range).await?);
    }
    Ok(walk.finish())
}

/// The index of a shard as another program's index beside it has it, where that is one and holds against the shard.
///
/// # Errors
/// In words, why it is not used.
pub(super) async fn of_sidecar(
    store: &dyn Store,
    shard: &Extent,
    sidecar: &Extent,
    wanted: &Wanted,
) -> Result<Index, String> {
    if sidecar.length().get() > MOST_INDEX {
        return Err("it is too long".to_owned());
    }
    let size = shard.length().get();
    let bytes = store.read(sidecar).await.map_err(|failure| failure.to_string())?;
    let read = tokio::task::spawn_blocking(move || sidecar::read(&bytes, size)).await;
    let listed = read.map_err(|error| error.to_string())??;
    check(store, shard, &listed).await?;
    let said = |member: &Listed| Some((member.content.clone(), wanted.role(&member.name)?));
    let companions: Vec<_> = listed.iter().filter_map(said).collect();
    if (companions.len() as u64).saturating_mul(WORTH) > size {
        return Err("it does not say what the companions of photos say, and they are many".to_owned());
    }
    let values = stream::iter(companions);
    let values = values.map(|(content, role)| async move { value(store, shard, content, role, wanted).await });
    let values: Vec<_> = values.buffered(SIDE_BY_SIDE).try_collect().await.map_err(|failure| failure.to_string())?;
    let (mut making, mut values) = (Making::default(), values.into_iter());
    for member in &listed {
        let said = wanted.role(&member.name).and_then(|_| values.next());
        let said = said.as_ref().map_or(Value::None, |said| said.as_deref().map_or(Value::Unreadable, Value::Text));
        making.push(&member.name, MemberKind::File, &member.content, &said);
    }
    Ok(making.finish(size, 0, None))
}

/// Reading so many bytes of a shard in one go costs what a request for one companion does.
const WORTH: u64 = 2 * 1024 * 1024;
/// Requests for companions of one shard at a time.
const SIDE_BY_SIDE: usize = 16;

/// Holds an index against headers of the shard.
async fn check(store: &dyn Store, shard: &Extent, listed: &[Listed]) -> Result<(), String> {
    for at in sidecar::checked(listed.len()) {
        let member = &listed[at];
        let header = member.content.start - BLOCK..member.content.start;
        let bytes = part(store, shard, header).await.map_err(|failure| failure.to_string())?;
        let block = bytes.first_chunk().ok_or("a header is cut off")?;
        if !sidecar::agrees(member, block) {
            return Err(format!("the shard has another member where it has {}", member.name));
        }
    }
    Ok(())
}

async fn value(
    store: &dyn Store,
    shard: &Extent,
    content: Range<u64>,
    role: Role,
    wanted: &Wanted,
) -> Result<Option<String>, SampleFailure> {
    let length = content.end - content.start;
    if length > role.most() || length == 0 {
        return Ok(None);
    }
    Ok(wanted.read(role, &part(store, shard, content).await?))
}

async fn part(store: &dyn Store, shard: &Extent, range: Range<u64>) -> Result<Bytes, SampleFailure> {
    let outside = || SampleFailure::new(FailureKind::Io, "a range that is not in it");
    let part = Extent::part(shard.object().clone(), shard.listed(), range).ok_or_else(outside)?;
    store.read(&part).await
}
