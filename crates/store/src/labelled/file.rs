//! Where a labels file lies: a file of this machine or an object.

use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use headwater_types::caps::MAX_LABELS_BYTES;

use crate::labels::{Format, LabelsError, Lines, Read, Wanted};
use crate::options::S3Options;
use crate::parquet::{Whole, read_labels};
use crate::s3::{WholeError, whole};
use crate::site::Site;

/// Reads the labels file at this place.
///
/// # Errors
/// See [`LabelsError`].
pub(super) async fn read(site: &Site, s3: &S3Options, wanted: &Wanted) -> Result<Read, LabelsError> {
    let name = match site {
        Site::Local(path) => path.to_string_lossy(),
        Site::S3 { prefix, .. } => prefix.into(),
    };
    let format = Format::of(&name)?;
    let place = match site {
        Site::Local(path) => Place::File(path.clone()),
        Site::S3 { bucket, prefix } => Place::Object(object(bucket, prefix, s3).await?),
    };
    match format {
        Format::Lines(lines) => {
            let wanted = wanted.clone();
            blocking(move || place.lines(lines, &wanted)).await?
        }
        Format::Parquet => {
            let whole = blocking(move || place.whole()).await??;
            read_labels(whole, wanted).await
        }
    }
}

/// A labels file that is there.
enum Place {
    File(PathBuf),
    Object(Bytes),
}

// === impl Place ===

impl Place {
    fn lines(self, lines: Lines, wanted: &Wanted) -> Result<Read, LabelsError> {
        match self {
            Self::File(path) => lines.read(open(&path)?, wanted),
            Self::Object(bytes) => lines.read(Cursor::new(bytes), wanted),
        }
    }

    fn whole(self) -> Result<Whole, LabelsError> {
        match self {
            Self::File(path) => Ok(Whole::Open(Arc::new(open(&path)?.into_inner()))),
            Self::Object(bytes) => Ok(Whole::Held(bytes)),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LabelsError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LabelsError::Io(error.to_string()))
}

/// Opens a file of this machine that may be as large as a labels file.
pub(super) fn open(path: &Path) -> Result<io::Take<File>, LabelsError> {
    let failed = |error: io::Error| LabelsError::Io(error.to_string());
    let about = path.metadata().map_err(failed)?;
    if !about.is_file() {
        // Opening a pipe would wait for who writes to it.
        return Err(LabelsError::Io("it is no file".to_owned()));
    }
    if about.len() > MAX_LABELS_BYTES.get() {
        return Err(LabelsError::TooLarge(about.len()));
    }
    let file = File::open(path).map_err(failed)?;
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
