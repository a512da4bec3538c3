//! A whole object that is not of the dataset, such as a table that was exported: put in place of what is there.

use bytes::Bytes;
use headwater_types::patience::S3_REQUEST;
use object_store::path::Path;
use object_store::{ObjectStore, PutOptions, PutPayload};
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

/// Puts an object, however often that takes.
///
/// # Errors
/// Why the store did not take it, in words.
pub(crate) async fn upload(bucket: &str, key: &str, bytes: &Bytes, options: &S3Options) -> Result<(), String> {
    let settings = Settings::from_environment().map_err(|error| error.to_string())?;
    let link = connect::connect(bucket, options, &settings, Fetched::default()).map_err(|error| error.to_string())?;
    let path = Path::parse(key).map_err(|error| error.to_string())?;
    let mut tries = Tries::of_object(&link);
    let mut end = tries.first().await;
    let mut last = Fault::Silent(S3_REQUEST);
    while end.is_ok() {
        match once(&link, &path, bytes).await {
            Ok(()) => return Ok(()),
            Err(fault) => {
                end = tries.again(key, &fault).await;
                last = fault;
            }
        }
    }
    Err(untaken(&last))
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

async fn once(link: &Link, path: &Path, bytes: &Bytes) -> Result<(), Fault> {
    let asked = Asked::object();
    let options = PutOptions { extensions: asking(&asked), ..PutOptions::default() };
    let put = link.client.put_opts(path, PutPayload::from_bytes(bytes.clone()), options);
    let answer = timeout(S3_REQUEST, put).await.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?;
    answer.map(|_| ()).map_err(|error| Fault::of(&error, asked.was_sent()))
}
