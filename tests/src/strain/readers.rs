//! Raw gRPC clients that do not read as they should: no program of ours would, and a server has to withstand them.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::proto::{FetchBatch, FetchRequest, Priority, SampleRange, fetch_request};
use headwater_wire::status::REFUSAL;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use super::cut::Cut;
use super::dial::Dial;

/// Connections that are opened at once.
const AT_ONCE: usize = 32;
/// How long one may take to be answered.
const ANSWER: Duration = Duration::from_secs(30);
/// HTTP/2's default, which raw clients keep.
const DEFAULT_WINDOW: u32 = (64 << 10) - 1;
const RECIPE: &str = include_str!("../../../profiles/recipes/imagenet-train.toml");

/// How many readers there are, and how they read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) cut: Cut,
    pub(crate) connections: usize,
    /// On each connection.
    pub(crate) streams: usize,
    pub(crate) pace: Pace,
    pub(crate) origin: Origin,
    pub(crate) priority: Priority,
    /// What each stream asks for: all samples, or so many.
    pub(crate) most_samples: usize,
    /// HTTP/2 windows of a stream and of a connection, in bytes.
    pub(crate) windows: [u32; 2],
}

/// How fast they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The reader reads nothing, so that the stream's window fills. Pings are answered.
    Stopped,
    /// So many bytes a second from the socket.
    BytesPerSecond(u64),
    /// As fast as they come.
    Full,
}

/// The address that readers come from. The honest client comes from 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// All from another address than the honest client.
    Other,
    /// Each from an address of its own.
    Each,
    /// All from the honest client's address.
    Same,
}

/// Readers at work; dropped, they hang up.
pub(crate) struct Readers {
    runtime: Handle,
    /// What nobody reads.
    unread: Vec<Streaming<FetchBatch>>,
    /// What is read slowly.
    slow: JoinSet<Ended>,
    refused: Vec<Status>,
    clients: Vec<SamplesClient<Channel>>,
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) samples: usize,
    /// `Ok` at its regular end.
    pub(crate) code: Code,
    /// The reason that programs read.
    pub(crate) reason: String,
    pub(crate) message: String,
}

// === impl Manner ===

impl Manner {
    /// One stream that nobody reads, from elsewhere, with HTTP/2's default windows.
    pub(crate) fn stopped(cut: Cut) -> Self {
        let (pace, origin, windows) = (Pace::Stopped, Origin::Other, [DEFAULT_WINDOW; 2]);
        let priority = Priority::Normal;
        Self { cut, connections: 1, streams: 1, pace, origin, priority, most_samples: usize::MAX, windows }
    }

    /// So many calls, each on a connection of its own, from elsewhere, that read as fast as samples come.
    pub(crate) fn greedy(cut: Cut, connections: usize, priority: Priority) -> Self {
        Self { connections, pace: Pace::Full, priority, ..Self::stopped(cut).with_our_windows() }
    }

    /// Settings as Headwater's own clients have them.
    pub(crate) fn with_our_windows(self) -> Self {
        use headwater_wire::transport::{CONNECTION_WINDOW, STREAM_WINDOW};
        Self { windows: [STREAM_WINDOW, CONNECTION_WINDOW], ..self }
    }

    fn dial(&self, connection: usize) -> Dial {
        let from = match self.origin {
            Origin::Same => Ipv4Addr::LOCALHOST,
            Origin::Other => Ipv4Addr::new(127, 0, 0, 2),
            Origin::Each => Ipv4Addr::new(127, 1, (connection / 250) as u8, (connection % 250) as u8 + 1),
        };
        let bytes_per_second = match self.pace {
            Pace::Stopped | Pace::Full => None,
            Pace::BytesPerSecond(rate) => Some(rate),
        };
        Dial { from, bytes_per_second }
    }
}

// === impl Readers ===

impl Readers {
    /// Opens all streams, each for the samples from the first on, of which there are so many.
    ///
    /// # Errors
    /// A connection that cannot be made or is not answered; a call that is refused is counted, see
    /// [`Readers::refused`].
    pub(crate) fn open(runtime: &Handle, address: &str, samples: usize, manner: &Manner) -> Result<Self> {
        let request = request(manner, samples.min(manner.most_samples));
        runtime.block_on(async {
            let connections: Vec<_> = stream::iter(0..manner.connections)
                .map(|number| connect(address, *manner, number, &request))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            let mut readers = Self {
                runtime: runtime.clone(),
                unread: Vec::new(),
                slow: JoinSet::new(),
                refused: Vec::new(),
                clients: Vec::new(),
            };
            for (client, streams) in connections {
                readers.clients.push(client);
                streams.into_iter().for_each(|stream| readers.take(stream, manner.pace));
            }
            Ok(readers)
        })
    }

