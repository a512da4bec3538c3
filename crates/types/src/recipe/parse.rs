//! Reading a recipe from TOML: size limit first, then syntax, then the keys of each stage, then the grammar.

use toml::de::{DeTable, DeValue};

use super::error::RecipeError;
use super::fields::{Fields, line_of};
use super::grammar::Cursor;
use super::name::RecipeName;
use super::stages::Stages;
use super::written::Written;
use crate::caps::{MAX_RECIPE_BYTES, MAX_RECIPE_STAGES};

/// A recipe's name and stages.
pub(super) fn recipe(text: &str) -> Result<(RecipeName, Stages), RecipeError> {
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
    Ok((name, Cursor::new(&stages).stages()?))
}

fn stages<'a>(text: &'a str, recipe: &Fields<'a>) -> Result<Vec<Written<'a>>, RecipeError> {
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
            Written::read(&Fields::new(text, table, format!("stage {}", index + 1), value.span().start))
        }
        _ => Err(recipe.error("stage", "must be a list of tables: write [[stage]] above each")),
    };
    tables.iter().enumerate().map(stage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stages: &[&str]) -> Result<(RecipeName, Stages), RecipeError> {
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
                "line 7: stage 2 (random-resized-crop): `interpolation` must be one of bilinear, \
                 bicubic, not \"nearest\"",
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
