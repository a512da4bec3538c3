//! The rest of a recipe, from any cut: what storage side and client share, so that they cannot disagree.
//!
//! Invariant: for cuts a <= b <= c, going from a to c gives the same bits as going from a to b and from there to c, and
//! fails for the same photos. Steps in between that nobody asked for are fused, never skipped or reordered.

use headwater_types::{Cut, Draws, Framing, ImageLimits, PixelBox, Position, Recipe, Size};

use crate::decode::{decode, decode_into};
use crate::error::ImageError;
use crate::format::Format;
use crate::header::{Header, read_header};
use crate::indexed::{IndexedJpeg, JpegCrop};
use crate::payload::{Payload, Tensor};
use crate::resample::{Source, pixels_read};
use crate::rgb::{Rgb8, rgb_len};
use crate::scratch::Scratch;
use crate::tensor;

/// Takes a sample from the cut where it is to a later pixel cut (or leaves it where it is).
///
/// # Errors
/// Those of [`decode`] where it starts from the stored bytes; `Shape` where the payload is not the recipe's;
/// `NoSuchStep` for an earlier cut and for `features`.
pub fn advance(
    recipe: &Recipe,
    payload: Payload,
    to: Cut,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<Payload, ImageError> {
    let at = payload.cut();
    if to < at || !Cut::PIXELS.contains(&to) {
        return Err(ImageError::NoSuchStep { at, to });
    }
    if to == at {
        return Ok(payload);
    }
    let orientation = recipe.stages().orientation;
    match (payload, to) {
        (Payload::Indexed(photo), Cut::JpegCrop) => slice(recipe, &photo, draws).map(Payload::JpegCrop),
        (Payload::Encoded(bytes), Cut::Decoded) => decode(&bytes, orientation, limits, scratch).map(Payload::Decoded),
        (Payload::Indexed(photo), Cut::Decoded) => {
            decode(photo.bytes(), orientation, limits, scratch).map(Payload::Decoded)
        }
        (Payload::Encoded(_), Cut::JpegCrop) | (Payload::JpegCrop(_), Cut::Decoded) => {
            Err(ImageError::NoSuchStep { at, to })
        }
        (payload, Cut::Cropped) => crop(recipe, payload, draws, limits, scratch).map(Payload::Cropped),
        (payload, Cut::Flipped) => flip(recipe, payload, draws, limits, scratch).map(Payload::Flipped),
        (Payload::Tensor(mut tensor), _) => {
            check_output(recipe, Cut::Tensor, tensor.size())?;
            tensor::normalize(recipe.stages(), tensor.values_mut());
            Ok(Payload::Normalized(tensor))
        }
        (payload, _) => {
            let size = recipe.output_size();
            let mut values = vec![0.0; rgb_len(size)];
            write(recipe, &payload, to, draws, limits, scratch, &mut values)?;
            let tensor = Tensor::new(size, values).ok_or(ImageError::NoSuchStep { at, to })?;
            Ok(if to == Cut::Tensor { Payload::Tensor(tensor) } else { Payload::Normalized(tensor) })
        }
    }
}

/// Takes a sample from the cut where it is to the finished tensor, written into a row of a batch: f32 `[3, h, w]`. The
/// fast path of feature extraction: from the stored bytes it allocates nothing that `scratch` does not keep.
///
/// # Errors
/// Those of [`advance`]; `RowLength` where `out` is no row of this recipe. `out` is unspecified after an error.
pub fn finish_into(
    recipe: &Recipe,
    payload: &Payload,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
    out: &mut [f32],
) -> Result<(), ImageError> {
    let expected = rgb_len(recipe.output_size());
    if out.len() != expected {
        return Err(ImageError::RowLength { actual: out.len(), expected });
    }
    match payload {
        Payload::Tensor(values) | Payload::Normalized(values) => {
            check_output(recipe, payload.cut(), values.size())?;
            out.copy_from_slice(values.values());
            if payload.cut() == Cut::Tensor {
                tensor::normalize(recipe.stages(), out);
            }
            Ok(())
        }
        _ => write(recipe, payload, Cut::Normalized, draws, limits, scratch, out),
    }
}

/// Pixels, or the way to them, to floats: cropped where they are not, mirrored on the way.
fn write(
    recipe: &Recipe,
    payload: &Payload,
    to: Cut,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
    out: &mut [f32],
) -> Result<(), ImageError> {
    let stages = recipe.stages();
    let width = recipe.output_size().width as usize;
    let mirror = payload.cut() < Cut::Flipped && Framing::flips(stages, draws);
    match payload {
        Payload::Cropped(rgb) | Payload::Flipped(rgb) => {
            check_output(recipe, payload.cut(), rgb.size())?;
            tensor::write(scratch.floats.of(stages, to == Cut::Normalized), rgb.pixels(), width, mirror, out);
        }
        _ => {
            let mut cropped = std::mem::take(&mut scratch.cropped);
            cropped.resize(rgb_len(recipe.output_size()), 0);
            let outcome = crop_into(recipe, payload, draws, limits, scratch, &mut cropped);
            if outcome.is_ok() {
                tensor::write(scratch.floats.of(stages, to == Cut::Normalized), &cropped, width, mirror, out);
            }
            scratch.cropped = cropped;
            outcome?;
        }
    }
    Ok(())
}

fn flip(
    recipe: &Recipe,
    payload: Payload,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<Rgb8, ImageError> {
    let mut rgb = crop(recipe, payload, draws, limits, scratch)?;
    if Framing::flips(recipe.stages(), draws) {
        rgb.mirror();
    }
    Ok(rgb)
}

fn crop(
    recipe: &Recipe,
    payload: Payload,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<Rgb8, ImageError> {
    let at = payload.cut();
    if let Payload::Cropped(rgb) = payload {
        check_output(recipe, at, rgb.size())?;
        return Ok(rgb);
    }
    let size = recipe.output_size();
    let mut out = vec![0; rgb_len(size)];
    crop_into(recipe, &payload, draws, limits, scratch, &mut out)?;
    Rgb8::new(size, out).ok_or(ImageError::NoSuchStep { at, to: Cut::Cropped })
}

/// Encoded or decoded to cropped, into `out`, which has the recipe's size.
fn crop_into(
    recipe: &Recipe,
    payload: &Payload,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let stages = recipe.stages();
    match payload {
        Payload::Encoded(bytes) => {
            let header = read_header(bytes, stages.orientation, limits)?;
            let framing = Framing::new(stages, header.size, draws);
            crop_piece(bytes, &header, Position::default(), &framing, limits, scratch, out)
        }
        Payload::Indexed(photo) => {
            let crop = slice(recipe, photo, draws)?;
            let header = read_header(&crop.jpeg, stages.orientation, limits)?;
            let framing = Framing::new(stages, crop.source, draws);
            crop_piece(&crop.jpeg, &header, crop.origin, &framing, limits, scratch, out)
        }
        Payload::JpegCrop(crop) => {
            let header = read_header(&crop.jpeg, stages.orientation, limits)?;
            let framing = framing_of(recipe, crop, &header, draws)?;
            crop_piece(&crop.jpeg, &header, crop.origin, &framing, limits, scratch, out)
        }
        Payload::Decoded(rgb) => {
            let framing = Framing::new(stages, rgb.size(), draws);
            scratch.resampler.resample(Source::whole(rgb.pixels(), rgb.size()), &framing, out);
            Ok(())
        }
        _ => Err(ImageError::NoSuchStep { at: payload.cut(), to: Cut::Cropped }),
    }
}

/// Crops from a stored photo, or from a piece of it whose first pixel is the photo's at `origin`.
fn crop_piece(
    bytes: &[u8],
    header: &Header,
    origin: Position,
    framing: &Framing,
    limits: &ImageLimits,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let read = pixels_read(framing);
    let wanted = PixelBox { x: read.x - origin.x, y: read.y - origin.y, ..read };
    let Scratch { decoded, decoder, resampler, .. } = scratch;
    let outcome = decode_into(bytes, header, wanted, limits, decoder, decoded);
    let outcome = outcome.map(|window| {
        let origin = Position { x: window.x + origin.x, y: window.y + origin.y };
        resampler.resample(Source { pixels: decoded, size: window.size(), origin }, framing, out);
    });
    scratch.trim();
    outcome
}

/// The piece of an indexed photo that its framing reads.
fn slice(recipe: &Recipe, photo: &IndexedJpeg, draws: &Draws<'_>) -> Result<JpegCrop, ImageError> {
    let stages = recipe.stages();
    let framing = Framing::new(stages, photo.size(stages.orientation), draws);
    photo.slice(&framing, stages.orientation)
}

/// The framing of the photo that a piece was cut from. A piece may have come over a network: what it says of itself must
/// fit together, and hold what the framing reads.
fn framing_of(recipe: &Recipe, crop: &JpegCrop, header: &Header, draws: &Draws<'_>) -> Result<Framing, ImageError> {
    let JpegCrop { origin, source, .. } = *crop;
    let Size { width, height } = header.size;
    let wrong = |expected: String| ImageError::Shape {
        cut: Cut::JpegCrop,
        actual: format!("a {} of {width}x{height} at {}, {}", header.format, origin.x, origin.y),
        expected,
    };
    if header.format != Format::Jpeg || !(PixelBox { x: origin.x, y: origin.y, width, height }).lies_in(source) {
        return Err(wrong(format!("a JPEG within {}x{}", source.width, source.height)));
    }
    let framing = Framing::new(recipe.stages(), source, draws);
    let read = pixels_read(&framing);
    let inside = |start: u32, length: u32, from: u32, side: u32| start >= from && start + length <= from + side;
    if !inside(read.x, read.width, origin.x, width) || !inside(read.y, read.height, origin.y, height) {
        return Err(wrong(format!("one that holds {}x{} at {}, {}", read.width, read.height, read.x, read.y)));
    }
    Ok(framing)
}

fn check_output(recipe: &Recipe, cut: Cut, actual: Size) -> Result<(), ImageError> {
    let expected = recipe.output_size();
    if actual != expected {
        let words = |size: Size| format!("{}x{}", size.width, size.height);
        return Err(ImageError::Shape { cut, actual: words(actual), expected: words(expected) });
    }
    Ok(())
}
