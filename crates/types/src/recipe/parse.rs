//! Reading a recipe from TOML: size limit first, then syntax, then the keys of each stage, then the grammar.

use toml::de::{DeTable, DeValue};

use super::fields::{Fields, Side, line_of};
use super::{DecodeMode, Geometry, Interpolation, Normalize, Orientation, Recipe, Stages, Steps, TensorScale};
use crate::caps::{MAX_OUTPUT_SIDE, MAX_RECIPE_BYTES, MAX_RECIPE_STAGES};
use crate::framing::Size;
use crate::ids::NameError;

/// Why text is not a recipe. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// More bytes than any recipe needs.
    #[error("a recipe of {0} bytes is longer than {MAX_RECIPE_BYTES}")]
    TooLong(usize),
    /// Not TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// The name has characters that names may not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Stages that are missing, doubled or out of order.
    #[error(
        "{}stage {position} ({found}) is out of place: a recipe is decode, then random-resized-crop | resize + center-crop | \
         center-crop (fraction) + resize | resize, then random-horizontal-flip (may be left out), then to-tensor, then \
         normalize (may be left out)",
        line.map(|line| format!("line {line}: ")).unwrap_or_default()
    )]
    Order {
        /// Where the stage begins; `None` at the end of the recipe.
        line: Option<usize>,
        /// Counted from 1.
        position: usize,
        /// The stage that is there, or `the end`.
        found: &'static str,
    },
    /// A key that is missing, unknown, of another type or out of its range.
    #[error("line {line}: {place}: `{key}` {problem}")]
    Key {
        /// Of the key; of its stage where it is missing.
        line: usize,
        /// The stage, as `stage 2 (resize)`, or `the recipe`.
        place: String,
        /// Its name.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Clone, Debug)]
enum Stage {
    Decode { orientation: Orientation, decode: DecodeMode },
    RandomResizedCrop { size: Side, scale: [f64; 2], ratio: [f64; 2], interpolation: Interpolation },
    Resize { size: Side, interpolation: Interpolation },
    CenterCrop { size: Option<Side>, fraction: Option<f64>, steps: Steps },
    RandomHorizontalFlip { p: f64 },
    ToTensor { scale: TensorScale },
    Normalize { mean: [f32; 3], std: [f32; 3] },
}

/// A stage and the table that it was read from.
#[derive(Clone, Debug)]
struct Placed<'a> {
    stage: Stage,
    fields: Fields<'a>,
}

const OPS: [&str; 7] =
    ["decode", "random-resized-crop", "resize", "center-crop", "random-horizontal-flip", "to-tensor", "normalize"];
const SCALE: [f64; 2] = [0.08, 1.0];
const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];
const INTERPOLATIONS: [(&str, Interpolation); 2] =
    [("bilinear", Interpolation::Bilinear), ("bicubic", Interpolation::Bicubic)];

pub(super) fn recipe(text: &str) -> Result<Recipe, RecipeError> {
    if text.len() > MAX_RECIPE_BYTES {
        return Err(RecipeError::TooLong(text.len()));
    }
    let document = DeTable::parse(text).map_err(|error| RecipeError::Syntax {
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        message: error.message().trim_end().to_owned(),
    })?;
    let fields = Fields::new(text, document.get_ref(), "the recipe".to_owned(), 0);
    fields.only(&["name", "stage"])?;
    let name = fields.text("name")?.ok_or_else(|| fields.error("name", "is missing"))?.parse()?;
    let stages = stages(text, &fields)?;
    Ok(Recipe::new(name, Cursor { stages: &stages, position: 0 }.stages()?))
}

fn stages<'a>(text: &'a str, recipe: &Fields<'a>) -> Result<Vec<Placed<'a>>, RecipeError> {
    let tables = match recipe.value("stage") {
        None => return Ok(Vec::new()),
        Some(DeValue::Array(tables)) => tables,
        Some(_) => return Err(recipe.error("stage", "must be a list of tables: write [[stage]] above each")),
    };
    if tables.len() > MAX_RECIPE_STAGES {
        let (position, found) = (MAX_RECIPE_STAGES + 1, "too many stages");
        return Err(RecipeError::Order { line: None, position, found });
    }
    let stage = |(index, value): (usize, &'a toml::Spanned<DeValue<'a>>)| match value.get_ref() {
        DeValue::Table(table) => {
            Placed::read(&Fields::new(text, table, format!("stage {}", index + 1), value.span().start))
        }
        _ => Err(recipe.error("stage", "must be a list of tables: write [[stage]] above each")),
    };
    tables.iter().enumerate().map(stage).collect()
}

