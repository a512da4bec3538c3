//! What the headers of a dataset's photos say, without the photos.

use std::collections::BTreeMap;
use std::ops::Range;

use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_types::{Digest, SampleFailure, SampleIndex};
use headwater_wire::{Samples, Survey, Surveyed, proto};
use tokio::time::{Instant, sleep, timeout};

use crate::connection::{Client, Server, Trouble};
use crate::error::ClientError;
use crate::expect::broken;
use crate::limits::{Past, check_size};
use crate::options::Retry;
use crate::partition::Partition;

/// Samples of one call: an answer of some megabytes.
const SAMPLES_PER_CALL: usize = 65_536;
const _: () = assert!(SAMPLES_PER_CALL <= MAX_SAMPLES_PER_CALL);

/// One server, asked for the headers of its photos.
pub(crate) struct Surveyor<'a> {
    pub(crate) server: &'a Server,
    pub(crate) dataset: &'a str,
    pub(crate) partition: &'a Partition,
    pub(crate) retry: &'a Retry,
}

// === impl Surveyor ===

impl Surveyor<'_> {
    /// The headers of these samples, given as indices into the dataset: each once, in order. Calls that break are made
    /// again for what is missing.
    pub(crate) async fn survey(&self, wanted: &[u64], mut came: impl FnMut(u64)) -> Result<Vec<Surveyed>, ClientError> {
        let mut all = Vec::with_capacity(wanted.len());
        for part in wanted.chunks(SAMPLES_PER_CALL) {
            let mut missing: BTreeMap<u64, Option<Surveyed>> =
                part.iter().map(|index| (index - self.partition.first, None)).collect();
            let (mut backoff, mut since) = (self.retry.backoff(self.partition.first), Instant::now());
            loop {
                let before = count(&missing);
                let ended = self.call(&mut missing).await;
                let after = count(&missing);
                came((before - after) as u64);
                if after == 0 {
                    break;
                }
                if after < before {
                    backoff.reset();
                    since = Instant::now();
                }
                let trouble = match ended {
                    Ok(()) => return Err(self.server.protocol(format!("it left out {after} headers"))),
                    Err(Trouble::Lasting(error)) => return Err(error),
                    Err(trouble) => trouble,
                };
                let waited = since.elapsed();
                if waited >= self.retry.give_up_after {
                    return Err(trouble.given_up(self.server.address(), waited));
                }
                sleep(backoff.pause()).await;
            }
            let first = self.partition.first;
            all.extend(missing.into_values().flatten().map(|surveyed| {
                let index = SampleIndex(first.saturating_add(surveyed.index.0));
                Surveyed { index, ..surveyed }
            }));
        }
        Ok(all)
    }

    /// One call for what is missing.
    async fn call(&self, missing: &mut BTreeMap<u64, Option<Surveyed>>) -> Result<(), Trouble> {
        let client = self.server.connect().await?;
        self.read(&client, missing).await?;
        self.server.put_back(client);
        Ok(())
    }

    async fn read(&self, client: &Client, missing: &mut BTreeMap<u64, Option<Surveyed>>) -> Result<(), Trouble> {
        let list: Vec<_> = missing.iter().filter(|(_, known)| known.is_none()).map(|(&local, _)| local).collect();
        let digest: Digest = self.partition.digest;
        let samples = match consecutive(&list) {
            Some(Range { start, end }) => Samples::Range { first: start, count: (end - start) as usize },
            None => Samples::List(list),
        };
        let survey = Survey { dataset: self.dataset.to_owned(), dataset_digest: Some(digest), samples };
        let silent = |_| Trouble::Passing("a call went silent".to_owned());
        let response = timeout(self.retry.stall, client.samples().survey(proto::SurveyRequest::from(survey))).await;
        let mut stream = response.map_err(silent)?.map_err(|status| self.server.judge(&status))?.into_inner();
        loop {
            let message = timeout(self.retry.stall, stream.message()).await.map_err(silent)?;
            let Some(batch) = message.map_err(|status| self.server.judge(&status))? else { return Ok(()) };
            for sample in batch.samples {
                let broke = |message: String| Trouble::Lasting(self.server.protocol(message));
                let surveyed = Surveyed::try_from(sample).map_err(|invalid| broke(invalid.to_string()))?;
                let surveyed = self.judged(surveyed).map_err(|problem| broke(problem.message))?;
                let index = surveyed.index.0;
                match missing.get_mut(&index) {
                    Some(place @ None) => *place = Some(surveyed),
                    _ => {
                        return Err(broke(format!(
                            "it sent the header of sample {index} without being asked, or twice"
                        )));
                    }
                }
            }
        }
    }
}

impl Surveyor<'_> {
    /// A header within the limits; one past the client's own is a failure.
    fn judged(&self, surveyed: Surveyed) -> Result<Surveyed, SampleFailure> {
        let Ok(facts) = &surveyed.outcome else { return Ok(surveyed) };
        match check_size(facts.size, &self.partition.limits) {
            Ok(()) => Ok(surveyed),
            Err(Past::Own(failure)) => Ok(Surveyed { outcome: Err(failure), ..surveyed }),
            Err(Past::Breach(problem)) => Err(broken(self.partition, surveyed.index, &problem)),
        }
    }
}

fn count(missing: &BTreeMap<u64, Option<Surveyed>>) -> usize {
    missing.values().filter(|known| known.is_none()).count()
}

/// The range that these are, if they are one.
fn consecutive(list: &[u64]) -> Option<Range<u64>> {
    let (&first, &last) = (list.first()?, list.last()?);
    let whole = list.is_sorted_by(|a, b| a < b) && last - first + 1 == list.len() as u64;
    whole.then_some(first..last + 1)
}
