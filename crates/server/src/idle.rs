//! Idle connections: connections without an open call. Pings and settings are no calls, so a peer that only answers
//! them does not keep its place for ever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::Response;
use axum::middleware::{Next, from_fn};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tonic::service::Routes;

use crate::peer::{OpenCall, Peer};

/// Is ready once a connection has been idle for too long.
pub(crate) struct Idle {
    most: Duration,
    timer: Pin<Box<Sleep>>,
}

/// The body of a response. Its call is open until it ends.
struct CountedBody {
    body: Body,
    _call: Option<OpenCall>,
}

// === impl Idle ===

impl Idle {
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, timer: Box::pin(sleep(most)) }
    }

    pub(crate) fn poll(&mut self, peer: &Peer, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            let end = peer.idle_since().unwrap_or(now) + self.most;
            if end <= now {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(end);
        }
    }
}

/// The routes with their calls counted, each until the end of its answer.
pub(crate) fn with_calls_counted(routes: Routes) -> Routes {
    Routes::from(routes.into_axum_router().layer(from_fn(counted)))
}

async fn counted(request: Request, next: Next) -> Response<Body> {
    let call = request.extensions().get::<Peer>().map(Peer::begin);
    next.run(request).await.map(|body| Body::new(CountedBody { body, _call: call }))
}

// === impl CountedBody ===

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_its_last_call() {
        let (peer, begin) = (Peer::new(None), Instant::now());
        let mut idle = Idle::new(Duration::from_secs(10));
        let (first, second) = (peer.begin(), peer.begin());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(peer.idle_since().is_none());
        drop(first);
        let ends = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(40)).await;
            drop(second);
        });
        poll_fn(|context| idle.poll(&peer, context)).await;
        ends.await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), 110);
    }
}
