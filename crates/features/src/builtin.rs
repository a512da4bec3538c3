//! Models that need no file: `builtin:grey:28x28` gives the pixels of small grey photos as they are.

use std::path::Path;

use headwater_onnx::grey;

/// What the path of such a model begins with.
const PREFIX: &str = "builtin:";
/// The largest side: pixels as features are for small photos.
const MAX_SIDE: u32 = 512;

/// A path that begins as that of a built-in model, and names none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no built-in model {0:?}: there is builtin:grey:HxW, with sides of 1 to {MAX_SIDE} pixels")]
pub struct UnknownBuiltin(String);

/// The file of a built-in model; `None` for the path of any other file.
///
/// # Errors
/// A path that begins as that of a built-in model, and names none.
pub fn builtin(path: &Path) -> Result<Option<Vec<u8>>, UnknownBuiltin> {
    let Some(name) = path.to_str().and_then(|path| path.strip_prefix(PREFIX)) else { return Ok(None) };
    let unknown = || UnknownBuiltin(format!("{PREFIX}{name}"));
    let size = name.strip_prefix("grey:").and_then(|size| size.split_once('x')).ok_or_else(unknown)?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MAX_SIDE).contains(side)).ok_or_else(unknown);
    Ok(Some(grey(side(size.0)?, side(size.1)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_model_is_named_by_its_path_and_any_other_path_is_a_file() {
        assert_eq!(builtin(Path::new("builtin:grey:28x20")), Ok(Some(grey(28, 20))));
        assert_eq!(builtin(Path::new("grey:28x20")), Ok(None));
        for wrong in ["builtin:", "builtin:gray:2x2", "builtin:grey:0x2", "builtin:grey:2", "builtin:grey:2x513"] {
            assert_eq!(builtin(Path::new(wrong)), Err(UnknownBuiltin(wrong.to_owned())));
        }
    }
}
