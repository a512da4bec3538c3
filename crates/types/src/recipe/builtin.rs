//! The recipes in the box. Their files stand in `profiles/recipes/` for people to copy and change.

pub(super) const TEXTS: [(&str, &str); 5] = [
    ("imagenet-train", include_str!("../../../../profiles/recipes/imagenet-train.toml")),
    ("imagenet-train-fast", include_str!("../../../../profiles/recipes/imagenet-train-fast.toml")),
    ("imagenet-eval", include_str!("../../../../profiles/recipes/imagenet-eval.toml")),
    ("mobilenet-eval", include_str!("../../../../profiles/recipes/mobilenet-eval.toml")),
    ("pixels-28", include_str!("../../../../profiles/recipes/pixels-28.toml")),
];

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;

    #[test]
    fn every_recipe_in_the_box_reads_and_has_the_name_of_its_file() {
        for (name, text) in super::TEXTS {
            let recipe = Recipe::from_toml(text).unwrap();
            assert_eq!(recipe.name().as_str(), name);
            assert_eq!(Recipe::builtin(name).unwrap(), recipe);
        }
        assert!(Recipe::builtin("nonsense").is_none());
    }
}
