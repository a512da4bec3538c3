//! Why the index could not be read or written.

use std::io;
use std::path::PathBuf;

use headwater_types::WriteFault;
use headwater_types::write_fault::InWords;

use crate::row::RowFault;
use crate::run::RunId;

/// An index that was broken: where it is now, and what was found. Another was made in its place, which is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedAside {
    /// Where the broken file is.
    pub to: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What the index could not do.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// Somebody else has the folder's index open.
    #[error("the labels in {} are open elsewhere: one program at a time may have them", folder.display())]
    Locked {
        /// The index's folder.
        folder: PathBuf,
    },
    /// The disk would not. The next call tries anew.
    #[error("could not {action} the labels in {}: {}", folder.display(), InWords(source))]
    Disk {
        /// What was being done.
        action: &'static str,
        /// The index's folder.
        folder: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The index was found broken while it was in use. It was moved aside and begun anew: its runs are gone.
    #[error("the labels in {} were broken ({}): they were moved to {}, and are made again",
        folder.display(), aside.why, aside.to.display())]
    Broken {
        /// The index's folder.
        folder: PathBuf,
        /// Where the broken file is.
        aside: MovedAside,
    },
    /// The run was forgotten, or was one of an index that was broken.
    #[error("there is no run {run} of labels any more")]
    NoSuchRun {
        /// The run's number.
        run: RunId,
    },
    /// A row that is not kept, and with it none of its call.
    #[error("row {at} is not kept: {fault}")]
    Row {
        /// Which of the rows.
        at: usize,
        /// What is wrong with it.
        fault: RowFault,
    },
    /// A labeller or a job's record that is too large, or an index that has no number left.
    #[error("{what}: {actual}, of at most {most}")]
    TooLarge {
        /// Which size it is.
        what: &'static str,
        /// The size that it has.
        actual: usize,
        /// The size that it may have.
        most: usize,
    },
}

// === impl LabelError ===

impl LabelError {
    /// What kept bytes from being written, where the disk is the cause.
    pub fn fault(&self) -> Option<WriteFault> {
        match self {
            Self::Disk { source, .. } => Some(WriteFault::of(source)),
            _ => None,
        }
    }

    /// Whether asking again can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Disk { .. } | Self::Locked { .. })
    }
}
