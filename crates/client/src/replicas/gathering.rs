//! Which of the servers that are named serve what: each is asked, and those that serve the same are put together.
//!
//! A server that does not answer is an error, since nobody knows what it has. There are two exceptions: the others
//! serve all partitions of a generation that is known, or all parts of one listing that is divided or served twice, so
//! that the missing server is taken for a replica, which is said; and a caller insists on what is there.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use headwater_types::{DatasetName, Digest, Partition as Part};
use tokio::time::{Instant, sleep_until};

use crate::connection::Server;
use crate::describe::describe;
use crate::description::Description;
use crate::error::ClientError;
use crate::options::ClientOptions;
use crate::replicas::memory;
use crate::replicas::replica::Replica;

/// What servers serve.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The servers of each partition.
    pub(crate) partitions: Vec<Vec<Replica>>,
    /// Servers that have not answered, and without which there is all that is wanted.
    pub(crate) absent: Vec<Arc<Server>>,
}

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a DatasetName,
    /// The digests of the partitions, in order, where a generation is to be joined.
    pub(crate) generation: Option<&'a [Digest]>,
    /// Whether the order of the servers says nothing: they were found, and not named.
    pub(crate) is_found: bool,
}

/// What has come of asking, in the order of the servers; `None`: nothing yet.
type Answers = [Option<Result<Description, ClientError>>];

/// How long servers that are not needed are waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Asks all servers, and puts those together that serve the same.
///
/// # Errors
/// A server that does not answer, and may have what no other has; one that has no partition of the generation.
pub(crate) async fn gather(
    servers: &[Arc<Server>],
    wanted: &Wanted<'_>,
    options: &ClientOptions,
) -> Result<Gathered, ClientError> {
    let asked = (0..)
        .zip(servers)
        .map(|(place, server)| async move { (place, wanted.described(server, (place, servers.len()), options).await) });
    let mut asked: FuturesUnordered<_> = asked.collect();
    let mut answers: Vec<_> = servers.iter().map(|_| None).collect();
    let mut late = pin!(sleep_until(Instant::now()));
    let mut suffice = false;
    loop {
        tokio::select! {
            answer = asked.next() => match answer {
                None => break,
                Some((_, Err(error))) if !wanted.is_absence(&error) => return Err(error),
                Some((place, answer)) => answers[place] = Some(answer),
            },
            () = late.as_mut(), if suffice => break,
        }
        if !suffice && wanted.suffice(servers, &answers) {
            suffice = true;
            late.as_mut().reset(Instant::now() + GRACE);
        }
    }
    let is_complete = wanted.is_complete(&answers) || wanted.suffice(servers, &answers);
    let (mut replicas, mut absent) = (Vec::new(), Vec::new());
    for (server, answer) in servers.iter().zip(answers) {
        match answer {
            Some(Ok(description)) => replicas.push(Replica { server: Arc::clone(server), description }),
            Some(Err(error)) if !is_complete && !options.allow_partial => return Err(error),
            Some(Err(error)) => absent.push((Arc::clone(server), Some(error))),
            None => absent.push((Arc::clone(server), None)),
        }
    }
    if let (true, Some((_, Some(error)))) = (replicas.is_empty(), absent.first()) {
        return Err(error.clone());
    }
    let partitions = wanted.together(replicas);
    memory::remember(wanted.name, &partitions);
    Ok(Gathered { partitions, absent: absent.into_iter().map(|(server, _)| server).collect() })
}

// === impl Wanted ===

impl Wanted<'_> {
    /// What a server has of the generation that is wanted.
    async fn described(
        &self,
        server: &Server,
        (place, count): (usize, usize),
        options: &ClientOptions,
    ) -> Result<Description, ClientError> {
        let describe = |digest| describe(server, (self.name, digest), &options.retry, place as u64);
        let Some(generation) = self.generation else { return describe(None).await };
        if !self.is_found && generation.len() == count {
            return describe(Some(generation[place])).await;
        }
        let mut told = describe(None).await;
        if matches!(&told, Ok(current) if !generation.contains(&current.digest)) {
            for digest in generation {
                told = describe(Some(*digest)).await;
                if !matches!(told, Err(ClientError::DatasetChanged { .. })) {
                    break;
                }
            }
        }
        told
    }

    /// Whether an error says that the server cannot be asked, or has nothing of what is wanted where others may have
    /// it; and not that something is wrong.
    fn is_absence(&self, error: &ClientError) -> bool {
        match error {
            ClientError::NotConnected { .. } | ClientError::NotReady { .. } | ClientError::Busy { .. } => true,
            ClientError::DatasetChanged { .. } => self.generation.is_some(),
            _ => false,
        }
    }

    /// Whether the servers that have answered have all that is wanted, as far as that can be known from what they have.
    fn is_complete(&self, answers: &Answers) -> bool {
        let told: Vec<_> = answers.iter().flatten().flatten().collect();
        match self.generation {
            Some(generation) => {
                generation.iter().all(|digest| told.iter().any(|description| description.digest == *digest))
            }
            // One server that has everything looks like one of several folders, too.
            None => has_all_parts(&told) && told.len() > 1,
        }
    }

    /// Whether nobody has to wait for the servers that have not answered: it is certain that others have what they
    /// have.
    fn suffice(&self, servers: &[Arc<Server>], answers: &Answers) -> bool {
        if self.generation.is_some() {
            return self.is_complete(answers);
        }
        let answered = |place: &usize| matches!(answers[*place], Some(Ok(_)));
        let (there, missing): (Vec<_>, Vec<_>) = (0..servers.len()).partition(answered);
        let there: Vec<_> = there.into_iter().map(|place| servers[place].address()).collect();
        let mut missing = missing.into_iter().map(|place| servers[place].address());
        let told: Vec<_> = answers.iter().flatten().flatten().collect();
        has_all_parts(&told) && missing.all(|missing| memory::has_a_replica(self.name, missing, &there))
    }

    /// The servers of each partition: in the order of the generation; without one in the order in which they were
    /// named; and of servers that were found by listing and part, so that every process has the same order.
    fn together(&self, replicas: Vec<Replica>) -> Vec<Vec<Replica>> {
        let mut partitions = Vec::<Vec<Replica>>::new();
        for replica in replicas {
            let same = |of: &&mut Vec<Replica>| key(&of[0].description) == key(&replica.description);
            match partitions.iter_mut().find(same) {
                Some(of) => of.push(replica),
                None => partitions.push(vec![replica]),
            }
        }
        match self.generation {
            Some(generation) => {
                partitions.sort_by_key(|of| generation.iter().position(|digest| *digest == of[0].description.digest));
            }
            None if self.is_found => partitions.sort_by_key(|of| {
                let Description { listing, part, .. } = &of[0].description;
                (*listing.digest.as_bytes(), *part)
            }),
            None => {}
        }
        partitions
    }
}

/// What two servers have alike that stand in for each other.
fn key(description: &Description) -> (Digest, Digest, Part) {
    (description.listing.digest, description.digest, description.part)
}

/// Whether these are all parts of one listing.
fn has_all_parts(told: &[&Description]) -> bool {
    let Some(first) = told.first() else { return false };
    let parts: BTreeSet<Part> = told.iter().map(|each| each.part).collect();
    let is_of_one = told.iter().all(|each| each.listing.digest == first.listing.digest);
    is_of_one && parts.len() == first.part.count() as usize && first.part.all().all(|part| parts.contains(&part))
}
