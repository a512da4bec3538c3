//! Folders that a program writes to while it reads a dataset: never within the dataset, nor around it.
//!
//! Whatever is kept on this machine takes an [`Apart`] for its folder, and there is no other way to make one than to
//! hold the folder against the dataset's place: so the source is never written, whichever kind of source it is.

use std::io;
use std::path::{Path, PathBuf};

use crate::location::Location;

/// A folder that may be written to: it does not lie within the dataset, and the dataset does not lie within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart(PathBuf);

/// Why a folder may not be written to.
#[derive(Debug, thiserror::Error)]
pub enum ApartError {
    /// The folder lies within the dataset, or around it.
    #[error(
        "{setting} {} and the dataset at {} lie in each other: the source is never written",
        folder.display(), data.display()
    )]
    Overlap {
        /// The setting that names the folder.
        setting: &'static str,
        /// The folder, as given.
        folder: PathBuf,
        /// The dataset's place, as given.
        data: PathBuf,
    },
    /// The system does not say where a path leads.
    #[error("{}", path.display())]
    Unknown {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl Apart ===

impl Apart {
    /// Holds a folder, which need not exist, against the place of a dataset, whatever links lead to either. `setting`
    /// is the one that names the folder, for the error.
    ///
    /// # Errors
    /// One lies within the other, or the system does not say where they are.
    pub fn from(data: &Location, setting: &'static str, folder: PathBuf) -> Result<Self, ApartError> {
        for data in data.local() {
            if overlap(data, &folder)? {
                return Err(ApartError::Overlap { setting, folder, data: data.to_owned() });
            }
        }
        Ok(Self(folder))
    }

    /// A folder in this one.
    pub(crate) fn within(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    /// The folder, as given.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Whether one path lies in the other, whatever links lead there. Neither path has to exist.
fn overlap(data: &Path, folder: &Path) -> Result<bool, ApartError> {
    let (data, folder) = (real(data)?, real(folder)?);
    Ok(data.starts_with(&folder) || folder.starts_with(&data))
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> Result<PathBuf, ApartError> {
    let absolute = std::path::absolute(path);
    let path = absolute.map_err(|source| ApartError::Unknown { path: path.to_owned(), source })?;
    for there in path.ancestors() {
        if let Ok(real) = there.canonicalize() {
            return Ok(path.strip_prefix(there).map_or(real.clone(), |rest| real.join(rest)));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_in_the_dataset_or_around_it_is_seen_through_links_and_refused() {
        let root = tempfile::TempDir::new().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("photos/cat")).unwrap();
        symlink(at("photos"), at("link")).unwrap();
        let apart = |data: &str, folder: &str| Apart::from(&Location::folder(at(data)), "--cache-dir", at(folder));
        for within in ["photos", "photos/new/index", "link/index", "link/../photos/index", "."] {
            let error = apart("photos", within).unwrap_err().to_string();
            assert!(error.starts_with("--cache-dir ") && error.ends_with("the source is never written"), "{error}");
        }
        for folder in ["photos-index", "index/new", "cat"] {
            assert_eq!(apart("link", folder).unwrap().path(), at(folder));
        }
        let bucket = "s3://photos/cats".parse().unwrap();
        assert!(Apart::from(&bucket, "--cache-dir", at("photos")).is_ok(), "no folder lies in a bucket");
    }
}
