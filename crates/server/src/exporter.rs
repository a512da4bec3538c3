//! The metrics port: `/metrics` for Prometheus, `/livez` (also `/healthz`) and `/readyz` for whoever looks after the process,
//! and a page that says so.
//!
//! It answers from the start, before there is anything to serve: `/readyz` then says what the server is doing. A connection is for one
//! request and must be done with it soon; where there are too many, the oldest makes way. So nobody who is slow or silent keeps a probe
//! from its answer.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use headwater_types::ByteCount;
use headwater_types::caps::{METRICS_CONNECTIONS, METRICS_TIMEOUT};
use headwater_wire::transport::METRICS_PORT;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::life::{Life, Phase};
use crate::listen::Listeners;
use crate::metrics::{Ending, Metrics};
use crate::reception;

/// OpenMetrics' own type.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the port tells of.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) life: Arc<Life>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where gRPC is served, for who has mistaken this port for it.
    pub(crate) serving: String,
}

/// Answers until cancelled.
pub(crate) async fn export(listeners: Listeners, told: Told, end: CancellationToken) {
    let counting = Arc::clone(&told.metrics);
    let name = HeaderValue::from_str(&told.serving).unwrap_or(HeaderValue::from_static(""));
    let named = middleware::from_fn(move |request: Request, next: Next| {
        let name = name.clone();
        async move {
            let mut response = next.run(request).await;
            response.headers_mut().insert(METRICS_PORT, name);
            response
        }
    });
    let router = Router::new()
        .route("/", get(page))
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .layer(named)
        .with_state(told);
    let greet = |stream| answer(stream, router.clone(), Arc::clone(&counting));
    reception::receive(listeners, METRICS_CONNECTIONS, &counting.endings, end, greet).await;
}

/// One request, and its answer.
async fn answer(stream: TcpStream, router: Router, metrics: Arc<Metrics>) {
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server.http1().keep_alive(false);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(METRICS_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the metrics port broke"),
        Err(_elapsed) => {
            if let Some(connections) = metrics.endings.count(Ending::Slow) {
                let limit_seconds = METRICS_TIMEOUT.as_secs_f64();
                tracing::warn!(
                    connections,
                    limit_seconds,
                    "connections to the metrics port took too long and were closed"
                );
            }
        }
    }
}

async fn page(State(told): State<Told>) -> Html<String> {
    let Told { life, serving, .. } = told;
    let phase = life.phase().to_string().replace('&', "&amp;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><title>Headwater</title><h1>Headwater storage server</h1><p>{phase}</p>\
         <p>gRPC is served on {serving}.</p><ul>\
         <li><a href=\"/metrics\">/metrics</a>: for Prometheus\
         <li><a href=\"/readyz\">/readyz</a>: 200 where it serves, else 503 and what it is doing\
         <li><a href=\"/livez\">/livez</a>, <a href=\"/healthz\">/healthz</a>: 200 as long as the process answers</ul>\n"
    ))
}

async fn metrics(State(told): State<Told>) -> Response {
    let memory = told.life.shared().map_or_else(|_| ByteCount::default(), |shared| shared.resources.memory_in_use());
    match told.metrics.encode(memory) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn ready(State(told): State<Told>) -> (StatusCode, String) {
    let phase = told.life.phase();
    let status = if phase == Phase::Serving { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{phase}\n"))
}