// === impl Placed ===

impl<'a> Placed<'a> {
    fn read(fields: &Fields<'a>) -> Result<Self, RecipeError> {
        let missing = |key: &str, example: &str| fields.error(key, format!("is missing: write {key} = {example}"));
        let op = fields.text("op")?.ok_or_else(|| missing("op", "\"resize\""))?;
        let fields = fields.clone().called(format!("{} ({op})", fields.place()));
        let missing = |key: &str, example: &str| fields.error(key, format!("is missing: write {key} = {example}"));
        let size = || fields.side("size")?.ok_or_else(|| missing("size", "224"));
        let stage = match op {
            "decode" => {
                fields.only(&["op", "orientation", "decode"])?;
                let orientations = [("stored", Orientation::Stored), ("exif", Orientation::Exif)];
                let modes = [("exact", DecodeMode::Exact), ("fast", DecodeMode::Fast)];
                let orientation = fields.choice("orientation", &orientations)?;
                Stage::Decode { orientation, decode: fields.choice("decode", &modes)? }
            }
            "random-resized-crop" => {
                fields.only(&["op", "size", "scale", "ratio", "interpolation"])?;
                let scale = fields.numbers("scale")?.unwrap_or(SCALE);
                let ratio = fields.numbers("ratio")?.unwrap_or(RATIO);
                let interpolation = fields.choice("interpolation", &INTERPOLATIONS)?;
                Stage::RandomResizedCrop { size: size()?, scale, ratio, interpolation }
            }
            "resize" => {
                fields.only(&["op", "size", "interpolation"])?;
                let interpolation = fields.choice("interpolation", &INTERPOLATIONS)?;
                Stage::Resize { size: size()?, interpolation }
            }
            "center-crop" => {
                fields.only(&["op", "size", "fraction", "exact"])?;
                let steps = fields.choice("exact", &[("one-step", Steps::One), ("two-step", Steps::Two)])?;
                Stage::CenterCrop { size: fields.side("size")?, fraction: fields.number("fraction")?, steps }
            }
            "random-horizontal-flip" => {
                fields.only(&["op", "p"])?;
                Stage::RandomHorizontalFlip { p: fields.number("p")?.unwrap_or(0.5) }
            }
            "to-tensor" => {
                fields.only(&["op", "scale"])?;
                let scales = [("unit", TensorScale::Unit), ("byte", TensorScale::Byte)];
                Stage::ToTensor { scale: fields.choice("scale", &scales)? }
            }
            "normalize" => {
                fields.only(&["op", "mean", "std"])?;
                let three = |key: &str, example: &str| -> Result<[f32; 3], RecipeError> {
                    let numbers: [f64; 3] = fields.numbers(key)?.ok_or_else(|| missing(key, example))?;
                    Ok(numbers.map(|number| number as f32))
                };
                let mean = three("mean", "[0.485, 0.456, 0.406]")?;
                Stage::Normalize { mean, std: three("std", "[0.229, 0.224, 0.225]")? }
            }
            unknown => return Err(fields.error("op", format!("must be one of {}, not {unknown:?}", OPS.join(", ")))),
        };
        Ok(Self { stage, fields })
    }

    /// A size within bounds.
    fn size(&self, side: Side) -> Result<Size, RecipeError> {
        let size = side.size();
        if (1..=MAX_OUTPUT_SIDE).contains(&size.height) && (1..=MAX_OUTPUT_SIDE).contains(&size.width) {
            return Ok(size);
        }
        Err(self.fields.error("size", format!("must lie between 1 and {MAX_OUTPUT_SIDE}")))
    }
}

/// A recursive-descent parser over the list of stages: the grammar read top to bottom.
struct Cursor<'a> {
    stages: &'a [Placed<'a>],
    position: usize,
}

