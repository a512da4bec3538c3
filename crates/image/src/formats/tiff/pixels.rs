//! The pixels of a TIFF, chunk by chunk.

use headwater_types::ByteCount;

use super::directory::{Values, malformed};
use super::expand::{Coding, expand};
use super::geometry::Place;
use super::jpeg::Common;
use super::layout::Layout;
use super::predictor;
use super::row::{Planes, RowConverter};
use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::exif::UPRIGHT;
use crate::formats::jpeg;
use crate::orient::turn;
use crate::rgb::{Rgb8, rgb_len};
use crate::room::room;

const JPEG_TABLES: u16 = 347;
/// How many times as long as the file all its chunks together may be: one may be used twice, but not a thousand times.
const MOST_USES: u64 = 4;

/// Decodes the first page, upright, into the front of `out`. `raw` is room for the samples of a chunk.
pub(crate) fn decode(
    layout: &Layout,
    excerpt: &Excerpt<'_>,
    buffers: &mut jpeg::Buffers,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), ImageError> {
    let photo = layout.geometry.photo;
    let chunks = Chunks::new(layout, excerpt.bytes, excerpt.memory)?;
    if layout.orientation == UPRIGHT {
        return chunks.decode(buffers, raw, room(out, rgb_len(photo)));
    }
    let mut stored = vec![0; rgb_len(photo)];
    chunks.decode(buffers, raw, &mut stored)?;
    turn(&stored, photo, layout.orientation, out);
    Ok(())
}

/// The chunks of a page.
struct Chunks<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
    offsets: Values<'a>,
    lengths: Option<Values<'a>>,
    common: Common<'a>,
}

// === impl Chunks ===

impl<'a> Chunks<'a> {
    fn new(layout: &'a Layout, bytes: &'a [u8], memory: ByteCount) -> Result<Self, ImageError> {
        let (offsets, lengths) = layout.chunks(bytes)?;
        let count = layout.geometry.count() * layout.planes();
        if offsets.len() < count {
            return Err(malformed(format!("it has {} of {count} strips or tiles", offsets.len())));
        }
        let coded = match (layout.coding, lengths) {
            (Coding::None, _) => 0,
            (_, None) => count as u64 * bytes.len() as u64,
            (_, Some(lengths)) => lengths.iter().take(count).fold(0, u64::saturating_add),
        };
        if coded > MOST_USES * bytes.len() as u64 {
            return Err(malformed("its strips or tiles lie over each other"));
        }
        let tables = layout.directory.bytes(bytes, JPEG_TABLES).unwrap_or_default();
        let common = Common { tables, kind: layout.kind, chunk: layout.geometry.chunk, memory };
        Ok(Self { layout, bytes, offsets, lengths, common })
    }

    fn decode(&self, buffers: &mut jpeg::Buffers, raw: &mut Vec<u8>, out: &mut [u8]) -> Result<(), ImageError> {
        let converter = RowConverter::new(self.layout, self.bytes)?;
        let stride = self.layout.geometry.photo.width as usize * Rgb8::CHANNELS;
        let row_bytes = self.layout.row_bytes();
        for place in self.layout.geometry.places() {
            let planes = self.planes(place, buffers, raw)?;
            for y in 0..place.rows {
                let rows: Planes<'_> = planes
                    .map(|plane| plane.get(y * row_bytes..).and_then(|row| row.get(..row_bytes)).unwrap_or_default());
                let left = (place.y + y) * stride + place.x * Rgb8::CHANNELS;
                converter.convert(&rows, &mut out[left..left + place.columns * Rgb8::CHANNELS]);
            }
        }
        Ok(())
    }

    /// The samples of a chunk, or of one chunk for each sample.
    fn planes<'b>(
        &'b self,
        place: Place,
        buffers: &mut jpeg::Buffers,
        raw: &'b mut Vec<u8>,
    ) -> Result<Planes<'b>, ImageError> {
        let layout = self.layout;
        let mut planes: Planes<'b> = [&[]; 6];
        let row_bytes = layout.row_bytes();
        if layout.is_as_stored() {
            for (plane, stored) in planes.iter_mut().enumerate().take(layout.planes()) {
                *stored = self.coded(place, plane, Some(row_bytes * place.rows))?;
            }
            return Ok(planes);
        }
        let length = row_bytes * place.stored_rows;
        let room = room(raw, length * layout.planes());
        for (plane, out) in room.chunks_exact_mut(length).enumerate() {
            let stated = (layout.coding == Coding::None).then_some(length);
            let coded = self.coded(place, plane, stated)?;
            let reversed: Vec<u8>;
            let coded = match layout.reversed {
                true => {
                    reversed = coded.iter().map(|byte| byte.reverse_bits()).collect();
                    &reversed
                }
                false => coded,
            };
            expand(layout.coding, coded, &self.common, buffers, layout.samples, out)?;
            if layout.predictor > 1 {
                for row in out.chunks_exact_mut(row_bytes) {
                    let big_endian = layout.directory.big_endian;
                    predictor::undo(layout.predictor, row, layout.bits, layout.chunk_samples(), big_endian);
                }
            }
        }
        for (stored, filled) in planes.iter_mut().zip(raw.chunks_exact(length).take(layout.planes())) {
            *stored = filled;
        }
        Ok(planes)
    }

    /// The stored bytes of a chunk: as many as are needed, or as the directory says.
    fn coded(&self, place: Place, plane: usize, needed: Option<usize>) -> Result<&'a [u8], ImageError> {
        let count = self.layout.geometry.count();
        // Of several chunks that each cover the photo Pillow takes the last.
        let last = self.layout.is_as_stored()
            && !self.layout.planar
            && self.layout.geometry.chunk == self.layout.geometry.photo;
        let index = if last { self.offsets.len() - 1 } else { plane * count + place.number };
        let find = || {
            let offset = usize::try_from(self.offsets.get(index)?).ok()?;
            let rest = self.bytes.get(offset..)?;
            match needed {
                Some(needed) => rest.get(..needed),
                None => match self.lengths {
                    Some(lengths) => rest.get(..usize::try_from(lengths.get(index)?).ok()?),
                    None => Some(rest),
                },
            }
        };
        find().ok_or_else(|| malformed("it ends before its last pixel"))
    }
}
