//! Symbolic links out of a dataset, and to folders: followed into the folders that are named for it, and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_store::{Catalog, Location, Skip, Store, StoreError, StoreOptions, open};
use headwater_types::FailureKind;
use tempfile::TempDir;

fn put(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A dataset `set` beside the folders `named` and `other`, each with photos.
fn around() -> (TempDir, PathBuf) {
    let around = TempDir::new().unwrap();
    let at = |path: &str| around.path().join(path);
    put(&at("set/cat/1.jpg"), b"a cat");
    put(&at("named/dogs/1.jpg"), b"dog");
    put(&at("named/dogs/deep/2.jpg"), b"deep dog");
    put(&at("named/single.jpg"), b"single");
    put(&at("other/1.jpg"), b"secret");
    let set = at("set");
    (around, set)
}

async fn following(set: &Path, folders: &[PathBuf]) -> Arc<dyn Store> {
    let options = StoreOptions { follow: folders.to_vec(), ..StoreOptions::default() };
    open(&Location::folder(set), &options).await.unwrap()
}

fn keys(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|(_, entry)| entry.key).collect()
}

async fn read(store: &dyn Store, catalog: &Catalog, key: &str) -> Result<Vec<u8>, FailureKind> {
    let extent = catalog.extent(catalog.find(key).unwrap()).unwrap();
    let read = store.read(&extent).await.map(Vec::from).map_err(|failure| failure.kind);
    assert_eq!(store.check(&extent).map_err(|failure| failure.kind), read.as_ref().map(drop).map_err(|kind| *kind));
    read
}

