//! A whole object that is not of the dataset, such as a table that was exported: put in place of what is there.

use bytes::Bytes;
use headwater_types::patience::S3_REQUEST;
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutOptions, PutPayload, PutResult};
use tokio::time::timeout;

use super::connect;
use super::denial;
use super::fault::Fault;
use super::http::Asked;
use super::link::{Link, asking};
use super::settings::Settings;
use super::tries::Tries;
use crate::fetched::Fetched;
use crate::options::S3Options;

/// Puts an object into a bucket, in place of what is there: what a program has made, and no photo of a dataset.
///
/// # Errors
/// Why the store did not take it, in words.
pub async fn upload(bucket: &str, key: &str, bytes: &Bytes, options: &S3Options) -> Result<(), String> {
    let settings = Settings::from_environment().map_err(|error| error.to_string())?;
    let link = connect::connect(bucket, options, &settings, Fetched::default()).map_err(|error| error.to_string())?;
    let path = Path::parse(key).map_err(|error| error.to_string())?;
    let put = || put(&link, &path, bytes, PutMode::Overwrite);
    let answer = Tries::of_object(&link).until_answered(key, put).await;
    answer.map(|_| ()).map_err(|fault| untaken(&fault))
}

/// Why the store did not take an object, in words.
pub(super) fn untaken(fault: &Fault) -> String {
    let Fault::Answered(answer) = fault else { return format!("the store did not take it: {fault}") };
    match (denial::of(answer), answer.status) {
        (Some(denial), _) => format!("{denial} ({answer})"),
        (None, 401 | 403) => {
            format!("the store refused to take it: the credentials must allow s3:PutObject ({answer})")
        }
        (None, _) => format!("the store refused to take it: {answer}"),
    }
}

/// Puts an object, once.
pub(super) async fn put(link: &Link, path: &Path, bytes: &Bytes, mode: PutMode) -> Result<PutResult, Fault> {
    let asked = Asked::object();
    let options = PutOptions { mode, extensions: asking(&asked), ..PutOptions::default() };
    let put = link.client.put_opts(path, PutPayload::from_bytes(bytes.clone()), options);
    let answer = timeout(S3_REQUEST, put).await.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?;
    answer.map_err(|error| Fault::of(&error, asked.was_sent()))
}
