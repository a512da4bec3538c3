//! What a pass is made from and to: one row of the table.

use std::str::FromStr;

/// A way from a photo in memory to a sample. Written as in `indexed-exact-f32`.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    /// From the indexed form, where the photo has one; else from the stored bytes.
    pub(crate) indexed: bool,
    /// The name of its recipe.
    pub(crate) recipe: &'static str,
    /// The finished tensor, f32 `[3, h, w]`; else the mirrored crop, u8 `[h, w, 3]`.
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
