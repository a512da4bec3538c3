//! Reading a recipe from TOML: size limit first, then syntax, then the grammar.

use serde::Deserialize;

use super::{DecodeMode, Geometry, Normalize, Orientation, Recipe, Stages, TensorScale};
use crate::caps::{MAX_OUTPUT_SIDE, MAX_RECIPE_BYTES, MAX_RECIPE_STAGES};
use crate::framing::Size;
use crate::ids::NameError;

/// Why text is not a recipe.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// More bytes than any recipe needs.
    #[error("a recipe of {0} bytes is longer than {MAX_RECIPE_BYTES}")]
    TooLong(usize),
    /// Not TOML, or a field that no stage has.
    #[error("{0}")]
    Syntax(Box<toml::de::Error>),
    /// The name has characters that names may not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Stages that are missing, doubled or out of order.
    #[error(
        "stage {position} ({found}) is out of place: a recipe is decode, then random-resized-crop | resize + center-crop | \
         center-crop (fraction) + resize | resize, then random-horizontal-flip (may be left out), then to-tensor, then \
         normalize (may be left out)"
    )]
    Order {
        /// Counted from 1.
        position: usize,
        /// The stage that is there, or `the end`.
        found: &'static str,
    },
    /// A number outside its range.
    #[error("stage {stage}: {field} {problem}")]
    Value {
        /// The stage's name.
        stage: &'static str,
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    #[serde(default)]
    stage: Vec<Stage>,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
enum Stage {
    Decode {
        #[serde(default)]
        orientation: OrientationName,
        #[serde(default)]
        decode: DecodeName,
    },
    RandomResizedCrop {
        size: Side,
        #[serde(default = "default_scale")]
        scale: [f64; 2],
        #[serde(default = "default_ratio")]
        ratio: [f64; 2],
        #[serde(default)]
        interpolation: Interpolation,
    },
    Resize {
        size: Side,
        #[serde(default)]
        interpolation: Interpolation,
    },
    CenterCrop {
        size: Option<Side>,
        fraction: Option<f64>,
    },
    RandomHorizontalFlip {
        #[serde(default = "half")]
        p: f64,
    },
    ToTensor {
        #[serde(default)]
        scale: ScaleName,
    },
    Normalize {
        mean: [f32; 3],
        std: [f32; 3],
    },
}

/// One number or `[height, width]`, as torchvision takes them.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Side {
    One(u32),
    Two([u32; 2]),
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OrientationName {
    #[default]
    Stored,
    Exif,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DecodeName {
    #[default]
    Exact,
    Fast,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ScaleName {
    #[default]
    Unit,
    Byte,
}

/// There is one, so that a recipe that asks for another is refused and not misread.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Interpolation {
    #[default]
    Bilinear,
}

fn default_scale() -> [f64; 2] {
    [0.08, 1.0]
}

fn default_ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

fn half() -> f64 {
    0.5
}

pub(super) fn recipe(text: &str) -> Result<Recipe, RecipeError> {
    if text.len() > MAX_RECIPE_BYTES {
        return Err(RecipeError::TooLong(text.len()));
    }
    let document: Document = toml::from_str(text).map_err(|error| RecipeError::Syntax(Box::new(error)))?;
    let name = document.name.parse()?;
    if document.stage.len() > MAX_RECIPE_STAGES {
        return Err(RecipeError::Order { position: MAX_RECIPE_STAGES + 1, found: "too many stages" });
    }
    Ok(Recipe::new(name, Cursor { stages: &document.stage, position: 0 }.stages()?))
}

/// A recursive-descent parser over the list of stages: the grammar read top to bottom.
struct Cursor<'a> {
    stages: &'a [Stage],
    position: usize,
}

impl Cursor<'_> {
    fn stages(mut self) -> Result<Stages, RecipeError> {
        let (orientation, decode) = self.decode()?;
        let geometry = self.geometry()?;
        let flip = self.flip()?;
        let scale = self.tensor_scale()?;
        let normalize = self.normalize()?;
        match self.peek() {
            None => Ok(Stages { orientation, decode, geometry, flip, scale, normalize }),
            Some(_) => Err(self.out_of_place()),
        }
    }

    fn decode(&mut self) -> Result<(Orientation, DecodeMode), RecipeError> {
        let Some(Stage::Decode { orientation, decode }) = self.next() else { return Err(self.was_out_of_place()) };
        let orientation = match orientation {
            OrientationName::Stored => Orientation::Stored,
            OrientationName::Exif => Orientation::Exif,
        };
        let decode = match decode {
            DecodeName::Exact => DecodeMode::Exact,
            DecodeName::Fast => DecodeMode::Fast,
        };
        Ok((orientation, decode))
    }

    fn geometry(&mut self) -> Result<Geometry, RecipeError> {
        match self.next() {
            Some(Stage::RandomResizedCrop { size, scale, ratio, interpolation: Interpolation::Bilinear }) => {
                let stage = "random-resized-crop";
                let error = |field, problem| RecipeError::Value { stage, field, problem };
                if !(scale[0] > 0.0 && scale[0] <= scale[1] && scale[1] <= 1.0) {
                    return Err(error("scale", "must be [low, high] with 0 < low <= high <= 1"));
                }
                if !(ratio[0] >= 1e-3 && ratio[0] <= ratio[1] && ratio[1] <= 1e3) {
                    return Err(error("ratio", "must be [low, high] with 0.001 <= low <= high <= 1000"));
                }
                Ok(Geometry::RandomResizedCrop { size: size.check(stage)?, scale, ratio })
            }
            Some(Stage::Resize { size: Side::One(shorter), interpolation: Interpolation::Bilinear }) => {
                Side::One(shorter).check("resize")?;
                let Some(Stage::CenterCrop { size: Some(size), fraction: None }) = self.next() else {
                    return Err(self.was_out_of_place());
                };
                let size = size.check("center-crop")?;
                if size.height.max(size.width) > shorter {
                    let problem = "must not be larger than the resize before it";
                    return Err(RecipeError::Value { stage: "center-crop", field: "size", problem });
                }
                Ok(Geometry::ResizeThenCenterCrop { shorter, size })
            }
            Some(Stage::Resize { size, interpolation: Interpolation::Bilinear }) => {
                Ok(Geometry::Resize { size: size.check("resize")? })
            }
            Some(Stage::CenterCrop { size: None, fraction: Some(fraction) }) => {
                if !(fraction > 0.0 && fraction <= 1.0) {
                    let problem = "must be above 0 and at most 1";
                    return Err(RecipeError::Value { stage: "center-crop", field: "fraction", problem });
                }
                let Some(Stage::Resize { size, interpolation: Interpolation::Bilinear }) = self.next() else {
                    return Err(self.was_out_of_place());
                };
                Ok(Geometry::CenterCropThenResize { fraction, size: size.check("resize")? })
            }
            _ => Err(self.was_out_of_place()),
        }
    }

    fn flip(&mut self) -> Result<Option<f64>, RecipeError> {
        let Some(&Stage::RandomHorizontalFlip { p }) = self.peek() else { return Ok(None) };
        self.position += 1;
        if (0.0..=1.0).contains(&p) {
            return Ok(Some(p));
        }
        Err(RecipeError::Value { stage: "random-horizontal-flip", field: "p", problem: "must lie between 0 and 1" })
    }

    fn tensor_scale(&mut self) -> Result<TensorScale, RecipeError> {
        let Some(Stage::ToTensor { scale }) = self.next() else { return Err(self.was_out_of_place()) };
        Ok(match scale {
            ScaleName::Unit => TensorScale::Unit,
            ScaleName::Byte => TensorScale::Byte,
        })
    }

    fn normalize(&mut self) -> Result<Option<Normalize>, RecipeError> {
        let Some(&Stage::Normalize { mean, std }) = self.peek() else { return Ok(None) };
        self.position += 1;
        let error = |field, problem| Err(RecipeError::Value { stage: "normalize", field, problem });
        if !mean.iter().all(|m| m.is_finite()) {
            return error("mean", "must be finite");
        }
        if !std.iter().all(|s| s.is_normal() && *s > 0.0) {
            return error("std", "must be finite and above 0");
        }
        Ok(Some(Normalize { mean, std }))
    }

    fn peek(&self) -> Option<&Stage> {
        self.stages.get(self.position)
    }

    fn next(&mut self) -> Option<Stage> {
        let stage = self.peek().cloned();
        self.position += 1;
        stage
    }

    fn out_of_place(&self) -> RecipeError {
        let found = self.peek().map_or("the end", Stage::name);
        RecipeError::Order { position: self.position + 1, found }
    }

    fn was_out_of_place(&mut self) -> RecipeError {
        self.position -= 1;
        self.out_of_place()
    }
}

