//! What several servers serve, as one dataset: their partitions one after the other, with one list of classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_types::digest::Digester;
use headwater_types::{DatasetName, Digest, Field, ModelName};
use headwater_wire::proto;

use crate::classes;
use crate::connection::Server;
use crate::error::ClientError;
use crate::left_out;
use crate::model::{self, ModelInfo, RegisteredModel};
use crate::options::ClientOptions;
use crate::partition::Partition;
use crate::parts;
use crate::replicas::{self, Kept, Replica, Seat};

/// The target of what is logged of a dataset at every connection. A program that gives it out another way, by
/// [`Dataset::remarks`](crate::Dataset::remarks), filters it by this name.
pub const REMARKS: &str = "headwater_client::remarks";

/// The partitions of a dataset, in the order in which their servers were named.
#[derive(Debug)]
pub(crate) struct Union {
    /// The dataset's name.
    pub(crate) name: DatasetName,
    pub(crate) partitions: Vec<Partition>,
    /// The models of each partition's server.
    pub(crate) models: Vec<Vec<proto::ModelDescription>>,
    /// The class names of each partition.
    pub(crate) own_classes: Vec<Vec<String>>,
    /// The class names of all partitions.
    pub(crate) classes: Vec<String>,
    /// What a person who trains on the dataset must know.
    pub(crate) remarks: Vec<String>,
}

// === impl Union ===

impl Union {
    /// Puts together what these servers have described, those of each partition together. `absent`: servers that have
    /// not, and are taken for replicas.
    ///
    /// # Errors One server under two addresses; classes that cannot be united; parts that are not each sample once;
    /// replicas that differ.
    pub(crate) fn new(
        name: DatasetName,
        seats: &[Arc<Seat>],
        described: Vec<Vec<Replica>>,
        absent: &[Arc<Server>],
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        tell_apart(&described)?;
        let left_out = log_left_out(&described);
        let lists = described.iter().map(|of| (of[0].server.address(), of[0].description.classes.as_slice()));
        let classes = classes::unite(lists)?;
        let own_classes = described.iter().map(|of| of[0].description.classes.clone()).collect();
        let (mut partitions, mut models) = (Vec::<Partition>::new(), Vec::new());
        let mut of_replicas = replicas::remarks(&described, absent, options.hedge);
        for (seat, of) in seats.iter().zip(described) {
            let first = partitions.last().map_or(0, Partition::end);
            let (description, lacking) = replicas::as_one(of)?;
            of_replicas.extend(lacking);
            let partition = Partition::new(seat.address().clone(), first, &description, &classes, options.limits);
            seat.allow_payload(partition.limits.limits().max_payload());
            partitions.push(partition);
            models.push(description.models);
        }
        let of_parts = parts::check(&partitions, options.allow_partial)?;
        let remarks: Vec<_> = of_parts.iter().map(ToString::to_string).chain(of_replicas).chain(left_out).collect();
        remarks.iter().for_each(|remark| tracing::warn!(target: REMARKS, "{remark}"));
        Ok(Self { name, partitions, models, own_classes, classes, remarks })
    }

    /// What the servers of each partition have, for whoever looks after them.
    pub(crate) fn kept(&self, seats: &[Arc<Seat>]) -> Vec<Kept> {
        let each = seats.iter().zip(&self.partitions).zip(self.own_classes.iter().zip(&self.models));
        let kept = |((seat, partition), (classes, models)): ((&Arc<Seat>, &Partition), (&Vec<_>, &Vec<_>))| Kept {
            seat: Arc::clone(seat),
            classes: classes.clone(),
            models: models.clone(),
            max_payload: partition.limits.limits().max_payload(),
        };
        each.map(kept).collect()
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> u64 {
        self.partitions.last().map_or(0, Partition::end)
    }

    /// Sees to it that an index, if there is one, is that of a sample.
    pub(crate) fn check_index(&self, index: Option<u64>) -> Result<(), ClientError> {
        let samples = self.samples();
        match index.filter(|&index| index >= samples) {
            Some(index) => Err(ClientError::OutOfRange { index, dataset: self.name.clone(), samples }),
            None => Ok(()),
        }
    }

    /// The fields that samples have on every server, of the same kind on each.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let Some((first, others)) = self.partitions.split_first() else { return Vec::new() };
        let everywhere = |field: &&Field| others.iter().all(|other| other.fields.iter().any(|each| each == *field));
        first.fields.iter().filter(everywhere).cloned().collect()
    }

