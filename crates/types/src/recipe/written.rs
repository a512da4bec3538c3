//! A stage as it is written in a recipe: its keys and their values, before the grammar looks at its place.

use super::error::RecipeError;
use super::fields::{Fields, Side};
use super::stages::{DecodeMode, Interpolation, Orientation, Steps, TensorScale};
use crate::area::Size;
use crate::caps::MAX_OUTPUT_SIDE;

/// A stage, and the table in which it is written.
#[derive(Clone, Debug)]
pub(super) struct Written<'a> {
    pub(super) stage: Stage,
    pub(super) fields: Fields<'a>,
}

/// A stage with its values; those that are left out are the defaults.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Decode { orientation: Orientation, decode: DecodeMode },
    RandomResizedCrop { size: Side, scale: [f64; 2], ratio: [f64; 2], interpolation: Interpolation },
    Resize { size: Side, interpolation: Interpolation },
    CenterCrop { size: Option<Side>, fraction: Option<f64>, steps: Steps },
    RandomHorizontalFlip { p: f64 },
    ToTensor { scale: TensorScale },
    Normalize { mean: [f32; 3], std: [f32; 3] },
}

const OPS: [&str; 7] =
    ["decode", "random-resized-crop", "resize", "center-crop", "random-horizontal-flip", "to-tensor", "normalize"];
const SCALE: [f64; 2] = [0.08, 1.0];
const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];
const INTERPOLATIONS: [(&str, Interpolation); 2] =
    [("bilinear", Interpolation::Bilinear), ("bicubic", Interpolation::Bicubic)];

// === impl Written ===

impl<'a> Written<'a> {
    pub(super) fn read(fields: &Fields<'a>) -> Result<Self, RecipeError> {
        let op = fields.text("op")?.ok_or_else(|| fields.missing("op", "\"resize\""))?;
        let fields = fields.clone().called(format!("{} ({op})", fields.place()));
        let stage = match op {
            "decode" => Stage::decode(&fields)?,
            "random-resized-crop" => Stage::random_resized_crop(&fields)?,
            "resize" => Stage::resize(&fields)?,
            "center-crop" => Stage::center_crop(&fields)?,
            "random-horizontal-flip" => Stage::random_horizontal_flip(&fields)?,
            "to-tensor" => Stage::to_tensor(&fields)?,
            "normalize" => Stage::normalize(&fields)?,
            unknown => return Err(fields.error("op", format!("must be one of {}, not {unknown:?}", OPS.join(", ")))),
        };
        Ok(Self { stage, fields })
    }

    /// A size within bounds.
    pub(super) fn size(&self, side: Side) -> Result<Size, RecipeError> {
        let size = side.size();
        if (1..=MAX_OUTPUT_SIDE).contains(&size.height) && (1..=MAX_OUTPUT_SIDE).contains(&size.width) {
            return Ok(size);
        }
        Err(self.fields.error("size", format!("must lie between 1 and {MAX_OUTPUT_SIDE}")))
    }
}

// === impl Stage ===

impl Stage {
    fn decode(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "orientation", "decode"])?;
        let orientations = [("stored", Orientation::Stored), ("exif", Orientation::Exif)];
        let modes = [("exact", DecodeMode::Exact), ("fast", DecodeMode::Fast)];
        let orientation = fields.choice("orientation", &orientations)?;
        Ok(Self::Decode { orientation, decode: fields.choice("decode", &modes)? })
    }

    fn random_resized_crop(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "size", "scale", "ratio", "interpolation"])?;
        let scale = fields.numbers("scale")?.unwrap_or(SCALE);
        let ratio = fields.numbers("ratio")?.unwrap_or(RATIO);
        let interpolation = fields.choice("interpolation", &INTERPOLATIONS)?;
        Ok(Self::RandomResizedCrop { size: size(fields)?, scale, ratio, interpolation })
    }

    fn resize(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "size", "interpolation"])?;
        let interpolation = fields.choice("interpolation", &INTERPOLATIONS)?;
        Ok(Self::Resize { size: size(fields)?, interpolation })
    }

    fn center_crop(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "size", "fraction", "exact"])?;
        let steps = fields.choice("exact", &[("one-step", Steps::One), ("two-step", Steps::Two)])?;
        Ok(Self::CenterCrop { size: fields.side("size")?, fraction: fields.number("fraction")?, steps })
    }

    fn random_horizontal_flip(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "p"])?;
        Ok(Self::RandomHorizontalFlip { p: fields.number("p")?.unwrap_or(0.5) })
    }

    fn to_tensor(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "scale"])?;
        let scales = [("unit", TensorScale::Unit), ("byte", TensorScale::Byte)];
        Ok(Self::ToTensor { scale: fields.choice("scale", &scales)? })
    }

    fn normalize(fields: &Fields<'_>) -> Result<Self, RecipeError> {
        fields.only(&["op", "mean", "std"])?;
        let three = |key: &str, example: &str| -> Result<[f32; 3], RecipeError> {
            let numbers: [f64; 3] = fields.numbers(key)?.ok_or_else(|| fields.missing(key, example))?;
            Ok(numbers.map(|number| number as f32))
        };
        let mean = three("mean", "[0.485, 0.456, 0.406]")?;
        Ok(Self::Normalize { mean, std: three("std", "[0.229, 0.224, 0.225]")? })
    }

    pub(super) fn name(&self) -> &'static str {
        let place = match self {
            Self::Decode { .. } => 0,
            Self::RandomResizedCrop { .. } => 1,
            Self::Resize { .. } => 2,
            Self::CenterCrop { .. } => 3,
            Self::RandomHorizontalFlip { .. } => 4,
            Self::ToTensor { .. } => 5,
            Self::Normalize { .. } => 6,
        };
        OPS[place]
    }
}

fn size(fields: &Fields<'_>) -> Result<Side, RecipeError> {
    fields.side("size")?.ok_or_else(|| fields.missing("size", "224"))
}
