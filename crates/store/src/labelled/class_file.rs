//! A file of the names of classes: one in each line, in the order of their numbers.

use std::collections::HashSet;
use std::io::Read as _;

use headwater_types::caps::MAX_CLASSES;

use super::file;
use crate::labels::LabelsError;
use crate::options::S3Options;
use crate::site::Site;

/// Why a file does not list classes.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClassFileError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] LabelsError),
    /// The file is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// The file has no names.
    #[error("it has no names: write one in each line")]
    Empty,
    /// A line between others is empty.
    #[error("line {0} is empty")]
    EmptyLine(usize),
    /// A class is there twice.
    #[error("line {line}: class {name:?} is there twice")]
    Twice {
        /// The number of the later line.
        line: usize,
        /// The class.
        name: String,
    },
    /// There are too many.
    #[error("it has more than {MAX_CLASSES} classes")]
    TooMany,
}

/// Reads the file at this place.
///
/// # Errors
/// See [`ClassFileError`].
pub(super) async fn read(site: &Site, s3: &S3Options) -> Result<Vec<String>, ClassFileError> {
    let bytes = match site {
        Site::S3 { bucket, prefix } => file::object(bucket, prefix, s3).await?.to_vec(),
        Site::Local(path) => {
            let mut bytes = Vec::new();
            let read = file::open(path)?.read_to_end(&mut bytes);
            read.map_err(|error| LabelsError::Io(error.to_string()))?;
            bytes
        }
    };
    names(std::str::from_utf8(&bytes).map_err(|_| ClassFileError::NotUtf8)?)
}

fn names(text: &str) -> Result<Vec<String>, ClassFileError> {
    let lines: Vec<_> = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end().lines().collect();
    if lines.is_empty() {
        return Err(ClassFileError::Empty);
    }
    if lines.len() > MAX_CLASSES {
        return Err(ClassFileError::TooMany);
    }
    let mut seen = HashSet::new();
    for (line, name) in (1..).zip(&lines) {
        if name.is_empty() {
            return Err(ClassFileError::EmptyLine(line));
        }
        if !seen.insert(*name) {
            return Err(ClassFileError::Twice { line, name: (*name).to_owned() });
        }
    }
    Ok(lines.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_lines() {
        assert_eq!(names("\u{feff}zebra\r\nant\n\n").unwrap(), ["zebra", "ant"]);
        for (text, words) in [("", "no names"), ("a\n\nb", "line 2 is empty"), ("a\nb\na", "line 3: class \"a\"")] {
            let error = names(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