    fn take(&mut self, stream: Result<Streaming<FetchBatch>, Status>, pace: Pace) {
        match stream {
            Err(status) => self.refused.push(status),
            Ok(stream) if pace == Pace::Stopped => self.unread.push(stream),
            Ok(stream) => drop(self.slow.spawn_on(to_the_end(stream), &self.runtime)),
        }
    }

    /// Calls that were refused whole.
    pub(crate) fn refused(&self) -> &[Status] {
        &self.refused
    }

    /// How many are at work still.
    pub(crate) fn at_work(&mut self) -> usize {
        while self.slow.try_join_next().is_some() {}
        self.slow.len() + self.unread.len()
    }

    /// Reads one message of each stream that is not read, as a trainer does that is then paused.
    ///
    /// # Errors
    /// A stream that ended, or brought nothing in time.
    pub(crate) fn read_one(&mut self) -> Result<()> {
        self.runtime.clone().block_on(async {
            for stream in &mut self.unread {
                let first = tokio::time::timeout(ANSWER, stream.message()).await.context("no first message")??;
                first.context("a stream without messages")?;
            }
            Ok(())
        })
    }

    /// Reads on, what nobody read so far, until the streams end.
    ///
    /// # Errors
    /// If one has not ended in time.
    pub(crate) fn read_on(mut self, most: Duration) -> Result<Vec<Ended>> {
        let ends = futures::future::join_all(std::mem::take(&mut self.unread).into_iter().map(to_the_end));
        match self.runtime.block_on(async { tokio::time::timeout(most, ends).await }) {
            Ok(ended) => Ok(ended),
            Err(_elapsed) => bail!("a stream has not ended in {most:?}"),
        }
    }
}

type Opened = (SamplesClient<Channel>, Vec<Result<Streaming<FetchBatch>, Status>>);

async fn connect(address: &str, manner: Manner, number: usize, request: &FetchRequest) -> Result<Opened> {
    let [stream_window, connection_window] = manner.windows;
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .initial_stream_window_size(stream_window)
        .initial_connection_window_size(connection_window);
    let connecting = endpoint.connect_with_connector(manner.dial(number));
    let channel = tokio::time::timeout(ANSWER, connecting).await.context("a connection was not answered")??;
    let mut client = SamplesClient::new(channel).max_decoding_message_size(usize::MAX);
    let mut streams = Vec::new();
    for _ in 0..manner.streams {
        let call = tokio::time::timeout(ANSWER, client.fetch(request.clone())).await;
        streams.push(call.context("a call was not answered")?.map(tonic::Response::into_inner));
    }
    Ok((client, streams))
}

/// So many samples at one cut.
fn request(&Manner { cut, priority, .. }: &Manner, samples: usize) -> FetchRequest {
    let model = if cut == Cut::FEATURES { super::stage::MODEL } else { "" };
    FetchRequest {
        dataset: super::subject::DATASET.to_owned(),
        samples: Some(fetch_request::Samples::Range(SampleRange { first: 0, count: samples as u64 })),
        ways: Some(fetch_request::Ways::Way(cut.number())),
        recipe: if matches!(cut, Cut::ENCODED | Cut::FEATURES) { String::new() } else { RECIPE.to_owned() },
        model: model.to_owned(),
        priority: priority.into(),
        ..FetchRequest::default()
    }
}

async fn to_the_end(mut stream: Streaming<FetchBatch>) -> Ended {
    let mut samples = 0;
    loop {
        match stream.message().await {
            Ok(Some(batch)) => samples += batch.samples.len(),
            Ok(None) => return Ended { samples, code: Code::Ok, reason: String::new(), message: String::new() },
            Err(status) => {
                let reason = status.metadata().get(REFUSAL).and_then(|reason| reason.to_str().ok()).unwrap_or_default();
                return Ended {
                    samples,
                    code: status.code(),
                    reason: reason.to_owned(),
                    message: status.message().to_owned(),
                };
            }
        }
    }
}
