//! A whole object that is not of the dataset, such as a file of labels: of whatever version it has now.

use bytes::Bytes;
use futures::StreamExt;
use headwater_types::patience::S3_SILENCE;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use tokio::time::timeout;

use super::connect;
use super::fault::{Fault, deepest};
use super::http::Asked;
use super::link::{Link, asking};
use super::settings::Settings;
use super::tries::Tries;
use crate::error::StoreError;
use crate::fetched::Fetched;
use crate::options::S3Options;

/// An object that could not be read whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WholeError {
    /// The settings do not lead to the store.
    #[error(transparent)]
    Settings(#[from] Box<StoreError>),
    /// The key is none.
    #[error("{0}")]
    Key(String),
    /// The object is larger than the caller takes.
    #[error("it has {0} bytes")]
    TooLarge(u64),
    /// The store did not give it.
    #[error("{0}")]
    Store(String),
}

/// Reads an object of at most so many bytes, however often that takes.
pub(crate) async fn whole(bucket: &str, key: &str, options: &S3Options, most: u64) -> Result<Bytes, WholeError> {
    let settings = Settings::from_environment().map_err(Box::new)?;
    let link = connect::connect(bucket, options, &settings, Fetched::default()).map_err(Box::new)?;
    let path = Path::parse(key).map_err(|error| WholeError::Key(error.to_string()))?;
    let read = Tries::of_object(&link).until_answered(key, || once(&link, &path, most)).await;
    read.map_err(|fault| WholeError::Store(fault.to_string()))?.map_err(WholeError::TooLarge)
}

/// The object, or its size where that is more than may be.
async fn once(link: &Link, path: &Path, most: u64) -> Result<Result<Bytes, u64>, Fault> {
    let asked = Asked::object();
    let options = GetOptions { extensions: asking(&asked), ..GetOptions::default() };
    let answer = timeout(S3_SILENCE, link.client.get_opts(path, options)).await;
    let answer = answer.map_err(|_elapsed| Fault::Silent(S3_SILENCE))?;
    let answer = answer.map_err(|error| Fault::of(&error, asked.was_sent()))?;
    let size = answer.meta.size;
    if size > most {
        return Ok(Err(size));
    }
    let mut bytes = Vec::new();
    let mut chunks = answer.into_stream();
    loop {
        let chunk = timeout(S3_SILENCE, chunks.next()).await.map_err(|_elapsed| Fault::Silent(S3_SILENCE))?;
        let Some(chunk) = chunk else { break };
        bytes.extend_from_slice(&chunk.map_err(|error| Fault::Broken(deepest(&error)))?);
        if bytes.len() as u64 > size {
            break;
        }
    }
    match bytes.len() as u64 {
        given if given != size => Err(Fault::Length { given, listed: size }),
        _ => Ok(Ok(bytes.into())),
    }
}
