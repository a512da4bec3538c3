//! The names of a dataset's samples, without the photos.

use std::ops::Range;

use futures::future::try_join_all;
use headwater_types::ClassId;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_wire::{List, Listed, proto};
use tokio::time::{sleep, timeout};

use crate::connection::{Client, Server};
use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::trouble::Trouble;

/// Samples of one call: some tens of megabytes.
const SAMPLES_PER_CALL: u64 = 262_144;
const _: () = assert!(SAMPLES_PER_CALL <= MAX_SAMPLES_PER_CALL as u64);

/// One server, asked for the names of its samples.
struct Lister<'a> {
    server: &'a Server,
    dataset: &'a str,
    partition: &'a Partition,
    retry: &'a Retry,
}

// === impl Dataset ===

impl Dataset {
    /// The keys, labels and stored sizes of these samples, in order, out of the servers' memory.
    ///
    /// # Errors
    /// A range past the dataset's end, a server that is too old for it, and as for fetching.
    pub async fn listing(&self, range: Range<u64>) -> Result<Vec<Listed>, ClientError> {
        self.0.union.check_index((!range.is_empty()).then(|| range.end - 1))?;
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
            let local = |index: u64| index.clamp(partition.first, partition.end()) - partition.first;
            let wanted = local(range.start)..local(range.end);
            async move { Lister { server, dataset, partition, retry }.list(wanted).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }
}

// === impl Lister ===

impl Lister<'_> {
    /// The names of these samples of the partition, in order, with the dataset's labels. A call that breaks is made
    /// again for the names that are missing.
    async fn list(&self, wanted: Range<u64>) -> Result<Vec<Listed>, ClientError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.partition.names()?;
        let mut listed = Vec::new();
        let mut patience = Patience::for_answer(self.server, self.retry, self.partition.first);
        loop {
            let before = listed.len();
            let next = wanted.start + before as u64;
            let call = next..wanted.end.min(next.saturating_add(SAMPLES_PER_CALL));
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
    async fn call(&self, wanted: Range<u64>, listed: &mut Vec<Listed>) -> Result<(), Trouble> {
        let client = self.server.connect().await?;
        self.read(&client, wanted, listed).await?;
        self.server.put_back(client);
        Ok(())
    }

    async fn read(&self, client: &Client, wanted: Range<u64>, listed: &mut Vec<Listed>) -> Result<(), Trouble> {
        let (dataset, digest) = (self.dataset.to_owned(), Some(self.partition.digest));
        let count = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
        let list = List { dataset, dataset_digest: digest, first: wanted.start, count };
        let silent = |_| Trouble::Silent("a call went silent");
        let response = timeout(self.retry.stall, client.datasets().list(proto::ListRequest::from(list))).await;
        let mut stream = response.map_err(silent)?.map_err(|status| self.server.judge(&status))?.into_inner();
        let broke = |message: String| Trouble::Lasting(self.server.protocol(message));
        let mut next = wanted.start;
        loop {
            let message = timeout(self.retry.stall, stream.message()).await.map_err(silent)?;
            let Some(batch) = message.map_err(|status| self.server.judge(&status))? else { break };
            let (first, samples) = Listed::read(batch).map_err(|invalid| broke(invalid.to_string()))?;
            next += samples.len() as u64;
            if samples.is_empty() || first + samples.len() as u64 != next || next > wanted.end {
                return Err(broke(format!("it listed samples from {first} on where others were asked for")));
            }
            for sample in samples {
                listed.push(Listed { label: self.label(sample.label)?, ..sample });
            }
        }
        if next < wanted.end { Err(broke(format!("it left out {} names", wanted.end - next))) } else { Ok(()) }
    }

    /// The dataset's class for one of the partition's.
    fn label(&self, label: Option<ClassId>) -> Result<Option<ClassId>, Trouble> {
        let Some(ClassId(local)) = label else { return Ok(None) };
        let class = usize::try_from(local).ok().and_then(|local| self.partition.labels.get(local));
        let unknown = || self.server.protocol(format!("its label {local} is not among its classes"));
        class.copied().map(Some).ok_or_else(|| Trouble::Lasting(unknown()))
    }
}
