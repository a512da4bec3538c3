//! Features of a split network as they arrive; where the cut changes on the way, what is left is asked for anew.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use headwater_client::Indices;
use headwater_pilot::Looks;
use headwater_tables::features::FeatureSample;
use headwater_types::SampleIndex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::arrivals::Arrivals;
use crate::error::SourceError;
use crate::passage::Passage;
use crate::split::Splitting;
use crate::ways::Ways;

/// A stream that is cut elsewhere when that is better.
struct Following {
    splitting: Arc<Splitting>,
    ways: Arc<Ways>,
    ordered: bool,
    left: Left,
    stream: Option<BoxStream<'static, Result<FeatureSample, SourceError>>>,
    looks: Looks,
    /// The next passage, while it is opened.
    opening: Option<JoinHandle<Result<(Passage, String), SourceError>>>,
    passage: (Passage, String),
}

/// The samples that have not come.
struct Left {
    indices: Vec<SampleIndex>,
    /// How often each has come.
    came: HashMap<SampleIndex, u32>,
    count: u64,
}

/// What happened next.
enum Event {
    Came(Option<Result<FeatureSample, SourceError>>),
    Opened(Result<(Passage, String), SourceError>),
    Look(headwater_pilot::Look),
}

/// In order, samples wait behind one that is worked on here: so many times what keeps all threads busy is underway.
const ORDERED: usize = 4;

/// The features of these samples, in this order or as they arrive.
pub(crate) fn follow(splitting: &Arc<Splitting>, ways: &Arc<Ways>, indices: Indices, ordered: bool) -> Arrivals {
    let (splitting, ways) = (Arc::clone(splitting), Arc::clone(ways));
    let begin = async move {
        let passage = splitting.passage().await?;
        if !splitting.is_piloted() {
            return stream_of(&splitting, &ways, &passage, indices, ordered);
        }
        splitting.pilot().into_iter().for_each(|mut pilot| pilot.resume());
        let looks = Looks::since(Instant::now(), splitting.dataset.counters());
        let left = Left::new(&indices);
        let following = Following { splitting, ways, ordered, left, stream: None, looks, opening: None, passage };
        Ok(stream::unfold(Some(following), |following| async move {
            let mut following = following?;
            match following.next().await? {
                Ok(sample) => Some((Ok(sample), Some(following))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed())
    };
    stream::once(begin).try_flatten().boxed()
}

/// The features of these samples by one passage.
fn stream_of(
    splitting: &Arc<Splitting>,
    ways: &Arc<Ways>,
    (passage, cut): &(Passage, String),
    indices: Indices,
    ordered: bool,
) -> Result<Arrivals, SourceError> {
    let request = passage.request(indices, &splitting.model, ordered, splitting.is_piloted());
    let at_once = passage.at_once();
    let (taking, passage) = (Arc::clone(splitting), passage.clone());
    let arrivals = splitting.dataset.fetch(request)?.map_err(SourceError::from).map_ok(move |sample| {
        let (splitting, passage) = (Arc::clone(&taking), passage.clone());
        async move { Ok(splitting.take(&passage, sample).await) }
    });
    let arrivals = match ordered {
        true => arrivals.try_buffered(ORDERED * at_once).boxed(),
        false => arrivals.try_buffer_unordered(at_once).boxed(),
    };
    let (splitting, ways, cut) = (Arc::clone(splitting), Arc::clone(ways), cut.clone());
    // Where the cut changes, what waits for its turn is dropped, and comes again: it counts when it is handed on.
    let counted = arrivals.inspect_ok(move |(_, way)| {
        splitting.count(&cut);
        ways.count(*way);
    });
    Ok(counted.map_ok(|(sample, _)| sample).boxed())
}

// === impl Following ===

impl Following {
    /// The next sample; `None` behind the last.
    async fn next(&mut self) -> Option<Result<FeatureSample, SourceError>> {
        loop {
            if self.left.count == 0 {
                return None;
            }
            let event = match self.event().await {
                Ok(event) => event,
                Err(error) => return Some(Err(error)),
            };
            match event {
                Event::Came(Some(Ok(sample))) => {
                    self.left.came(sample.index);
                    return Some(Ok(sample));
                }
                Event::Came(other) => return other,
                Event::Opened(Ok(passage)) => {
                    self.opening = None;
                    self.passage = passage;
                    // What is underway by the passage before is dropped, and asked for anew.
                    self.stream = None;
                    self.splitting.pilot().into_iter().for_each(|mut pilot| pilot.resume());
                }
                Event::Opened(Err(error)) => return Some(Err(error)),
                Event::Look(look) => self.look(look),
            }
        }
    }

    async fn event(&mut self) -> Result<Event, SourceError> {
        if self.stream.is_none() {
            let left = self.left.indices();
            self.stream = Some(stream_of(&self.splitting, &self.ways, &self.passage, left.into(), self.ordered)?);
        }
        let Self { stream: Some(stream), looks, opening, splitting, .. } = self else { return Ok(Event::Came(None)) };
        let opened = async {
            match opening {
                Some(opening) => opening.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            opened = opened => Ok(Event::Opened(opened?)),
            sample = stream.next() => Ok(Event::Came(sample)),
            look = looks.next(&splitting.dataset) => Ok(Event::Look(look)),
        }
    }

    /// Opens another passage, where the pilot wants one; samples come by this one meanwhile.
    fn look(&mut self, look: headwater_pilot::Look) {
        if self.opening.is_some() {
            return;
        }
        let change = self.splitting.pilot().and_then(|mut pilot| pilot.look(look, self.left.count));
        if let Some(change) = change {
            self.splitting.changed(change);
            let splitting = Arc::clone(&self.splitting);
            self.opening = Some(tokio::spawn(async move { splitting.passage().await }));
        }
    }
}

// === impl Left ===

impl Left {
    fn new(indices: &Indices) -> Self {
        let indices = indices.to_vec();
        Self { count: indices.len() as u64, indices, came: HashMap::new() }
    }

    fn came(&mut self, index: SampleIndex) {
        *self.came.entry(index).or_default() += 1;
        self.count = self.count.saturating_sub(1);
    }

    /// What has not come, in its order: an index that is wanted twice and came once is wanted once more.
    fn indices(&mut self) -> Vec<SampleIndex> {
        let came = &mut self.came;
        self.indices.retain(|index| match came.get_mut(index) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        });
        came.clear();
        self.indices.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_is_not_asked_for_again_and_what_is_wanted_twice_is_wanted_once_more() {
        let of = |indices: &[u64]| indices.iter().copied().map(SampleIndex).collect::<Vec<_>>();
        let mut left = Left::new(&of(&[5, 3, 5, 9]).into());
        assert_eq!(left.indices(), of(&[5, 3, 5, 9]));
        of(&[5, 9]).into_iter().for_each(|index| left.came(index));
        assert_eq!((left.indices(), left.count), (of(&[3, 5]), 2));
        of(&[5, 3]).into_iter().for_each(|index| left.came(index));
        assert_eq!((left.indices(), left.count), (vec![], 0));
    }
}
