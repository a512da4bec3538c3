//! The metrics port: `/metrics` for Prometheus, `/livez` (also `/healthz`) and `/readyz` for whoever looks after the process,
//! and a page that says so.
//!
//! It answers from the start, before there is anything to serve: `/readyz` then says what the server is doing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use headwater_types::ByteCount;
use headwater_wire::transport::METRICS_PORT;
use tokio_util::sync::CancellationToken;

use crate::life::{Life, Phase};
use crate::listen::Listeners;
use crate::metrics::Metrics;

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
    if let Err(error) = axum::serve(listeners, router).with_graceful_shutdown(end.cancelled_owned()).await {
        tracing::error!(%error, "the metrics port has ended");
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
    let memory = told.life.shared().map_or_else(|_| ByteCount::default(), |shared| shared.memory_in_use());
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
