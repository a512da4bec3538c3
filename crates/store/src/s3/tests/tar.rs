//! Tar files in a bucket: what is asked of the store for them.

use std::sync::Arc;

use headwater_types::SampleIndex;

use super::fake::FakeBucket;
use super::*;
use crate::conformance::{Photos, Source, store_behaves};
use crate::shards::Shards;
use crate::tar::Tar;
use crate::tar::written::archive;

struct TarBucket(FakeBucket);

// === impl TarBucket ===

impl TarBucket {
    fn start() -> Self {
        Self(FakeBucket::start())
    }

    fn put(&self, key: &str, content: Vec<u8>) {
        self.0.objects.lock().unwrap().insert(key.to_owned(), content);
    }

    async fn tar(&self, location: &str, options: StoreOptions) -> Tar {
        let options = StoreOptions { s3: at(&self.0.endpoint).s3, ..options };
        let shards = Shards::open_with(&location.parse().unwrap(), &options, || Ok(settings())).await.unwrap();
        Tar::of(shards, &options)
    }

    /// The ranges that were asked for since the last look.
    fn asked(&self) -> Vec<(usize, usize)> {
        std::mem::take(&mut *self.0.asked.lock().unwrap())
    }
}

impl Source for TarBucket {
    const IS_FILE_BY_FILE: bool = false;

    async fn hold(&mut self, photos: &Photos) {
        self.0.objects.lock().unwrap().clear();
        self.put("set/photos.tar", archive(photos.iter().map(|(name, content)| (*name, *content))));
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        Arc::new(self.tar("s3://photos/set/{photos,photos}.tar", options).await)
    }
}

#[tokio::test]
async fn photos_in_tar_files_of_a_bucket_behave_as_files_do() {
    store_behaves(TarBucket::start()).await;
}

#[tokio::test]
async fn a_shard_of_small_photos_is_indexed_by_one_request_and_an_epoch_reads_each_byte_once() {
    let bucket = TarBucket::start();
    let photos: Vec<_> = (0..300).map(|n| (format!("cat/{n:03}.jpg"), vec![n as u8; 1000 + n])).collect();
    bucket.put("set/a.tar", archive(photos.iter().map(|(name, content)| (name.as_str(), &content[..]))));
    let tar = bucket.tar("tar:s3://photos/set", StoreOptions::default()).await;
    let catalog = tar.list(None).await.unwrap();
    assert_eq!((catalog.len(), bucket.asked().len()), (300, 1));
    // Any order.
    for at in (0..300).map(|n| n * 7 % 300) {
        let extent = catalog.extent(SampleIndex(at)).unwrap();
        assert_eq!(tar.read(&extent).await.unwrap(), photos[at as usize].1, "{at}");
    }
    let read: usize = bucket.asked().iter().map(|(first, last)| last + 1 - first).sum();
    assert_eq!(read as u64, catalog.bytes_total().get());
}

#[tokio::test]
async fn an_index_beside_a_shard_spares_its_reading_if_it_is_right() {
    let large = vec![1; 300_000];
    let names = ["a.jpg", "b.jpg", "c.jpg"];
    let shard = archive(names.map(|name| (name, &large[..])));
    let place = |at: usize| at * (512 + 300_032) + 512;
    let lines = |size: usize| {
        let line = |(at, name): (usize, &&str)| format!("jpg {} {size} {name}\n", place(at));
        format!("v1.2 3\n{}", names.iter().enumerate().map(line).collect::<String>())
    };
    for (index, is_used) in [(lines(300_000), true), (lines(299_999), false), ("v1.1 3\n".to_owned(), false)] {
        let bucket = TarBucket::start();
        bucket.put("set/a.tar", shard.clone());
        bucket.put("set/a.idx", index.into_bytes());
        for location in ["s3://photos/set/a.tar", "tar:s3://photos/set"] {
            let tar = bucket.tar(location, StoreOptions::default()).await;
            let catalog = tar.list(None).await.unwrap();
            assert_eq!(keys(&catalog), names);
            assert_eq!(tar.read(&catalog.extent(SampleIndex(1)).unwrap()).await.unwrap(), large);
            let asked = bucket.asked();
            let most = asked.iter().map(|(first, last)| last - first).filter(|length| *length != 299_999).max();
            assert_eq!(most.unwrap() < 512, is_used, "{asked:?}");
        }
    }
}

#[tokio::test]
async fn indexing_that_was_ended_goes_on_with_the_shards_that_are_left() {
    let (bucket, state) = (TarBucket::start(), tempfile::TempDir::new().unwrap());
    let apart = crate::apart::Apart::from(&"/photos".parse().unwrap(), "--state", state.path().to_owned()).unwrap();
    let kept = || StoreOptions { kept: crate::kept::Kept::at(apart.clone()), ..StoreOptions::default() };
    bucket.put("set/a.tar", archive([("a.jpg", &b"a"[..])]));
    let list = || async { bucket.tar("tar:s3://photos/set", kept()).await.list(None).await.unwrap() };
    assert_eq!((list().await.len(), bucket.asked().len()), (1, 1));
    bucket.put("set/b.tar", archive([("b.jpg", &b"bb"[..])]));
    assert_eq!((list().await.len(), bucket.asked().len()), (2, 1), "only the shard that is new is read");
    assert_eq!((list().await.len(), bucket.asked().len()), (2, 0));
    bucket.put("set/a.tar", archive([("a.jpg", &b"another"[..])]));
    assert_eq!((list().await.len(), bucket.asked().len()), (2, 1));
}
