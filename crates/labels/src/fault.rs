//! What goes wrong below a call, by what is to be done about it.

use std::any::Any;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::LabelError;

/// Why work on the file came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The disk would not. The file has to be opened anew.
    Disk(io::Error),
    /// The file was opened anew under the work, which may be begun again.
    Closed,
    /// Something is wrong with the file, or was with what was read of it: to be looked at.
    Corrupt(String),
    /// A value in the file is not what was written.
    Broken(String),
    /// Somebody else has the file.
    Locked,
    /// Nothing is wrong with the file.
    Refused(LabelError),
}

/// Does work on the file. The B-tree panics on some files that are broken; then it must not be used any more.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::Corrupt(words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("the B-tree panicked").to_owned()
}

// === impl Fault ===

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        use redb::Error::{
            Backend, DatabaseAlreadyOpen, DatabaseClosed, Io, LockProtocolMismatch, PreviousIo, Unsupported,
        };
        match error {
            Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                Self::Corrupt(error.to_string())
            }
            Io(error) => Self::Disk(error),
            PreviousIo => Self::Disk(io::Error::other("an earlier call failed")),
            Backend(error) => Self::Disk(io::Error::other(error)),
            Unsupported => Self::Disk(ErrorKind::Unsupported.into()),
            DatabaseClosed => Self::Closed,
            DatabaseAlreadyOpen | LockProtocolMismatch => Self::Locked,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<LabelError> for Fault {
    fn from(error: LabelError) -> Self {
        Self::Refused(error)
    }
}

macro_rules! from_parts {
    ($($part:ident),*) => {
        $(impl From<redb::$part> for Fault {
            fn from(error: redb::$part) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}

from_parts!(StorageError, TableError, TransactionError, CommitError, DatabaseError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_file_to_be_looked_at() {
        let fault = guarded::<()>(|| panic!("page {} is none", 7)).unwrap_err();
        assert!(matches!(fault, Fault::Corrupt(why) if why == "page 7 is none"));
        assert_eq!(guarded(|| Ok(3)).unwrap(), 3);
    }

    #[test]
    fn a_disk_that_fails_is_told_from_a_file_that_is_broken() {
        let of = |error: redb::StorageError| Fault::from(error);
        assert!(matches!(of(redb::StorageError::Io(io::Error::from_raw_os_error(28))), Fault::Disk(_)));
        assert!(matches!(of(redb::StorageError::PreviousIo), Fault::Disk(_)));
        assert!(matches!(of(redb::StorageError::Io(ErrorKind::UnexpectedEof.into())), Fault::Corrupt(_)));
        assert!(matches!(of(redb::StorageError::Corrupted("x".to_owned())), Fault::Corrupt(_)));
        assert!(matches!(Fault::from(redb::DatabaseError::DatabaseAlreadyOpen), Fault::Locked));
    }
}