impl<'a> Cursor<'a> {
    fn stages(mut self) -> Result<Stages, RecipeError> {
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
        match self.next().map(|placed| &placed.stage) {
            Some(Stage::Decode { orientation, decode }) => Ok((*orientation, *decode)),
            _ => Err(self.was_out_of_place()),
        }
    }

    fn geometry(&mut self) -> Result<(Geometry, Interpolation), RecipeError> {
        let Some(placed) = self.next() else { return Err(self.was_out_of_place()) };
        let error = |key, problem: &str| Err(placed.fields.error(key, problem));
        match placed.stage {
            Stage::RandomResizedCrop { size, scale, ratio, interpolation } => {
                if !(scale[0] > 0.0 && scale[0] <= scale[1] && scale[1] <= 1.0) {
                    return error("scale", "must be [low, high] with 0 < low <= high <= 1");
                }
                if !(ratio[0] >= 1e-3 && ratio[0] <= ratio[1] && ratio[1] <= 1e3) {
                    return error("ratio", "must be [low, high] with 0.001 <= low <= high <= 1000");
                }
                Ok((Geometry::RandomResizedCrop { size: placed.size(size)?, scale, ratio }, interpolation))
            }
            Stage::Resize { size: Side::One(shorter), interpolation } => {
                placed.size(Side::One(shorter))?;
                let Some((crop, &Stage::CenterCrop { size: Some(size), fraction: None, steps })) =
                    self.next().map(|placed| (placed, &placed.stage))
                else {
                    return Err(self.was_out_of_place());
                };
                let size = crop.size(size)?;
                if size.height.max(size.width) > shorter {
                    return Err(crop.fields.error("size", "must not be larger than the resize before it"));
                }
                Ok((Geometry::ResizeThenCenterCrop { shorter, size, steps }, interpolation))
            }
            Stage::Resize { size, interpolation } => Ok((Geometry::Resize { size: placed.size(size)? }, interpolation)),
            Stage::CenterCrop { size: None, fraction: Some(fraction), .. } => {
                if placed.fields.value("exact").is_some() {
                    return error(
                        "exact",
                        "goes with `size`, behind resize: leave it out, a `fraction` is cut out in one step",
                    );
                }
                if !(fraction > 0.0 && fraction <= 1.0) {
                    return error("fraction", "must be above 0 and at most 1");
                }
                let Some((resize, &Stage::Resize { size, interpolation })) =
                    self.next().map(|placed| (placed, &placed.stage))
                else {
                    return Err(self.was_out_of_place());
                };
                Ok((Geometry::CenterCropThenResize { fraction, size: resize.size(size)? }, interpolation))
            }
            _ => Err(self.was_out_of_place()),
        }
    }

    fn flip(&mut self) -> Result<Option<f64>, RecipeError> {
        let Some((placed, &Stage::RandomHorizontalFlip { p })) = self.peek().map(|placed| (placed, &placed.stage))
        else {
            return Ok(None);
        };
        self.position += 1;
        if (0.0..=1.0).contains(&p) {
            return Ok(Some(p));
        }
        Err(placed.fields.error("p", "must lie between 0 and 1"))
    }

    fn tensor_scale(&mut self) -> Result<TensorScale, RecipeError> {
        match self.next().map(|placed| &placed.stage) {
            Some(Stage::ToTensor { scale }) => Ok(*scale),
            _ => Err(self.was_out_of_place()),
        }
    }

    fn normalize(&mut self) -> Result<Option<Normalize>, RecipeError> {
        let Some((placed, &Stage::Normalize { mean, std })) = self.peek().map(|placed| (placed, &placed.stage)) else {
            return Ok(None);
        };
        self.position += 1;
        if !mean.iter().all(|m| m.is_finite()) {
            return Err(placed.fields.error("mean", "must be finite"));
        }
        if !std.iter().all(|s| s.is_normal() && *s > 0.0) {
            return Err(placed.fields.error("std", "must be finite and above 0"));
        }
        Ok(Some(Normalize { mean, std }))
    }

    fn peek(&self) -> Option<&'a Placed<'a>> {
        self.stages.get(self.position)
    }

    fn next(&mut self) -> Option<&'a Placed<'a>> {
        let stage = self.peek();
        self.position += 1;
        stage
    }

    fn out_of_place(&self) -> RecipeError {
        let found = self.peek().map_or("the end", |placed| placed.stage.name());
        let line = self.peek().map(|placed| placed.fields.line());
        RecipeError::Order { line, position: self.position + 1, found }
    }

