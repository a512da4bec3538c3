//! The class names that a model's file has.

use headwater_onnx::ModelFacts;
use headwater_onnx::head::CLASSES_KEY;

use super::error::ClassifierError;

/// The names in the file's metadata; none where it has none.
pub(super) fn classes_of(facts: &ModelFacts) -> Result<Vec<String>, ClassifierError> {
    let found = facts.metadata.iter().find(|(key, _)| key == CLASSES_KEY);
    let Some((_, names)) = found else { return Ok(Vec::new()) };
    names_of(names).ok_or(ClassifierError::ClassNames)
}

/// A JSON list of strings.
fn names_of(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(json).ok()
}
