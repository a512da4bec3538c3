//! How a dataset is fetched: streams, memory, patience.

use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use headwater_access::ClientAccess;
use headwater_image::cores;
use headwater_spans::Tracer;
use headwater_types::caps::BATCH_BYTES;
use headwater_types::patience::{CALL_STALL, CLIENT_PATIENCE};
use headwater_types::{Backoff, BitsPerSecond, ByteCount, ImageLimits, Priority};

/// Options of a [`Dataset`](crate::Dataset).
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Calls that run at once to each server, each on a connection of its own: a stream that waits for its reader never
    /// holds up another.
    pub streams_per_server: NonZeroUsize,
    /// Payload bytes that wait for the reader; past this, streams stop reading, and HTTP/2 stops the servers. One
    /// sample may always wait, however large. Besides these, each stream holds at most one batch and one HTTP/2 window.
    pub window: ByteCount,
    /// Most samples in one call. Many, for a server that drains finishes calls that are open, and takes no others.
    pub chunk: NonZeroUsize,
    /// Payload bytes after which a server is asked to close a batch.
    pub batch: ByteCount,
    /// Threads that finish recipes.
    pub cpu_workers: NonZeroUsize,
    /// The client's own limits of a photo. Servers announce theirs, and each holds as far as it is not above the
    /// client's.
    pub limits: ImageLimits,
    /// What is done about servers that do not answer.
    pub retry: Retry,
    /// The rate that is received from all servers together; it can be changed while streams run, by
    /// [`Dataset::throttle`](crate::Dataset::throttle). `None`: no limit.
    pub bandwidth: Option<BitsPerSecond>,
    /// Whether to go on without the samples of parts that no server serves; otherwise they are an error. Samples that
    /// two servers serve are always an error.
    pub allow_partial: bool,
    /// How servers are reached: in plain text, or by TLS, and with which token.
    pub access: ClientAccess,
    /// How much the dataset's calls count on servers, beside those of others, where memory or CPU workers are short.
    pub priority: Priority,
    /// Whether to take features that are not finite; otherwise their samples fail.
    pub allow_non_finite: bool,
    /// Whether samples for which a call waits longer than 99 of 100 did are asked of another server of the partition
    /// too, of at most one answer in a hundred. Without replicas it changes nothing.
    pub hedge: bool,
    /// What begins traces of calls for samples; by default nothing does.
    pub tracer: Tracer,
    /// The name of a trace's first span: who reads.
    pub reader: &'static str,
}

/// How servers that do not answer are waited for.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The first pause; each further one without progress is twice as long, and shortened at random by up to half so
    /// that clients do not come back in step.
    pub initial: Duration,
    /// The longest pause.
    pub max: Duration,
    /// Time without one sample from a server after which fetching ends with an error.
    pub give_up_after: Duration,
    /// Time for which a server that cannot be reached is waited for at the start.
    pub connect_for: Duration,
    /// Time for which a server that is starting is waited for after each new thing that it says. It counts the files
    /// that it has found, so that only a server that hangs says nothing new; but loading a model onto an accelerator
    /// takes minutes in the same words.
    pub starting_for: Duration,
    /// Silence on a call that is being read after which the call is made anew. A dataset bears no silence for longer
    /// than `give_up_after`, or a second.
    pub stall: Duration,
    /// How often one sample is asked for that fails in a way that another try may mend.
    pub sample_attempts: NonZeroU32,
    /// Seed of the pauses' randomness; by default, every process has another.
    pub seed: u64,
}

// === impl ClientOptions ===

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            streams_per_server: NonZeroUsize::MIN.saturating_add(1),
            window: ByteCount::mebibytes(64),
            chunk: NonZeroUsize::MIN.saturating_add(4095),
            batch: BATCH_BYTES,
            cpu_workers: cores(),
            limits: ImageLimits::of_clients(),
            retry: Retry::default(),
            bandwidth: None,
            allow_partial: false,
            access: ClientAccess::default(),
            priority: Priority::default(),
            allow_non_finite: false,
            hedge: false,
            tracer: Tracer::default(),
            reader: "read",
        }
    }
}

// === impl Retry ===

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(5),
            give_up_after: CLIENT_PATIENCE,
            connect_for: Duration::from_secs(10),
            starting_for: Duration::from_secs(600),
            stall: CALL_STALL,
            sample_attempts: NonZeroU32::MIN.saturating_add(2),
            seed: RandomState::new().hash_one("retry"),
        }
    }
}

impl Retry {
    /// These settings, with a stall that is no longer than the time after which fetching ends.
    pub(crate) fn consistent(self) -> Self {
        let stall = self.stall.min(self.give_up_after.max(LEAST_STALL));
        Self { stall, ..self }
    }

    /// The pauses of one of several tasks.
    pub(crate) fn backoff(&self, task: u64) -> Backoff {
        Backoff::new(self.initial, self.max, self.seed ^ task.rotate_left(32))
    }
}

/// The least stall: a server may think for a second, however little patience there is.
const LEAST_STALL: Duration = Duration::from_secs(1);
