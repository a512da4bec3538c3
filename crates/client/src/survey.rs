//! What the headers of a dataset's photos say, without the photos.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_types::{SampleFailure, SampleIndex};
use headwater_wire::{Samples, Survey, Surveyed, proto};
use tokio::time::sleep;

use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::limits::{Past, check_size};
use crate::options::Retry;
use crate::partition::Partition;
use crate::patience::Patience;
use crate::replicas::{Seat, Seated};
use crate::trouble::Trouble;

/// Samples of one call: an answer of some megabytes.
const SAMPLES_PER_CALL: usize = 65_536;
const _: () = assert!(SAMPLES_PER_CALL <= MAX_SAMPLES_PER_CALL);

/// One server, asked for the headers of its photos.
struct Surveyor<'a> {
    server: &'a Arc<Seat>,
    dataset: &'a str,
    partition: &'a Partition,
    retry: &'a Retry,
}

/// The headers that are wanted, by the sample's index in the partition, as far as they have come.
type Headers = BTreeMap<u64, Option<Surveyed>>;

// === impl Dataset ===

impl Dataset {
    /// What the headers of these photos say, without the photos: in order of their indices, each once. A photo whose
    /// header cannot be read is a failure beside the others. `came` hears how many further headers have come.
    pub async fn survey(
        &self,
        indices: &[SampleIndex],
        came: impl Fn(u64) + Sync,
    ) -> Result<Vec<Surveyed>, ClientError> {
        let mut sorted: Vec<u64> = indices.iter().map(|index| index.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        self.0.union.check_index(sorted.last().copied())?;
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let from = sorted.partition_point(|&index| index < partition.first);
            let to = sorted.partition_point(|&index| index < partition.end());
            let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
            let (wanted, came) = (&sorted[from..to], &came);
            async move { Surveyor { server, dataset, partition, retry }.survey(wanted, came).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }
}

// === impl Surveyor ===

impl Surveyor<'_> {
    /// The headers of these samples, given as indices into the dataset: each once, in order. Calls that break are made
    /// again for what is missing.
    async fn survey(&self, wanted: &[u64], came: impl Fn(u64)) -> Result<Vec<Surveyed>, ClientError> {
        let first = self.partition.first;
        let mut all = Vec::with_capacity(wanted.len());
        for part in wanted.chunks(SAMPLES_PER_CALL) {
            let mut headers = part.iter().map(|index| (index - first, None)).collect();
            self.complete(&mut headers, &came).await?;
            all.extend(headers.into_values().flatten().map(|surveyed| {
                let index = SampleIndex(first.saturating_add(surveyed.index.0));
                Surveyed { index, ..surveyed }
            }));
        }
        Ok(all)
    }

    /// Makes calls until every header is there.
    async fn complete(&self, headers: &mut Headers, came: &impl Fn(u64)) -> Result<(), ClientError> {
        let mut patience = Patience::for_answer(self.server.address(), self.retry, self.partition.first);
        loop {
            let before = missing(headers);
            let ended = self.call(headers).await;
            let after = missing(headers);
            came((before - after) as u64);
            if after == 0 {
                return Ok(());
            }
            if after < before {
                patience.beat();
                patience.progressed();
            }
            let left_out = || Trouble::Lasting(self.server.protocol(format!("it left out {after} headers")));
            let trouble = ended.err().unwrap_or_else(left_out);
            sleep(patience.bear(trouble)?).await;
        }
    }

    /// One call for the headers that are missing.
    async fn call(&self, headers: &mut Headers) -> Result<(), Trouble> {
        let client = self.server.connect().await?;
        self.read(&client, headers).await?;
        client.put_back();
        Ok(())
    }

    async fn read(&self, client: &Seated, headers: &mut Headers) -> Result<(), Trouble> {
        let request = proto::SurveyRequest::from(self.request(headers));
        let silent = "a call went silent";
        let response = client.wait(self.retry.stall, silent, client.samples().survey(request)).await?;
        let mut stream = response.map_err(|status| client.judge(&status))?.into_inner();
        loop {
            let message = client.wait(self.retry.stall, silent, stream.message()).await?;
            let Some(batch) = message.map_err(|status| client.judge(&status))? else { return Ok(()) };
            for sample in batch.samples {
                self.take(sample, headers).map_err(|problem| Trouble::Lasting(client.protocol(problem)))?;
            }
        }
    }

    /// What a call asks: the headers that are missing.
    fn request(&self, headers: &Headers) -> Survey {
        let list: Vec<_> = headers.iter().filter(|(_, known)| known.is_none()).map(|(&local, _)| local).collect();
        let samples = match consecutive(&list) {
            Some(Range { start, end }) => Samples::Range { first: start, count: (end - start) as usize },
            None => Samples::List(list),
        };
        Survey { dataset: self.dataset.to_owned(), dataset_digest: Some(self.partition.digest), samples }
    }

    /// Puts a header in its place, or says how the server broke the protocol.
    fn take(&self, sample: proto::SurveyedSample, headers: &mut Headers) -> Result<(), String> {
        let surveyed = Surveyed::try_from(sample).map_err(|invalid| invalid.to_string())?;
        let surveyed = self.within_limits(surveyed).map_err(|breach| breach.message)?;
        let index = surveyed.index.0;
        match headers.get_mut(&index) {
            Some(place @ None) => *place = Some(surveyed),
            _ => return Err(format!("it sent the header of sample {index} without being asked, or twice")),
        }
        Ok(())
    }

    /// A header within the limits; one past the client's own is a failure, and one past the server's is an error.
    fn within_limits(&self, surveyed: Surveyed) -> Result<Surveyed, SampleFailure> {
        let Ok(facts) = &surveyed.outcome else { return Ok(surveyed) };
        match check_size(facts.size, &self.partition.limits) {
            Ok(()) => Ok(surveyed),
            Err(Past::Own(failure)) => Ok(Surveyed { outcome: Err(failure), ..surveyed }),
            Err(Past::Breach(problem)) => Err(self.partition.breach(surveyed.index, &problem)),
        }
    }
}

fn missing(headers: &Headers) -> usize {
    headers.values().filter(|known| known.is_none()).count()
}

/// The range that these are, if they are one.
fn consecutive(list: &[u64]) -> Option<Range<u64>> {
    let (&first, &last) = (list.first()?, list.last()?);
    let whole = list.is_sorted_by(|a, b| a < b) && last - first + 1 == list.len() as u64;
    whole.then_some(first..last + 1)
}
