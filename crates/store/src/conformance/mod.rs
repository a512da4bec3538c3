//! What every kind of store promises, as one suite that each kind runs in its own tests.
//!
//! A kind brings a [`Source`], which it fills with photos as users of that kind would, and calls [`store_behaves`], or
//! [`rows_behave`] where samples are rows, of which no range can be read.

mod archive;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_types::{ByteCount, FailureKind};

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::fetched::Fetched;
use crate::files::Files;
use crate::found::Found;
use crate::options::StoreOptions;
use crate::skip::Skip;
use crate::store::Store;
use crate::version::Version;

/// Files by their keys.
pub(crate) type Photos = BTreeMap<&'static str, &'static [u8]>;

/// A place of some kind that a test fills.
pub(crate) trait Source {
    /// Whether each photo is an object of its own, so that a change of one leaves the others as they were.
    const IS_FILE_BY_FILE: bool;

    /// Whether a sample's name says that it is a photo. In a table each row is one.
    const IS_BY_NAME: bool = true;

    /// Makes the source hold exactly these files.
    async fn hold(&mut self, photos: &Photos);

    /// Opens the source anew.
    async fn open(&self, options: StoreOptions) -> Arc<dyn Store>;
}

/// Keys, contents, and the number of each key's class.
const PHOTOS: [(&str, &[u8], Option<u32>); 6] = [
    ("cat-2/1.jpg", b"a cat of another class", Some(1)),
    ("cat/1.jpg", b"a cat", Some(0)),
    ("cat/2.JPEG", b"another cat", Some(0)),
    ("dog/deep/3.png", b"a dog further down", Some(2)),
    ("dog/\u{fc} n+%41.webp", b"a dog with an odd name", Some(2)),
    ("flat.jpg", b"of no class", None),
];
const NO_PHOTOS: [(&str, &[u8]); 2] = [("cat/Thumbs.db", b"x"), ("notes.txt", b"y")];

/// Holds a source whose samples are ranges of bytes to what every store promises.
pub(crate) async fn store_behaves(mut source: impl Source) {
    source.hold(&files()).await;
    any_range_of_an_object_is_read_and_counted(&source).await;
    rows_behave(source).await;
}

/// Holds a source to what every store promises of samples as a whole.
pub(crate) async fn rows_behave<S: Source>(mut source: S) {
    source.hold(&files()).await;
    every_photo_is_listed_once_labelled_and_read(&source).await;
    if S::IS_BY_NAME {
        other_files_are_left_out_by_name_and_counted(&source).await;
    }
    a_listing_is_the_same_for_everybody(&source).await;
    a_listing_that_finds_nothing_new_shares_its_base(&source).await;
    partitions_share_the_photos_out(&source).await;
    what_is_larger_than_allowed_is_not_read(&source).await;
    what_was_never_there_is_not_found(&source).await;
    a_changed_source_gives_no_byte_that_was_not_listed(&mut source).await;
    if S::IS_BY_NAME {
        a_source_without_photos_is_an_error_that_says_what_is_there(&mut source).await;
    }
}

async fn every_photo_is_listed_once_labelled_and_read(source: &impl Source) {
    let found = Found::default();
    let options = StoreOptions { found: found.clone(), ..StoreOptions::default() };
    let (store, catalog) = listed(source, options).await;
    assert_eq!((catalog.len(), catalog.listing().samples, found.get()), (6, 6, 6));
    assert_eq!(catalog.classes(), ["cat", "cat-2", "dog"]);
    for ((at, entry), (key, content, label)) in catalog.iter().zip(PHOTOS) {
        let extent = catalog.extent(at).unwrap();
        assert_eq!((entry.key, entry.label.map(|label| label.0)), (key, label));
        assert_eq!((entry.version, entry.version.size()), (extent.version(), extent.length()), "{key}");
        assert_eq!(store.length(&extent).await.unwrap(), ByteCount::from(content.len()), "{key}");
        assert_eq!(store.read(&extent).await.unwrap(), content, "{key}");
        store.check(&extent).unwrap();
    }
    let total: u64 = catalog.iter().map(|(_, entry)| entry.version.size().get()).sum();
    assert_eq!(catalog.bytes_total(), ByteCount::new(total));
}

async fn other_files_are_left_out_by_name_and_counted(source: &impl Source) {
    let (_, catalog) = listed(source, StoreOptions::default()).await;
    assert_eq!(catalog.skipped().count(Skip::NoPhoto), 2);
    let (store, all) = listed(source, StoreOptions { files: Files::All, ..StoreOptions::default() }).await;
    assert_eq!(all.len(), PHOTOS.len() + NO_PHOTOS.len());
    assert_eq!(store.read(&extent(&all, "notes.txt")).await.unwrap(), &b"y"[..]);
}

async fn a_listing_is_the_same_for_everybody(source: &impl Source) {
    let (store, catalog) = listed(source, StoreOptions::default()).await;
    let (other, again) = listed(source, StoreOptions::default()).await;
    assert_eq!((store.place(), catalog.digest()), (other.place(), again.digest()));
    assert_eq!(catalog.listing(), again.listing());
}

async fn a_listing_that_finds_nothing_new_shares_its_base(source: &impl Source) {
    let (store, base) = listed(source, StoreOptions::default()).await;
    let again = store.list(Some(&base)).await.unwrap();
    assert!(again.shares(&base) && !again.shares(&listed(source, StoreOptions::default()).await.1));
    assert_eq!((again.digest(), again.listing()), (base.digest(), base.listing()));
}

