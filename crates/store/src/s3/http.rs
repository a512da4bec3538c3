//! Between `object_store` and the network: what a store answers is looked at here, where its status, its headers and
//! its first bytes are still to be seen.
//!
//! `object_store` makes and signs requests, and pools connections. It is left nothing to judge: refusals become
//! [`Answer`]s, which it never tries again (it would four times within a second, whatever `Retry-After` says), and
//! listings are read by [`document::read`]. It gets an empty one in place of each, and hands the true one through
//! beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use headwater_types::caps::S3_PAGE_BYTES;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};

use super::answer::{Answer, shown};
use super::document::{self, NoListing};
use super::fault::Transport;

/// What a request asks for; it travels in its extensions. A request without one is for credentials.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Whether the request is on its way.
    sent: Arc<AtomicBool>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Object,
    /// A page of the keys that begin with this prefix.
    Page(String),
}

/// Makes clients that look at every answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    /// How many answers have come, of whatever kind.
    pub(super) answers: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Looking {
    inner: HttpClient,
    answers: Arc<AtomicU64>,
}

/// The body that `object_store` gets in place of a listing that was read here.
const EMPTY: &str = "<ListBucketResult></ListBucketResult>";
/// Most bytes of a refusal, and of what a machine says of its role.
const MOST_WORDS: usize = 64 * 1024;

// === impl Asked ===

impl Asked {
    pub(super) fn object() -> Self {
        Self { sent: Arc::default(), what: What::Object }
    }

    pub(super) fn page(prefix: &str) -> Self {
        Self { sent: Arc::default(), what: What::Page(prefix.to_owned()) }
    }

    pub(super) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }
}

// === impl Connector ===

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Looking { inner, answers: Arc::clone(&self.answers) }))
    }
}

// === impl Looking ===

#[async_trait]
impl HttpService for Looking {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(asked) = request.extensions().get::<Asked>().cloned() else { return self.credentials(request).await };
        asked.sent.store(true, Ordering::Relaxed);
        let lost = |source: HttpError| HttpError::new(source.kind(), Transport { source });
        let answer = self.inner.execute(request).await.map_err(lost)?;
        self.answers.fetch_add(1, Ordering::Relaxed);
        let status = answer.status().as_u16();
        if !(200..300).contains(&status) {
            let (parts, body) = answer.into_parts();
            // What there is of it: a refusal says enough without its words.
            let body = gathered(body, MOST_WORDS).await.unwrap_or_default();
            return Err(refused(Answer::new(status, &parts.headers, &body)));
        }
        match &asked.what {
            What::Object => Ok(answer),
            What::Page(prefix) => {
                let (mut parts, body) = answer.into_parts();
                let body = gathered(body, S3_PAGE_BYTES).await.map_err(lost)?;
                let page = document::read(&body, prefix).map_err(refused)?;
                parts.extensions.insert(Arc::new(page));
                Ok(HttpResponse::from_parts(parts, Bytes::from_static(EMPTY.as_bytes()).into()))
            }
        }
    }
}

impl Looking {
    /// What a machine says of its role becomes part of an address and a header: anything else than one word would be a
    /// panic there.
    async fn credentials(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let path = request.uri().path();
        let is_word = path.ends_with("/latest/api/token") || path.ends_with("/security-credentials/");
        let answer = self.inner.execute(request).await?;
        if !is_word || !answer.status().is_success() {
            return Ok(answer);
        }
        let (parts, body) = answer.into_parts();
        let body = gathered(body, MOST_WORDS).await?;
        if body.is_empty()
            || !body.iter().all(u8::is_ascii_graphic)
            || body.iter().any(|byte| b"<>\"{}|\\^`%?#".contains(byte))
        {
            let why = "no name of a role or a token".to_owned();
            return Err(refused(NoListing::Garbled { why, first: shown(&body) }));
        }
        Ok(HttpResponse::from_parts(parts, body.into()))
    }
}

fn refused(why: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, why)
}

/// The body, if it has no more than so many bytes.
async fn gathered(body: HttpResponseBody, most: usize) -> Result<Bytes, HttpError> {
    let mut bytes = Vec::new();
    let mut chunks = body.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if chunk.len() > most - bytes.len() {
            let why = format!("more than {most} bytes");
            return Err(refused(NoListing::Garbled { why, first: shown(&bytes) }));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}
