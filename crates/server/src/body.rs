//! The body of a fetch stream's response: pieces of its [`Outbox`], and its status as trailers.
//!
//! tonic's own body encodes messages into a buffer of its own, whose bytes are in no budget while they wait for the
//! network: with a few dozen slow readers of large samples they were three times what samples may take. This body gives
//! HTTP/2 bytes that carry their memory. tonic makes the response, headers and refusals included; [`WithBodies`] puts
//! the body into it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::Frame;
use tokio_util::task::AbortOnDropHandle;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::{Response, Status};

use crate::outbox::{Next, Outbox};

/// A stream's body. Dropping it ends the stream's work.
pub(crate) struct Body {
    outbox: Arc<Outbox>,
    _driver: AbortOnDropHandle<()>,
}

/// The body on its way through a response's extensions, which must be cloneable.
#[derive(Clone)]
struct Carried(Arc<Mutex<Option<Body>>>);

/// A service whose responses get the bodies that they carry.
#[derive(Clone)]
pub(crate) struct WithBodies<S>(pub(crate) S);

// === impl Body ===

impl Body {
    pub(crate) fn new(outbox: Arc<Outbox>, driver: AbortOnDropHandle<()>) -> Self {
        Self { outbox, _driver: driver }
    }

    /// A response that carries this body.
    pub(crate) fn into_response<S>(self, in_its_place: S) -> Response<S> {
        let mut response = Response::new(in_its_place);
        response.extensions_mut().insert(Carried(Arc::new(Mutex::new(Some(self)))));
        response
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(match ready!(self.outbox.poll(context)) {
            Some(Next::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Next::End(status)) => {
                let mut trailers = http::HeaderMap::new();
                Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
            }
            None => None,
        })
    }
}

// === impl WithBodies ===

impl<S, R> Service<R> for WithBodies<S>
where
    S: Service<R, Response = http::Response<tonic::body::Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let response = self.0.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            let carried = response.extensions_mut().remove::<Carried>();
            let body = carried.and_then(|carried| carried.0.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok(match body {
                Some(body) => response.map(|_| tonic::body::Body::new(body)),
                None => response,
            })
        })
    }
}

impl<S: NamedService> NamedService for WithBodies<S> {
    const NAME: &'static str = S::NAME;
}
