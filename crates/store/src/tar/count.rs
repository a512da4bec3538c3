//! A tar file that is wholly in memory, for those who test its reader with any bytes.

use bytes::Bytes;

use super::companion::Wanted;
use super::group::{Group, Verdict};
use super::index::{Entry, Index};
use super::sidecar;
use super::walk::Walk;
use super::window::Pieces;
use crate::files::Files;

/// The number of photos in a tar file that is wholly in memory: what the store makes of outside bytes, for those who
/// test it with any. The bytes are also read as the indexes that lie beside tar files, or are kept.
///
/// # Errors
/// Why the file cannot be read to its end.
pub fn count_members(bytes: &[u8]) -> Result<usize, String> {
    let size = bytes.len() as u64;
    let _ = (sidecar::read(bytes, size), Index::read(bytes.to_vec(), size));
    let wanted = Wanted { fields: vec!["txt".to_owned()] };
    let [index, other] = [Pieces::LOCAL, Pieces::REMOTE].map(|pieces| {
        let mut walk = Walk::whole(size, pieces, &wanted);
        while let Some(range) = walk.needs() {
            let piece = bytes.get(range.start as usize..range.end as usize).unwrap_or_default();
            walk.take(range.start, Bytes::copy_from_slice(piece));
        }
        walk.finish()
    });
    if index.as_bytes() != other.as_bytes() || Index::read(index.as_bytes().to_vec(), size).is_none() {
        return Err("a fault of the reader: it depends on its pieces".to_owned());
    }
    let (mut count, mut samples) = (0, 0);
    for files in [Files::Photos, Files::All] {
        let each = |_: &Entry<'_>, verdict: Verdict<'_>| {
            count += usize::from(files == Files::Photos && matches!(verdict, Verdict::Sample(..)));
            samples += 1;
            Ok::<_, ()>(())
        };
        let _ = Group::of(&index, files, &wanted).each(each);
    }
    match index.damage() {
        Some(damage) => Err(damage.to_owned()),
        None if samples != 2 * index.members() => Err("a fault of the reader: a member is lost".to_owned()),
        None => Ok(count),
    }
}
