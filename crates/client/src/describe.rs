//! Asking a server what it serves, and checking the answer.

use std::time::Duration;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::listing::Sketch;
use headwater_types::{DatasetName, Digest, ImageLimits, Listing, Partition as Part};
use headwater_wire::proto;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

use crate::address::ServerAddress;
use crate::connection::{Server, Trouble};
use crate::error::ClientError;
use crate::mistaken;
use crate::options::Retry;

/// What a server serves, checked.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) samples: u64,
    pub(crate) digest: Digest,
    /// Sorted, without doubles.
    pub(crate) classes: Vec<String>,
    /// Checked when one is asked for: a model that nobody asks for keeps nobody from the photos.
    pub(crate) models: Vec<proto::ModelDescription>,
    pub(crate) cpu_workers: u32,
    pub(crate) server_version: String,
    pub(crate) stored_bytes: u64,
    pub(crate) part: Part,
    pub(crate) listing: Listing,
    /// Random bytes that it has made at its start.
    pub(crate) instance: [u8; INSTANCE_BYTES],
    /// Whether it knows epochs of single samples, and says the place of each.
    pub(crate) sample_epochs: bool,
    /// Over its keys and labels; `None` from one that lists nothing.
    pub(crate) names: Option<Digest>,
    /// What photos may be there.
    pub(crate) limits: ImageLimits,
    /// What its listing left out, as it says.
    pub(crate) left_out: Vec<proto::LeftOut>,
}

/// Bytes by which a server is known under all its names.
pub(crate) const INSTANCE_BYTES: usize = 16;

/// Describes a dataset; waits for a server that cannot be reached as long as `retry` says.
pub(crate) async fn describe(
    server: &Server,
    name: &DatasetName,
    retry: &Retry,
    task: u64,
) -> Result<Description, ClientError> {
    let mut waiting = Waiting::new(server.address());
    let mut backoff = retry.backoff(task);
    loop {
        let last = match ask(server, name, waiting.most(retry)).await {
            Ok(description) => return check(server, name, description),
            Err(Unanswered::Trouble(Trouble::Lasting(error))) => {
                // What speaks HTTP/2 without gRPC refuses too.
                let mistake =
                    if is_of_a_storage_server(&error) { None } else { mistaken::look(server.address()).await };
                return Err(mistake.unwrap_or(error));
            }
            Err(Unanswered::Trouble(Trouble::Starting(doing))) => {
                waiting.hear(doing, retry)?;
                // It may be ready any moment, and answers quickly.
                sleep(backoff.pause().min(LOOK_AGAIN)).await;
                continue;
            }
            Err(Unanswered::Trouble(Trouble::Busy(message))) => {
                let waited = waiting.since.elapsed();
                if waited >= retry.connect_for {
                    return Err(ClientError::Busy { server: server.address().clone(), waited, message });
                }
                waiting.tell(&message, "server has no place yet: waiting for one");
                sleep(backoff.pause().min(retry.connect_for - waited)).await;
                continue;
            }
            Err(Unanswered::Trouble(Trouble::Passing(message))) => {
                if let Some(mistake) = mistaken::look(server.address()).await {
                    return Err(mistake);
                }
                message
            }
            Err(Unanswered::Silent(how)) => how.to_owned(),
        };
        let waited = waiting.since.elapsed();
        if waited >= retry.connect_for {
            return Err(ClientError::NotConnected { server: server.address().clone(), waited, last });
        }
        waiting.tell(&last, "server does not answer yet: waiting for it");
        sleep(backoff.pause().min(retry.connect_for - waited)).await;
    }
}

/// Whether a refusal is one that only a storage server can have meant.
fn is_of_a_storage_server(error: &ClientError) -> bool {
    !matches!(error, ClientError::Refused { code, .. } if !matches!(code, Code::NotFound | Code::InvalidArgument))
}

/// Why a server has not said what it serves.
enum Unanswered {
    Trouble(Trouble),
    /// It has said nothing at all in the time that there was.
    Silent(&'static str),
}

/// What was heard of a server that is waited for.
struct Waiting<'a> {
    server: &'a ServerAddress,
    /// When it last said something new, or the beginning.
    since: Instant,
    doing: Option<String>,
    told: Option<Instant>,
}

/// How soon a server that is starting is asked again, at the latest.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What one try has at least: a round trip around the world takes a third of it.
const LEAST_TRY: Duration = Duration::from_secs(1);
/// How often it is told what is waited for, where that changes.
const TELL: Duration = Duration::from_secs(10);

// === impl Waiting ===

impl<'a> Waiting<'a> {
    fn new(server: &'a ServerAddress) -> Self {
        Self { server, since: Instant::now(), doing: None, told: None }
    }

    /// How long a try may take: no longer than what is left of the time in which the server may say nothing new.
    fn most(&self, retry: &Retry) -> Duration {
        let patience = if self.doing.is_some() { retry.starting_for } else { retry.connect_for };
        patience.saturating_sub(self.since.elapsed()).max(LEAST_TRY).min(retry.stall)
    }

