//! The rest of a recipe, from any cut. The storage side and the client share this code, so that they cannot disagree.
//!
//! Invariant: for cuts a <= b <= c, going from a to c gives the same bits as going from a to b and from there to c, and
//! fails for the same photos. Steps whose result is not asked for may be fused with the next, and are never skipped or
//! reordered.

use headwater_types::{Cut, Draws, Framing, ImageLimits, Recipe, Scale, Size};

use crate::decode::decode_at;
use crate::error::ImageError;
use crate::header::read_header;
use crate::indexed::{IndexedJpeg, JpegCrop};
use crate::payload::{Payload, Scaled, Tensor};
use crate::piece::Piece;
use crate::resample::Source;
use crate::rgb::{Rgb8, rgb_len};
use crate::scratch::Scratch;
use crate::target::Target;
use crate::tensor;
use crate::view::View;

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
    if to == at {
        return Ok(payload);
    }
    let nowhere = Err(ImageError::NoSuchStep { at, to });
    if to < at {
        return nowhere;
    }
    let task = Task { recipe, draws, limits };
    match to {
        Cut::JpegCrop => match payload {
            Payload::Indexed(photo) => task.slice(&photo).map(Payload::JpegCrop),
            _ => nowhere,
        },
        Cut::Decoded => match payload {
            Payload::Encoded(bytes) => task.decode(&bytes, scratch),
            Payload::Indexed(photo) => task.decode(photo.bytes(), scratch),
            _ => nowhere,
        },
        Cut::Cropped => crop(task, payload, scratch).map(Payload::Cropped),
        Cut::Flipped => flip(task, payload, scratch).map(Payload::Flipped),
        Cut::Tensor => floats(task, &payload, to, scratch).map(Payload::Tensor),
        Cut::Normalized => normalize(task, payload, scratch).map(Payload::Normalized),
        Cut::Encoded | Cut::Features => nowhere,
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
        _ => write(Task { recipe, draws, limits }, payload, Cut::Normalized, scratch, out),
    }
}

/// What is to be done to a sample, and within which limits.
#[derive(Clone, Copy)]
struct Task<'a> {
    recipe: &'a Recipe,
    draws: &'a Draws<'a>,
    limits: &'a ImageLimits,
}

// === impl Task ===

impl Task<'_> {
    /// The whole photo, at the scale that the recipe gives it.
    fn decode(&self, bytes: &[u8], scratch: &mut Scratch) -> Result<Payload, ImageError> {
        let stages = self.recipe.stages();
        let header = read_header(bytes, stages.orientation, self.limits)?;
        let source = header.size;
        let view = View::new(stages, &Framing::new(stages, source, self.draws), header.can_be_scaled());
        let rgb = decode_at(bytes, &header, view.scale, self.limits, scratch)?;
        Ok(match view.scale {
            Scale::WHOLE => Payload::Decoded(rgb),
            _ => Payload::Scaled(Scaled { rgb, source }),
        })
    }

    /// The piece of an indexed photo that its framing reads.
    fn slice(&self, photo: &IndexedJpeg) -> Result<JpegCrop, ImageError> {
        let stages = self.recipe.stages();
        photo.slice(stages, &Framing::new(stages, photo.size(stages.orientation), self.draws))
    }
}

/// Writes the floats of a sample: its pixels are cropped where they are not yet, and mirrored on the way.
fn write(task: Task<'_>, payload: &Payload, to: Cut, scratch: &mut Scratch, out: &mut [f32]) -> Result<(), ImageError> {
    let Task { recipe, draws, .. } = task;
    let (stages, normalize) = (recipe.stages(), to == Cut::Normalized);
    match payload {
        Payload::Cropped(rgb) | Payload::Flipped(rgb) => {
            check_output(recipe, payload.cut(), rgb.size())?;
            let width = rgb.size().width as usize;
            let mirror = payload.cut() < Cut::Flipped && Framing::flips(stages, draws);
            tensor::write(scratch.floats.of(stages, normalize), rgb.pixels(), width, mirror, out);
            Ok(())
        }
        Payload::Encoded(_)
        | Payload::Indexed(_)
        | Payload::JpegCrop(_)
        | Payload::Decoded(_)
        | Payload::Scaled(_)
        | Payload::Tensor(_)
        | Payload::Normalized(_) => crop_into(task, payload, scratch, Target::Tensor { stages, normalize, out }),
    }
}

