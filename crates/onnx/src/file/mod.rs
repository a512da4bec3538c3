//! A model's file, read from a disk with the data that lie beside it.
//!
//! This is the only module of the crate that reads files, and every program reads models here, so that a model means
//! the same bytes, and has the same digest, wherever it is given.
//!
//! Data are read from the folder of the model and from nowhere else: a place is one name in that folder
//! ([`crate::external`]), no link is followed there, and what is no file is not read. A link of the model's own path is
//! the caller's, and is followed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use headwater_types::ByteCount;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::OnnxError;
use crate::external::{Outside, outside, take_in};
use crate::limits::Limits;

/// Why a model cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The model's file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The file is larger than the limit.
    #[error("{} is larger than the limit of {limit}", path.display())]
    TooLarge {
        /// The model's file.
        path: PathBuf,
        /// The limit.
        limit: ByteCount,
    },
    /// Data of a tensor are not where they should be.
    #[error("cannot read {}, in which tensor {tensor:?} has its data: {why}", path.display())]
    Data {
        /// The file beside the model's.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The model says what it may not of data beside it, or is too large with them.
    #[error("{}: {source}", path.display())]
    Onnx {
        /// The model's file.
        path: PathBuf,
        /// What is wrong.
        source: OnnxError,
    },
}

/// The bytes of a model with the data that lie beside it taken in: for a model without such data, those of its file.
/// What is no model is given as it is, for [`check`](crate::check()) to say what is wrong with it. Blocks.
///
/// # Errors
/// [`FileError`]: a file that cannot be read or is too large, and data that are missing, cut off, or not in a file of
/// the model's folder.
pub fn read(path: &Path, max_bytes: ByteCount) -> Result<Vec<u8>, FileError> {
    let bytes = read_alone(path, max_bytes)?;
    let limits = Limits { max_bytes, ..Limits::default() };
    let at = |source| FileError::Onnx { path: path.to_owned(), source };
    let data = match outside(&bytes, &limits) {
        Err(OnnxError::Malformed(_)) => return Ok(bytes),
        found => found.map_err(at)?,
    };
    if data.is_empty() {
        return Ok(bytes);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let data = read_data(folder, &data)?;
    take_in(&bytes, data, &limits).map_err(at)
}

fn read_alone(path: &Path, max_bytes: ByteCount) -> Result<Vec<u8>, FileError> {
    let error = |source| FileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(error)?;
    let size = file.metadata().map_err(error)?.len();
    let mut bytes = Vec::with_capacity(ByteCount::new(size.min(max_bytes.get())).as_usize());
    // Read on past what the size said: a pipe says 0.
    file.take(max_bytes.get().saturating_add(1)).read_to_end(&mut bytes).map_err(error)?;
    match ByteCount::from(bytes.len()) > max_bytes {
        true => Err(FileError::TooLarge { path: path.to_owned(), limit: max_bytes }),
        false => Ok(bytes),
    }
}

/// The data of these tensors, in their order. Each file is opened once.
fn read_data(folder: &Path, wanted: &[Outside<'_>]) -> Result<Vec<Vec<u8>>, FileError> {
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, outside) in wanted.iter().enumerate() {
        by_file.entry(outside.location).or_default().push(position);
    }
    let mut data = vec![Vec::new(); wanted.len()];
    for (location, positions) in by_file {
        let path = folder.join(location);
        let failed = |position: usize, why| FileError::Data {
            path: path.clone(),
            tensor: wanted[position].tensor.to_owned(),
            why,
        };
        let first = positions[0];
        let (file, size) = open(&path).map_err(|why| failed(first, why))?;
        for position in positions {
            data[position] = range(&file, size, &wanted[position]).map_err(|why| failed(position, why))?;
        }
    }
    Ok(data)
}

/// Opens a file without following a link, and without waiting for whoever would write to a pipe; and its size.
fn open(path: &Path) -> Result<(File, u64), String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(number) if number == Errno::LOOP.raw_os_error() => {
            "it is a link, and those are not followed: put the file itself there (cp -L)".to_owned()
        }
        _ if error.kind() == io::ErrorKind::NotFound => {
            "there is no such file: copy it with the model, under the name that it had when it was exported".to_owned()
        }
        _ => error.to_string(),
    })?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    match metadata.is_file() {
        true => Ok((file, metadata.len())),
        false => Err("it is no file".to_owned()),
    }
}

fn range(file: &File, size: u64, wanted: &Outside<'_>) -> Result<Vec<u8>, String> {
    let Outside { offset, length, .. } = *wanted;
    let end = offset.saturating_add(length);
    if end > size {
        return Err(format!(
            "it has {size} bytes, and the tensor's end at {end}: it is cut off or another model's, so copy both anew"
        ));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
    file.read_exact_at(&mut bytes, offset).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
