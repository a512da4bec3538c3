//! The strips or tiles of a TIFF, both called chunks here: where they are in the photo.

use headwater_types::Size;

/// Chunks in rows and columns. All have one size, but that strips end with the photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) photo: Size,
    pub(super) chunk: Size,
    pub(super) tiled: bool,
}

/// A chunk's place in the photo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The chunk's number, along the rows of chunks.
    pub(super) number: usize,
    pub(super) x: usize,
    pub(super) y: usize,
    /// Columns and rows of the chunk that are in the photo.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Rows that are stored.
    pub(super) stored_rows: usize,
}

// === impl Geometry ===

impl Geometry {
    /// Chunks of one plane.
    pub(super) fn count(&self) -> usize {
        self.across() * self.down()
    }

    /// The photo with what chunks have beyond its edges.
    pub(super) fn padded(&self) -> u64 {
        let area = |sides: [usize; 2], chunk: [u32; 2]| {
            sides.into_iter().zip(chunk).map(|(count, side)| count as u64 * u64::from(side)).product()
        };
        if self.tiled {
            area([self.across(), self.down()], [self.chunk.width, self.chunk.height])
        } else {
            self.photo.pixels()
        }
    }

    /// The places of all chunks, in the order of their numbers.
    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        let across = self.across();
        let side = |at: usize, chunk: u32, photo: u32| (photo as usize - at).min(chunk as usize);
        (0..self.count()).map(move |number| {
            let x = number % across * self.chunk.width as usize;
            let y = number / across * self.chunk.height as usize;
            let rows = side(y, self.chunk.height, self.photo.height);
            Place {
                number,
                x,
                y,
                columns: side(x, self.chunk.width, self.photo.width),
                rows,
                stored_rows: if self.tiled { self.chunk.height as usize } else { rows },
            }
        })
    }

    fn across(&self) -> usize {
        self.photo.width.div_ceil(self.chunk.width) as usize
    }

    fn down(&self) -> usize {
        self.photo.height.div_ceil(self.chunk.height) as usize
    }
}
