//! The one place where errors become gRPC statuses, and where a client learns whether asking again can help.

use std::borrow::Cow;

use headwater_types::Cut;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// A message that breaks the protocol's rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(Cow<'static, str>);

/// Why a whole call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request breaks the protocol's rules.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// No dataset of that name here.
    #[error("this server does not serve the dataset {asked:?}: it serves {served}")]
    UnknownDataset {
        /// The name in the request.
        asked: String,
        /// The server's, separated by commas.
        served: String,
    },
    /// The dataset is one of the server's, and cannot be served until somebody mends it.
    #[error("the dataset {dataset} is not ready: {reason}")]
    NotReady {
        /// The dataset's name.
        dataset: String,
        /// Why.
        reason: String,
    },
    /// No model of that name here.
    #[error("no model {asked:?} is registered: registered are [{registered}], see --model")]
    UnknownModel {
        /// The name in the request.
        asked: String,
        /// The server's, separated by commas.
        registered: String,
    },
    /// There are no labels of what was asked for, or none at all.
    #[error("{message}")]
    NoLabels {
        /// Why, and what to do.
        message: String,
    },
    /// The dataset takes no photos.
    #[error("the dataset {dataset} takes no photos here: {reason}")]
    ReadOnly {
        /// The dataset's name.
        dataset: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The dataset takes no more photos.
    #[error("the dataset {dataset} takes no more photos: {reason}")]
    Quota {
        /// The dataset's name.
        dataset: String,
        /// Which limit is reached, and what to do.
        reason: String,
    },
    /// A photo could not be stored, for a reason that is not the photo's and may pass.
    #[error("the photo could not be stored: {reason}")]
    NotStored {
        /// Why.
        reason: String,
    },
    /// The dataset or the model is not the one that the client described before.
    #[error("the {what} has changed since it was described: describe it again")]
    Changed {
        /// `dataset` or `model`.
        what: &'static str,
    },
    /// The model was replaced, and the one that the client described is not held any more.
    #[error(
        "model {model} is {now} now, and {expected} is not held any more (--keep-generations): begin the work anew \
         with the model that serves, or push {expected} again (tuner push) or go back to it (tuner rollback)"
    )]
    ModelChanged {
        /// The model's name.
        model: String,
        /// The digest that the client expects, shortened.
        expected: String,
        /// The digest of the one that serves, shortened.
        now: String,
    },
    /// A version of a model is not taken, or does not serve. Nothing has changed.
    #[error("{message}")]
    ModelNotTaken {
        /// Why, and what to do.
        message: String,
    },
    /// A model's network cannot be cut so.
    #[error("{message}")]
    NoFront {
        /// Why, and what to do.
        message: String,
    },
    /// A piece of a version that nobody has announced since the server's start.
    #[error("nobody has announced this version here: announce it before its pieces")]
    Unannounced,
    /// No training of that name here: it has ended, was not heard of for long, or the server was restarted.
    #[error("this server has no training of that name (any more): prepare it again")]
    UnknownTraining,
    /// A head cannot be trained as it was asked for.
    #[error("{message}")]
    NotTrained {
        /// Why, and what to do.
        message: String,
    },
    /// A cut that needs CPU workers, where there are none.
    #[error(
        "this server has no CPU workers (--cpu-workers 0) and serves photos as they are stored: ask for the cut \
         encoded instead of {cut}, or start it with --cpu-workers 1 or more"
    )]
    NoCpuWorkers {
        /// The first such cut.
        cut: Cut,
    },
    /// The server is not ready: it says what it is doing, and how far it is.
    #[error("starting: {doing}")]
    Starting {
        /// What the server is doing, such as `listing /srv/photos, 12,000 files so far`.
        doing: String,
    },
    /// The server has too many streams open.
    #[error("the server has {limit} streams open already, see --max-streams")]
    Busy {
        /// The setting's value.
        limit: usize,
    },
    /// The server has too many connections.
    #[error("all {limit} connections that the server takes are in use, see --max-connections")]
    Full {
        /// The setting's value.
        limit: usize,
    },
    /// The stream's reader has stopped.
    #[error("nothing of this stream was read for {seconds} s, see --unread-limit: ask again for what is missing")]
    Unread {
        /// For how long.
        seconds: u64,
    },
    /// A call for who runs the server, from another machine.
    #[error("only a peer on the server's own machine may ask for this: run storage-server reload there")]
    NotLocal,
    /// The connection is not encrypted, and the server takes no such calls.
    #[error("this server speaks TLS alone: give --tls-ca (in Python tls=)")]
    NeedsTls,
    /// Nobody knows who calls.
    #[error("{message}")]
    Unknown {
        /// Why, and what to do.
        message: String,
    },
    /// Nobody can know who calls: the identity provider's keys are too old to be trusted.
    #[error("{message}")]
    NoKeys {
        /// Since when, and what to do.
        message: String,
    },
    /// Whoever calls may not do this.
    #[error("{message}")]
    Forbidden {
        /// Who, what, and what it takes.
        message: String,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

/// The metadata of a refusal that says for programs which it is: [`Refusal::reason`].
pub const REFUSAL: &str = "headwater-refusal";

// === impl Refusal ===

impl Refusal {
    /// Every reason.
    pub const REASONS: [&'static str; 25] = [
        "invalid",
        "unknown-dataset",
        "unknown-model",
        "changed",
        "no-cpu-workers",
        "busy",
        "stopping",
        STARTING,
        "full",
        UNREAD,
        NOT_READY,
        "not-local",
        "no-labels",
        READ_ONLY,
        QUOTA,
        "not-stored",
        "model-not-taken",
        "unannounced",
        UNKNOWN_TRAINING,
        "not-trained",
        "no-front",
        "needs-tls",
        "unknown",
        FORBIDDEN,
        "no-keys",
    ];

    /// The reason's name, in metrics and for programs: the same in every release.
    pub fn reason(&self) -> &'static str {
        let place = match self {
            Self::Invalid(_) => 0,
            Self::UnknownDataset { .. } => 1,
            Self::UnknownModel { .. } => 2,
            Self::Changed { .. } | Self::ModelChanged { .. } => 3,
            Self::NoCpuWorkers { .. } => 4,
            Self::Busy { .. } => 5,
            Self::Stopping => 6,
            Self::Starting { .. } => 7,
            Self::Full { .. } => 8,
            Self::Unread { .. } => 9,
            Self::NotReady { .. } => 10,
            Self::NotLocal => 11,
            Self::NoLabels { .. } => 12,
            Self::ReadOnly { .. } => 13,
            Self::Quota { .. } => 14,
            Self::NotStored { .. } => 15,
            Self::ModelNotTaken { .. } => 16,
            Self::Unannounced => 17,
            Self::UnknownTraining => 18,
            Self::NotTrained { .. } => 19,
            Self::NoFront { .. } => 20,
            Self::NeedsTls => 21,
            Self::Unknown { .. } => 22,
            Self::Forbidden { .. } => 23,
            Self::NoKeys { .. } => 24,
        };
        Self::REASONS[place]
    }
}

