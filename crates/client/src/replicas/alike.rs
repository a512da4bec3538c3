//! Whether servers that have the same photos are alike in everything else that a sample depends on.

use std::sync::Arc;

use headwater_wire::proto;

use crate::connection::Server;
use crate::description::Description;
use crate::error::ClientError;
use crate::replicas::replica::Replica;

/// In what two servers differ that have the same photos, and must not.
pub(super) fn difference(one: &Description, other: &Description) -> Option<&'static str> {
    let differences = [
        (one.classes != other.classes, "classes"),
        (one.names != other.names, "names"),
        (one.limits != other.limits, "limits of photos"),
        (one.fields != other.fields, "fields"),
        (one.sample_epochs != other.sample_epochs, "versions"),
    ];
    differences.into_iter().find_map(|(differs, what)| differs.then_some(what))
}

/// Whether two servers have the same model under the same name. Where it runs, and how fast, may differ.
pub(super) fn is_same(one: &proto::ModelDescription, other: &proto::ModelDescription) -> bool {
    let bare = |model: &proto::ModelDescription| {
        let model = model.clone();
        proto::ModelDescription { device: String::new(), devices: None, ..model }
    };
    bare(one) == bare(other)
}

/// Servers of one partition as one, with the models that all of them have; and what is to be said of the others.
///
/// # Errors
/// Servers that have the same photos, and differ in what samples depend on.
pub(crate) fn as_one(of: Vec<Replica>) -> Result<(Description, Vec<String>), ClientError> {
    let mut replicas = of.into_iter();
    let Some(Replica { server: first, description: mut all }) = replicas.next() else {
        return Err(ClientError::Internal("a partition without a server".to_owned()));
    };
    let mut remarks = Vec::new();
    for Replica { server, description } in replicas {
        if let Some(what) = difference(&all, &description) {
            let (first, second) = (first.address().clone(), server.address().clone());
            return Err(ClientError::ReplicasDiffer { what, first, second });
        }
        all.cpu_workers = all.cpu_workers.saturating_add(description.cpu_workers);
        let has = |model: &proto::ModelDescription| description.models.iter().any(|other| is_same(model, other));
        let (common, lacking): (Vec<_>, Vec<_>) = all.models.into_iter().partition(has);
        all.models = common;
        remarks.extend(lacking.into_iter().map(|model| {
            let (name, lacks, has) = (model.name, server.address(), first.address());
            format!("model {name} is not used: {lacks} stands in for {has}, and does not have the same model {name}")
        }));
    }
    Ok((all, remarks))
}

/// What a person must know of servers that stand in for others.
pub(crate) fn remarks(described: &[Vec<Replica>], absent: &[Arc<Server>], hedge: bool) -> Vec<String> {
    let servers: usize = described.iter().map(Vec::len).sum();
    let partitions = described.len();
    let taken = |server: &Arc<Server>| {
        let address = server.address();
        format!(
            "server {address} does not answer, and is taken for a replica, since all partitions ({partitions}) are \
             served without it (servers: {servers}); if it has other photos, they are not in this dataset"
        )
    };
    let nobody = "hedging is on, and does nothing: no partition has a second server that could be asked".to_owned();
    let is_idle = hedge && described.iter().all(|of| of.len() == 1);
    absent.iter().map(taken).chain(is_idle.then_some(nobody)).collect()
}
