//! The names of a dataset's samples, without the photos.

use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_types::{ClassId, Field, FieldValue, SampleIndex};
use headwater_wire::{List, Listed, Samples, proto};
use tokio::time::sleep;

use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::replicas::{Seat, Seated};
use crate::trouble::Trouble;

/// Samples of one call: some tens of megabytes.
const SAMPLES_PER_CALL: usize = 262_144;
const _: () = assert!(SAMPLES_PER_CALL <= MAX_SAMPLES_PER_CALL);

/// One server, asked for the names of its samples.
struct Lister<'a> {
    server: &'a Arc<Seat>,
    dataset: &'a str,
    partition: &'a Partition,
    retry: &'a Retry,
    /// The fields that are to come with each sample.
    fields: &'a [Field],
}

// === impl Dataset ===

impl Dataset {
    /// The keys, labels and stored sizes of these samples, in order, out of the servers' memory.
    ///
    /// # Errors
    /// A range past the dataset's end, a server that is too old for it, and as for fetching.
    pub async fn listing(&self, range: Range<u64>) -> Result<Vec<Listed>, ClientError> {
        self.0.union.check_index((!range.is_empty()).then(|| range.end - 1))?;
        let calls = self.listers(&[]).map(|lister| {
            let (first, end) = (lister.partition.first, lister.partition.end());
            let local = |index: u64| index.clamp(first, end) - first;
            let (first, end) = (local(range.start), local(range.end));
            let count = usize::try_from(end - first).unwrap_or(usize::MAX);
            async move { lister.list(&Samples::Range { first, count }).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }

    /// What servers say of these samples without their photos, with the fields of these names, in the order of the
    /// indices.
    ///
    /// # Errors
    /// An index past the dataset's end, fields that are not there, and as for [`Self::listing`].
    pub async fn described(&self, indices: &[SampleIndex], fields: &[String]) -> Result<Vec<Listed>, ClientError> {
        let union = &self.0.union;
        union.check_index(indices.iter().map(|index| index.0).max())?;
        let fields = union.named_fields(fields)?;
        let calls = self.listers(&fields).map(|lister| {
            let (first, end) = (lister.partition.first, lister.partition.end());
            let own = indices.iter().filter(|index| (first..end).contains(&index.0));
            let own = Samples::List(own.map(|index| index.0 - first).collect());
            async move { lister.list(&own).await.map(Vec::into_iter) }
        });
        let mut each = try_join_all(calls).await?;
        // Each partition's samples have come in the order in which they stand among all.
        let of = |index: u64| {
            union.partitions.iter().position(|partition| (partition.first..partition.end()).contains(&index))
        };
        let listed = indices.iter().map(|index| each.get_mut(of(index.0)?)?.next());
        listed.collect::<Option<_>>().ok_or(ClientError::Request("an index is past the dataset's end"))
    }

    fn listers<'a>(&'a self, fields: &'a [Field]) -> impl Iterator<Item = Lister<'a>> {
        let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
        let servers = self.0.union.partitions.iter().zip(&self.0.servers);
        servers.map(move |(partition, server)| Lister { server, dataset, partition, retry, fields })
    }
}

// === impl Lister ===

impl Lister<'_> {
    /// The names of these samples of the partition, in order, with the dataset's labels. A call that breaks is made
    /// again for the names that are missing.
    async fn list(&self, wanted: &Samples) -> Result<Vec<Listed>, ClientError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.partition.names()?;
        let mut listed = Vec::new();
        let mut patience = Patience::for_answer(self.server.address(), self.retry, self.partition.first);
        loop {
            let before = listed.len();
            let call = part(wanted, before);
            if call.is_empty() {
                return Ok(listed);
            }
            let ended = self.call(call, &mut listed).await;
            if listed.len() > before {
                patience.beat();
                patience.progressed();
            }
            if let Err(trouble) = ended {
                sleep(patience.bear(trouble)?).await;
            }
        }
    }

    /// One call, which adds to what is listed.
    async fn call(&self, wanted: Samples, listed: &mut Vec<Listed>) -> Result<(), Trouble> {
        let client = self.server.connect().await?;
        self.read(&client, wanted, listed).await?;
        client.put_back();
        Ok(())
    }

    async fn read(&self, client: &Seated, wanted: Samples, listed: &mut Vec<Listed>) -> Result<(), Trouble> {
        let (dataset, digest) = (self.dataset.to_owned(), Some(self.partition.digest));
        let mut next = match &wanted {
            Samples::Range { first, .. } => *first,
            Samples::List(_) => 0,
        };
        let end = next + wanted.len() as u64;
        let fields = self.fields.iter().map(|field| field.name.clone()).collect();
        let list = List { dataset, dataset_digest: digest, samples: wanted, fields };
        let (silent, request) = ("a call went silent", proto::ListRequest::from(list));
        let response = client.wait(self.retry.stall, silent, client.datasets().list(request)).await?;
        let mut stream = response.map_err(|status| client.judge(&status))?.into_inner();
        let broke = |message: String| Trouble::Lasting(client.protocol(message));
        loop {
            let message = client.wait(self.retry.stall, silent, stream.message()).await?;
            let Some(batch) = message.map_err(|status| client.judge(&status))? else { break };
            let (first, samples) = Listed::read(batch).map_err(|invalid| broke(invalid.to_string()))?;
            next += samples.len() as u64;
            if samples.is_empty() || first + samples.len() as u64 != next || next > end {
                return Err(broke(format!("it listed samples from {first} on where others were asked for")));
            }
            for sample in samples {
                if !self.are_fields(&sample.fields) {
                    return Err(broke("its fields are not those that were asked for".to_owned()));
                }
                listed.push(Listed { label: self.label(sample.label)?, ..sample });
            }
        }
        if next < end { Err(broke(format!("it left out {} names", end - next))) } else { Ok(()) }
    }

    fn are_fields(&self, values: &[FieldValue]) -> bool {
        let fit = values.iter().zip(self.fields).all(|(value, field)| value.fits(field.kind));
        fit && values.len() == self.fields.len()
    }

    /// The dataset's class for one of the partition's.
    fn label(&self, label: Option<ClassId>) -> Result<Option<ClassId>, Trouble> {
        let Some(ClassId(local)) = label else { return Ok(None) };
        let class = usize::try_from(local).ok().and_then(|local| self.partition.labels.get(local));
        let unknown = || self.server.protocol(format!("its label {local} is not among its classes"));
        class.copied().map(Some).ok_or_else(|| Trouble::Lasting(unknown()))
    }
}

/// What a next call asks for, once so many samples have come.
fn part(wanted: &Samples, came: usize) -> Samples {
    match wanted {
        Samples::Range { first, count } => {
            Samples::Range { first: first + came as u64, count: (count - came).min(SAMPLES_PER_CALL) }
        }
        Samples::List(indices) => Samples::List(indices[came..].iter().take(SAMPLES_PER_CALL).copied().collect()),
    }
}
