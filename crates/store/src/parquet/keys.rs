//! The keys of rows: what a column says, or else the file's name and the row's number.

use std::collections::BTreeSet;

use headwater_types::SampleKey;

use super::small::Values;

/// The keys of one file's rows, one after the other.
#[derive(Debug, Default)]
pub(super) struct Keys {
    text: String,
    ends: Vec<usize>,
}

/// Why the keys of a column are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoKeys {
    #[error("row {0} has none")]
    Null(usize),
    #[error("that of row {0} is none that a sample can have: {1}")]
    Invalid(usize, String),
    #[error("several rows have {0:?}")]
    Twice(String),
}

// === impl Keys ===

impl Keys {
    /// Adds the keys of a row group.
    pub(super) fn add(&mut self, values: &Values) -> Result<(), NoKeys> {
        for (cells, row) in values.iter() {
            let at = self.ends.len();
            let key = cells.bytes(row).ok_or(NoKeys::Null(at))?;
            let key = std::str::from_utf8(key).map_err(|_| NoKeys::Invalid(at, "it is not UTF-8".to_owned()))?;
            SampleKey::check(key).map_err(|error| NoKeys::Invalid(at, error.to_string()))?;
            self.text.push_str(key);
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

/// Refuses keys of which two are the same, in all files together.
pub(super) fn differ<'a>(files: impl Iterator<Item = &'a Keys>) -> Result<(), NoKeys> {
    let mut all: Vec<_> = files.flat_map(Keys::iter).collect();
    all.sort_unstable();
    match all.array_windows().find(|[a, b]| a == b) {
        Some([twice, _]) => Err(NoKeys::Twice((*twice).to_owned())),
        None => Ok(()),
    }
}

/// What a file's rows are called where no column says it: the file's name, a dash and the row's number. A slash between
/// them would make each file a class.
pub(super) fn stem(object: &str) -> &str {
    let name = object.rsplit_once('/').map_or(object, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The first name that two of these files share.
pub(super) fn shared<'a>(objects: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    objects.map(stem).find(|&stem| !seen.insert(stem))
}
