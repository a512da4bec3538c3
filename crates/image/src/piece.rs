//! A stored photo, or a piece that was cut out of one: from its bytes to its crop.

use headwater_types::recipe::Stages;
use headwater_types::{Cut, Draws, Format, Framing, ImageLimits, PixelBox, Position, Size};

use crate::decode::decode_into;
use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::header::{Header, read_header};
use crate::indexed::JpegCrop;
use crate::resample::Source;
use crate::scratch::Scratch;
use crate::target::Target;
use crate::view::View;

/// Stored bytes, and the place in their photo of the pixels that they hold.
pub(crate) struct Piece<'a> {
    bytes: &'a [u8],
    header: Header,
    /// Where in the photo its first pixel lies.
    origin: Position,
    /// Size of the photo.
    source: Size,
}

// === impl Piece ===

impl<'a> Piece<'a> {
    /// A whole photo.
    pub(crate) fn whole(bytes: &'a [u8], stages: &Stages, limits: &ImageLimits) -> Result<Self, ImageError> {
        let header = read_header(bytes, stages.orientation, limits)?;
        Ok(Self { bytes, header, origin: Position::default(), source: header.size })
    }

    /// A piece that was cut out of a photo. It may have come over a network, so that its header, place and photo are
    /// held against each other.
    pub(crate) fn of(crop: &'a JpegCrop, stages: &Stages, limits: &ImageLimits) -> Result<Self, ImageError> {
        let JpegCrop { jpeg, origin, source } = crop;
        let header = read_header(jpeg, stages.orientation, limits)?;
        let piece = Self { bytes: jpeg, header, origin: *origin, source: *source };
        let Size { width, height } = header.size;
        if header.format != Format::Jpeg || !(PixelBox { x: origin.x, y: origin.y, width, height }).lies_in(*source) {
            return Err(piece.wrong(format!("a JPEG within {}x{}", source.width, source.height)));
        }
        Ok(piece)
    }

    /// Decodes what a sample's framing reads, crops and resizes it into `out`.
    pub(crate) fn crop_into(
        &self,
        stages: &Stages,
        draws: &Draws<'_>,
        limits: &ImageLimits,
        scratch: &mut Scratch,
        out: Target<'_>,
    ) -> Result<(), ImageError> {
        let framing = Framing::new(stages, self.source, draws);
        let view = View::new(stages, &framing, self.header.can_be_scaled());
        let origin = view.scaled(self.origin).ok_or_else(|| self.wrong(format!("a place at {:?}", view.scale)))?;
        let area = self.within(&view, origin)?;
        let excerpt = Excerpt { bytes: self.bytes, scale: view.scale, area, memory: limits.max_sample_memory };
        let Scratch { decoded, decoder, resampler, floats } = scratch;
        let outcome = decode_into(&self.header, excerpt, decoder, decoded).map(|window| {
            let origin = Position { x: origin.x + window.x, y: origin.y + window.y };
            out.fill(Source { pixels: decoded, size: window.size(), origin }, &view.framing, resampler, floats);
        });
        scratch.trim();
        outcome
    }

    /// The pixels that are read, counted from the piece's own first one at `origin`.
    fn within(&self, view: &View, origin: Position) -> Result<PixelBox, ImageError> {
        let read = view.read();
        let here = || Some(PixelBox { x: read.x.checked_sub(origin.x)?, y: read.y.checked_sub(origin.y)?, ..read });
        here().filter(|wanted| wanted.lies_in(view.scale.size(self.header.size))).ok_or_else(|| {
            self.wrong(format!("one that holds {}x{} at {}, {}", read.width, read.height, read.x, read.y))
        })
    }

    fn wrong(&self, expected: String) -> ImageError {
        let Size { width, height } = self.header.size;
        let Position { x, y } = self.origin;
        let actual = format!("a {} of {width}x{height} at {x}, {y}", self.header.format);
        ImageError::Shape { cut: Cut::JpegCrop, actual, expected }
    }
}
