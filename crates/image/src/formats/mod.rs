//! The formats that are decoded, a module for each; and here all that a format must provide.
//!
//! A new format is a module beside these, a variant of [`Format`] with its line in that table, and its arm in each
//! match below: the compiler names them.

mod bmp;
mod cmyk;
mod gif;
mod grey;
pub(crate) mod jpeg;
mod others;
mod palette;
mod png;
mod pnm;
mod stored;
mod tiff;
mod webp;

use headwater_types::{Format, ImageLimits, PixelBox};

use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::rgb::rgb_len;
use crate::room::room;

pub(crate) use stored::Stored;

/// What a photo's header says in the terms of its format: what its decoder wants to know again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Jpeg(jpeg::Frame),
    Png(png::Chunks),
    WebP(webp::Container),
    Pnm(pnm::Netpbm),
    Bmp(bmp::Bitmap),
    Gif(gif::Screen),
    Tiff(tiff::Layout),
}

/// Tells the format by content.
///
/// # Errors
/// `UnsupportedFormat`, naming the format where it is a known one.
pub fn sniff(bytes: &[u8]) -> Result<Format, ImageError> {
    let found = Format::ALL.into_iter().find(|format| begins(*format, bytes));
    found.ok_or_else(|| ImageError::UnsupportedFormat { found: others::name(bytes) })
}

/// Whether content begins as that of a format does.
fn begins(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Jpeg => bytes.starts_with(jpeg::SIGNATURE),
        Format::Png => bytes.starts_with(png::SIGNATURE),
        Format::WebP => webp::begins(bytes),
        Format::Pnm => pnm::begins(bytes),
        Format::Bmp => bmp::begins(bytes),
        Format::Gif => gif::begins(bytes),
        Format::Tiff => tiff::begins(bytes),
    }
}

// === impl Detail ===

impl Detail {
    /// Reads the header of content of this format, and holds it against the limits.
    pub(crate) fn read(format: Format, bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        Ok(match format {
            Format::Jpeg => Self::Jpeg(jpeg::read_frame(bytes, limits)?),
            Format::Png => Self::Png(png::Chunks::read(bytes, limits)?),
            Format::WebP => Self::WebP(webp::Container::read(bytes, limits)?),
            Format::Pnm => Self::Pnm(pnm::Netpbm::read(bytes, limits)?),
            Format::Bmp => Self::Bmp(bmp::Bitmap::read(bytes, limits)?),
            Format::Gif => Self::Gif(gif::Screen::read(bytes, limits)?),
            Format::Tiff => Self::Tiff(tiff::Layout::read(bytes, limits)?),
        })
    }

    /// What the header of `bytes` says.
    pub(crate) fn stored(&self, bytes: &[u8]) -> Stored {
        let (size, orientation, memory) = match self {
            Self::Jpeg(frame) => (frame.size, frame.orientation, jpeg::working_memory(frame, bytes)),
            Self::Png(chunks) => (chunks.size, chunks.orientation, chunks.working_memory()),
            Self::WebP(container) => (container.size, container.orientation, container.working_memory(bytes)),
            Self::Pnm(header) => return header.stored(),
            Self::Bmp(header) => return header.stored(),
            Self::Gif(screen) => return screen.stored(),
            Self::Tiff(layout) => return layout.stored(bytes),
        };
        Stored { size, orientation, memory }
    }

    /// The frame of a JPEG. Only JPEGs are decoded at a fraction of their size, and only they have an indexed form.
    pub(crate) fn jpeg(&self) -> Option<&jpeg::Frame> {
        match self {
            Self::Jpeg(frame) => Some(frame),
            Self::Png(_) | Self::WebP(_) | Self::Pnm(_) | Self::Bmp(_) | Self::Gif(_) | Self::Tiff(_) => None,
        }
    }

    /// Decodes at least the area of `excerpt`, as the photo is stored, into the front of `out`, and gives the box that
    /// was decoded. `raw` is room for pixels in another layout.
    pub(crate) fn decode(
        &self,
        excerpt: &Excerpt<'_>,
        jpeg: &mut jpeg::Buffers,
        raw: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<PixelBox, ImageError> {
        let size = match self {
            Self::Jpeg(frame) => return jpeg::decode(frame, excerpt, jpeg, raw, out),
            Self::Png(chunks) => chunks.size,
            Self::WebP(container) => container.size,
            Self::Pnm(header) => header.stored().size,
            Self::Bmp(header) => header.stored().size,
            Self::Gif(screen) => screen.stored().size,
            Self::Tiff(layout) => {
                tiff::decode(layout, excerpt, jpeg, raw, out)?;
                return Ok(PixelBox::whole(layout.stored(excerpt.bytes).size));
            }
        };
        let out = room(out, rgb_len(size));
        match self {
            Self::Jpeg(_) | Self::Tiff(_) => {}
            Self::Png(chunks) => png::decode(chunks, excerpt, raw, out)?,
            Self::WebP(container) => webp::decode(container, excerpt, raw, out)?,
            Self::Pnm(header) => pnm::decode(header, excerpt.bytes, out)?,
            Self::Bmp(header) => bmp::decode(header, excerpt.bytes, out)?,
            Self::Gif(screen) => gif::decode(screen, excerpt.bytes, raw, out)?,
        }
        Ok(PixelBox::whole(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_known_others_are_named() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0rest"), Ok(Format::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\nrest"), Ok(Format::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(Format::WebP));
        assert_eq!(sniff(b"P6\n1 1\n"), Ok(Format::Pnm));
        assert_eq!(sniff(b"BMxxxx"), Ok(Format::Bmp));
        assert_eq!(sniff(b"\x28\0\0\0xxxx"), Ok(Format::Bmp));
        assert_eq!(sniff(b"GIF89a"), Ok(Format::Gif));
        assert_eq!(sniff(b"MM\0+"), Ok(Format::Tiff));
        for (bytes, name) in [
            (&b"\0\0\0\x20ftypavif"[..], "an AVIF"),
            (b"P7\nWIDTH 1\n", "a PAM"),
            (b"", "empty"),
            (b"RIFF\0\0\0\0WAVE", "of no known image format"),
            (b"\xff\xd8", "of no known image format"),
        ] {
            let error = sniff(bytes).unwrap_err();
            assert_eq!(error, ImageError::UnsupportedFormat { found: name });
            assert!(error.to_string().contains(name));
        }
    }
}
