//! The grammar of recipes: which stages there are, in which order, and which values fit together.

use super::error::RecipeError;
use super::fields::Side;
use super::stages::{DecodeMode, Geometry, Interpolation, Normalize, Orientation, Stages, TensorScale};
use super::written::{Stage, Written};

/// A recursive-descent parser over the list of stages: the grammar read top to bottom.
pub(super) struct Cursor<'a> {
    stages: &'a [Written<'a>],
    position: usize,
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    pub(super) fn new(stages: &'a [Written<'a>]) -> Self {
        Self { stages, position: 0 }
    }

    /// The stages, if all are there and each is in its place.
    pub(super) fn stages(mut self) -> Result<Stages, RecipeError> {
        let (orientation, decode) = self.decode()?;
        let (geometry, interpolation) = self.geometry()?;
        let flip = self.flip()?;
        let scale = self.tensor_scale()?;
        let normalize = self.normalize()?;
        match self.peek() {
            None => Ok(Stages { orientation, decode, geometry, interpolation, flip, scale, normalize }),
            Some(_) => Err(self.out_of_place()),
        }
    }

    fn decode(&mut self) -> Result<(Orientation, DecodeMode), RecipeError> {
        match self.next().map(|written| &written.stage) {
            Some(Stage::Decode { orientation, decode }) => Ok((*orientation, *decode)),
            _ => Err(self.was_out_of_place()),
        }
    }

    fn geometry(&mut self) -> Result<(Geometry, Interpolation), RecipeError> {
        let Some(written) = self.next() else { return Err(self.was_out_of_place()) };
        let error = |key, problem: &str| Err(written.fields.error(key, problem));
        match written.stage {
            Stage::RandomResizedCrop { size, scale, ratio, interpolation } => {
                if !(scale[0] > 0.0 && scale[0] <= scale[1] && scale[1] <= 1.0) {
                    return error("scale", "must be [low, high] with 0 < low <= high <= 1");
                }
                if !(ratio[0] >= 1e-3 && ratio[0] <= ratio[1] && ratio[1] <= 1e3) {
                    return error("ratio", "must be [low, high] with 0.001 <= low <= high <= 1000");
                }
                Ok((Geometry::RandomResizedCrop { size: written.size(size)?, scale, ratio }, interpolation))
            }
            Stage::Resize { size: Side::One(shorter), interpolation } => {
                written.size(Side::One(shorter))?;
                let Some((crop, &Stage::CenterCrop { size: Some(size), fraction: None, steps })) =
                    self.next().map(|written| (written, &written.stage))
                else {
                    return Err(self.was_out_of_place());
                };
                let size = crop.size(size)?;
                if size.height.max(size.width) > shorter {
                    return Err(crop.fields.error("size", "must not be larger than the resize before it"));
                }
                Ok((Geometry::ResizeThenCenterCrop { shorter, size, steps }, interpolation))
            }
            Stage::Resize { size, interpolation } => {
                Ok((Geometry::Resize { size: written.size(size)? }, interpolation))
            }
            Stage::CenterCrop { size: None, fraction: Some(fraction), .. } => {
                if written.fields.value("exact").is_some() {
                    return error(
                        "exact",
                        "goes with `size`, behind resize: leave it out, a `fraction` is cut out in one step",
                    );
                }
                if !(fraction > 0.0 && fraction <= 1.0) {
                    return error("fraction", "must be above 0 and at most 1");
                }
                let Some((resize, &Stage::Resize { size, interpolation })) =
                    self.next().map(|written| (written, &written.stage))
                else {
                    return Err(self.was_out_of_place());
                };
                Ok((Geometry::CenterCropThenResize { fraction, size: resize.size(size)? }, interpolation))
            }
            _ => Err(self.was_out_of_place()),
        }
    }

    fn flip(&mut self) -> Result<Option<f64>, RecipeError> {
        let Some((written, &Stage::RandomHorizontalFlip { p })) = self.peek().map(|written| (written, &written.stage))
        else {
            return Ok(None);
        };
        self.position += 1;
        if (0.0..=1.0).contains(&p) {
            return Ok(Some(p));
        }
        Err(written.fields.error("p", "must lie between 0 and 1"))
    }

    fn tensor_scale(&mut self) -> Result<TensorScale, RecipeError> {
        match self.next().map(|written| &written.stage) {
            Some(Stage::ToTensor { scale }) => Ok(*scale),
            _ => Err(self.was_out_of_place()),
        }
    }

    fn normalize(&mut self) -> Result<Option<Normalize>, RecipeError> {
        let Some((written, &Stage::Normalize { mean, std })) = self.peek().map(|written| (written, &written.stage))
        else {
            return Ok(None);
        };
        self.position += 1;
        if !mean.iter().all(|m| m.is_finite()) {
            return Err(written.fields.error("mean", "must be finite"));
        }
        if !std.iter().all(|s| s.is_normal() && *s > 0.0) {
            return Err(written.fields.error("std", "must be finite and above 0"));
        }
        Ok(Some(Normalize { mean, std }))
    }

    fn peek(&self) -> Option<&'a Written<'a>> {
        self.stages.get(self.position)
    }

    fn next(&mut self) -> Option<&'a Written<'a>> {
        let stage = self.peek();
        self.position += 1;
        stage
    }

    fn out_of_place(&self) -> RecipeError {
        let found = self.peek().map_or("the end", |written| written.stage.name());
        let line = self.peek().map(|written| written.fields.line());
        RecipeError::Order { line, position: self.position + 1, found }
    }

    fn was_out_of_place(&mut self) -> RecipeError {
        self.position -= 1;
        self.out_of_place()
    }
}
