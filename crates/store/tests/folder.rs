//! A folder as a dataset: what is listed, what is read, and what never is.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headwater_store::{Catalog, Extent, Files, Found, Location, Skip, Store, StoreError, StoreOptions, open};
use headwater_types::{ByteCount, FailureKind, SampleIndex, SampleKey};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

async fn store_with(root: &Path, options: &StoreOptions) -> Arc<dyn Store> {
    open(&Location::folder(root), options).await.unwrap()
}

async fn store(root: &Path) -> Arc<dyn Store> {
    store_with(root, &StoreOptions::default()).await
}

fn put(root: &Path, key: &str, content: &[u8]) {
    let path = root.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn keys(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|(_, entry)| entry.key).collect()
}

/// Reads the sample of this key as it was listed.
async fn read(store: &dyn Store, catalog: &Catalog, key: &str) -> Result<Vec<u8>, FailureKind> {
    let index = catalog.find(key).unwrap();
    let read = store.read(&catalog.extent(index).unwrap()).await;
    read.map(Vec::from).map_err(|failure| failure.kind)
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// A root with one photo, and a secret beside it.
fn root_and_secret() -> (TempDir, std::path::PathBuf) {
    let above = TempDir::new().unwrap();
    let root = above.path().join("root");
    put(&root, "cat/1.jpg", b"photo");
    put(above.path(), "secret.jpg", b"secret");
    put(above.path(), "secrets/1.jpg", b"secret");
    (above, root)
}

#[tokio::test]
async fn a_listing_counts_what_it_has_found_of_all_partitions() {
    let root = TempDir::new().unwrap();
    (0..20).for_each(|n| put(root.path(), &format!("cat/{n}.jpg"), b"photo"));
    let found = Found::default();
    let options = StoreOptions { partition: "1/2".parse().unwrap(), found: found.clone(), ..StoreOptions::default() };
    let store = store_with(root.path(), &options).await;
    assert_eq!(found.get(), 0);
    let catalog = store.list(None).await.unwrap();
    assert_eq!((found.get(), catalog.listing().samples), (20, 20));
    assert!(catalog.len() < 20);
}

#[tokio::test]
async fn class_folders_give_labels_and_files_right_under_the_root_have_none() {
    let root = TempDir::new().unwrap();
    for key in ["dog/2.jpg", "dog/deep/3.jpg", "cat/1.jpg", "flat.jpg", "cat-2/1.jpg"] {
        put(root.path(), key, key.as_bytes());
    }
    let store = store(root.path()).await;
    let catalog = store.list(None).await.unwrap();
    assert_eq!(catalog.classes(), ["cat", "cat-2", "dog"]);
    let labels: Vec<_> = catalog.iter().map(|(_, entry)| (entry.key, entry.label.map(|label| label.0))).collect();
    let expected = [
        ("cat-2/1.jpg", Some(1)),
        ("cat/1.jpg", Some(0)),
        ("dog/2.jpg", Some(2)),
        ("dog/deep/3.jpg", Some(2)),
        ("flat.jpg", None),
    ];
    assert_eq!(labels, expected);
    assert_eq!(catalog.bytes_total().get(), expected.iter().map(|(key, _)| key.len() as u64).sum::<u64>());
    for (key, _) in expected {
        assert_eq!(read(&*store, &catalog, key).await.unwrap(), key.as_bytes());
    }
}

#[tokio::test]
async fn a_listing_is_the_same_after_a_restart_and_another_after_any_change() {
    let root = TempDir::new().unwrap();
    for n in 0..50 {
        put(root.path(), &format!("{}/{n}.jpg", n % 7), b"photo");
    }
    let digest = || async { store(root.path()).await.list(None).await.unwrap().digest() };
    let first = digest().await;
    assert_eq!(first, digest().await);
    let touched = fs::File::open(root.path().join("3/3.jpg")).unwrap();
    touched.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    assert_ne!(first, digest().await);
}

#[tokio::test]
async fn a_folder_without_a_photo_is_an_error_that_says_what_is_there_instead() {
    let root = TempDir::new().unwrap();
    let error = store(root.path()).await.list(None).await.unwrap_err().to_string();
    assert!(error.contains("nothing is there") && error.contains("mounted"), "{error}");
    for key in ["a/1.csv", "a/2.CSV", "a/README", "b/3.heic"] {
        put(root.path(), key, b"x");
    }
    let error = store(root.path()).await.list(None).await.unwrap_err().to_string();
    for part in [
        " has no photos: ",
        "3 left out as no-photo: .csv 2, no suffix 1",
        "1 left out as unsupported-format: .heic 1",
        "--all-files",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let all = StoreOptions { files: Files::All, ..StoreOptions::default() };
    let catalog = store_with(root.path(), &all).await.list(None).await.unwrap();
    assert_eq!(keys(&catalog), ["a/1.csv", "a/2.CSV", "a/README", "b/3.heic"]);
    let empty = StoreOptions { partition: "1/1000".parse().unwrap(), ..all };
    assert!(store_with(root.path(), &empty).await.list(None).await.unwrap().is_empty(), "a part may hold no sample");
}

#[tokio::test]
async fn a_root_that_is_not_there_is_an_error_that_names_it() {
    let root = TempDir::new().unwrap();
    put(root.path(), "file", b"x");
    let open = |name: &str| {
        let location = Location::folder(root.path().join(name));
        async move { open(&location, &StoreOptions::default()).await.err().unwrap() }
    };
    let absent = open("absent").await;
    assert!(
        matches!(absent, StoreError::NoSuchFolder { .. }) && absent.to_string().ends_with(": no such folder"),
        "{absent}"
    );
    assert!(matches!(open("file").await, StoreError::NotAFolder { .. }));
}

#[tokio::test]
async fn thousands_of_files_in_wide_and_deep_folders_are_each_listed_once() {
    let root = TempDir::new().unwrap();
    let mut expected = BTreeSet::new();
    for n in 0..3000 {
        expected.insert(format!("wide/{n}.jpg"));
    }
    for n in 0..300 {
        expected.insert(format!("{n}/a/b/{n}.jpg"));
    }
    let deep = "d/".repeat(400);
    expected.insert(format!("{deep}x.jpg"));
    for key in &expected {
        put(root.path(), key, b"");
    }
    let catalog = store(root.path()).await.list(None).await.unwrap();
    assert!(keys(&catalog).into_iter().eq(expected.iter().map(String::as_str)));
    assert_eq!(catalog.classes().len(), 302);
}

#[tokio::test]
async fn partitions_of_one_folder_share_it_out() {
    let root = TempDir::new().unwrap();
    for n in 0..40 {
        put(root.path(), &format!("c{}/{n}.jpg", n % 4), b"photo");
    }
    let whole = store(root.path()).await.list(None).await.unwrap();
    let mut together = BTreeSet::new();
    for part in ["1/3", "2/3", "3/3"] {
        let options = StoreOptions { partition: part.parse().unwrap(), ..StoreOptions::default() };
        let catalog = store_with(root.path(), &options).await.list(None).await.unwrap();
        assert_eq!(catalog.classes(), whole.classes());
        for key in keys(&catalog) {
            assert!(together.insert(key.to_owned()), "{key} twice");
        }
    }
    assert_eq!(together.len(), whole.len());
}

#[tokio::test]
async fn what_is_no_sample_is_left_out_and_counted() {
    let (above, root) = root_and_secret();
    put(&root, ".hidden", b"x");
    put(&root, ".git/objects/1", b"x");
    put(&root, "cat/.DS_Store", b"x");
    symlink(above.path().join("secret.jpg"), root.join("cat/absolute.jpg")).unwrap();
    symlink("../../secret.jpg", root.join("cat/relative.jpg")).unwrap();
    symlink("../secrets", root.join("outside")).unwrap();
    symlink("cat", root.join("inside")).unwrap();
    symlink("..", root.join("cat/up")).unwrap();
    symlink("nothing", root.join("cat/broken.jpg")).unwrap();
    symlink("loop-b", root.join("loop-a")).unwrap();
    symlink("loop-a", root.join("loop-b")).unwrap();
    symlink("../cat/1.jpg", root.join("cat/alias.jpg")).unwrap();
    pipe(&root.join("cat/pipe.jpg"));
    symlink("pipe.jpg", root.join("cat/pipe-alias.jpg")).unwrap();
    let _socket = UnixListener::bind(root.join("cat/socket")).unwrap();

    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    assert_eq!(keys(&catalog), ["cat/1.jpg", "cat/alias.jpg"]);
    assert_eq!(catalog.classes(), ["cat"]);
    assert_eq!(read(&*store, &catalog, "cat/alias.jpg").await.unwrap(), b"photo");
    let skipped: Vec<_> = catalog.skipped().iter().collect();
    let expected =
        [(Skip::Hidden, 3), (Skip::LinkOut, 3), (Skip::FolderLink, 2), (Skip::BrokenLink, 3), (Skip::Special, 3)];
    assert_eq!(skipped, expected, "{}", catalog.skipped());
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_is_an_error_unless_it_is_to_be_skipped() {
    let root = TempDir::new().unwrap();
    put(root.path(), "cat/1.jpg", b"photo");
    put(root.path(), "closed/1.jpg", b"photo");
    fs::set_permissions(root.path().join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(root.path().join("closed")).is_ok() {
        println!("skipped: this user may read every folder; tests/unreadable.rs runs as another");
        return;
    }
    let error = store(root.path()).await.list(None).await.unwrap_err().to_string();
    assert!(error.contains("1 folders or files") && error.contains("closed (Permission denied"), "{error}");
    let skip = StoreOptions { skip_unreadable: true, ..StoreOptions::default() };
    let catalog = store_with(root.path(), &skip).await.list(None).await.unwrap();
    assert_eq!((keys(&catalog), catalog.classes()), (vec!["cat/1.jpg"], &["cat", "closed"].map(String::from)[..]));
    assert_eq!(catalog.skipped().count(Skip::Unreadable), 1);
}

#[tokio::test]
async fn a_link_put_in_place_after_the_listing_leads_nowhere() {
    let (above, root) = root_and_secret();
    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    let file = root.join("cat/1.jpg");
    for target in [above.path().join("secret.jpg"), "../../secret.jpg".into(), "/etc/passwd".into()] {
        fs::remove_file(&file).unwrap();
        symlink(target, &file).unwrap();
        assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Forbidden));
    }
    fs::remove_file(&file).unwrap();
    symlink("1.jpg", &file).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Forbidden));
    fs::remove_dir_all(root.join("cat")).unwrap();
    for target in ["../secrets", "../root/../secrets"] {
        symlink(target, root.join("cat")).unwrap();
        assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Forbidden));
        fs::remove_file(root.join("cat")).unwrap();
    }
}

