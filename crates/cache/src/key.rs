//! Under which key an entry is kept: content that differs in anything has another.

use headwater_store::Version;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, SampleKey};

use crate::kind::Kind;

/// The BLAKE3 digest of (kind, dataset, sample key, version), each preceded by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryKey {
    kind: Kind,
    digest: Digest,
    most: ByteCount,
}

/// Hexadecimal digits of a file's name: 8 + 120 bits of the digest. The rest is in the frame and compared, so that two keys of one
/// name are two misses, never each other's bytes.
const NAME_DIGITS: usize = 32;

// === impl EntryKey ===

impl EntryKey {
    /// The key of what was made of one version of one sample. `dataset` says where the dataset rests
    /// ([`headwater_store::Store::place`]), whatever clients call it. `most` is what a caller of `get` is ready to
    /// hold: no larger entry is kept, nor believed.
    pub fn new(kind: Kind, dataset: &Digest, sample: &SampleKey, version: Version, most: ByteCount) -> Self {
        let digest = Digester::default()
            .field(kind.as_str().as_bytes())
            .field(&dataset.as_bytes()[..])
            .field(sample.as_str().as_bytes())
            .field(&version.to_bytes())
            .finish();
        Self { kind, digest, most }
    }

    /// What is kept under it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Most bytes of an entry under this key.
    pub fn most(&self) -> ByteCount {
        self.most
    }

    /// Which of the folder's shards has it.
    pub(crate) fn shard(&self) -> u8 {
        self.digest.as_bytes()[0]
    }

    /// The entry's file, below the folder.
    ///
    /// ```text
    /// 3f/0123456789abcdef0123456789abcd
    /// ```
    pub(crate) fn path(&self) -> [u8; NAME_DIGITS + 1] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut path = [b'/'; NAME_DIGITS + 1];
        for (at, byte) in self.digest.as_bytes().iter().take(NAME_DIGITS / 2).enumerate() {
            // One further for the slash behind the first byte.
            let to = 2 * at + usize::from(at > 0);
            path[to] = DIGITS[usize::from(byte >> 4)];
            path[to + 1] = DIGITS[usize::from(byte & 15)];
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: ByteCount = ByteCount::mebibytes(1);

    fn key(dataset: &str, sample: &str, version: Version) -> EntryKey {
        EntryKey::new(Kind::Indexed, &Digest::of(dataset.as_bytes()), &sample.parse().unwrap(), version, MOST)
    }

    #[test]
    fn another_dataset_sample_or_version_is_another_key() {
        let version = Version::of_file(10, 1, 2);
        let one = key("/srv/a", "cat/1.jpg", version);
        assert_eq!(one, key("/srv/a", "cat/1.jpg", version));
        for other in [
            key("/srv/b", "cat/1.jpg", version),
            key("/srv/a", "cat/2.jpg", version),
            key("/srv/acat", "/1.jpg".trim_start_matches('/'), version),
            key("/srv/a", "cat/1.jpg", Version::of_file(10, 1, 3)),
            key("/srv/a", "cat/1.jpg", Version::of_file(11, 1, 2)),
        ] {
            assert_ne!(one.digest(), other.digest());
        }
    }

    #[test]
    fn a_path_is_a_shard_and_the_digits_behind_it() {
        let key = key("/srv/a", "cat/1.jpg", Version::of_file(10, 1, 2));
        let digits = key.digest().to_string();
        let path = String::from_utf8(key.path().to_vec()).unwrap();
        assert_eq!(path, format!("{}/{}", &digits[..2], &digits[2..NAME_DIGITS]));
        assert_eq!(u8::from_str_radix(&digits[..2], 16).unwrap(), key.shard());
    }
}
