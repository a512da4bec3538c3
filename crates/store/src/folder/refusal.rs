//! What an error of the system means for one name below a folder's root.

use std::io;

use rustix::io::Errno;

/// Why the system did not give what stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing stands under the name.
    Absent,
    /// The path leads out of the root.
    Escape,
    /// The path's links lead to each other, or into a process (`/proc`).
    Loop,
    /// The name is that of a socket or of an absent device.
    Special,
    /// This user may not see or read it.
    Permission,
    /// This process has no more files or memory, for which the dataset is not to blame.
    Exhausted,
    /// The disk or the network failed, or something else did.
    Other,
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn of(error: &io::Error) -> Self {
        match (Errno::from_io_error(error), error.kind()) {
            // `cap-std` makes this error itself, so that it has no number.
            (None, io::ErrorKind::PermissionDenied) => Self::Escape,
            (Some(Errno::LOOP), _) => Self::Loop,
            (Some(Errno::NXIO | Errno::NODEV), _) => Self::Special,
            (Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM), _) => Self::Exhausted,
            (_, io::ErrorKind::PermissionDenied) => Self::Permission,
            (_, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Self::Absent,
            _ => Self::Other,
        }
    }
}