    /// The fields of these names.
    ///
    /// # Errors
    /// Names that a server does not have, or has of another kind than the first; a name given twice.
    pub(crate) fn named_fields(&self, names: &[String]) -> Result<Vec<Field>, ClientError> {
        let mut found = Vec::<Field>::new();
        for name in names {
            for Partition { fields, address, .. } in &self.partitions {
                let wrong = |source| ClientError::Field { server: address.clone(), source };
                let place = fields.place(name).map_err(wrong)?;
                let field = fields.iter().nth(place).cloned();
                match (found.iter().find(|field| field.name == *name), field) {
                    (Some(first), Some(field)) if field.kind != first.kind => {
                        let (name, first, second) = (name.clone(), first.kind, field.kind);
                        return Err(ClientError::FieldsDiffer { name, first, second, server: address.clone() });
                    }
                    (None, Some(field)) => found.push(field),
                    _ => {}
                }
            }
        }
        if found.len() < names.len() {
            return Err(ClientError::Request("a field is named twice: name it once"));
        }
        Ok(found)
    }

    /// A model that all servers have.
    pub(crate) fn model(&self, name: &ModelName) -> Result<ModelInfo, ClientError> {
        let RegisteredModel { info, servers, .. } = self.registered_model(name)?;
        match servers.iter().position(|has| !has) {
            Some(place) => Err(self.lacks_model(place, name)),
            None => Ok(info),
        }
    }

    /// A model that some servers have.
    pub(crate) fn registered_model(&self, name: &ModelName) -> Result<RegisteredModel, ClientError> {
        let models = self.models.iter().map(Vec::as_slice);
        model::registered(name, self.partitions.iter().zip(models))
    }

    /// Says that the server of the partition at this place does not have the model.
    pub(crate) fn lacks_model(&self, place: usize, name: &ModelName) -> ClientError {
        model::unknown(name, &self.partitions[place].address, &self.models[place])
    }

    /// BLAKE3 over the partitions' digests, in order.
    pub(crate) fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        for partition in &self.partitions {
            digester.field(partition.digest.as_bytes());
        }
        digester.finish()
    }

    /// BLAKE3 over the partitions' digests of keys and labels, in order.
    ///
    /// # Errors
    /// A server that is too old to have one.
    pub(crate) fn names_digest(&self) -> Result<Digest, ClientError> {
        let mut digester = Digester::default();
        for partition in &self.partitions {
            digester.field(partition.names()?.as_bytes());
        }
        Ok(digester.finish())
    }
}

/// Sees to it that no server is there twice, under whatever addresses.
fn tell_apart(described: &[Vec<Replica>]) -> Result<(), ClientError> {
    let mut known = BTreeMap::new();
    for Replica { server, description } in described.iter().flatten() {
        if let Some(first) = known.insert(description.instance, server.address()) {
            return Err(ClientError::SameServer { first: first.clone(), second: server.address().clone() });
        }
    }
    Ok(())
}

/// What the servers' listings left out: what is usual goes into the log, and the rest is returned.
fn log_left_out(described: &[Vec<Replica>]) -> Vec<String> {
    let each = described.iter().flatten();
    let each = each.map(|Replica { server, description: of }| (server.address(), of.listing.digest, &of.left_out[..]));
    let (usual, unusual): (Vec<_>, Vec<_>) = left_out::remarks(each).into_iter().partition(|left| left.is_usual);
    usual.iter().for_each(|left| tracing::debug!("{}", left.text));
    unusual.into_iter().map(|left| left.text).collect()
}
