//! A range of one object: asked for until it comes, and for a second time where it is slow.

use bytes::Bytes;
use futures::StreamExt;
use headwater_types::patience::{S3_REQUEST, S3_SILENCE};
use headwater_types::{FailureKind, SampleFailure};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore};
use tokio::time::{Instant, sleep, timeout};

use super::denial;
use super::document::plain_tag;
use super::fault::{Again, Fault, deepest};
use super::http::Asked;
use super::link::{Link, asking};
use super::tries::{End, Tries};
use crate::extent::Extent;
use crate::fetched::Fetched;
use crate::version::{LIST_ANEW, Version};
use crate::waiting::Wait;

/// Reads the range, if the object is of the version that was listed, however often that takes. `wait` hears what the
/// store does meanwhile.
pub(super) async fn read(link: &Link, path: &Path, extent: &Extent, wait: &Wait) -> Result<Bytes, SampleFailure> {
    let mut tries = Tries::of_object(link);
    let mut end = tries.first().await;
    let mut last = Fault::Silent(S3_SILENCE);
    while end.is_ok() {
        let began = Instant::now();
        match hedged(link, path, extent).await {
            Ok(bytes) => {
                link.took(path, began.elapsed());
                return Ok(bytes);
            }
            Err(fault) => {
                wait.saw(fault.to_string());
                end = tries.again(path.as_ref(), &fault).await;
                last = fault;
            }
        }
    }
    let end = end.err().unwrap_or(End::Late);
    Err(failure(&last, end, &tries))
}

/// A read, and a second one beside it where the first takes longer than nearly all do. The first that brings the object
/// wins.
async fn hedged(link: &Link, path: &Path, extent: &Extent) -> Result<Bytes, Fault> {
    let mut first = std::pin::pin!(once(link, path, extent));
    tokio::select! {
        biased;
        read = &mut first => return read,
        () = sleep(link.slow_after()) => {}
    }
    if !link.may_hedge() {
        return first.await;
    }
    let mut second = std::pin::pin!(once(link, path, extent));
    tokio::select! {
        biased;
        read = &mut first => match read {
            Ok(bytes) => Ok(bytes),
            Err(fault) if fault.again() == Again::Never => Err(fault),
            Err(_) => second.await,
        },
        read = &mut second => match read {
            Ok(bytes) => Ok(bytes),
            Err(_) => first.await,
        },
    }
}

async fn once(link: &Link, path: &Path, extent: &Extent) -> Result<Bytes, Fault> {
    let asked = Asked::object();
    let range = extent.range().filter(|_| !extent.is_whole()).map(GetRange::Bounded);
    let options = GetOptions { range, extensions: asking(&asked), ..GetOptions::default() };
    link.fetched.read();
    let whole = async {
        let answer = timeout(S3_SILENCE, link.client.get_opts(path, options)).await;
        let answer = answer.map_err(|_elapsed| Fault::Silent(S3_SILENCE))?;
        let answer = answer.map_err(|error| Fault::of(&error, asked.was_sent()))?;
        check(&answer.meta, extent.listed())?;
        body(answer, extent.length().as_usize(), &link.fetched).await
    };
    timeout(S3_REQUEST, whole).await.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?
}

/// Whether the answer is of an object of the version that was listed.
fn check(object: &ObjectMeta, version: Version) -> Result<(), Fault> {
    let modified;
    let tag = match &object.e_tag {
        Some(tag) => plain_tag(tag),
        None => {
            modified = object.last_modified.timestamp().to_string();
            &modified
        }
    };
    let listed = version.size().get();
    // A page of HTML in place of the object has none either.
    if object.e_tag.is_none() && Version::of_object(listed, tag) != version {
        return Err(Fault::Garbled("something that has no ETag, and is not of the time that was listed".to_owned()));
    }
    // Of the ETag alone: an object of the same ETag is the same, whatever length was said on the way.
    if Version::of_object(listed, tag) != version {
        return Err(Fault::Changed);
    }
    if object.size == listed { Ok(()) } else { Err(Fault::Length { given: object.size, listed }) }
}

/// The body, which must have exactly this size: a store that sends more is not followed.
async fn body(answer: GetResult, size: usize, fetched: &Fetched) -> Result<Bytes, Fault> {
    let mut bytes = Vec::with_capacity(size);
    let mut chunks = answer.into_stream();
    let wrong = |given: usize| Fault::Length { given: given as u64, listed: size as u64 };
    loop {
        let chunk = timeout(S3_SILENCE, chunks.next()).await.map_err(|_elapsed| Fault::Silent(S3_SILENCE))?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|error| Fault::Broken(deepest(&error)))?;
        fetched.came(chunk.len());
        if chunk.len() > size - bytes.len() {
            return Err(wrong(bytes.len() + chunk.len()));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < size { Err(wrong(bytes.len())) } else { Ok(bytes.into()) }
}

/// In words, with what to do.
fn failure(fault: &Fault, end: End, tries: &Tries<'_>) -> SampleFailure {
    let (count, time) = tries.so_far();
    let seconds = time.as_secs();
    match (end, fault) {
        (_, Fault::Credentials(_)) => {
            SampleFailure::new(FailureKind::Io, format!("the store could not be asked: {fault}"))
        }
        (End::Late, _) => {
            let message =
                format!("the store has not given it for {seconds} s, in {count} tries; the last time {fault}");
            SampleFailure::new(FailureKind::Io, message)
        }
        (End::Hopeless, _) => {
            let message = format!(
                "the store gives others, and not this one: {count} tries in {seconds} s; the last time {fault}; look \
                 at that object there"
            );
            SampleFailure::new(FailureKind::Unreadable, message)
        }
        (End::Final, Fault::Changed) => {
            let message = format!("it is another than was listed: its ETag differs; {LIST_ANEW}");
            SampleFailure::new(FailureKind::Changed, message)
        }
        (End::Final, Fault::Answered(answer)) => match (answer.status, denial::of(answer)) {
            (404, _) => SampleFailure::new(FailureKind::NotFound, "it is gone since it was listed"),
            (_, Some(denial)) => SampleFailure::new(FailureKind::Forbidden, format!("{denial} ({answer})")),
            (401 | 403, None) => SampleFailure::new(
                FailureKind::Forbidden,
                format!("the store refused to have it read: the credentials must allow s3:GetObject ({answer})"),
            ),
            _ => SampleFailure::new(FailureKind::Unreadable, format!("the store refuses to give it: {answer}")),
        },
        (End::Final, _) => SampleFailure::new(FailureKind::Io, format!("the store could not be read: {fault}")),
    }
}