    /// The server is starting, and says so.
    fn hear(&mut self, doing: String, retry: &Retry) -> Result<(), ClientError> {
        if self.doing.as_ref() != Some(&doing) {
            self.since = Instant::now();
            if self.doing.is_none() || self.told.is_none_or(|told| told.elapsed() >= TELL) {
                self.told = None;
                self.tell(&doing, "server is not ready yet: waiting for it");
            }
            self.doing = Some(doing);
            return Ok(());
        }
        let waited = self.since.elapsed();
        if waited < retry.starting_for {
            return Ok(());
        }
        Err(ClientError::NotReady { server: self.server.clone(), waited, doing })
    }

    /// Says once what is waited for.
    fn tell(&mut self, last: &str, what: &str) {
        if self.told.is_none() {
            tracing::warn!(server = %self.server, %last, "{what}");
            self.told = Some(Instant::now());
        }
    }
}

/// How long each of so many answers takes, on one connection; a first, which opens it, does not count.
pub(crate) async fn round_trips(
    server: &Server,
    name: &DatasetName,
    times: usize,
    retry: &Retry,
) -> Result<Vec<Duration>, ClientError> {
    let mut trips = Vec::with_capacity(times);
    for number in 0..=times {
        let begin = Instant::now();
        let failed = |last: String| {
            let (server, waited) = (server.address().clone(), begin.elapsed());
            ClientError::NotConnected { server, waited, last }
        };
        match ask(server, name, retry.stall).await {
            Ok(_) if number > 0 => trips.push(begin.elapsed()),
            Ok(_) => {}
            Err(Unanswered::Trouble(Trouble::Lasting(error))) => return Err(error),
            Err(Unanswered::Trouble(Trouble::Passing(last) | Trouble::Busy(last) | Trouble::Starting(last))) => {
                return Err(failed(last));
            }
            Err(Unanswered::Silent(how)) => return Err(failed(how.to_owned())),
        }
    }
    Ok(trips)
}

async fn ask(server: &Server, name: &DatasetName, limit: Duration) -> Result<proto::DatasetDescription, Unanswered> {
    let end = Instant::now() + limit;
    let unreached = |_| Unanswered::Silent("its machine does not answer");
    let connected = timeout_at(end, server.connect()).await.map_err(unreached)?;
    let client = connected.map_err(Unanswered::Trouble)?;
    let request = proto::DescribeRequest { dataset: name.as_str().to_owned() };
    let unheard =
        |_| Unanswered::Silent("it takes a connection and then says nothing, as one that hangs or is stopped");
    let answer = timeout_at(end, client.datasets().describe(request)).await.map_err(unheard)?;
    let response = answer.map_err(|status| Unanswered::Trouble(server.judge(&status)))?;
    server.put_back(client);
    Ok(response.into_inner())
}

fn check(
    server: &Server,
    name: &DatasetName,
    description: proto::DatasetDescription,
) -> Result<Description, ClientError> {
    let proto::DatasetDescription {
        dataset,
        samples,
        digest,
        classes,
        models,
        cpu_workers,
        server_version,
        stored_bytes,
        part,
        listing,
        instance,
        sample_epochs,
        names_digest,
        limits,
        left_out,
    } = description;
    if dataset != name.as_str() {
        return Err(server.protocol(format!("it described another dataset than {name}")));
    }
    if samples > MAX_SAMPLES {
        return Err(server.protocol(format!("{samples} samples are more than {MAX_SAMPLES}")));
    }
    let digest = Digest::try_from(&digest[..]).map_err(|error| server.protocol(error.to_string()))?;
    if classes.len() > MAX_CLASSES {
        return Err(server.protocol(format!("{} classes are more than {MAX_CLASSES}", classes.len())));
    }
    if !classes.is_sorted_by(|a, b| a < b) {
        return Err(server.protocol("its class names are not sorted, or not distinct"));
    }
    let part = part.and_then(|part| Part::new(part.number, part.count));
    let part = part.ok_or_else(|| server.protocol("it does not say which part of its listing it serves"))?;
    let listing =
        listing.and_then(checked).ok_or_else(|| server.protocol("what it says of its listing cannot be read"))?;
    if samples > listing.samples {
        let message = format!("its part has {samples} samples, and all parts together {}", listing.samples);
        return Err(server.protocol(message));
    }
    let names = (!names_digest.is_empty()).then(|| Digest::try_from(&names_digest[..]));
    let names = names.transpose().map_err(|error| server.protocol(error.to_string()))?;
    // One that does not say it is of the time when nobody's clients took more.
    let limits = limits.map_or(Ok(ImageLimits::default()), ImageLimits::try_from);
    let limits = limits.map_err(|error| server.protocol(error.to_string()))?;
    let unnamed = |_| server.protocol(format!("its instance is not {INSTANCE_BYTES} bytes"));
    let instance = instance[..].try_into().map_err(unnamed)?;
    Ok(Description {
        samples,
        digest,
        classes,
        models,
        cpu_workers,
        server_version,
        stored_bytes,
        part,
        listing,
        instance,
        sample_epochs,
        names,
        limits,
        left_out,
    })
}

fn checked(listing: proto::Listing) -> Option<Listing> {
    let proto::Listing { samples, digest, sketch } = listing;
    Some(Listing { samples, digest: Digest::try_from(&digest[..]).ok()?, sketch: Sketch::from_hashes(&sketch)? })
}
