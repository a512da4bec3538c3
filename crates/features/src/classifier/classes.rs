//! The class names of a model: those that its file has, or those of a file beside it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use headwater_onnx::ModelFacts;
use headwater_onnx::head::{CLASSES_KEY, class_lines};
use headwater_types::caps::MAX_LABELLER_BYTES;

use super::error::ClassifierError;

/// The names in the file's metadata; none where it has none.
pub(super) fn classes_of(facts: &ModelFacts) -> Result<Vec<String>, ClassifierError> {
    let found = facts.metadata.iter().find(|(key, _)| key == CLASSES_KEY);
    let Some((_, names)) = found else { return Ok(Vec::new()) };
    names_of(names).ok_or(ClassifierError::ClassNames)
}

/// The names in a file, one on each line.
///
/// # Errors
/// A file that cannot be read, is too large, is not UTF-8, or has an empty line between others.
pub(super) fn named_in(path: &Path) -> Result<Vec<String>, ClassifierError> {
    let refused = |reason: String| ClassifierError::ClassFile { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let mut text = String::new();
    let most = MAX_LABELLER_BYTES as u64;
    file.take(most + 1).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    if text.len() as u64 > most {
        return Err(refused(format!("it has more than {most} bytes")));
    }
    class_lines(&text).map_err(|line| refused(format!("line {line} is empty")))
}

/// A JSON list of strings.
fn names_of(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_line_by_line_and_an_empty_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classes.txt");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            named_in(&path)
        };
        assert_eq!(
            read("background\ntench, Tinca\r\ngr\u{fc}n\n").unwrap(),
            ["background", "tench, Tinca", "gr\u{fc}n"]
        );
        let error = read("cat\n\ndog\n").unwrap_err().to_string();
        assert!(error.contains("classes.txt") && error.contains("line 2 is empty"), "{error}");
        assert!(named_in(&folder.path().join("none")).is_err());
    }
}
