//! Where a labels file lies: a file of this machine or an object.

use std::io::{self, Cursor};
use std::path::Path;

use bytes::Bytes;
use headwater_types::caps::MAX_LABELS_BYTES;

use crate::labels::{Format, LabelsError, Read, Wanted};
use crate::options::S3Options;
use crate::s3::{WholeError, whole};
use crate::site::Site;

/// Reads the labels file at this place.
///
/// # Errors
/// See [`LabelsError`].
pub(super) async fn read(site: &Site, s3: &S3Options, wanted: &Wanted) -> Result<Read, LabelsError> {
    let wanted = wanted.clone();
    let read = match site.clone() {
        Site::Local(path) => {
            tokio::task::spawn_blocking(move || Format::of(&path.to_string_lossy())?.read(open(&path)?, &wanted)).await
        }
        Site::S3 { bucket, prefix } => {
            let format = Format::of(&prefix)?;
            let bytes = object(&bucket, &prefix, s3).await?;
            tokio::task::spawn_blocking(move || format.read(Cursor::new(bytes), &wanted)).await
        }
    };
    read.map_err(|error| LabelsError::Io(error.to_string()))?
}

/// Opens a file of this machine that may be as large as a labels file.
pub(super) fn open(path: &Path) -> Result<impl io::Read + use<>, LabelsError> {
    let failed = |error: io::Error| LabelsError::Io(error.to_string());
    let about = path.metadata().map_err(failed)?;
    if !about.is_file() {
        // Opening a pipe would wait for who writes to it.
        return Err(LabelsError::Io("it is no file".to_owned()));
    }
    if about.len() > MAX_LABELS_BYTES.get() {
        return Err(LabelsError::TooLarge(about.len()));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    Ok(io::Read::take(file, MAX_LABELS_BYTES.get()))
}

/// The bytes of an object that may be as large as a labels file.
pub(super) async fn object(bucket: &str, key: &str, s3: &S3Options) -> Result<Bytes, LabelsError> {
    whole(bucket, key, s3, MAX_LABELS_BYTES.get()).await.map_err(|error| match error {
        WholeError::TooLarge(size) => LabelsError::TooLarge(size),
        other => LabelsError::Io(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).err().unwrap().to_string();
        assert_eq!(error, "it cannot be read: it is no file");
        assert!(
            open(&folder.path().join("none.csv")).err().unwrap().to_string().starts_with("it cannot be read: No such")
        );
    }
}
