use std::fs;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{ByteCount, SampleFailure, differences};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::apart::Apart;
use crate::catalog::CatalogBuilder;
use crate::extent::Extent;
use crate::history::Step;
use crate::kept::Kept;
use crate::version::Version;

/// A store of so many samples, each of this version, whose listing waits until it may go on.
struct Slow {
    samples: usize,
    version: u64,
    may_list: Arc<Semaphore>,
    options: StoreOptions,
}

#[async_trait]
impl Store for Slow {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        self.may_list.acquire().await.unwrap().forget();
        let mut found = CatalogBuilder::of(&self.options, base);
        for n in 0..self.samples {
            found.push(&format!("cat/{n}.jpg"), Version::of_object(5, &self.version.to_string()))?;
        }
        Ok(found.finish())
    }

    fn place(&self) -> Digest {
        Digest::of(b"slow")
    }

    fn source(&self) -> &'static str {
        "folder"
    }

    async fn read(&self, _: &Extent) -> Result<Bytes, SampleFailure> {
        Ok(Bytes::new())
    }

    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }
}

struct Fixture {
    root: TempDir,
    location: Location,
}

// === impl Fixture ===

impl Fixture {
    fn new() -> Self {
        Self { root: TempDir::new().unwrap(), location: "s3://photos".parse().unwrap() }
    }

    fn options(&self) -> StoreOptions {
        let apart = Apart::from(&self.location, "--state", self.root.path().join("state")).unwrap();
        StoreOptions { kept: Kept::at(apart), ..StoreOptions::default() }
    }

    async fn start(&self, slow: Slow) -> Start {
        self.start_with_past(slow).await.0
    }

    async fn start_with_past(&self, slow: Slow) -> (Start, Past) {
        let options = slow.options.clone();
        start(&self.location, &(Arc::new(slow) as Arc<dyn Store>), &options).await.unwrap()
    }

    /// Starts a store that lists at once, and waits until the catalog is kept.
    async fn listed(&self, slow: Slow) -> Catalog {
        slow.may_list.add_permits(1);
        let before = self.files();
        let Start::Listed(catalog) = self.start(slow).await else { panic!("a listing that does not wait is served") };
        while self.files() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        catalog
    }

    /// The kept files that are whole, with their sizes.
    fn files(&self) -> Vec<(String, u64)> {
        let entries = fs::read_dir(self.root.path().join("state/lists")).into_iter().flatten().flatten();
        let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()));
        let mut files: Vec<_> = named.filter(|(name, _)| !name.ends_with(".new")).collect();
        files.sort_unstable();
        files
    }

    fn slow(&self, samples: usize, version: u64) -> Slow {
        Slow { samples, version, may_list: Arc::new(Semaphore::new(0)), options: self.options() }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_serves_what_was_kept_while_a_slow_listing_goes_on_and_then_what_it_found() {
    let fixture = Fixture::new();
    let first = fixture.listed(fixture.slow(100, 1)).await;
    let slow = fixture.slow(120, 1);
    let may_list = Arc::clone(&slow.may_list);
    let Start::Kept(kept, underway) = fixture.start(slow).await else { panic!("the listing waits") };
    assert_eq!((kept.digest(), kept.len(), kept.memory()), (first.digest(), 100, first.memory()));
    may_list.add_permits(1);
    let listed = underway.done().await.unwrap();
    let added: u64 = kept.differences(&listed).added.iter().map(|range| range.end - range.start).sum();
    assert_eq!((listed.len(), added), (120, 20));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_quick_is_served_itself_and_one_without_differences_shares_the_kept_memory() {
    let fixture = Fixture::new();
    fixture.listed(fixture.slow(100, 1)).await;
    let files = fixture.files();
    let slow = fixture.slow(100, 1);
    slow.may_list.add_permits(1);
    assert!(matches!(fixture.start(slow).await, Start::Listed(catalog) if catalog.len() == 100));
    assert_eq!(fixture.files(), files, "nothing is written where nothing changed");
    let changed = fixture.listed(fixture.slow(101, 2)).await;
    assert_eq!(changed.len(), 101);
}

#[tokio::test(start_paused = true)]
async fn what_differs_from_the_last_start_is_known_over_any_number_of_starts() {
    let fixture = Fixture::new();
    let mut generations = Vec::new();
    for samples in [100, 120, 90] {
        generations.push(fixture.listed(fixture.slow(samples, 1)).await.digest());
    }
    let slow = fixture.slow(80, 1);
    slow.may_list.add_permits(1);
    let (Start::Listed(last), past) = fixture.start_with_past(slow).await else { panic!("it does not wait") };
    let count = |from: Digest| {
        let steps = past.between(from, last.digest())?;
        let all = Step::compose(&steps);
        Some((differences::count(&all.removed), differences::count(&all.added)))
    };
    assert_eq!(
        generations.iter().map(|from| count(*from)).collect::<Vec<_>>(),
        [Some((20, 0)), Some((40, 0)), Some((10, 0))]
    );
    assert_eq!(count(Digest::of(b"another")), None);
}

#[tokio::test(start_paused = true)]
async fn whatever_changes_what_a_listing_takes_has_a_catalog_of_its_own() {
    let fixture = Fixture::new();
    fixture.listed(fixture.slow(100, 1)).await;
    let half = fixture.slow(100, 1);
    let options = StoreOptions { partition: "1/2".parse().unwrap(), ..half.options.clone() };
    let half = fixture.listed(Slow { options, ..half }).await;
    assert!(half.len() < 100 && fixture.files().len() == 2);
    let pinned = fixture.slow(100, 1);
    let classes = Some(["ant", "cat"].map(str::to_owned).into());
    let options = StoreOptions { classes, max_object: ByteCount::new(7), ..pinned.options.clone() };
    assert_eq!(fixture.listed(Slow { options, ..pinned }).await.classes(), ["ant", "cat"]);
    assert_eq!(fixture.files().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_catalog_is_listed_anew_and_nothing_kept_is_no_error() {
    let fixture = Fixture::new();
    fixture.listed(fixture.slow(10, 1)).await;
    let path = fixture.root.path().join("state/lists").join(&fixture.files()[0].0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let slow = fixture.slow(10, 1);
    slow.may_list.add_permits(1);
    assert!(matches!(fixture.start(slow).await, Start::Listed(catalog) if catalog.len() == 10));
    let nowhere = fixture.slow(10, 1);
    nowhere.may_list.add_permits(1);
    let nowhere = Slow { options: StoreOptions::default(), ..nowhere };
    assert!(matches!(fixture.start(nowhere).await, Start::Listed(_)));
}
