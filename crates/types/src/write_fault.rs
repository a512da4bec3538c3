//! Why bytes could not be written, as far as somebody can do something about it.
//!
//! One place tells a full disk from a full quota, from a limit on files, and from a folder that may not be written to;
//! whoever writes bytes adds the setting that names the place.

use std::fmt;
use std::io::{Error, ErrorKind};

/// What kept bytes from being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteFault {
    /// The file system has no space left.
    DiskFull,
    /// The user's share of the file system is used up.
    QuotaFull,
    /// The file would be longer than the file system, or the process's limit, allows.
    FileTooLarge,
    /// The file system takes no writes.
    ReadOnly,
    /// This user may not write there.
    Forbidden,
    /// Something else.
    Other,
}

// === impl WriteFault ===

impl WriteFault {
    /// What an error of the file system is about.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull => Self::DiskFull,
            ErrorKind::QuotaExceeded => Self::QuotaFull,
            ErrorKind::FileTooLarge => Self::FileTooLarge,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::Other,
        }
    }

    /// The fault's name in logs, metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DiskFull => "disk-full",
            Self::QuotaFull => "quota-full",
            Self::FileTooLarge => "file-too-large",
            Self::ReadOnly => "read-only",
            Self::Forbidden => "forbidden",
            Self::Other => "other",
        }
    }

    /// Whether less data, or more space, would have helped.
    pub const fn is_full(self) -> bool {
        matches!(self, Self::DiskFull | Self::QuotaFull | Self::FileTooLarge)
    }

    /// The fault in words that follow the place's name; `None` where the system's own words are the best there are.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::DiskFull => Some("the file system is full"),
            Self::QuotaFull => Some("this user's quota on the file system is used up"),
            Self::FileTooLarge => Some("the file would be longer than is allowed (see ulimit -f)"),
            Self::ReadOnly => Some("the file system is read-only"),
            Self::Forbidden => Some("this user may not write there"),
            Self::Other => None,
        }
    }
}

/// An error of the file system in the words of its fault, or in its own.
#[derive(Clone, Copy, Debug)]
pub struct InWords<'a>(pub &'a Error);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match WriteFault::of(self.0).words() {
            Some(words) => f.write_str(words),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_a_full_quota_and_what_may_not_be_written_are_told_apart() {
        // Numbers of errno(3) on Linux.
        for (errno, fault, full) in [
            (28, WriteFault::DiskFull, true),
            (122, WriteFault::QuotaFull, true),
            (27, WriteFault::FileTooLarge, true),
            (30, WriteFault::ReadOnly, false),
            (13, WriteFault::Forbidden, false),
            (1, WriteFault::Forbidden, false),
            (5, WriteFault::Other, false),
        ] {
            let error = Error::from_raw_os_error(errno);
            assert_eq!((WriteFault::of(&error), WriteFault::of(&error).is_full()), (fault, full), "errno {errno}");
        }
        assert_eq!(InWords(&Error::from_raw_os_error(28)).to_string(), "the file system is full");
        assert_eq!(InWords(&Error::other("torn")).to_string(), "torn");
    }
}
