//! Our own decoder, for the kind that nearly all JPEGs are of: Huffman-coded, sequential, of 8 bits and one scan.
//!
//! Invariant: the decoder gives libjpeg-turbo's pixels, to the bit, or none, and libjpeg-turbo decodes instead. It
//! gives none for data of which libjpeg would warn, so that nothing here guesses at damage.

mod huffman;
mod source;

mod scan;

mod blocks;
mod order;
mod run;
mod stream;

mod reader;

mod planes;
mod window;

#[cfg(test)]
mod tests;

use headwater_types::PixelBox;

use super::frame::Frame;
use crate::excerpt::Excerpt;
use crate::level::Level;
use crate::rgb::rgb_len;
use crate::room::room;
use planes::Planes;
use reader::{Reader, Store};
use scan::Scan;
use source::Source;
#[cfg(test)]
pub(crate) use source::ZIGZAG;
use window::Window;

/// The buffers that the decoder keeps from photo to photo.
#[derive(Default)]
pub(crate) struct Buffers {
    scan: Scan,
    store: Store,
    planes: Planes,
    level: Level,
    /// Whether every photo is left to libjpeg.
    idle: bool,
}

// === impl Buffers ===

impl Buffers {
    /// Buffers of a decoder that computes with the instructions of a level.
    pub(crate) fn at(level: Level) -> Self {
        Self { level, ..Self::default() }
    }

    /// Buffers of a decoder that leaves every photo to libjpeg.
    pub(crate) fn idle() -> Self {
        Self { idle: true, ..Self::default() }
    }

    /// Gives back the memory of buffers that are larger than `most` bytes.
    pub(crate) fn trim(&mut self, most: usize) {
        self.scan.trim(most);
        self.store.trim(most);
        self.planes.trim(most);
    }
}

/// Reads the coefficients of a photo. `visit` gets them plane after plane, row of blocks after row, with the plane's
/// number, its blocks across and down, and the row's number. `None` where libjpeg might read others.
pub(super) fn coefficients(
    bytes: &[u8],
    frame: &Frame,
    mut visit: impl FnMut(usize, (usize, usize), usize, &[i16]),
) -> Option<()> {
    let source = read(bytes, frame)?;
    let mut buffers = Buffers::default();
    let Buffers { scan, store, level, .. } = &mut buffers;
    scan.read(bytes.get(source.data.clone())?, source.segments())?;
    let mut reader = Reader::new(*level, &source, scan)?;
    let (across, down) = source.mcus();
    reader.read(0..down, &(0..across), store)?;
    let (widest, tallest) = source.sampling();
    let mut base = 0;
    for (number, part) in source.components.iter().enumerate() {
        let (width, height) = part.blocks;
        let blocks = |length: u32, of: usize, most: usize| (length as usize * of).div_ceil(most * 8);
        let size = (blocks(source.size.width, width, widest), blocks(source.size.height, height, tallest));
        for y in 0..size.1 {
            let first = y / height * reader.row_blocks + base + y % height * width * across;
            visit(number, size, y, store.blocks(first, size.0).0);
        }
        base += width * height * across;
    }
    Some(())
}

/// Decodes at least the area of `excerpt` into the front of `out`, and gives the box that was decoded: its pixels are
/// those of the whole photo. `None` where libjpeg has to decode it; `out` holds anything then.
pub(super) fn decode(
    frame: &Frame,
    excerpt: &Excerpt<'_>,
    buffers: &mut Buffers,
    out: &mut Vec<u8>,
) -> Option<PixelBox> {
    let Buffers { scan, store, planes, level, idle: false } = buffers else { return None };
    let Excerpt { bytes, scale, area, .. } = *excerpt;
    let source = read(bytes, frame)?;
    let window = Window::new(&source, scale, area)?;
    scan.read(bytes.get(source.data.clone())?, source.segments())?;
    let mut reader = Reader::new(*level, &source, scan)?;
    planes.set(&window);
    let size = window.pixels.size();
    let pitch = size.width as usize * 3;
    let mut lines = room(out, rgb_len(size)).chunks_exact_mut(pitch).zip(window.pixels.y as usize..).peekable();
    let at_once = reader.rows_at_once(&window.columns);
    let mut first = window.rows.start;
    while first < window.rows.end {
        let next = (first + at_once).min(window.rows.end);
        reader.read(first..next, &window.columns, store)?;
        for row in first..next {
            planes.transform(*level, &source, &window, &reader, (store, row - first));
            let ready = window.ready(row);
            while let Some((line, y)) = lines.next_if(|(_, y)| *y < ready) {
                planes.pixels(*level, source.color, &window, row, y, line);
            }
        }
        first = next;
    }
    Some(window.pixels)
}

/// Reads all coefficients and drops them; `None` where libjpeg might read others.
pub(super) fn entropy(bytes: &[u8], frame: &Frame, buffers: &mut Buffers) -> Option<()> {
    let Buffers { scan, store, level, idle: false, .. } = buffers else { return None };
    let source = read(bytes, frame)?;
    scan.read(bytes.get(source.data.clone())?, source.segments())?;
    let mut reader = Reader::new(*level, &source, scan)?;
    let (across, down) = source.mcus();
    let mut row = 0;
    while row < down {
        let next = (row + reader.rows_at_once(&(0..across))).min(down);
        reader.read(row..next, &(0..across), store)?;
        row = next;
    }
    Some(())
}

fn read(bytes: &[u8], frame: &Frame) -> Option<Source> {
    if !frame.is_plain() {
        return None;
    }
    let source = Source::read(bytes, frame.first_scan_end)?;
    (source.size == frame.size).then_some(source)
}
