//! Columns that are read whole when a file is listed: keys, labels and fields.

use bytes::Bytes;
use headwater_types::SampleFailure;

use super::chunk::Chunk;
use super::fault::Fault;
use super::file::File;
use super::footer::Group;
use super::page::Decoding;
use super::schema::Leaf;
use super::table::blocking;
use super::values::Cells;

/// The largest chunk of such a column that is fetched at once; the pages of a larger one are fetched one by one.
const AT_ONCE: u64 = 16 << 20;
/// The largest page of such a column.
const MAX_PAGE: u64 = 64 << 20;

/// The values of a column in one row group, page by page.
pub(super) struct Values(Vec<Cells>);

/// One value of such a column.
pub(super) type Cell<'a> = (&'a Cells, usize);

// === impl Values ===

impl Values {
    pub(super) async fn read(file: &File, group: &Group, chunk: &Chunk, leaf: &Leaf) -> Result<Self, SampleFailure> {
        chunk.codec.check().map_err(|fault| fault.failure())?;
        let file =
            if chunk.range.end - chunk.range.start <= AT_ONCE { file.with(&chunk.range).await? } else { file.clone() };
        let layout = file.layout(group, chunk).await?;
        let (mut pages, mut row) = (Vec::new(), 0);
        while let Some((_, page, rows)) = layout.find(row) {
            let dictionary = chunk.dictionary().map_or(0, |range| range.end - range.start);
            if u64::from(page.length).max(dictionary) > MAX_PAGE {
                return Err(
                    Fault::Unsupported(format!("a page of column {} has more than 64 MiB", leaf.name())).failure()
                );
            }
            let (bytes, dictionary): (Bytes, Option<Bytes>) = file.page(chunk, page).await?;
            let (leaf, codec, count) = (leaf.clone(), chunk.codec, rows.end - rows.start);
            let decoded = blocking(move || {
                Decoding { leaf: &leaf, codec, room: MAX_PAGE }.decode(&bytes, dictionary.as_ref(), count)
            });
            pages.push(decoded.await?.map_err(|fault| fault.failure())?);
            row = rows.end;
        }
        Ok(Self(pages))
    }

    /// The values, row by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = Cell<'_>> {
        self.0.iter().flat_map(|cells| (0..cells.len()).map(move |row| (cells, row)))
    }
}