// === impl Invalid ===

impl Invalid {
    /// In these words.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(message.into())
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Invalid(_)
            | Refusal::ModelNotTaken { .. }
            | Refusal::NoFront { .. }
            | Refusal::NotTrained { .. } => Code::InvalidArgument,
            Refusal::Unannounced => Code::Aborted,
            Refusal::UnknownDataset { .. }
            | Refusal::UnknownModel { .. }
            | Refusal::NoLabels { .. }
            | Refusal::UnknownTraining => Code::NotFound,
            Refusal::ReadOnly { .. } | Refusal::Quota { .. } | Refusal::Forbidden { .. } => Code::PermissionDenied,
            Refusal::NeedsTls | Refusal::Unknown { .. } => Code::Unauthenticated,
            Refusal::Changed { .. } | Refusal::ModelChanged { .. } | Refusal::NotReady { .. } => {
                Code::FailedPrecondition
            }
            Refusal::NoCpuWorkers { .. } => Code::Unimplemented,
            Refusal::NotLocal => Code::PermissionDenied,
            Refusal::Busy { .. } | Refusal::Full { .. } | Refusal::Unread { .. } => Code::ResourceExhausted,
            Refusal::Starting { .. } | Refusal::Stopping | Refusal::NotStored { .. } | Refusal::NoKeys { .. } => {
                Code::Unavailable
            }
        };
        let mut status = Self::new(code, refusal.to_string());
        status.metadata_mut().insert(REFUSAL, MetadataValue::from_static(refusal.reason()));
        status
    }
}

/// The reason of a server that is not ready yet.
const STARTING: &str = "starting";

/// The reason of a call that its caller may not make.
const FORBIDDEN: &str = "forbidden";

/// Whether the server knows its caller, and does not let it do this.
pub fn is_forbidden(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == FORBIDDEN)
}

/// The reason of a training that the server does not have.
const UNKNOWN_TRAINING: &str = "unknown-training";

/// Whether the server does not have the training, and may have it once it is prepared again.
pub fn is_unknown_training(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == UNKNOWN_TRAINING)
}

/// The reason of a stream that was ended because nobody read it.
const UNREAD: &str = "unread";

/// The reason of a dataset that cannot be served.
const NOT_READY: &str = "not-ready";

/// The reasons of a dataset that takes no photos, and of one that takes no more.
const READ_ONLY: &str = "read-only";
const QUOTA: &str = "quota";

/// Whether the server takes no photos, or no more, into the dataset: every further photo would be refused as well.
pub fn takes_no_photos(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == READ_ONLY || reason == QUOTA)
}

/// Whether the server has ended a stream because its reader had stopped: it may ask again at once.
pub fn is_unread(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == UNREAD)
}

/// Whether the server is only starting: its message then says what it is doing.
pub fn is_starting(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == STARTING)
}

/// Whether the server cannot serve the dataset until somebody mends it: its message then says why.
pub fn is_not_ready(status: &Status) -> bool {
    status.metadata().get(REFUSAL).is_some_and(|reason| reason == NOT_READY)
}

/// Whether the same call may succeed later: the connection broke, the server is busy, stopping or restarting.
pub fn is_retryable(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::Cancelled | Code::DeadlineExceeded => true,
        // What tonic and hyper call a connection that ended in the middle of a stream.
        Code::Unknown | Code::Internal => {
            status.message().contains("h2 protocol error")
                || status.message().contains("transport error")
                || status.message().contains("error reading a body")
                || status.message().contains("connection")
        }
        _ => false,
    }
}
