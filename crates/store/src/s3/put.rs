//! An object put where none is, and looked for.

use bytes::Bytes;
use headwater_types::SampleKey;
use headwater_types::patience::S3_REQUEST;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, PutMode, PutOptions, PutPayload};
use tokio::time::timeout;

use super::Bucket;
use super::document::plain_tag;
use super::fault::Fault;
use super::http::Asked;
use super::link::asking;
use super::tries::Tries;
use super::upload::untaken;
use crate::version::Version;

/// What is asked of an object.
#[derive(Clone, Copy)]
enum Ask<'a> {
    /// That it be these bytes from now on, where there is none.
    Put(&'a Bytes),
    /// Its version.
    Find,
}

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
        match self.until_answered(&path, Ask::Put(bytes)).await {
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
        match self.until_answered(&path, Ask::Find).await {
            Ok(version) => Ok(Some(version)),
            Err(Fault::Answered(answer)) if answer.status == 404 => Ok(None),
            Err(fault) => Err(format!("the store does not say whether there is an object of that name: {fault}")),
        }
    }

    async fn put_once(&self, path: &Path, bytes: &Bytes) -> Result<Version, Fault> {
        let asked = Asked::object();
        let options = PutOptions { mode: PutMode::Create, extensions: asking(&asked), ..PutOptions::default() };
        let put = self.link.client.put_opts(path, PutPayload::from_bytes(bytes.clone()), options);
        let answer = timeout(S3_REQUEST, put).await.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?;
        let answer = answer.map_err(|error| Fault::of(&error, asked.was_sent()))?;
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

    /// Asks until the store answers, as long as there is patience.
    async fn until_answered(&self, path: &Path, ask: Ask<'_>) -> Result<Version, Fault> {
        let mut tries = Tries::of_object(&self.link);
        let mut end = tries.first().await;
        let mut last = Fault::Silent(S3_REQUEST);
        while end.is_ok() {
            let answer = match ask {
                Ask::Put(bytes) => self.put_once(path, bytes).await,
                Ask::Find => self.head(path).await,
            };
            match answer {
                Ok(version) => return Ok(version),
                Err(fault) => {
                    end = tries.again(path.as_ref(), &fault).await;
                    last = fault;
                }
            }
        }
        Err(last)
    }
}