#[tokio::test]
async fn links_are_followed_into_named_folders_only_and_the_rest_names_the_setting() {
    let (around, set) = around();
    symlink(around.path().join("named/dogs"), set.join("dog")).unwrap();
    symlink("../../named/single.jpg", set.join("cat/2.jpg")).unwrap();
    symlink("../other", set.join("other")).unwrap();
    symlink("../../other/1.jpg", set.join("cat/3.jpg")).unwrap();
    symlink("/proc/self/environ", set.join("cat/4.jpg")).unwrap();
    symlink("/proc/self/root", set.join("system")).unwrap();

    let without = following(&set, &[]).await.list(None).await.unwrap();
    assert_eq!(keys(&without), ["cat/1.jpg"]);
    assert_eq!(without.skipped().count(Skip::LinkOut), 6);
    assert!(Skip::LinkOut.warning().unwrap().contains("--follow-links"));
    assert!(Skip::FolderLink.warning().unwrap().contains("--follow-links"));

    let store = following(&set, &[around.path().join("named")]).await;
    let catalog = store.list(None).await.unwrap();
    assert_eq!(keys(&catalog), ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/deep/2.jpg"]);
    assert_eq!(catalog.classes(), ["cat", "dog"]);
    assert_eq!(catalog.skipped().iter().collect::<Vec<_>>(), [(Skip::LinkOut, 4)]);
    for (key, content) in [("cat/2.jpg", &b"single"[..]), ("dog/1.jpg", b"dog"), ("dog/deep/2.jpg", b"deep dog")] {
        assert_eq!(read(&*store, &catalog, key).await.unwrap(), content, "{key}");
    }
    put(&around.path().join("named/dogs/1.jpg"), b"another dog");
    assert_eq!(read(&*store, &catalog, "dog/1.jpg").await, Err(FailureKind::Changed));
    fs::remove_file(around.path().join("named/single.jpg")).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/2.jpg").await, Err(FailureKind::NotFound));
}

#[tokio::test]
async fn links_in_a_circle_end_and_a_folder_may_be_linked_twice() {
    let (around, set) = around();
    let at = |path: &str| around.path().join(path);
    symlink("../named/dogs", set.join("dog")).unwrap();
    symlink(at("named/dogs"), set.join("hound")).unwrap();
    // Back to the dataset, back to itself, above itself, and two folders that link to each other.
    symlink(&set, at("named/dogs/set")).unwrap();
    symlink(".", at("named/dogs/self")).unwrap();
    symlink("../..", at("named/dogs/deep/up")).unwrap();
    symlink("..", set.join("cat/up")).unwrap();
    put(&at("named/a/1.jpg"), b"a");
    put(&at("named/b/1.jpg"), b"b");
    symlink("../b", at("named/a/b")).unwrap();
    symlink("../a", at("named/b/a")).unwrap();
    symlink(at("named/a"), set.join("a")).unwrap();

    // The named folder holds the dataset too.
    let store = following(&set, &[around.path().to_owned()]).await;
    let catalog = store.list(None).await.unwrap();
    let expected =
        ["a/1.jpg", "a/b/1.jpg", "cat/1.jpg", "dog/1.jpg", "dog/deep/2.jpg", "hound/1.jpg", "hound/deep/2.jpg"];
    assert_eq!(keys(&catalog), expected);
    assert_eq!(catalog.skipped().iter().collect::<Vec<_>>(), [(Skip::LinkLoop, 8)]);
    for key in expected {
        assert!(read(&*store, &catalog, key).await.is_ok(), "{key}");
    }
}

#[tokio::test]
async fn a_tree_of_links_into_each_other_is_walked_to_a_depth() {
    let (around, set) = around();
    let at = |path: String| around.path().join("named").join(path);
    for level in 0..40 {
        put(&at(format!("{level}/1.jpg")), b"photo");
        symlink(format!("../{}", level + 1), at(format!("{level}/next"))).unwrap();
    }
    put(&at("40/1.jpg".to_owned()), b"photo");
    symlink("../named/0", set.join("chain")).unwrap();
    let catalog = following(&set, &[around.path().join("named")]).await.list(None).await.unwrap();
    assert_eq!((catalog.len(), catalog.skipped().count(Skip::LinkLoop)), (9, 1));
}

#[tokio::test]
async fn a_link_that_is_put_elsewhere_after_the_listing_gives_nothing_from_there() {
    let (around, set) = around();
    let link = set.join("dog");
    symlink("../named/dogs", &link).unwrap();
    let store = following(&set, &[around.path().join("named")]).await;
    let catalog = store.list(None).await.unwrap();
    for (target, expected) in [
        ("../other", FailureKind::Forbidden),
        ("/proc/self", FailureKind::NotFound),
        ("../nothing", FailureKind::NotFound),
        ("dog", FailureKind::Forbidden),
        ("cat", FailureKind::Changed),
    ] {
        fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
        assert_eq!(read(&*store, &catalog, "dog/1.jpg").await, Err(expected), "{target}");
    }
}

/// A link that swings between a named folder and a secret while it is read: whatever comes is of the named one.
#[tokio::test]
async fn a_link_that_is_swapped_while_it_is_read_never_gives_a_secret() {
    let (around, set) = around();
    let at = |path: &str| around.path().join(path);
    // Of the same length and time as the photo, so that the version tells nothing.
    fs::write(at("other/1.jpg"), b"spy").unwrap();
    let time = fs::metadata(at("named/dogs/1.jpg")).unwrap().modified().unwrap();
    fs::File::options().write(true).open(at("other/1.jpg")).unwrap().set_modified(time).unwrap();
    symlink("../named/dogs", set.join("dog")).unwrap();
    let store = following(&set, &[at("named")]).await;
    let catalog = store.list(None).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (is_over, set) = (Arc::clone(&is_over), set.clone());
        std::thread::spawn(move || {
            for (at, target) in ["../other", "../named/dogs"].iter().cycle().enumerate() {
                if at % 2 == 0 && is_over.load(Ordering::Relaxed) {
                    return;
                }
                symlink(target, set.join("next")).unwrap();
                fs::rename(set.join("next"), set.join("dog")).unwrap();
            }
        })
    };
    let extent = catalog.extent(catalog.find("dog/1.jpg").unwrap()).unwrap();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..20_000 {
        match store.read(&extent).await {
            Ok(content) => {
                assert_eq!(&*content, b"dog");
                read += 1;
            }
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Forbidden, "{failure:?}");
                refused += 1;
            }
        }
    }
    is_over.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused: the link was not swapped in between");
}

#[tokio::test]
async fn a_folder_that_is_none_or_is_the_whole_machine_is_refused() {
    let (around, set) = around();
    let file = around.path().join("named/single.jpg");
    for (folder, reason) in [
        (around.path().join("absent"), "No such file"),
        (file, "Not a directory"),
        ("/".into(), "holds more than photos"),
        ("/proc/self".into(), "holds more than photos"),
        ("/sys".into(), "holds more than photos"),
    ] {
        let options = StoreOptions { follow: vec![folder], ..StoreOptions::default() };
        let error = open(&Location::folder(&set), &options).await.err().unwrap();
        assert!(matches!(error, StoreError::Follow { .. }));
        let error = error.to_string();
        assert!(error.starts_with("--follow-links /") && error.contains(reason), "{error}");
    }
}
