//! What differs between an earlier generation of a dataset and the one that is held.

use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::differences::count;
use headwater_types::{Differences, Digest};
use headwater_wire::{Compare, differences, proto};
use tokio::time::sleep;

use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::replicas::Seat;
use crate::trouble::Trouble;

/// What is wrong with a server that says nothing.
const SILENT: &str = "a call went silent";

// === impl Dataset ===

impl Dataset {
    /// What differs between an earlier generation, given as the digests of its partitions in order, and this one.
    ///
    /// # Errors
    /// Another number of partitions; a server that does not know one of the two generations any more
    /// ([`ClientError::DatasetChanged`]); and as for fetching.
    pub async fn differences(&self, earlier: &[Digest]) -> Result<Differences, ClientError> {
        let (partitions, servers) = (&self.0.union.partitions, &self.0.servers);
        if earlier.len() != partitions.len() {
            return Err(ClientError::Request("the earlier generation has another number of partitions"));
        }
        let (name, retry) = (self.name().as_str(), &self.0.options.retry);
        let each = partitions.iter().zip(servers).zip(earlier).map(|((partition, server), from)| {
            let compare = Compare { dataset: name.to_owned(), from: *from, to: Some(partition.digest) };
            of_partition(server, partition, compare, retry)
        });
        Ok(joined(partitions.iter().zip(try_join_all(each).await?)))
    }
}

/// The differences of one partition.
async fn of_partition(
    seat: &Arc<Seat>,
    partition: &Partition,
    compare: Compare,
    retry: &Retry,
) -> Result<Differences, ClientError> {
    if Some(compare.from) == compare.to {
        return Ok(Differences::default());
    }
    let mut patience = Patience::for_answer(seat.address(), retry, partition.first);
    loop {
        match ask(seat, partition, &compare, retry).await {
            Ok(differences) => return Ok(differences),
            Err(trouble) => sleep(patience.bear(trouble)?).await,
        }
    }
}

async fn ask(
    seat: &Arc<Seat>,
    partition: &Partition,
    compare: &Compare,
    retry: &Retry,
) -> Result<Differences, Trouble> {
    let client = seat.connect().await?;
    let request = proto::DifferencesRequest::from(compare.clone());
    let response = client.wait(retry.stall, SILENT, client.datasets().differences(request)).await?;
    let mut stream = response.map_err(|status| client.judge(&status))?.into_inner();
    let broke = |message: String| Trouble::Lasting(client.protocol(message));
    let mut all = Differences::default();
    while let Some(batch) =
        client.wait(retry.stall, SILENT, stream.message()).await?.map_err(|status| client.judge(&status))?
    {
        let to = differences::extend(&mut all, batch).map_err(|invalid| broke(invalid.to_string()))?;
        if Some(to) != compare.to {
            return Err(broke("it gave differences to another generation than was asked for".to_owned()));
        }
    }
    let removed = count(&all.removed);
    let earlier = (partition.samples + removed).checked_sub(count(&all.added));
    let earlier = earlier.ok_or_else(|| broke("more samples were added than there are".to_owned()))?;
    all.check(earlier, partition.samples).map_err(|error| broke(error.to_string()))?;
    client.put_back();
    Ok(all)
}

/// The differences of partitions, one after the other, as those of the dataset.
fn joined<'a>(each: impl Iterator<Item = (&'a Partition, Differences)>) -> Differences {
    let (mut all, mut earlier) = (Differences::default(), 0);
    for (partition, of) in each {
        let samples = partition.samples + count(&of.removed) - count(&of.added);
        append(&mut all.removed, &of.removed, earlier);
        append(&mut all.added, &of.added, partition.first);
        append(&mut all.replaced, &of.replaced, partition.first);
        earlier += samples;
    }
    all
}

/// Adds ranges that begin behind `first` samples of other partitions.
fn append(all: &mut Vec<Range<u64>>, ranges: &[Range<u64>], first: u64) {
    for range in ranges {
        let range = range.start + first..range.end + first;
        match all.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => all.push(range),
        }
    }
}