impl Stage {
    fn name(&self) -> &'static str {
        match self {
            Self::Decode { .. } => "decode",
            Self::RandomResizedCrop { .. } => "random-resized-crop",
            Self::Resize { .. } => "resize",
            Self::CenterCrop { .. } => "center-crop",
            Self::RandomHorizontalFlip { .. } => "random-horizontal-flip",
            Self::ToTensor { .. } => "to-tensor",
            Self::Normalize { .. } => "normalize",
        }
    }
}

impl Side {
    fn check(self, stage: &'static str) -> Result<Size, RecipeError> {
        let (height, width) = match self {
            Self::One(side) => (side, side),
            Self::Two([height, width]) => (height, width),
        };
        if (1..=MAX_OUTPUT_SIDE).contains(&height) && (1..=MAX_OUTPUT_SIDE).contains(&width) {
            return Ok(Size { width, height });
        }
        Err(RecipeError::Value { stage, field: "size", problem: "must lie between 1 and 4096" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stages: &[&str]) -> Result<Recipe, RecipeError> {
        recipe(&format!("name = 'x'\n{}", stages.iter().map(|s| format!("[[stage]]\n{s}\n")).collect::<String>()))
    }

    const DECODE: &str = "op = 'decode'";
    const TENSOR: &str = "op = 'to-tensor'";

    #[test]
    fn the_four_ways_to_a_fixed_size_are_read() {
        for geometry in [
            &["op='random-resized-crop'\nsize=32"][..],
            &["op='resize'\nsize=256", "op='center-crop'\nsize=[224, 200]"],
            &["op='center-crop'\nfraction=0.875", "op='resize'\nsize=224"],
            &["op='resize'\nsize=[10, 20]"],
        ] {
            read(&[&[DECODE], geometry, &[TENSOR]].concat()).unwrap();
        }
    }

    #[test]
    fn stages_out_of_order_are_refused_by_position() {
        let error = read(&[DECODE, TENSOR]).unwrap_err().to_string();
        assert!(error.starts_with("stage 2 (to-tensor) is out of place"), "{error}");
        let error = read(&[DECODE, "op='resize'\nsize=[8,8]"]).unwrap_err().to_string();
        assert!(error.starts_with("stage 3 (the end)"), "{error}");
        let error = read(&[DECODE, "op='resize'\nsize=[8,8]", TENSOR, TENSOR]).unwrap_err().to_string();
        assert!(error.starts_with("stage 4 (to-tensor)"), "{error}");
    }

    #[test]
    fn values_out_of_range_and_unknown_fields_are_refused() {
        for geometry in [
            "op='random-resized-crop'\nsize=0",
            "op='random-resized-crop'\nsize=5000",
            "op='random-resized-crop'\nsize=8\nscale=[0.9, 0.1]",
            "op='random-resized-crop'\nsize=8\nratio=[nan, 1]",
            "op='random-resized-crop'\nsize=8\ninterpolation='bicubic'",
            "op='random-resized-crop'\nsize=8\nantialias=false",
            "op='nonsense'",
        ] {
            assert!(read(&[DECODE, geometry, TENSOR]).is_err(), "{geometry}");
        }
        let resize = "op='resize'\nsize=[8,8]";
        for tail in ["op='normalize'\nmean=[0,0,0]\nstd=[1,0,1]", "op='normalize'\nmean=[inf,0,0]\nstd=[1,1,1]"] {
            assert!(read(&[DECODE, resize, TENSOR, tail]).is_err(), "{tail}");
        }
        assert!(read(&[DECODE, resize, "op='random-horizontal-flip'\np=1.5", TENSOR]).is_err());
        assert!(read(&[DECODE, "op='resize'\nsize=100", "op='center-crop'\nsize=101", TENSOR]).is_err());
        assert!(matches!(recipe(&"#".repeat(MAX_RECIPE_BYTES + 1)), Err(RecipeError::TooLong(_))));
    }
}