#[tokio::test]
async fn a_root_that_is_renamed_or_replaced_is_still_the_one_that_was_opened() {
    let (above, root) = root_and_secret();
    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    fs::rename(&root, above.path().join("moved")).unwrap();
    symlink("secrets", &root).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await.unwrap(), b"photo");
}

#[tokio::test]
async fn a_file_that_became_something_else_is_never_read() {
    let (_above, root) = root_and_secret();
    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    let file = root.join("cat/1.jpg");

    fs::remove_file(&file).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::NotFound));
    pipe(&file);
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Changed));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Changed));
    fs::remove_dir(&file).unwrap();
    let _socket = UnixListener::bind(&file).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Changed));
    fs::remove_dir_all(root.join("cat")).unwrap();
    fs::write(root.join("cat"), b"x").unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::NotFound));
}

#[tokio::test]
async fn what_changed_is_said_with_what_to_do() {
    let (_above, root) = root_and_secret();
    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    let (file, index) = (root.join("cat/1.jpg"), catalog.find("cat/1.jpg").unwrap());
    let extent = catalog.extent(index).unwrap();

    fs::File::open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let touched = store.read(&extent).await.unwrap_err().message;
    fs::write(&file, b"photo and more").unwrap();
    let longer = store.read(&extent).await.unwrap_err().message;
    fs::remove_file(&file).unwrap();
    let gone = store.read(&extent).await.unwrap_err().message;
    for (message, part) in
        [(&touched, "modification time is another, as after touch, cp -r"), (&longer, "and has 14"), (&gone, "gone")]
    {
        assert!(
            message.contains(part) && message.ends_with("restart the server, which lists its files anew"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn another_content_is_told_by_size_or_time() {
    let (_above, root) = root_and_secret();
    let store = store(&root).await;
    let catalog = store.list(None).await.unwrap();
    let file = root.join("cat/1.jpg");
    let listed = fs::metadata(&file).unwrap().modified().unwrap();

    fs::write(&file, b"photo2").unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Changed));
    fs::write(&file, b"other").unwrap();
    fs::File::open(&file).unwrap().set_modified(listed + Duration::from_nanos(1)).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await, Err(FailureKind::Changed));
    fs::File::open(&file).unwrap().set_modified(listed).unwrap();
    assert_eq!(read(&*store, &catalog, "cat/1.jpg").await.unwrap(), b"other");
}

#[tokio::test]
async fn an_object_over_the_limit_fails_before_memory_is_taken() {
    let root = TempDir::new().unwrap();
    put(root.path(), "small.jpg", &[7; 100]);
    put(root.path(), "large.jpg", b"");
    // A terabyte on paper: no memory could hold it.
    fs::File::options().write(true).open(root.path().join("large.jpg")).unwrap().set_len(1 << 40).unwrap();
    let options = StoreOptions { max_object: ByteCount::new(100), ..StoreOptions::default() };
    let store = store_with(root.path(), &options).await;
    let catalog = store.list(None).await.unwrap();
    assert_eq!(read(&*store, &catalog, "small.jpg").await.unwrap(), [7; 100]);
    assert_eq!(read(&*store, &catalog, "large.jpg").await, Err(FailureKind::LimitExceeded));
}

#[tokio::test]
async fn a_key_that_was_never_listed_reads_nothing_outside() {
    let (_above, root) = root_and_secret();
    symlink("../secret.jpg", root.join("cat-link")).unwrap();
    let store = store(&root).await;
    let version = store.list(None).await.unwrap().get(SampleIndex(0)).unwrap().version;
    for (key, kind) in [("cat-link", FailureKind::Forbidden), ("absent", FailureKind::NotFound)] {
        let key: SampleKey = key.parse().unwrap();
        assert_eq!(store.read(&Extent::whole(key, version)).await.unwrap_err().kind, kind);
    }
    for hostile in ["../secret.jpg", "/etc/passwd", "cat/../../secret.jpg", "cat/1.jpg\0.png"] {
        assert!(hostile.parse::<SampleKey>().is_err(), "{hostile:?}");
    }
}

#[tokio::test]
async fn a_dataset_has_one_place_by_whatever_path_and_another_has_another() {
    let (above, root) = root_and_secret();
    symlink(&root, above.path().join("link")).unwrap();
    let place = store(&root).await.place();
    assert_eq!(store(&above.path().join("link")).await.place(), place);
    assert_eq!(store(&root.join("cat/..")).await.place(), place);
    let half = StoreOptions { partition: "1/2".parse().unwrap(), ..StoreOptions::default() };
    assert_eq!(store_with(&root, &half).await.place(), place);
    assert_ne!(store(&root.join("cat")).await.place(), place);
}

#[tokio::test]
async fn the_digests_of_a_folder_are_those_of_every_release() {
    let root = TempDir::new().unwrap();
    for n in 0..60_u64 {
        let key = format!("{}/{n}.jpg", ["ant", "bee", "cat", "deep/er"][n as usize % 4]);
        put(root.path(), &key, &vec![7; n as usize]);
        let file = fs::File::open(root.path().join(key)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 + n, 5)).unwrap();
    }
    put(root.path(), "flat.png", b"flat");
    fs::File::open(root.path().join("flat.png")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    // Users' saved states name a dataset by these: they were taken before samples could be rows or have given labels.
    let digests = |catalog: &Catalog| [catalog.digest(), catalog.names(), catalog.listing().digest].map(|d| d.short());
    let whole = store(root.path()).await.list(None).await.unwrap();
    assert_eq!(digests(&whole), ["c8ed4418f20f", "1e25508dd0e0", "9878207cfdaf"]);
    let half = StoreOptions { partition: "1/2".parse().unwrap(), ..StoreOptions::default() };
    let half = store_with(root.path(), &half).await.list(None).await.unwrap();
    assert_eq!(digests(&half), ["138201382c36", "4745f5cfb36c", "9878207cfdaf"]);
}
