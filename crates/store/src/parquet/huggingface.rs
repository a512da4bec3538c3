//! What `datasets` of Hugging Face writes beside a schema: which columns are images, and what labels are called.

use serde_json::Value;

/// The features of a dataset; nothing, where the JSON is none of theirs.
#[derive(Debug, Default)]
pub(super) struct Features(Value);

// === impl Features ===

impl Features {
    pub(super) fn read(json: Option<&str>) -> Self {
        let mut json: Value = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self(json.pointer_mut("/info/features").map(Value::take).unwrap_or_default())
    }

    /// Whether the column is said to hold images.
    pub(super) fn is_image(&self, column: &str) -> bool {
        self.0.get(column).and_then(|feature| feature.get("_type")).is_some_and(|kind| kind == "Image")
    }

    /// The names of a column's labels, in the order of their numbers.
    pub(super) fn names(&self, column: &str) -> Option<Vec<String>> {
        let feature = self.0.get(column)?;
        let names = feature.get("names").filter(|_| feature.get("_type").is_some_and(|kind| kind == "ClassLabel"))?;
        names.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    }
}