/// Earlier cuts to floats, at `tensor` or `normalized`.
fn floats(task: Task<'_>, payload: &Payload, to: Cut, scratch: &mut Scratch) -> Result<Tensor, ImageError> {
    let size = task.recipe.output_size();
    let mut values = vec![0.0; rgb_len(size)];
    write(task, payload, to, scratch, &mut values)?;
    Tensor::new(size, values).ok_or(ImageError::NoSuchStep { at: payload.cut(), to })
}

fn normalize(task: Task<'_>, payload: Payload, scratch: &mut Scratch) -> Result<Tensor, ImageError> {
    if let Payload::Tensor(mut tensor) = payload {
        check_output(task.recipe, Cut::Tensor, tensor.size())?;
        tensor::normalize(task.recipe.stages(), tensor.values_mut());
        return Ok(tensor);
    }
    floats(task, &payload, Cut::Normalized, scratch)
}

fn flip(task: Task<'_>, payload: Payload, scratch: &mut Scratch) -> Result<Rgb8, ImageError> {
    let mut rgb = crop(task, payload, scratch)?;
    if Framing::flips(task.recipe.stages(), task.draws) {
        rgb.mirror();
    }
    Ok(rgb)
}

fn crop(task: Task<'_>, payload: Payload, scratch: &mut Scratch) -> Result<Rgb8, ImageError> {
    let at = payload.cut();
    if let Payload::Cropped(rgb) = payload {
        check_output(task.recipe, at, rgb.size())?;
        return Ok(rgb);
    }
    let size = task.recipe.output_size();
    let mut out = vec![0; rgb_len(size)];
    crop_into(task, &payload, scratch, Target::Pixels(&mut out))?;
    Rgb8::new(size, out).ok_or(ImageError::NoSuchStep { at, to: Cut::Cropped })
}

/// Crops an encoded or decoded sample into `out`.
fn crop_into(task: Task<'_>, payload: &Payload, scratch: &mut Scratch, out: Target<'_>) -> Result<(), ImageError> {
    let Task { draws, limits, .. } = task;
    let stages = task.recipe.stages();
    match payload {
        Payload::Encoded(bytes) => Piece::whole(bytes, stages, limits)?.crop_into(stages, draws, limits, scratch, out),
        Payload::Indexed(photo) => {
            let crop = task.slice(photo)?;
            Piece::of(&crop, stages, limits)?.crop_into(stages, draws, limits, scratch, out)
        }
        Payload::JpegCrop(crop) => Piece::of(crop, stages, limits)?.crop_into(stages, draws, limits, scratch, out),
        Payload::Decoded(rgb) => {
            let framing = Framing::new(stages, rgb.size(), draws);
            out.fill(Source::whole(rgb.pixels(), rgb.size()), &framing, &mut scratch.resampler, &mut scratch.floats);
            Ok(())
        }
        Payload::Scaled(Scaled { rgb, source }) => {
            let view = View::new(stages, &Framing::new(stages, *source, draws), true);
            check_size(Cut::Decoded, rgb.size(), view.scale.size(*source))?;
            out.fill(
                Source::whole(rgb.pixels(), rgb.size()),
                &view.framing,
                &mut scratch.resampler,
                &mut scratch.floats,
            );
            Ok(())
        }
        Payload::Cropped(_) | Payload::Flipped(_) | Payload::Tensor(_) | Payload::Normalized(_) => {
            Err(ImageError::NoSuchStep { at: payload.cut(), to: Cut::Cropped })
        }
    }
}

fn check_output(recipe: &Recipe, cut: Cut, actual: Size) -> Result<(), ImageError> {
    check_size(cut, actual, recipe.output_size())
}

fn check_size(cut: Cut, actual: Size, expected: Size) -> Result<(), ImageError> {
    if actual != expected {
        let words = |size: Size| format!("{}x{}", size.width, size.height);
        return Err(ImageError::Shape { cut, actual: words(actual), expected: words(expected) });
    }
    Ok(())
}
