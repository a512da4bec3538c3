//! Columns that are read whole when a file is listed: keys, labels and fields.

use bytes::Bytes;
use headwater_types::SampleFailure;
use headwater_types::caps::MAX_LABELS_BYTES;

use super::chunk::Chunk;
use super::fault::Fault;
use super::file::File;
use super::footer::Group;
use super::layout::PageAt;
use super::page::Decoding;
use super::schema::Leaf;
use super::table::blocking;
use super::values::Cells;

/// The largest chunk of such a column that is fetched at once; the pages of a larger one are fetched one by one.
const AT_ONCE: u64 = 16 << 20;
/// The largest page of such a column.
pub(super) const MAX_PAGE: u64 = 64 << 20;

/// What the columns of a row group may take when unpacked: what a labels file may have.
const MAX_GROUP: u64 = MAX_LABELS_BYTES.get();

/// The memory that the columns of one row group may still take.
pub(super) fn room() -> u64 {
    MAX_GROUP
}

/// Takes memory of what a row group may still take.
pub(super) fn take(room: &mut u64, bytes: u64) -> Result<(), SampleFailure> {
    *room = room.checked_sub(bytes).ok_or_else(|| {
        Fault::Unsupported("the columns of a row group have more than 4 GiB when unpacked".to_owned()).failure()
    })?;
    Ok(())
}

/// The values of a column in one row group, page by page.
pub(super) struct Values(Vec<Cells>);

/// One value of such a column.
pub(super) type Cell<'a> = (&'a Cells, usize);

// === impl Values ===

impl Values {
    /// Reads a column of which each row has one value, in what is left of `room`.
    pub(super) async fn read(
        file: &File,
        group: &Group,
        chunk: &Chunk,
        leaf: &Leaf,
        room: &mut u64,
    ) -> Result<Self, SampleFailure> {
        let file = near(file, chunk).await?;
        let layout = file.layout(group, chunk).await?;
        let (mut pages, mut row) = (Vec::new(), 0);
        while let Some((_, page, rows)) = layout.find(row) {
            let (bytes, dictionary) = page_of(&file, chunk, page, leaf).await?;
            let (leaf, codec, count) = (leaf.clone(), chunk.codec, rows.end - rows.start);
            let decoded = blocking(move || {
                Decoding { leaf: &leaf, codec, room: MAX_PAGE }.decode(&bytes, dictionary.as_ref(), count)
            });
            let cells = decoded.await?.map_err(|fault| fault.failure())?;
            take(room, cells.memory())?;
            pages.push(cells);
            row = rows.end;
        }
        Ok(Self(pages))
    }

    /// The values, row by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = Cell<'_>> {
        self.0.iter().flat_map(|cells| (0..cells.len()).map(move |row| (cells, row)))
    }
}

/// The file with the chunk in memory, where that is small, and its codec known.
pub(super) async fn near(file: &File, chunk: &Chunk) -> Result<File, SampleFailure> {
    chunk.codec.check().map_err(|fault| fault.failure())?;
    if chunk.range.end - chunk.range.start <= AT_ONCE { file.with(&chunk.range).await } else { Ok(file.clone()) }
}

/// A page of such a column, and its dictionary where it needs one.
pub(super) async fn page_of(
    file: &File,
    chunk: &Chunk,
    page: PageAt,
    leaf: &Leaf,
) -> Result<(Bytes, Option<Bytes>), SampleFailure> {
    let dictionary = chunk.dictionary().map_or(0, |range| range.end - range.start);
    if u64::from(page.length).max(dictionary) > MAX_PAGE {
        return Err(Fault::Unsupported(format!("a page of column {} has more than 64 MiB", leaf.name())).failure());
    }
    file.page(chunk, page).await
}
