//! Recipes: those in the box and those in files, found and shown.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use headwater_cli::settings::Findings;
use headwater_types::Recipe;
use headwater_types::caps::MAX_RECIPE_BYTES;
use headwater_types::recipe::RecipeError;
use serde_json::json;

/// Why a recipe cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error("there is no recipe {name:?}: it is neither a file nor in the box ({})", names().join(", "))]
    Unknown { name: String },
    #[error("cannot read the recipe {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not a recipe", path.display())]
    Recipe { path: PathBuf, source: RecipeError },
}

/// Recipes, as text for people.
pub(crate) struct Listing<'a>(pub(crate) &'a [Recipe]);

/// A recipe, as TOML that says its digest.
pub(crate) struct Sheet<'a>(pub(crate) &'a Recipe);

/// The recipe of this name in the box, else the one in the file of this name.
pub(crate) fn find(name: &str) -> Result<Recipe, FindError> {
    if let Some(recipe) = Recipe::builtin(name) {
        return Ok(recipe);
    }
    let path = PathBuf::from(name);
    let text = match read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FindError::Unknown { name: name.to_owned() });
        }
        Err(source) => return Err(FindError::Read { path, source }),
    };
    Recipe::from_toml(&text).map_err(|source| FindError::Recipe { path, source })
}

/// Those in the box.
pub(crate) fn in_the_box() -> Vec<Recipe> {
    Recipe::builtin_names().filter_map(Recipe::builtin).collect()
}

fn names() -> Vec<&'static str> {
    Recipe::builtin_names().collect()
}

/// At most one byte more than a recipe may have: enough for its parser to refuse it.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_RECIPE_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// A recipe for programs.
pub(crate) fn to_json(recipe: &Recipe) -> serde_json::Value {
    let size = recipe.output_size();
    json!({
        "name": recipe.name().as_str(),
        "digest": recipe.digest(),
        "height": size.height,
        "width": size.width,
        "random": recipe.is_random(),
        "toml": recipe.to_toml(),
    })
}

/// Notes what is wrong with a recipe that is named, in the box or in a file.
pub(crate) fn check_recipe(name: Option<&str>, findings: &mut Findings) {
    name.into_iter().for_each(|name| drop(findings.note(find(name).with_context(|| format!("--recipe {name}")))));
}

// === impl Listing ===

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:20}  {:9}  {:20}  digest", "recipe", "output", "every epoch")?;
        for recipe in self.0 {
            let size = recipe.output_size();
            let output = format!("{}x{}", size.height, size.width);
            let epochs = if recipe.is_random() { "another crop or flip" } else { "the same" };
            write!(f, "\n{:20}  {output:9}  {epochs:20}  {}", recipe.name().as_str(), recipe.digest())?;
        }
        Ok(())
    }
}

// === impl Sheet ===

impl fmt::Display for Sheet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "# digest: {}\n{}", self.0.digest(), self.0.to_toml().trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_recipe_is_a_file_that_gives_the_same_recipe() {
        let folder = tempfile::tempdir().unwrap();
        for recipe in in_the_box() {
            let path = folder.path().join("copy.toml");
            std::fs::write(&path, Sheet(&recipe).to_string()).unwrap();
            assert_eq!(find(path.to_str().unwrap()).unwrap(), recipe);
        }
    }

    #[test]
    fn a_name_that_leads_nowhere_is_answered_with_those_that_lead_somewhere() {
        let error = find("imagenet").unwrap_err().to_string();
        assert!(error.contains("imagenet-train") && error.contains("mobilenet-eval"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path().to_str().unwrap()), Err(FindError::Read { .. })));
        let path = folder.path().join("huge.toml");
        std::fs::write(&path, "#".repeat(MAX_RECIPE_BYTES * 2)).unwrap();
        let error = find(path.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, FindError::Recipe { source: RecipeError::TooLong(_), .. }), "{error}");
    }

    #[test]
    fn the_list_has_a_line_for_each_with_its_digest() {
        let listing = Listing(&in_the_box()).to_string();
        for name in names() {
            let recipe = Recipe::builtin(name).unwrap();
            let line = listing.lines().find(|line| line.starts_with(name)).unwrap();
            assert!(line.ends_with(&recipe.digest().to_string()) && line.contains("224x224"), "{line}");
            assert_eq!(line.contains("another"), recipe.is_random(), "{line}");
        }
    }
}
