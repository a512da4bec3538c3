//! A catalog as bytes, for the next start: its columns as they are in memory, so that reading it is little more than
//! reading the file. Numbers are little endian; a text is its length (u64) and its UTF-8.
//!
//! ```text
//! "hw-cat01" | partition text | files flag (all or photos) | since: seconds u64, nanoseconds u32
//! digest 32 | names 32 | listing: samples u64, digest 32, sketch: count u64, u64 each
//! left out: count u64, each: reason text, count u64, first names: count u64, text each
//!           suffixes: count u64, each: text, count u64
//! classes: count u64, text each | labels are given: flag | fields: count u64, each: name text, kind text
//! columns (see `columns`)
//! ```
//!
//! The digests are those of the file and not worked out anew: whoever keeps the bytes sees that they stay the same
//! ([`crate::Kept`]). Everything that could lead a reader astray is checked: counts before memory is taken, the order
//! of keys, and every position.

mod columns;
mod left_out;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headwater_types::Listing;
use headwater_types::caps::{LISTING_SKETCH, MAX_CLASSES, MAX_FIELDS};
use headwater_types::field::{Field, Fields};
use headwater_types::listing::Sketch;

use super::Catalog;
use super::body::Body;
use crate::files::Files;
use crate::kept::{Reader, Writer, damaged};
use crate::scope::Scope;

const MAGIC: [u8; 8] = *b"hw-cat01";

// === impl Catalog ===

impl Catalog {
    /// Writes the catalog as bytes that [`Self::read`] understands.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write(self, Writer(out))
    }

    /// Reads a catalog that was written in so many bytes. The digests are taken from them.
    ///
    /// # Errors
    /// Bytes that are no catalog, and those of `from`.
    pub(crate) fn read(from: &mut dyn Read, bytes: u64) -> io::Result<Self> {
        read(Reader::new(from, bytes))
    }
}

/// The number of samples of a kept catalog of these bytes: what the store makes of a file that may be anybody's, for
/// those who test it with any.
///
/// # Errors
/// The reason for which the bytes are no catalog.
pub fn count_kept(bytes: &[u8]) -> Result<usize, String> {
    Catalog::read(&mut &*bytes, bytes.len() as u64).map(|catalog| catalog.len()).map_err(|error| error.to_string())
}

fn write(catalog: &Catalog, mut out: Writer<'_>) -> io::Result<()> {
    let body = &catalog.body;
    out.bytes(&MAGIC)?;
    write_scope(catalog.scope, &mut out)?;
    out.bytes(body.digest.as_bytes())?;
    out.bytes(body.names.as_bytes())?;
    write_listing(&catalog.listing, &mut out)?;
    left_out::write(&catalog.skipped, &mut out)?;
    out.u64(body.classes.len() as u64)?;
    body.classes.iter().try_for_each(|name| out.text(name))?;
    out.flag(body.is_given)?;
    out.u64(body.fields.len() as u64)?;
    for Field { name, kind } in body.fields.iter() {
        out.text(name)?;
        out.text(kind.as_str())?;
    }
    columns::write(&body.columns, &mut out)
}

fn read(mut from: Reader<'_>) -> io::Result<Catalog> {
    if from.array()? != MAGIC {
        return Err(damaged("it is no catalog of this version"));
    }
    let scope = read_scope(&mut from)?;
    let (digest, names) = (from.digest()?, from.digest()?);
    let listing = read_listing(&mut from)?;
    let skipped = left_out::read(&mut from)?;
    let classes: Arc<[String]> = from.many(8, MAX_CLASSES, |from| from.text())?.into();
    let is_given = from.flag()?;
    let fields = from.many(16, MAX_FIELDS, |from| {
        let name = from.text()?;
        let kind = from.text()?.parse().map_err(|_| damaged("a field is of no kind"))?;
        Ok(Field { name, kind })
    })?;
    let fields = Fields::new(fields).map_err(|_| damaged("its fields cannot be"))?;
    let columns = columns::read(&mut from, classes.len())?;
    from.finish()?;
    let bytes_total = columns.bytes_total();
    let body = Arc::new(Body { columns, classes, is_given, fields, bytes_total, digest, names });
    Ok(Catalog { body, scope, skipped, listing })
}

fn write_scope(scope: Scope, out: &mut Writer<'_>) -> io::Result<()> {
    out.text(&scope.part.to_string())?;
    out.flag(scope.files == Files::All)?;
    // A clock before 1970 says only that nothing is known of the time.
    let since = scope.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    out.u64(since.as_secs())?;
    out.bytes(&since.subsec_nanos().to_le_bytes())
}

fn read_scope(from: &mut Reader<'_>) -> io::Result<Scope> {
    let part = from.text()?.parse().map_err(|_| damaged("its partition is none"))?;
    let files = if from.flag()? { Files::All } else { Files::Photos };
    let (seconds, nanoseconds) = (from.u64()?, from.u32()?);
    let since = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    let since = since.and_then(|since| since.checked_add(Duration::from_nanos(u64::from(nanoseconds))));
    Ok(Scope { part, files, since: since.ok_or_else(|| damaged("its time is none"))? })
}

fn write_listing(listing: &Listing, out: &mut Writer<'_>) -> io::Result<()> {
    out.u64(listing.samples)?;
    out.bytes(listing.digest.as_bytes())?;
    out.u64(listing.sketch.hashes().count() as u64)?;
    out.column(listing.sketch.hashes().map(u64::to_le_bytes))
}

fn read_listing(from: &mut Reader<'_>) -> io::Result<Listing> {
    let (samples, digest) = (from.u64()?, from.digest()?);
    let hashes = from.count(8, LISTING_SKETCH as u64)?;
    let hashes = from.column(hashes, |bytes| Ok(u64::from_le_bytes(bytes)))?;
    let sketch = Sketch::from_hashes(&hashes).ok_or_else(|| damaged("its sketch is none"))?;
    Ok(Listing { samples, digest, sketch })
}

#[cfg(test)]
mod tests;
