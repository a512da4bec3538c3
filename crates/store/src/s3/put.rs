//! An object put where none is, and looked for.

use bytes::Bytes;
use headwater_types::SampleKey;
use headwater_types::patience::S3_REQUEST;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, PutMode};
use tokio::time::timeout;

use super::Bucket;
use super::document::plain_tag;
use super::fault::Fault;
use super::http::Asked;
use super::link::asking;
use super::tries::Tries;
use super::upload::{put, untaken};
use crate::version::Version;

// === impl Bucket ===

impl Bucket {
    /// Puts an object under a key, unless there is one; `None` where there is.
    ///
    /// The store is asked to refuse what stands there already (`If-None-Match`). Some do not know that and would
    /// replace it: they are asked beforehand, which leaves a moment in which another may put something there.
    ///
    /// # Errors
    /// Why the store did not take it, in words.
    pub(crate) async fn put(&self, key: &SampleKey, bytes: &Bytes) -> Result<Option<Version>, String> {
        if self.find(key).await?.is_some() {
            return Ok(None);
        }
        let path = self.path(key.as_str()).map_err(|failure| failure.message)?;
        match self.tries().until_answered(path.as_ref(), || self.put_once(&path, bytes)).await {
            Ok(version) => Ok(Some(version)),
            // It may be ours, of a try whose answer did not come: the caller compares what stands there.
            Err(Fault::Answered(answer)) if matches!(answer.status, 409 | 412) => Ok(None),
            Err(fault) => Err(untaken(&fault)),
        }
    }

    /// The version of the object under a key; `None` where there is none.
    ///
    /// # Errors
    /// Why the store does not say, in words.
    pub(crate) async fn find(&self, key: &SampleKey) -> Result<Option<Version>, String> {
        let path = self.path(key.as_str()).map_err(|failure| failure.message)?;
        match self.tries().until_answered(path.as_ref(), || self.head(&path)).await {
            Ok(version) => Ok(Some(version)),
            Err(Fault::Answered(answer)) if answer.status == 404 => Ok(None),
            Err(fault) => Err(format!("the store does not say whether there is an object of that name: {fault}")),
        }
    }

    async fn put_once(&self, path: &Path, bytes: &Bytes) -> Result<Version, Fault> {
        let answer = put(&self.link, path, bytes, PutMode::Create).await?;
        match answer.e_tag {
            Some(tag) => Ok(Version::of_object(bytes.len() as u64, plain_tag(&tag))),
            None => self.head(path).await,
        }
    }

    async fn head(&self, path: &Path) -> Result<Version, Fault> {
        let asked = Asked::object();
        let options = GetOptions { head: true, extensions: asking(&asked), ..GetOptions::default() };
        let look = timeout(S3_REQUEST, self.link.client.get_opts(path, options)).await;
        let object = look.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?;
        let object = object.map_err(|error| Fault::of(&error, asked.was_sent()))?.meta;
        let modified = object.last_modified.timestamp().to_string();
        let tag = object.e_tag.as_deref().map_or(modified.as_str(), plain_tag);
        Ok(Version::of_object(object.size, tag))
    }

    fn tries(&self) -> Tries<'_> {
        Tries::of_object(&self.link)
    }
}
