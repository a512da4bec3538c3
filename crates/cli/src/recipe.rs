//! A recipe that is named on the command line: in the box, or in a file.

use std::io;
use std::path::{Path, PathBuf};

use headwater_types::Recipe;
use headwater_types::caps::MAX_RECIPE_BYTES;
use headwater_types::recipe::RecipeError;

use crate::input::read_at_most;

/// Why a recipe cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FindRecipeError {
    /// Neither the box nor the file system has the name.
    #[error(
        "there is no recipe {name:?}: it is neither a file nor in the box ({})",
        Recipe::builtin_names().collect::<Vec<_>>().join(", ")
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the recipe {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not a recipe", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: RecipeError,
    },
}

/// The recipe of this name in the box, else the one in the file of this name.
///
/// # Errors
/// [`FindRecipeError`]: there is neither, or the file is not a recipe.
pub fn find(name: &str) -> Result<Recipe, FindRecipeError> {
    if let Some(recipe) = Recipe::builtin(name) {
        return Ok(recipe);
    }
    let path = PathBuf::from(name);
    match read(&path) {
        Ok(text) => Recipe::from_toml(&text).map_err(|source| FindRecipeError::Form { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(FindRecipeError::Unknown { name: name.to_owned() })
        }
        Err(source) => Err(FindRecipeError::Read { path, source }),
    }
}

/// At most one byte more than a recipe may have: enough for its parser to refuse it.
fn read(path: &Path) -> io::Result<String> {
    let text = read_at_most(path, MAX_RECIPE_BYTES as u64)?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_nowhere_is_answered_with_those_that_lead_somewhere() {
        let error = find("imagenet").unwrap_err().to_string();
        assert!(error.contains("imagenet-train") && error.contains("mobilenet-eval"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path().to_str().unwrap()), Err(FindRecipeError::Read { .. })));
        let path = folder.path().join("huge.toml");
        std::fs::write(&path, "#".repeat(MAX_RECIPE_BYTES * 2)).unwrap();
        let error = find(path.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, FindRecipeError::Form { source: RecipeError::TooLong(_), .. }), "{error}");
    }
}
