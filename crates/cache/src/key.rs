//! Under which key an entry is kept: content that differs in anything has another.
//!
//! The name of an entry's file says of which dataset and of which sample the entry is, so that an entry whose photo was
//! deleted or changed is known by its name alone.

use headwater_store::Version;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, Partition, SampleKey};

use crate::kind::Kind;
use crate::name::EntryName;

/// The BLAKE3 digest of (kind, what made it, dataset, sample key, version), each preceded by its length, without what
/// made it where only one thing could; and the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryKey {
    kind: Kind,
    digest: Digest,
    name: EntryName,
    most: ByteCount,
}

// === impl EntryKey ===

impl EntryKey {
    /// The key of what was made of one version of one sample. `dataset` says where the dataset rests
    /// ([`headwater_store::Store::place`]), whatever clients call it. `most` is what a caller of `get` is ready to
    /// hold: no larger entry is kept, nor believed.
    pub fn new(kind: Kind, dataset: &Digest, sample: &SampleKey, version: Version, most: ByteCount) -> Self {
        let mut digester = Digester::default();
        digester.field(kind.as_str().as_bytes());
        if let Some(maker) = kind.maker() {
            digester.field(&maker.as_bytes()[..]);
        }
        let digest = of_sample(&mut digester, dataset, sample, version);
        let of_version = of_sample(&mut Digester::default(), dataset, sample, version);
        let name = EntryName::new(Partition::address(sample.as_str()), dataset, &of_version, kind);
        Self { kind, digest, name, most }
    }

    /// The kind of entry that is kept under the key.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole digest of the key.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Most bytes of an entry under this key.
    pub fn most(&self) -> ByteCount {
        self.most
    }

    /// The entry's file, below the folder: that of one shard, and a name in it.
    pub fn name(&self) -> &EntryName {
        &self.name
    }
}

fn of_sample(digester: &mut Digester, dataset: &Digest, sample: &SampleKey, version: Version) -> Digest {
    let fields = digester.field(&dataset.as_bytes()[..]).field(sample.as_str().as_bytes());
    fields.field(&version.to_bytes()).finish()
}

#[cfg(test)]
impl EntryKey {
    /// A key of the same name as this one, of something else: as two keys whose digests begin alike have.
    pub(crate) fn namesake(mut self) -> Self {
        self.digest = Digest::of(self.digest.as_bytes());
        self
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
            assert_ne!(one.name(), other.name());
        }
    }

    #[test]
    fn another_kind_or_maker_is_another_key_of_the_same_version() {
        let (dataset, sample) = (Digest::of(b"/srv/a"), "cat/1.jpg".parse().unwrap());
        let of = |kind| EntryKey::new(kind, &dataset, &sample, Version::of_file(10, 1, 2), MOST);
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let kinds = [
            Kind::Encoded,
            Kind::Indexed,
            Kind::Resized { recipe: one },
            Kind::Resized { recipe: two },
            Kind::Features { model: one },
        ];
        for (at, kind) in kinds.into_iter().enumerate() {
            assert_eq!(of(kind).name().version(), of(Kind::Encoded).name().version());
            assert_eq!(of(kind).name().kind(), kind.name());
            for other in &kinds[..at] {
                assert!(of(*other).digest() != of(kind).digest() && of(*other).name() != of(kind).name());
            }
        }
    }
}
