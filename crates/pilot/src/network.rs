//! How fast each server's bytes arrive, and how long a question takes: measured with the dataset's own photos, as they
//! are stored, one server at a time.

use std::time::Duration;

use futures::TryStreamExt;
use headwater_client::{Dataset, FetchRequest, ServerAddress};
use headwater_types::{Address, BitsPerSecond, Partition, SampleIndex, Way};
use tokio::time::{Instant, timeout_at};

use crate::error::PilotError;
use crate::order::shuffled;
use crate::statistics::median;

/// How a network is measured.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    /// For how long bytes are fetched from each server, after a while in which TCP finds its speed.
    pub time: Duration,
    /// Times that each server is asked for a round trip.
    pub questions: usize,
}

/// The way to one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The server.
    pub server: ServerAddress,
    /// Which part of its listing it serves.
    pub part: Partition,
    /// Goodput: bytes of messages, without HTTP/2's and TCP's own. The median of parts of a second; `None` from a
    /// server without samples.
    pub bandwidth: Option<BitsPerSecond>,
    /// The slowest and the fastest of those parts.
    pub spread: [f64; 2],
    /// Bytes that were fetched for it.
    pub bytes: u64,
    /// From a small question to its answer, on a connection that is open: the median.
    pub round_trip: Duration,
    /// The shortest and the longest.
    pub round_trips: [Duration; 2],
}

/// Before what counts, at most; of a short time a third.
const WARM_UP: Duration = Duration::from_millis(500);
/// What one number of the median is measured over, at most; of a short time a third.
const PART: Duration = Duration::from_millis(250);

impl Default for NetworkOptions {
    fn default() -> Self {
        Self { time: Duration::from_secs(3), questions: 20 }
    }
}

/// Measures the way to each server, one after the other. `on_progress` hears of every further millisecond.
///
/// # Errors
/// Servers that do not answer.
pub async fn network(
    dataset: &Dataset,
    options: &NetworkOptions,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Link>, PilotError> {
    let mut links = Vec::new();
    for (place, partition) in dataset.partitions().iter().enumerate() {
        let mut trips = dataset.round_trips(place, options.questions.max(1)).await?;
        trips.sort_unstable();
        let order: Vec<_> = shuffled(partition.samples, Address::new(1, 0))
            .into_iter()
            .map(|SampleIndex(local)| SampleIndex(partition.first + local))
            .collect();
        let (rates, bytes) = goodput(dataset, &order, options.time, on_progress).await?;
        let bounds = |values: &[f64]| values.iter().fold([f64::INFINITY, 0.0_f64], |[a, b], &v| [a.min(v), b.max(v)]);
        links.push(Link {
            server: partition.address.clone(),
            part: partition.part,
            bandwidth: BitsPerSecond::new(median(&rates)),
            spread: if rates.is_empty() { [0.0; 2] } else { bounds(&rates) },
            bytes,
            round_trip: trips[trips.len() / 2],
            round_trips: [trips[0], trips[trips.len() - 1]],
        });
    }
    Ok(links)
}

/// Bits a second over each part of the time, and all bytes.
async fn goodput(
    dataset: &Dataset,
    order: &[SampleIndex],
    time: Duration,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<f64>, u64), PilotError> {
    let (mut rates, begin) = (Vec::new(), dataset.counters().bytes_received);
    if order.is_empty() {
        return Ok((rates, 0));
    }
    let received = || dataset.counters().bytes_received;
    let (warm_up, length) = (WARM_UP.min(time / 3), PART.min(time / 3));
    let warm = Instant::now() + warm_up;
    let mut part = (warm, received());
    let mut stream = dataset.fetch(stored(order))?;
    while Instant::now() < warm + time {
        let end = part.0 + if part.0 == warm { Duration::ZERO } else { length };
        match timeout_at(end, stream.try_next()).await {
            // A part is over.
            Err(_elapsed) => {}
            Ok(sample) => {
                if sample?.is_none() {
                    stream = dataset.fetch(stored(order))?;
                }
                if Instant::now() < end {
                    continue;
                }
            }
        }
        let (now, so_far) = (Instant::now(), received());
        if part.0 > warm {
            rates.push(8.0 * (so_far - part.1) as f64 / (now - part.0).as_secs_f64());
        }
        on_progress(u64::try_from((now - part.0).as_millis()).unwrap_or_default());
        part = (now, so_far);
    }
    Ok((rates, received() - begin))
}

fn stored(order: &[SampleIndex]) -> FetchRequest {
    FetchRequest {
        indices: order.iter().copied().collect(),
        recipe: None,
        ways: Way::ENCODED.into(),
        floats: false,
        addresses: Address::default().into(),
        model: None,
        ordered: false,
        measure_cpu: false,
        fields: Vec::new(),
        caller: None,
    }
}
