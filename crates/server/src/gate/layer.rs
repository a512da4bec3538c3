//! The layer before all calls: who calls, and whether the call's role is theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, header};
use axum::middleware::{Next, from_fn};
use headwater_access::{Grant, Role};
use headwater_wire::status::Refusal;
use tonic::service::Routes;
use tonic::{Code, Status};

use super::Gate;
use super::audit::{answered, refused};
use super::bearer::Bearer;
use super::roles::needed;
use super::scope::Caller;
use crate::metrics::Metrics;
use crate::peer::Peer;

/// The routes for those alone who may take them.
pub(crate) fn with_grants(routes: Routes, gate: Arc<Gate>, metrics: Arc<Metrics>) -> Routes {
    let layer = from_fn(move |request: Request, next: Next| {
        let (gate, metrics) = (Arc::clone(&gate), Arc::clone(&metrics));
        async move { guard(&gate, &metrics, request, next).await }
    });
    Routes::from(routes.into_axum_router().layer(layer))
}

async fn guard(gate: &Arc<Gate>, metrics: &Metrics, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let Some(role) = needed(&path) else { return next.run(request).await };
    let peer = request.extensions().get::<Peer>().cloned();
    let caller = match admit(gate, request.headers(), role, &path).await {
        Ok(grant) => Caller::new(grant.map(Arc::new)),
        Err(refusal) => {
            refused(&path, role, peer.as_ref(), &refusal.to_string());
            return metrics.refuse(refusal).into_http();
        }
    };
    let response = caller.clone().scope(next.run(request)).await;
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    answered(&path, role, (peer.as_ref(), &caller), code);
    response
}

/// Who calls, where that is asked for: somebody with this role.
async fn admit(gate: &Arc<Gate>, headers: &HeaderMap, role: Role, call: &str) -> Result<Option<Grant>, Refusal> {
    if !gate.asks_for_tokens() {
        return Ok(None);
    }
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    Bearer::of(gate, shown).await?.grant(role, call).map(Some)
}

/// Whether somebody with these headers may read, for the metrics port: whoever it is, where that is asked for.
pub(crate) async fn may_read(gate: &Arc<Gate>, headers: &HeaderMap) -> Result<Option<Grant>, Refusal> {
    admit(gate, headers, Role::Read, "this page").await
}
