//! Compressed files under the name of a tar file, known by their first bytes.

use std::fmt;

/// A compression that a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compressed {
    name: &'static str,
    /// The command that writes what it held to its output.
    unpack: &'static str,
}

const KNOWN: [(&[u8], Compressed); 5] = [
    (&[0x1f, 0x8b], Compressed { name: "gzip", unpack: "gunzip -c" }),
    (&[0x28, 0xb5, 0x2f, 0xfd], Compressed { name: "Zstandard", unpack: "zstd -dc" }),
    (b"BZh", Compressed { name: "bzip2", unpack: "bunzip2 -c" }),
    (&[0xfd, b'7', b'z', b'X', b'Z'], Compressed { name: "xz", unpack: "xz -dc" }),
    (&[0x04, 0x22, 0x4d, 0x18], Compressed { name: "LZ4", unpack: "lz4 -dc" }),
];

// === impl Compressed ===

impl Compressed {
    /// What the first bytes of a file are those of.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        KNOWN.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, compressed)| compressed)
    }
}

impl fmt::Display for Compressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unpack } = self;
        write!(
            f,
            "it is compressed with {name}, so that no member can be read by itself: repack it with \
             `{unpack} OLD > NEW.tar`"
        )
    }
}
