//! One line of the log for each call that was refused, or that writes.

use std::sync::Arc;

use headwater_access::Role;
use tonic::Code;

use super::scope::Caller;
use crate::peer::Peer;

/// The log's target, by which the lines can be kept apart.
const TARGET: &str = "headwater::audit";

/// Notes a call that was let in, once it was answered.
pub(super) fn answered(call: &str, role: Role, (peer, caller): (Option<&Peer>, &Caller), code: Code) {
    if role == Role::Read && !matches!(code, Code::PermissionDenied | Code::Unauthenticated) {
        return;
    }
    let (peer, by) = (address(peer), caller.grant.as_ref().map_or("everybody", |grant| grant.name.as_str()));
    let dataset = caller.dataset.get().map_or("", String::as_str);
    let outcome = code.description();
    tracing::info!(target: TARGET, call, %role, by, peer, dataset, outcome, "call");
}

/// Notes a call that was not let in.
pub(super) fn refused(call: &str, role: Role, peer: Option<&Peer>, why: &str) {
    // What a client sends as a path is not what the log is for.
    let call: Arc<str> = call.chars().take(100).filter(|c| c.is_ascii_graphic()).collect::<String>().into();
    tracing::warn!(target: TARGET, %call, %role, peer = address(peer), why, "call refused");
}

fn address(peer: Option<&Peer>) -> String {
    peer.map(Peer::connection).unwrap_or_default()
}
