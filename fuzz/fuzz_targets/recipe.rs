//! Recipes of any text: no panic, and what is read is written back as the same recipe.
#![no_main]

use headwater_types::Recipe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::from_toml(text) {
        let again = Recipe::from_toml(&recipe.to_toml());
        assert_eq!(again.map(|again| again.digest()).ok(), Some(recipe.digest()));
    }
});
