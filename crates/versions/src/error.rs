//! Why a version is not taken, kept or activated.

use std::io;
use std::path::PathBuf;

use headwater_delta::DeltaError;
use headwater_onnx::OnnxError;
use headwater_types::write_fault::InWords;
use headwater_types::{ByteCount, Digest, ModelName};

/// Why a version is not taken, kept or activated. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Somebody else has the folder.
    #[error("the models in {} are open elsewhere: one program at a time may have them", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk would not.
    #[error("could not {action} {}: {}", path.display(), InWords(source))]
    Disk {
        /// What was to be done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The model or its transfer is larger than allowed.
    #[error("{what} has {actual}, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size, as it is claimed.
        actual: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// Other transfers have left no room.
    #[error("models that have come in part take {there} already, and {limit} is the most: end those pushes first")]
    PartialsFull {
        /// What is there.
        there: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// The disk has too little room for the transfer and the model that it makes.
    #[error("the state folder's disk has {free} free, and {needed} are needed: make room, or name another --state DIR")]
    NoSpace {
        /// What is free.
        free: ByteCount,
        /// What is needed.
        needed: ByteCount,
    },
    /// What came is not what was announced. It was dropped.
    #[error("what came is {}, and {} was announced: it was tampered with or damaged, and is dropped; push again",
        actual.short(), expected.short())]
    Tampered {
        /// What was announced.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// What was announced contradicts itself.
    #[error("the push contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The model that the delta is for is not here.
    #[error("the model {}, from which the delta was made, is not here: push the whole model", base.short())]
    NoBase {
        /// The model.
        base: Digest,
    },
    /// The delta is refused.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// The model is refused.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// There is no such version of the name.
    #[error("model {name} has no version {} here: push it first", digest.short())]
    UnknownVersion {
        /// The name.
        name: ModelName,
        /// The version.
        digest: Digest,
    },
    /// The activation is older than the one that counts.
    #[error(
        "revision {asked} of model {name} is older than revision {active}, which is active: it is a call from before, \
         and changes nothing"
    )]
    Replayed {
        /// The name.
        name: ModelName,
        /// The revision that was asked for.
        asked: u64,
        /// The one that is active.
        active: u64,
    },
    /// The version that was asked for is not the one before.
    #[error(
        "model {name} has {} before what is active, and not {}: ask anew what a rollback leads to",
        before.map_or_else(|| "nothing".to_owned(), |digest| digest.short()), asked.short()
    )]
    NotBefore {
        /// The name.
        name: ModelName,
        /// The version that was asked for.
        asked: Digest,
        /// The one before.
        before: Option<Digest>,
    },
    /// Too many names, or a record that would be too large.
    #[error("{0} models with versions are the most")]
    TooMany(usize),
}

// === impl VersionError ===

impl VersionError {
    pub(crate) fn disk(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { action, path, source }
    }
}
