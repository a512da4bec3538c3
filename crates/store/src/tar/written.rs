//! Tar files as a test writes them, byte by byte.

/// A member to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) name: &'a [u8],
    pub(super) prefix: &'a [u8],
    pub(super) link: &'a [u8],
    pub(super) kind: u8,
    pub(super) magic: &'a [u8; 8],
    /// What the header says, whatever the content has.
    pub(super) size: u64,
}

// === impl Written ===

impl Default for Written<'_> {
    fn default() -> Self {
        Self { name: b"", prefix: b"", link: b"", kind: b'0', magic: b"ustar\x0000", size: 0 }
    }
}

/// The header.
pub(super) fn block(written: &Written<'_>) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, written.name);
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", written.size).as_bytes());
    put(148, b"        ");
    put(156, &[written.kind]);
    put(157, written.link);
    put(257, written.magic);
    put(345, written.prefix);
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The header and the content, padded.
pub(super) fn member(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let written = Written { name: name.as_bytes(), kind, size: content.len() as u64, ..Written::default() };
    let mut bytes = [&block(&written)[..], content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Files with these names and contents, and the end of the archive.
pub(crate) fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let members = files.into_iter().flat_map(|(name, content)| named(name, content));
    members.chain([0; 1024]).collect()
}

/// A file with a name of any length.
pub(super) fn named(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if name.len() > 100 {
        bytes = member(b'L', "././@LongLink", &[name.as_bytes(), b"\0"].concat());
    }
    let mut end = name.len().min(100);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    bytes.extend(member(b'0', &name[..end], content));
    bytes
}

/// A record of an extended header.
pub(super) fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}
