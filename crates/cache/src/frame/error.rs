//! Why the content of an entry's file is not the entry's frame.

/// The content of a file that is not the frame of the file's entry. Whatever the reason, the file is removed and made
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Something else, or of another version of this program.
    #[error("it is no frame of this version")]
    Foreign,
    /// A frame of another key or kind.
    #[error("it is another entry's frame")]
    OtherKey,
    /// Shorter or longer than its header says.
    #[error("it has {actual} bytes and should have {expected}")]
    Length {
        /// The bytes that the header says, header included.
        expected: u64,
        /// The bytes that are there.
        actual: u64,
    },
    /// The bytes are not those that were put.
    #[error("its checksum does not fit")]
    Checksum,
}
