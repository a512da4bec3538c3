//! A variant of a pass: the form of its photos, its recipe, and the form of its samples.

use std::str::FromStr;

/// A way from a photo in memory to a sample. Written as in `indexed-exact-f32`.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    /// Whether samples are made from the indexed form, where the photo has one; else from the stored bytes.
    pub(crate) indexed: bool,
    /// The name of its recipe.
    pub(crate) recipe: &'static str,
    /// Whether samples are finished tensors, f32 `[3, h, w]`; else they are mirrored crops, u8 `[h, w, 3]`.
    pub(crate) floats: bool,
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || format!("no such variant: {name:?}; it is {{plain,indexed}}-{{exact,fast}}-{{f32,u8}}");
        let [form, decode, output] = name.split('-').collect::<Vec<_>>().try_into().map_err(|_| unknown())?;
        Ok(Self {
            indexed: match form {
                "plain" => false,
                "indexed" => true,
                _ => return Err(unknown()),
            },
            recipe: match decode {
                "exact" => "imagenet-train",
                "fast" => "imagenet-train-fast",
                _ => return Err(unknown()),
            },
            floats: match output {
                "f32" => true,
                "u8" => false,
                _ => return Err(unknown()),
            },
        })
    }
}
