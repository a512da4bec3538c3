//! JPEGs inside a TIFF: one for each chunk, without the tables that they have in common.

use headwater_types::{ByteCount, ImageLimits, PixelBox, Scale, Size};

use super::directory::{malformed, unsupported};
use super::kind::Kind;
use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::formats::jpeg;
use crate::rgb::Rgb8;

/// Most bytes of tables: all that a JPEG can have are less.
pub(super) const MOST_TABLES: usize = 64 << 10;
/// An Adobe segment up to its last byte, which says whether there is luma and chroma.
const ADOBE: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0";

/// What JPEGs of a TIFF have in common.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) tables: &'a [u8],
    pub(super) kind: Kind,
    pub(super) chunk: Size,
    pub(super) memory: ByteCount,
}

// === impl Common ===

impl Common<'_> {
    /// Decodes a chunk into rows of samples.
    pub(super) fn decode(
        &self,
        coded: &[u8],
        buffers: &mut jpeg::Buffers,
        samples: usize,
        out: &mut [u8],
    ) -> Result<(), ImageError> {
        let file = self.alone(coded, samples)?;
        let frame = jpeg::read_frame(&file, &ImageLimits { max_scans: 4, ..ImageLimits::default() })?;
        let rows = out.len() / samples / self.chunk.width as usize;
        if frame.size.width != self.chunk.width || (frame.size.height as usize) < rows {
            return Err(malformed("a JPEG inside it has another size than its strip or tile"));
        }
        if frame.size.height > self.chunk.height {
            return Err(malformed("a JPEG inside it is larger than its strip or tile"));
        }
        if frame.is_cmyk() != (samples == 4) {
            return Err(malformed("a JPEG inside it has other colours than it says"));
        }
        let length = out.len();
        if frame.is_cmyk() {
            let stored = jpeg::decode_cmyk(&frame, &file, self.memory)?;
            out.copy_from_slice(&stored[..length]);
            return Ok(());
        }
        let area = PixelBox::whole(frame.size);
        let excerpt = Excerpt { bytes: &file, scale: Scale::WHOLE, area, memory: self.memory };
        let (mut raw, mut rgb) = (Vec::new(), Vec::new());
        jpeg::decode(&frame, &excerpt, buffers, &mut raw, &mut rgb)?;
        match samples {
            1 => out.iter_mut().zip(rgb.chunks_exact(Rgb8::CHANNELS)).for_each(|(out, pixel)| *out = pixel[0]),
            _ => out.copy_from_slice(&rgb[..length]),
        }
        Ok(())
    }

    /// The chunk as a file of its own, with the tables, and marked for the colours that the directory states.
    fn alone(&self, coded: &[u8], samples: usize) -> Result<Vec<u8>, ImageError> {
        if self.tables.len() > MOST_TABLES {
            return Err(unsupported("tables of a JPEG beyond 64 KiB"));
        }
        let body = coded.strip_prefix(b"\xff\xd8").ok_or_else(|| malformed("a strip or tile of it is no JPEG"))?;
        let tables = self.tables.strip_prefix(b"\xff\xd8").unwrap_or_default();
        let tables = tables.strip_suffix(b"\xff\xd9").unwrap_or(tables);
        let mut file = Vec::with_capacity(tables.len() + coded.len() + ADOBE.len() + 1);
        file.extend_from_slice(b"\xff\xd8");
        if samples < 4 {
            file.extend_from_slice(ADOBE);
            file.push(u8::from(self.kind == Kind::Luma));
        }
        file.extend_from_slice(tables);
        file.extend_from_slice(body);
        Ok(file)
    }
}