    fn was_out_of_place(&mut self) -> RecipeError {
        self.position -= 1;
        self.out_of_place()
    }
}

// === impl Stage ===

impl Stage {
    fn name(&self) -> &'static str {
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
        assert!(error.starts_with("line 4: stage 2 (to-tensor) is out of place"), "{error}");
        let error = read(&[DECODE, "op='resize'\nsize=[8,8]"]).unwrap_err().to_string();
        assert!(error.starts_with("stage 3 (the end)"), "{error}");
        let error = read(&[DECODE, "op='resize'\nsize=[8,8]", TENSOR, TENSOR]).unwrap_err().to_string();
        assert!(error.starts_with("line 9: stage 4 (to-tensor)"), "{error}");
    }

    #[test]
    fn values_out_of_range_and_unknown_fields_are_refused() {
        for geometry in [
            "op='random-resized-crop'\nsize=0",
            "op='random-resized-crop'\nsize=5000",
            "op='random-resized-crop'\nsize=8\nscale=[0.9, 0.1]",
            "op='random-resized-crop'\nsize=8\nratio=[nan, 1]",
            "op='random-resized-crop'\nsize=8\ninterpolation='nearest'",
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

    #[test]
    fn what_is_wrong_is_said_of_the_very_key_and_its_line() {
        for (stage, expected) in [
            (
                "op='resize'\nsize='big'",
                "line 6: stage 2 (resize): `size` must be a whole number of pixels, or [height, width], not \"big\"",
            ),
            (
                "op='resize'\nsize=[1, 2, 3]",
                "line 6: stage 2 (resize): `size` must be a whole number of pixels, or [height, width], not [1, 2, 3]",
            ),
            (
                "op='resize'\nsize=-8",
                "line 6: stage 2 (resize): `size` must be a whole number of pixels, or [height, width], not -8",
            ),
            ("op='resize'", "line 4: stage 2 (resize): `size` is missing: write size = 224"),
            (
                "op='resize'\nsize=8\nsiez=9",
                "line 7: stage 2 (resize): `siez` is unknown here: there are op, size, interpolation",
            ),
            ("size=8", "line 4: stage 2: `op` is missing: write op = \"resize\""),
            (
                "op='rezise'\nsize=8",
                "line 5: stage 2 (rezise): `op` must be one of decode, random-resized-crop, resize, ",
            ),
            (
                "op='random-resized-crop'\nsize=8\n\nscale=[0.9, 0.1]",
                "line 8: stage 2 (random-resized-crop): `scale` must be [low, high]",
            ),
            (
                "op='random-resized-crop'\nsize=8\nscale='all'",
                "line 7: stage 2 (random-resized-crop): `scale` must be a list of 2 numbers, not \"all\"",
            ),
            (
                "op='random-resized-crop'\nsize=8\ninterpolation='nearest'",
                "line 7: stage 2 (random-resized-crop): `interpolation` must be one of bilinear, bicubic, not \"nearest\"",
            ),
            (
                "op='resize'\nsize=8\ninterpolation=3",
                "line 7: stage 2 (resize): `interpolation` must be a string, not 3",
            ),
            (
                "op='center-crop'\nfraction=0.5\nexact='two-step'",
                "line 7: stage 2 (center-crop): `exact` goes with `size`, behind resize: leave it out",
            ),
            (
                "op='center-crop'\nsize=8\nexact='yes'",
                "line 7: stage 2 (center-crop): `exact` must be one of one-step, two-step, not \"yes\"",
            ),
            (
                "op='resize'\nsize=8\nexact='two-step'",
                "line 7: stage 2 (resize): `exact` is unknown here: there are op, size, interpolation",
            ),
            ("op = ", "line 5: "),
        ] {
            let error = read(&[DECODE, stage, TENSOR]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{stage}: {error}");
        }
        let error = recipe("stage = 7").unwrap_err().to_string();
        assert!(error.starts_with("line 1: the recipe: `name` is missing"), "{error}");
        let error = recipe("name = 'x'\nstages = []").unwrap_err().to_string();
        assert!(error.starts_with("line 2: the recipe: `stages` is unknown here"), "{error}");
    }
}
