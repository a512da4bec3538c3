//! The layer before all calls: who calls, and whether the call's role is theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, header};
use axum::middleware::{Next, from_fn};
use headwater_access::{Grant, Role};
use headwater_wire::status::Refusal;
use tokio::task::spawn_blocking;
use tonic::service::Routes;
use tonic::{Code, Status};

use super::Gate;
use super::audit::{answered, refused};
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
    if gate.tokens.is_none() {
        return Ok(None);
    }
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let of = Arc::clone(gate);
    // The file of tokens is looked at.
    let granted = spawn_blocking(move || of.tokens.as_ref().map(|tokens| tokens.grant(shown.as_deref()))).await;
    let granted = granted.ok().flatten().unwrap_or(Err(headwater_access::NoGrant::Unknown));
    let grant = granted.map_err(|why| Refusal::Unknown { message: why.as_str() })?;
    if grant.allows(role) {
        return Ok(Some(grant));
    }
    let (name, has) = (&grant.name, grant.role);
    Err(Refusal::Forbidden {
        message: format!(
            "the token of {name} has the role {has}, and {call} takes {role}: have its line in --tokens say {role}"
        ),
    })
}

/// Whether somebody with these headers may read, for the metrics port: whoever it is, where that is asked for.
pub(crate) async fn may_read(gate: &Arc<Gate>, headers: &HeaderMap) -> Result<Option<Grant>, Refusal> {
    admit(gate, headers, Role::Read, "this page").await
}
