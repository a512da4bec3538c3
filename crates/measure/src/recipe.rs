//! Recipes as they are shown, for people and for programs.

use std::fmt;

use anyhow::Context as _;
use headwater_cli::recipe::find;
use headwater_cli::settings::Findings;
use headwater_types::Recipe;
use serde_json::json;

/// Recipes, as text for people.
pub(crate) struct Listing<'a>(pub(crate) &'a [Recipe]);

/// A recipe, as TOML that says its digest.
pub(crate) struct Sheet<'a>(pub(crate) &'a Recipe);

/// The recipes in the box.
pub(crate) fn in_the_box() -> Vec<Recipe> {
    Recipe::builtin_names().filter_map(Recipe::builtin).collect()
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
    fn the_list_has_a_line_for_each_with_its_digest() {
        let listing = Listing(&in_the_box()).to_string();
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            let line = listing.lines().find(|line| line.starts_with(name)).unwrap();
            let size = recipe.output_size();
            let size = format!("{}x{}", size.width, size.height);
            assert!(line.ends_with(&recipe.digest().to_string()) && line.contains(&size), "{line}");
            assert_eq!(line.contains("another"), recipe.is_random(), "{line}");
        }
    }
}
