//! Photos that were taken in and that no listing has found yet.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use headwater_store::Catalog;
use headwater_types::{ByteCount, Digest, SampleKey};

/// What came since the dataset's current generation was listed.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Arrived>);

#[derive(Default)]
struct Arrived {
    photos: Vec<Arrival>,
    /// Bytes of the last listing that was heard of here, so that what it has found is never counted nowhere.
    listed: u64,
    /// Bytes of photos that are being stored.
    reserved: u64,
}

struct Arrival {
    key: SampleKey,
    digest: Digest,
    length: ByteCount,
    at: SystemTime,
}

/// Bytes that a photo on its way may take. They are given back with this.
pub(super) struct Reserved<'a> {
    arrivals: &'a Arrivals,
    length: u64,
}

// === impl Arrivals ===

impl Arrivals {
    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a photo with these bytes that came meanwhile.
    pub(super) fn find(&self, digest: Digest) -> Option<SampleKey> {
        self.lock().photos.iter().find(|photo| photo.digest == digest).map(|photo| photo.key.clone())
    }

    /// Bytes for a photo, where the listed ones, those that came meanwhile and those that are coming leave room for it;
    /// otherwise the sum of these.
    pub(super) fn reserve(
        &self,
        length: ByteCount,
        (listed, most): (ByteCount, ByteCount),
    ) -> Result<Reserved<'_>, ByteCount> {
        let mut arrived = self.lock();
        let came: u64 = arrived.photos.iter().map(|photo| photo.length.get()).sum();
        let taken = listed.get().max(arrived.listed).saturating_add(came).saturating_add(arrived.reserved);
        if taken.saturating_add(length.get()) > most.get() {
            return Err(ByteCount::new(taken));
        }
        arrived.reserved += length.get();
        Ok(Reserved { arrivals: self, length: length.get() })
    }

    /// Remembers a photo that was stored.
    pub(super) fn add(&self, key: SampleKey, digest: Digest, length: ByteCount) {
        self.add_at(key, digest, length, SystemTime::now());
    }

    fn add_at(&self, key: SampleKey, digest: Digest, length: ByteCount, at: SystemTime) {
        self.lock().photos.push(Arrival { key, digest, length, at });
    }

    /// Forgets what a listing has found, or would have found if it were there still.
    pub(super) fn forget_listed(&self, catalog: &Catalog) {
        let is_new = |photo: &Arrival| catalog.find(photo.key.as_str()).is_none() && photo.at >= catalog.scope().since;
        let mut arrived = self.lock();
        arrived.photos.retain(is_new);
        arrived.listed = catalog.bytes_total().get();
    }
}

// === impl Reserved ===

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.arrivals.lock().reserved -= self.length;
    }
}

#[cfg(test)]
mod tests {
    use headwater_store::{CatalogBuilder, Files, Version};
    use headwater_types::Partition;

    use super::*;

    const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

    fn catalog(keys: &[&str]) -> Catalog {
        let mut found = CatalogBuilder::new(Partition::ALL, Files::All);
        keys.iter().for_each(|key| found.push(key, Version::of_file(1, 0, 0)).unwrap());
        found.finish()
    }

    #[test]
    fn photos_are_known_until_a_listing_knows_them() {
        let arrivals = Arrivals::default();
        let add = |name: &str, at| {
            arrivals.add_at(format!("{name}.jpg").parse().unwrap(), Digest::of(name.as_bytes()), ByteCount::new(1), at);
        };
        let find = |name: &str| arrivals.find(Digest::of(name.as_bytes())).map(|key| key.as_str().to_owned());
        let before = catalog(&["a.jpg"]);
        let (earlier, later) = (before.scope().since - SECOND, before.scope().since + SECOND);
        add("b", later);
        arrivals.forget_listed(&before);
        assert_eq!(find("b").as_deref(), Some("b.jpg"), "that listing began before");
        arrivals.forget_listed(&catalog(&["b.jpg"]));
        assert_eq!(find("b"), None);
        add("c", earlier);
        arrivals.forget_listed(&before);
        assert_eq!(find("c"), None, "it was deleted before the listing began");
    }

    #[test]
    fn what_comes_at_once_counts_against_the_quota_together() {
        let (arrivals, bytes) = (Arrivals::default(), ByteCount::new);
        let first = arrivals.reserve(bytes(40), (bytes(50), bytes(100))).ok().unwrap();
        assert_eq!(arrivals.reserve(bytes(11), (bytes(50), bytes(100))).err(), Some(bytes(90)));
        drop(first);
        assert!(arrivals.reserve(bytes(50), (bytes(50), bytes(100))).is_ok());
        arrivals.add("a.jpg".parse().unwrap(), Digest::of(b"a"), bytes(50));
        assert_eq!(arrivals.reserve(bytes(1), (bytes(50), bytes(100))).err(), Some(bytes(100)));
    }
}
