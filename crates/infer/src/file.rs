//! The model's file, held against what the servers announce.

use std::path::{Path, PathBuf};

use headwater_client::ModelInfo;
use headwater_features::{InputSettings, ModelSpec, read_file};
use headwater_types::Digest;
use headwater_types::caps::MAX_MODEL_BYTES;

use crate::error::LocalError;

/// The settings of its input with which the file is the model that the servers have registered: the digest tells.
///
/// # Errors
/// A file that cannot be read, and that of another model.
pub(crate) fn check(path: &Path, model: &ModelInfo) -> Result<InputSettings, LocalError> {
    let file = read_file(&model.name, path, MAX_MODEL_BYTES)?;
    let actual = Digest::of(&file);
    let found = InputSettings::behind(file, model.digest);
    let (settings, _) = found.ok_or_else(|| other(path, actual, model))?;
    Ok(settings)
}

/// How the servers' model is opened from its file here.
pub(crate) fn spec_of(path: PathBuf, model: &ModelInfo, input: InputSettings) -> ModelSpec {
    let (name, recipe, output) = (model.name.clone(), model.recipe.name().to_string(), Some(model.output.clone()));
    ModelSpec { name, path, recipe, output, classes: None, input }
}

/// The error of a file that is another model's.
pub(crate) fn other(path: &Path, actual: Digest, model: &ModelInfo) -> LocalError {
    let (path, model, expected) = (path.to_owned(), model.name.clone(), model.digest);
    LocalError::OtherFile { path, actual, model, expected }
}

#[cfg(test)]
mod tests {
    use headwater_types::Recipe;

    use super::*;

    fn model(digest: Digest) -> ModelInfo {
        ModelInfo {
            name: "net".parse().unwrap(),
            digest,
            recipe: Recipe::builtin("mobilenet-eval").unwrap(),
            output: "features".into(),
            feature_len: 4,
            device: "cpu".into(),
        }
    }

    #[test]
    fn only_the_file_that_servers_have_registered_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.onnx");
        // A field of protobuf, and nothing that a model needs.
        let content = vec![0x08, 7];
        std::fs::write(&path, &content).unwrap();
        assert_eq!(check(&path, &model(Digest::of(&content))).unwrap(), InputSettings::default());
        let error = check(&path, &model(Digest::of(b"another"))).unwrap_err();
        assert!(matches!(error, LocalError::OtherFile { .. }));
        assert!(error.to_string().contains("--extractor") && error.to_string().contains("net"), "{error}");
        let missing = check(folder.path(), &model(Digest::of(b""))).unwrap_err().to_string();
        assert!(missing.starts_with("--extractor: model net: cannot read"), "{missing}");
    }
}
