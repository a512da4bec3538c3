//! One file by itself, read range by range: in memory, or open on this machine.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Digest, FailureKind, SampleFailure};

use super::file::File;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::store::Store;
use crate::version::Version;

/// A file of no dataset.
pub(crate) enum Whole {
    Held(Bytes),
    Open(Arc<fs::File>),
}

/// What it is called in its store.
const NAME: &str = "file.parquet";

// === impl Whole ===

impl Whole {
    /// The file as the readers of this folder take one.
    pub(super) fn file(self) -> Result<File, SampleFailure> {
        let size = match &self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Open(file) => file.metadata().map_err(|error| failed(&error))?.len(),
        };
        let object = NAME.parse().map_err(|_| SampleFailure::new(FailureKind::Internal, "the name is no key"))?;
        let whole = Extent::whole(object, Version::of_object(size, "whole"));
        Ok(File::new(&(Arc::new(self) as Arc<dyn Store>), whole))
    }
}

#[async_trait]
impl Store for Whole {
    async fn list(&self, _: Option<&Catalog>) -> Result<Catalog, StoreError> {
        Err(StoreError::Interrupted { reason: "one file has no list".to_owned() })
    }

    fn place(&self) -> Digest {
        Digest::of(NAME.as_bytes())
    }

    fn source(&self) -> &'static str {
        "parquet"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        let range = extent.range().unwrap_or_default();
        let whole = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let whole = whole.filter(|(start, end)| start <= end).ok_or_else(outside)?;
        match self {
            Self::Held(bytes) if whole.1 <= bytes.len() => Ok(bytes.slice(whole.0..whole.1)),
            Self::Held(_) => Err(outside()),
            Self::Open(file) => {
                let file = Arc::clone(file);
                let read = tokio::task::spawn_blocking(move || read(&file, range)).await;
                read.unwrap_or_else(|error| Err(SampleFailure::new(FailureKind::Internal, error.to_string())))
            }
        }
    }

    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }
}

fn read(file: &fs::File, range: Range<u64>) -> Result<Bytes, SampleFailure> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(|_| outside())?];
    file.read_exact_at(&mut bytes, range.start).map_err(|error| failed(&error))?;
    Ok(bytes.into())
}

fn failed(error: &std::io::Error) -> SampleFailure {
    SampleFailure::new(FailureKind::Io, error.to_string())
}

fn outside() -> SampleFailure {
    SampleFailure::new(FailureKind::OutOfRange, "outside the file")
}
