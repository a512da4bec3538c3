//! Why text is not a recipe.

use crate::caps::MAX_RECIPE_BYTES;
use crate::ids::NameError;

/// Why text is not a recipe. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// More bytes than any recipe needs.
    #[error("a recipe of {0} bytes is longer than {MAX_RECIPE_BYTES}")]
    TooLong(usize),
    /// The text is not TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line with the mistake.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// The name has characters that names may not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Stages that are missing, doubled or out of order.
    #[error(
        "{}stage {position} ({found}) is out of place: a recipe is decode, then random-resized-crop | \
         resize + center-crop | center-crop (fraction) + resize | resize, then random-horizontal-flip (may be left \
         out), then to-tensor, then normalize (may be left out)",
        line.map(|line| format!("line {line}: ")).unwrap_or_default()
    )]
    Order {
        /// Where the stage begins; `None` at the end of the recipe.
        line: Option<usize>,
        /// The stage's position, counted from 1.
        position: usize,
        /// The stage that is there, or `the end`.
        found: &'static str,
    },
    /// A key that is missing, unknown, of another type or out of its range.
    #[error("line {line}: {place}: `{key}` {problem}")]
    Key {
        /// The key's line, or the line of its stage where the key is missing.
        line: usize,
        /// The stage, as `stage 2 (resize)`, or `the recipe`.
        place: String,
        /// The key's name.
        key: String,
        /// What is wrong with the key.
        problem: String,
    },
}
