//! Rows of MCUs, entropy-decoded as they are asked for.

use std::ops::Range;

use super::blocks::Blocks;
use super::order::Order;
use super::run::{Bytes, Run};
use super::scan::Scan;
use super::source::{COEFFICIENTS, Source};
use super::stream::Decoding;
use crate::level::Level;

/// Reads the rows of a photo, from the top.
pub(super) struct Reader<'a> {
    level: Level,
    order: Order<'a>,
    scan: &'a Scan,
    bytes: Bytes<'a>,
    /// MCUs of a row.
    across: usize,
    down: usize,
    /// Blocks of a row of MCUs.
    pub(super) row_blocks: usize,
    way: Way<'a>,
}

/// The order in which segments are read.
enum Way<'a> {
    /// Each segment is a part of a row. They are read in any order, two at a time.
    Strips { interval: usize },
    /// Segments are read one after the other, from the first.
    Line(Line<'a>),
}

struct Line<'a> {
    run: Run<'a>,
    interval: usize,
    /// The number of the segment that is being read.
    number: usize,
    left: usize,
    next_row: usize,
}

/// Coefficients of a few rows of MCUs.
#[derive(Default)]
pub(super) struct Store {
    values: Vec<[i16; COEFFICIENTS]>,
    last: Vec<u8>,
}

// === impl Store ===

impl Store {
    /// Room for so many blocks, at least one. They hold the values that they held before.
    pub(super) fn room(&mut self, blocks: usize) -> Option<Blocks<'_>> {
        if self.last.len() < blocks {
            self.last.resize(blocks, 0);
            self.values.resize(blocks, [0; COEFFICIENTS]);
        }
        Blocks::new(&mut self.values[..blocks], &mut self.last[..blocks])
    }

    /// Coefficients and last places of `count` blocks from number `first` on.
    pub(super) fn blocks(&self, first: usize, count: usize) -> (&[i16], &[u8]) {
        (self.values[first..first + count].as_flattened(), &self.last[first..first + count])
    }

    /// Gives the memory back where it is more than `most` bytes.
    pub(super) fn trim(&mut self, most: usize) {
        if self.values.capacity() * 2 * COEFFICIENTS > most {
            *self = Self::default();
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(level: Level, source: &'a Source, scan: &'a Scan) -> Option<Self> {
        let order = Order::new(source)?;
        let bytes = Bytes::new(scan.bytes())?;
        let (across, down) = source.mcus();
        let row_blocks = source.components.iter().map(|part| part.blocks.0 * part.blocks.1).sum::<usize>() * across;
        let interval = source.interval;
        let way = if interval > 0 && across.is_multiple_of(interval) {
            Way::Strips { interval }
        } else {
            let interval = if interval == 0 { across * down } else { interval };
            let run = Run::new(&order, bytes, scan.segment(0)?)?;
            Way::Line(Line { run, interval, number: 0, left: interval, next_row: 0 })
        };
        Some(Self { level, order, scan, bytes, across, down, row_blocks, way })
    }

    /// How many rows are best read at once, where these columns are needed: enough for two streams to run side by side
    /// most of the time.
    pub(super) fn rows_at_once(&self, columns: &Range<usize>) -> usize {
        match &self.way {
            Way::Strips { interval } => {
                let strips = columns.end.div_ceil(*interval) - columns.start / interval;
                ENOUGH_STRIPS.div_ceil(strips).min(MOST_ROWS)
            }
            Way::Line(_) => 1,
        }
    }

    /// Reads the MCUs of these rows and columns, and maybe others of the same rows, into `store`. Rows are asked for
    /// from the top: a row that was left out cannot be read later. `None` where libjpeg might read other coefficients.
    pub(super) fn read(&mut self, rows: Range<usize>, columns: &Range<usize>, store: &mut Store) -> Option<()> {
        let mut blocks = store.room(rows.len() * self.row_blocks)?;
        let decoding = Decoding { level: self.level, order: &self.order, bytes: self.bytes };
        match &mut self.way {
            Way::Strips { interval } => {
                let interval = *interval;
                let strips = columns.start / interval..columns.end.div_ceil(interval);
                let per_row = self.across / interval;
                let first = rows.start;
                let mut places = rows.flat_map(|row| strips.clone().map(move |strip| (row, strip)));
                let next = || {
                    let (row, strip) = places.next()?;
                    let mut run = Run::new(&self.order, self.bytes, self.scan.segment(row * per_row + strip)?)?;
                    run.go_on((row - first) * self.row_blocks, strip * interval, interval);
                    Some(run)
                };
                let mut sound = true;
                decoding.two(&mut blocks, next, |run| sound &= run.is_sound());
                sound.then_some(())
            }
            Way::Line(line) => {
                while line.next_row < rows.start {
                    line.row(&decoding, self.scan, 0, self.across, &mut blocks)?;
                }
                for row in rows.clone() {
                    line.row(&decoding, self.scan, (row - rows.start) * self.row_blocks, self.across, &mut blocks)?;
                }
                let ended = rows.end == self.down;
                (if ended { line.run.is_sound() } else { line.run.is_sound_so_far() }).then_some(())
            }
        }
    }
}

/// Strips that are read at once, at least. At the end of each batch one stream runs alone.
const ENOUGH_STRIPS: usize = 8;

/// Rows that are read at once, at most. The coefficients of all of them are held.
const MOST_ROWS: usize = 4;

// === impl Line ===

impl<'a> Line<'a> {
    /// Reads a row of MCUs, whose first block is number `first`.
    fn row(
        &mut self,
        decoding: &Decoding<'a, '_>,
        scan: &Scan,
        first: usize,
        across: usize,
        blocks: &mut Blocks<'_>,
    ) -> Option<()> {
        let mut mcu = 0;
        while mcu < across {
            if self.left == 0 {
                if !self.run.is_sound() {
                    return None;
                }
                self.number += 1;
                self.left = self.interval;
                self.run = Run::new(decoding.order, decoding.bytes, scan.segment(self.number)?)?;
            }
            let count = self.left.min(across - mcu);
            self.run.go_on(first, mcu, count);
            decoding.one(&mut self.run, blocks);
            self.left -= count;
            mcu += count;
        }
        self.next_row += 1;
        Some(())
    }
}