async fn partitions_share_the_photos_out(source: &impl Source) {
    let (whole_store, whole) = listed(source, StoreOptions::default()).await;
    let mut together = BTreeSet::new();
    for part in ["1/2", "2/2"] {
        let options = StoreOptions { partition: part.parse().unwrap(), ..StoreOptions::default() };
        let (store, catalog) = listed(source, options).await;
        assert_eq!((catalog.classes(), catalog.listing()), (whole.classes(), whole.listing()));
        assert_eq!(store.place(), whole_store.place());
        for (at, entry) in catalog.iter() {
            assert!(together.insert(entry.key.to_owned()), "{} is in both parts", entry.key);
            assert_eq!(catalog.extent(at), Some(extent(&whole, entry.key)));
        }
    }
    assert_eq!(together.len(), whole.len());
}

async fn any_range_of_an_object_is_read_and_counted(source: &impl Source) {
    let fetched = Fetched::default();
    let (store, catalog) = listed(source, StoreOptions { fetched: fetched.clone(), ..StoreOptions::default() }).await;
    for (key, content, _) in PHOTOS {
        let inner = inner(&extent(&catalog, key));
        let (bytes, reads) = (fetched.bytes().get(), fetched.reads());
        assert_eq!(store.read(&inner).await.unwrap(), &content[1..content.len() - 1], "{key}");
        let (more, asked) = (fetched.bytes().get() - bytes, fetched.reads() - reads);
        assert_eq!((more, asked), (content.len() as u64 - 2, 1), "{key}: no byte beside the range, in one read");
        store.check(&inner).unwrap();
    }
}

async fn what_is_larger_than_allowed_is_not_read(source: &impl Source) {
    let options = StoreOptions { max_object: ByteCount::new(5), ..StoreOptions::default() };
    let (store, catalog) = listed(source, options).await;
    assert_eq!(store.read(&extent(&catalog, "cat/1.jpg")).await.unwrap(), &b"a cat"[..]);
    let large = store.read(&extent(&catalog, "cat/2.JPEG")).await.unwrap_err();
    assert_eq!(large.kind, FailureKind::LimitExceeded, "{large}");
}

async fn what_was_never_there_is_not_found(source: &impl Source) {
    let (store, _) = listed(source, StoreOptions::default()).await;
    let never = Extent::whole("never/1.jpg".parse().unwrap(), Version::of_object(4, "never"));
    assert_eq!(store.read(&never).await.unwrap_err().kind, FailureKind::NotFound);
}

async fn a_changed_source_gives_no_byte_that_was_not_listed<S: Source>(source: &mut S) {
    let (store, before) = listed(source, StoreOptions::default()).await;
    let mut files = files();
    files.insert("cat/1.jpg", b"a pig");
    files.insert("cat/2.JPEG", b"a cat that is longer now");
    files.insert("dog/new.jpg", b"new");
    files.remove("flat.jpg");
    source.hold(&files).await;
    for (key, content, _) in PHOTOS {
        let old = extent(&before, key);
        let expected: &[FailureKind] = match key {
            "cat/1.jpg" | "cat/2.JPEG" => &[FailureKind::Changed],
            "flat.jpg" if S::IS_FILE_BY_FILE => &[FailureKind::NotFound],
            _ if S::IS_FILE_BY_FILE => &[],
            _ => &[FailureKind::Changed],
        };
        let part = old.range().is_some().then(|| (inner(&old), &content[1..content.len() - 1]));
        for (extent, content) in part.into_iter().chain([(old, content)]) {
            match store.read(&extent).await {
                Ok(bytes) => assert!(expected.is_empty() && bytes == content, "{key}: {bytes:?}"),
                Err(failure) => assert!(expected.contains(&failure.kind), "{key}: {failure}"),
            }
            assert!(!store.check_now(&extent) || store.check(&extent).is_ok(), "{key}");
        }
    }
    let (store, after) = listed(source, StoreOptions::default()).await;
    let compared = store.list(Some(&before)).await.unwrap();
    assert_eq!((compared.digest(), compared.names()), (after.digest(), after.names()));
    assert!(compared.iter().eq(after.iter()) && !compared.shares(&before));
    assert_ne!(before.digest(), after.digest());
    for key in ["cat/1.jpg", "cat/2.JPEG", "dog/new.jpg", "cat-2/1.jpg"] {
        assert_eq!(store.read(&extent(&after, key)).await.unwrap(), files[key], "{key}");
    }
    assert_eq!((after.len(), after.find("flat.jpg")), (6, None));
}

async fn a_source_without_photos_is_an_error_that_says_what_is_there(source: &mut impl Source) {
    source.hold(&Photos::from(NO_PHOTOS)).await;
    let error = source.open(StoreOptions::default()).await.list(None).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::NoPhotos { found, .. } if found.contains("2 left out as no-photo")),
        "{error}"
    );
}

fn files() -> Photos {
    PHOTOS.map(|(key, content, _)| (key, content)).into_iter().chain(NO_PHOTOS).collect()
}

async fn listed(source: &impl Source, options: StoreOptions) -> (Arc<dyn Store>, Catalog) {
    let store = source.open(options).await;
    let catalog = store.list(None).await.unwrap();
    (store, catalog)
}

fn extent(catalog: &Catalog, key: &str) -> Extent {
    catalog.extent(catalog.find(key).unwrap()).unwrap()
}

/// The extent without its first and its last byte.
fn inner(extent: &Extent) -> Extent {
    let range = extent.range().unwrap();
    Extent::part(extent.object().clone(), extent.listed(), range.start + 1..range.end - 1).unwrap()
}
