//! What a GIF says before the indices of its first frame.

use headwater_types::{Format, ImageLimits, PixelBox, Size};

use super::blocks::Blocks;
use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::stored::Stored;
use crate::limits;

/// What a GIF says before the indices of its first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Size of the canvas, which grows to hold the frame.
    pub(super) size: Size,
    /// The frame's place on the canvas.
    pub(super) place: PixelBox,
    /// Offset of the colours that count, and how many there are; `None` for grey levels.
    pub(super) colors: Option<(usize, usize)>,
    /// The index that the canvas has before the frame is drawn.
    pub(super) fill: u8,
    /// Whether rows come in four passes.
    pub(super) interlaced: bool,
    /// Bits of an index in the coded blocks.
    pub(super) bits: u8,
    /// Offset of the first block.
    pub(super) blocks: usize,
}

/// Bytes before the first palette.
const HEADER: usize = 13;
const HAS_COLORS: u8 = 0x80;
const IS_INTERLACED: u8 = 0x40;
/// The label of the extension that states a transparent index.
const CONTROL: u8 = 0xf9;
/// Most memory that the decoder of the codes takes: their table, and the longest string of one code.
const CODES: u64 = 128 << 10;

/// Whether content begins as a GIF does.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a")
}

// === impl Screen ===

impl Screen {
    /// Reads all that stands before the first frame, and holds it against the limits. Allocates nothing.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let screen = bytes.get(6..HEADER).ok_or_else(ends)?;
        let (global, mut at) = colors(bytes, HEADER, screen[4])?;
        let mut transparent = None;
        let frame = loop {
            let byte = *bytes.get(at).ok_or_else(|| malformed("it has no frame"))?;
            at += 1;
            match byte {
                b';' => return Err(malformed("it has no frame")),
                b',' => break bytes.get(at..at + 9).ok_or_else(ends)?,
                b'!' => {
                    let label = *bytes.get(at).ok_or_else(ends)?;
                    let mut blocks = Blocks::new(bytes, at + 1);
                    match blocks.next() {
                        Some(block) if label == CONTROL && block[0] & 1 > 0 => {
                            transparent = Some(*block.get(3).ok_or_else(ends)?);
                        }
                        Some(_) => {}
                        None => {
                            at = blocks.at;
                            continue;
                        }
                    }
                    blocks.by_ref().for_each(drop);
                    at = blocks.at;
                }
                _ => {}
            }
        };
        let side = |data: &[u8], at: usize| u32::from(u16::from_le_bytes([data[at], data[at + 1]]));
        let place = PixelBox { x: side(frame, 0), y: side(frame, 2), width: side(frame, 4), height: side(frame, 6) };
        if place.size().pixels() == 0 {
            return Err(malformed("its first frame is empty"));
        }
        let size = Size {
            width: side(screen, 0).max(place.x + place.width),
            height: side(screen, 2).max(place.y + place.height),
        };
        limits::check_size(size, limits)?;
        let (local, at) = colors(bytes, at + 9, frame[8])?;
        let bits = *bytes.get(at).ok_or_else(ends)?;
        if !(1..=12).contains(&bits) {
            return Err(malformed(format!("its indices have {bits} bits")));
        }
        Ok(Self {
            size,
            place,
            colors: [local, global].into_iter().flatten().find(|(at, count)| !is_grey(&bytes[*at..at + 3 * count])),
            fill: transparent.unwrap_or(0),
            interlaced: frame[8] & IS_INTERLACED > 0,
            bits,
            blocks: at + 1,
        })
    }

    /// What every format's header says. The frame's indices are held beside the pixels.
    pub(crate) fn stored(&self) -> Stored {
        Stored { size: self.size, orientation: UPRIGHT, memory: self.place.size().pixels() + CODES }
    }
}

/// A palette: its offset and the number of its colours.
type Colors = (usize, usize);

/// The palette that flags announce, and where it ends.
fn colors(bytes: &[u8], at: usize, flags: u8) -> Result<(Option<Colors>, usize), ImageError> {
    if flags & HAS_COLORS == 0 {
        return Ok((None, at));
    }
    let count = 2_usize << (flags & 7);
    let end = at + 3 * count;
    if end > bytes.len() {
        return Err(ends());
    }
    Ok((Some((at, count)), end))
}

/// Whether each index is its own grey level: to Pillow, such a palette is as if it were not there.
fn is_grey(colors: &[u8]) -> bool {
    (0..=255_u8).zip(colors.as_chunks::<3>().0).all(|(index, color)| *color == [index; 3])
}

fn ends() -> ImageError {
    malformed("it ends before its first frame")
}

pub(super) fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Gif, reason)
}
