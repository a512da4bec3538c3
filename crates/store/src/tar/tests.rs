//! Archives of the programs that write them, and of a test's own, served from a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use headwater_types::FailureKind;
use tempfile::TempDir;

use super::written::{archive, member, named, record};
use super::*;
use crate::conformance::{Photos, Source, store_behaves};
use crate::files::Files;
use crate::open::open;
use crate::skip::Skip;

struct TarFolder(TempDir);

// === impl TarFolder ===

impl Source for TarFolder {
    const IS_FILE_BY_FILE: bool = false;

    async fn hold(&mut self, photos: &Photos) {
        fs::write(self.0.path().join("photos.tar"), archive(photos.iter().map(|(name, content)| (*name, *content))))
            .unwrap();
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        opened(self.0.path(), options).await
    }
}

async fn opened(folder: &Path, options: StoreOptions) -> Arc<dyn Store> {
    open(&format!("tar:{}", folder.display()).parse().unwrap(), &options).await.unwrap()
}

/// What is listed of a shard of these bytes.
async fn listed_of(shard: &[u8]) -> Result<(Arc<dyn Store>, Catalog), StoreError> {
    listed_with(shard, StoreOptions::default()).await
}

async fn listed_with(shard: &[u8], options: StoreOptions) -> Result<(Arc<dyn Store>, Catalog), StoreError> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.tar"), shard).unwrap();
    let store = opened(folder.path(), options).await;
    let catalog = store.list(None).await?;
    for (at, entry) in catalog.iter() {
        let extent = catalog.extent(at).unwrap();
        assert_eq!(store.read(&extent).await.unwrap().len() as u64, extent.length().get(), "{}", entry.key);
    }
    Ok((store, catalog))
}

fn keys(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|(_, entry)| entry.key).collect()
}

#[tokio::test]
async fn photos_in_a_tar_file_behave_as_files_do() {
    store_behaves(TarFolder(TempDir::new().unwrap())).await;
}

#[tokio::test]
async fn what_other_programs_write_is_read_as_they_read_it() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let deep = format!("cat/{}/{}", "d".repeat(90), "e".repeat(90));
    fs::create_dir_all(at("photos").join(&deep)).unwrap();
    let long = format!("{deep}/{}.jpg", "\u{fc}".repeat(100));
    let files = ["cat/1.jpg", "cat/an odd \u{e9} name.png", "flat.jpg", &long];
    for name in files {
        fs::write(at("photos").join(name), name.as_bytes()).unwrap();
    }
    let mut expected: Vec<_> = files.to_vec();
    expected.sort_unstable();
    let mut written = 0;
    let program = "import sys, tarfile\n\
                   with tarfile.open(sys.argv[1], 'w', format=getattr(tarfile, sys.argv[3])) as f:\n\
                   \x20   f.add(sys.argv[2], arcname='.')";
    for format in ["GNU_FORMAT", "PAX_FORMAT"] {
        let (shard, photos) = (at(&format!("python-{format}.tar")), at("photos"));
        let python = Command::new("python3").args(["-c", program]).arg(&shard).arg(photos).arg(format).status();
        written += u32::from(check(python, &shard, &expected).await);
    }
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let shard = at(&format!("gnu-{format}.tar"));
        written += u32::from(check(tar(&shard, format, &at("photos")), &shard, &expected).await);
    }
    // Names that these formats can have.
    fs::remove_file(at("photos").join(&long)).unwrap();
    fs::write(at("photos").join(&deep).join("1.jpg"), b"deep").unwrap();
    for format in ["ustar", "v7"] {
        if format == "v7" {
            fs::remove_dir_all(at("photos/cat").join("d".repeat(90))).unwrap();
        }
        let shard = at(&format!("gnu-{format}.tar"));
        if !tar(&shard, format, &at("photos")).is_ok_and(|status| status.success()) {
            continue;
        }
        let (_, catalog) = listed_of(&fs::read(&shard).unwrap()).await.unwrap();
        assert_eq!(catalog.len(), if format == "v7" { 3 } else { 4 }, "{format}: {:?}", keys(&catalog));
        written += 1;
    }
    println!("{written} archives of other programs were read");
}

/// Writes a shard with the system's tar.
fn tar(shard: &Path, format: &str, photos: &Path) -> std::io::Result<std::process::ExitStatus> {
    let format = format!("--format={format}");
    Command::new("tar").arg("-cf").arg(shard).arg(format).arg("-C").arg(photos).arg(".").status()
}

/// Whether the program could write the shard, which then holds the photos.
async fn check(ran: std::io::Result<std::process::ExitStatus>, shard: &Path, expected: &[&str]) -> bool {
    if !ran.is_ok_and(|status| status.success()) {
        println!("skipped: {} was not written", shard.display());
        return false;
    }
    let (store, catalog) = listed_of(&fs::read(shard).unwrap()).await.unwrap();
    assert_eq!(keys(&catalog), expected, "{}", shard.display());
    for (at, entry) in catalog.iter() {
        assert_eq!(catalog.extent(at).unwrap().length().get() as usize, entry.key.len());
    }
    assert_eq!(store.source(), "tar");
    true
}

#[tokio::test]
async fn extended_headers_overrule_and_global_ones_last() {
    let name = format!("cat/{}.jpg", "x".repeat(300));
    let shard = [
        member(b'g', "global", record("comment", "x").as_bytes()),
        member(b'x', "ext", [record("path", &name), record("mtime", "1.5")].concat().as_bytes()),
        member(b'0', "short.jpg", b"long"),
        named("plain.jpg", b"plain"),
        vec![0; 1024],
    ];
    let (_, catalog) = listed_of(&shard.concat()).await.unwrap();
    assert_eq!(keys(&catalog), [&name, "plain.jpg"]);
}

#[tokio::test]
async fn archives_one_after_the_other_are_one() {
    let one = archive([("a.jpg", &b"a"[..])]);
    let two = archive([("b.jpg", &b"b"[..])]);
    let (_, catalog) = listed_of(&[one, vec![0; 9216], two].concat()).await.unwrap();
    assert_eq!(keys(&catalog), ["a.jpg", "b.jpg"]);
}

#[tokio::test]
async fn what_is_no_photo_is_counted_by_its_reason() {
    let sparse = [record("GNU.sparse.major", "1"), record("GNU.sparse.name", "cat/holes.jpg")].concat();
    let mut old_sparse = member(b'S', "cat/old.jpg", &[0; 512]);
    old_sparse.truncate(1024);
    let shard = [
        member(b'5', "cat/", b""),
        named("./cat/1.jpg", b"first"),
        named("cat/1.jpg", b"second"),
        named("cat/empty.jpg", b""),
        named("cat/notes.md", b"notes"),
        named("cat/.hidden.jpg", b"hidden"),
        member(b'x', "ext", sparse.as_bytes()),
        member(b'0', "cat/GNUSparseFile.1/holes.jpg", &[0; 512]),
        old_sparse,
        linked(b'1', "cat/hard.jpg", "cat/1.jpg"),
        linked(b'1', "cat/broken.jpg", "cat/none.jpg"),
        linked(b'2', "cat/soft.jpg", "1.jpg"),
        linked(b'3', "cat/device.jpg", ""),
        named("../up.jpg", b"up"),
        named("z.jpg", b"last"),
        vec![0; 1024],
    ];
    let (store, catalog) = listed_of(&shard.concat()).await.unwrap();
    assert_eq!(keys(&catalog), ["cat/1.jpg", "cat/hard.jpg", "z.jpg"]);
    let read = |at: u64| {
        let extent = catalog.extent(headwater_types::SampleIndex(at)).unwrap();
        (extent.listed(), extent)
    };
    assert_eq!(read(0).1.range(), read(1).1.range(), "a hard link is what it leads to: {:?}", store.source());
    let counts: Vec<_> = [
        Skip::FolderMarker,
        Skip::Duplicate,
        Skip::Empty,
        Skip::NoPhoto,
        Skip::Hidden,
        Skip::Sparse,
        Skip::ArchiveLink,
        Skip::Special,
        Skip::Key,
    ]
    .into_iter()
    .map(|reason| catalog.skipped().count(reason))
    .collect();
    assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 1, 1]);
    assert!(catalog.skipped().first(Skip::Sparse).any(|name| name == "a.tar: cat/holes.jpg"));
}

fn linked(kind: u8, name: &str, link: &str) -> Vec<u8> {
    let written =
        written::Written { name: name.as_bytes(), link: link.as_bytes(), kind, ..written::Written::default() };
    written::block(&written).to_vec()
}

#[tokio::test]
async fn a_shard_that_cannot_be_read_to_its_end_is_refused_or_taken_as_far_as_it_is_whole() {
    let whole = archive([("a.jpg", &[1; 700][..]), ("b.jpg", &[2; 700])]);
    for (shard, why, left) in [
        (&whole[..2000], "its end is missing", Some(1)),
        (&whole[..whole.len() - 1024], "its end is missing", Some(2)),
        (&[&whole[..1536], &[7; 1024]].concat(), "no header of tar", Some(1)),
        (b"", "it is empty", None),
        (b"\x1f\x8b\x08 and more", "compressed with gzip", None),
        (&[7; 4096], "no header of tar", None),
    ] {
        let error = listed_of(shard).await.err().unwrap().to_string();
        assert!(error.contains(why) && error.contains("a.tar"), "{error}");
        let options = StoreOptions { skip_unreadable: true, ..StoreOptions::default() };
        match (listed_with(shard, options).await, left) {
            (Ok((_, catalog)), Some(left)) => {
                assert_eq!((catalog.len(), catalog.skipped().count(Skip::Unreadable)), (left, 1), "{why}");
            }
            (Err(StoreError::NoPhotos { .. }), None) => {}
            (other, _) => panic!("{why}: {:?}", other.map(|(_, catalog)| catalog)),
        }
    }
}

#[tokio::test]
async fn a_name_in_two_shards_refuses_the_start_unless_keys_begin_with_the_shard() {
    let folder = TempDir::new().unwrap();
    for (shard, name) in [("a.tar", "cat/1.jpg"), ("deep/b.tar", "cat/1.jpg")] {
        let path = folder.path().join(shard);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, archive([(name, shard.as_bytes()), ("x.jpg", b"1")].into_iter().take(1))).unwrap();
    }
    let error = opened(folder.path(), StoreOptions::default()).await.list(None).await.unwrap_err().to_string();
    assert!(error.contains("1 photos have the name") && error.contains("cat/1.jpg"), "{error}");
    assert!(error.contains("keys=shard"), "{error}");
    let mut options = StoreOptions::default();
    options.dataset.keys = KeyRule::Shard;
    let store = opened(folder.path(), options).await;
    let catalog = store.list(None).await.unwrap();
    assert_eq!(keys(&catalog), ["a/cat/1.jpg", "deep/b/cat/1.jpg"]);
}

#[tokio::test]
async fn a_folder_without_tar_files_and_names_that_are_not_there_are_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("readme.md"), b"x").unwrap();
    let error = opened(folder.path(), StoreOptions::default()).await.list(None).await.unwrap_err().to_string();
    assert!(error.contains("there is no tar file, and 1 other"), "{error}");
    fs::write(folder.path().join("s-0.tar"), archive([("a.jpg", &b"a"[..])])).unwrap();
    let location = format!("{}/s-{{0..2}}.tar", folder.path().display()).parse().unwrap();
    let error = open(&location, &StoreOptions::default()).await.unwrap().list(None).await.unwrap_err().to_string();
    assert!(error.contains("2 of its shards are not there: s-1.tar, s-2.tar"), "{error}");
    let one = format!("{}/s-0.tar", folder.path().display()).parse().unwrap();
    assert_eq!(open(&one, &StoreOptions::default()).await.unwrap().list(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_gives_the_member_and_nothing_once_the_shard_is_another() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tar");
    fs::write(&path, archive([("a.jpg", &b"a photo"[..])])).unwrap();
    let store = opened(folder.path(), StoreOptions { files: Files::All, ..StoreOptions::default() }).await;
    let catalog = store.list(None).await.unwrap();
    let extent = catalog.extent(headwater_types::SampleIndex(0)).unwrap();
    assert_eq!(store.read(&extent).await.unwrap(), &b"a photo"[..]);
    fs::write(&path, archive([("a.jpg", &b"another photo"[..])])).unwrap();
    assert_eq!(store.read(&extent).await.unwrap_err().kind, FailureKind::Changed);
}

fn kept(folder: &TempDir) -> crate::kept::Kept {
    let apart = crate::apart::Apart::from(&"s3://photos".parse().unwrap(), "--state", folder.path().to_owned());
    crate::kept::Kept::at(apart.unwrap())
}

fn labels(catalog: &Catalog) -> Vec<Option<u32>> {
    catalog.iter().map(|(_, entry)| entry.label.map(|label| label.0)).collect()
}

#[tokio::test]
async fn companions_say_the_labels_of_all_photos_or_folders_do() {
    let photos = ["cat/1.jpg", "cat/2.seg.png", "dog/3.jpg"].map(|name| (name, &b"photo"[..]));
    let with = |companions: &[(&'static str, &'static str)]| {
        let companions = companions.iter().map(|(name, text)| (*name, text.as_bytes()));
        archive(companions.chain(photos).collect::<Vec<_>>())
    };
    for (companions, classes, expected) in [
        (&[][..], vec!["cat", "dog"], [Some(0), Some(0), Some(1)]),
        (&[("cat/1.cls", "2"), ("dog/3.cls", "0\n")], vec!["0", "1", "2"], [Some(2), None, Some(0)]),
        (&[("cat/1.cls", "tabby"), ("cat/2.CLS", "7")], vec!["7", "tabby"], [Some(1), Some(0), None]),
        (
            &[("cat/1.json", r#"{"label":1}"#), ("cat/2.json", r#"{"cls":0}"#), ("cat/1.cls", "0")],
            vec!["0"],
            [Some(0), Some(0), None],
        ),
    ] {
        let (_, catalog) = listed_of(&with(companions)).await.unwrap();
        assert_eq!(
            (catalog.classes(), labels(&catalog)),
            (&classes.iter().map(|c| c.to_string()).collect::<Vec<_>>()[..], expected.to_vec())
        );
        assert_eq!(catalog.skipped().count(Skip::NoPhoto), 0, "companions are not left out");
    }
    let error = listed_of(&with(&[("cat/1.json", "no object")])).await.err().unwrap().to_string();
    assert!(error.contains("a.tar: cat/1.json (it says no class)"), "{error}");
    let options = StoreOptions { files: Files::All, ..StoreOptions::default() };
    let (_, all) = listed_with(&with(&[("cat/1.cls", "0"), ("alone.cls", "1")]), options).await.unwrap();
    assert_eq!(keys(&all), ["alone.cls", "cat/1.jpg", "cat/2.seg.png", "dog/3.jpg"]);
}

#[tokio::test]
async fn fields_are_keys_of_objects_and_texts() {
    let shard = archive([
        ("1.jpg", &b"a"[..]),
        ("1.txt", b"a cat"),
        ("1.json", br#"{"score": 1, "url": "x"}"#),
        ("2.jpg", b"b"),
        ("2.json", br#"{"score": 0.5}"#),
    ]);
    let mut options = StoreOptions::default();
    options.dataset.fields = ["score", "txt"].map(str::to_owned).to_vec();
    let (_, catalog) = listed_with(&shard, options.clone()).await.unwrap();
    let values = |at| {
        let record = catalog.record(headwater_types::SampleIndex(at));
        headwater_types::field::Record::decode(record, catalog.fields()).unwrap()
    };
    use headwater_types::field::FieldValue::{Absent, Number, Text};
    assert_eq!(values(0), [Number(1.0), Text("a cat".to_owned())]);
    assert_eq!(values(1), [Number(0.5), Absent]);
    options.dataset.fields = vec!["caption".to_owned()];
    let error = listed_with(&shard, options).await.err().unwrap().to_string();
    assert!(error.contains("no photo has a field caption"), "{error}");
}

#[tokio::test]
async fn an_index_is_made_once_for_a_version_of_a_shard() {
    let (folder, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let write = |content: &[u8]| fs::write(folder.path().join("a.tar"), archive([("cat/1.jpg", content)])).unwrap();
    let options = || StoreOptions { kept: kept(&state), ..StoreOptions::default() };
    let files = || fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    write(b"first");
    let first = opened(folder.path(), options()).await.list(None).await.unwrap();
    let one = files();
    assert_eq!(one.len(), 1);
    let again = opened(folder.path(), options()).await.list(None).await.unwrap();
    assert_eq!((again.digest(), files()), (first.digest(), one.clone()));
    // What is kept is what is used: a member that is only there.
    let mut making = Making::default();
    making.push("cat/other.jpg", scan::MemberKind::File, &(512..517), &companion::Value::None);
    let name: Digest = one[0].file_name().unwrap().to_str().unwrap().parse().unwrap();
    kept(&state).put(&name, making.finish(2048, 0, None).as_bytes());
    assert_eq!(keys(&opened(folder.path(), options()).await.list(None).await.unwrap()), ["cat/other.jpg"]);
    // A damaged one is made again.
    fs::write(&one[0], b"damaged").unwrap();
    assert_eq!(keys(&opened(folder.path(), options()).await.list(None).await.unwrap()), ["cat/1.jpg"]);
    write(b"a longer one");
    let other = opened(folder.path(), options()).await.list(None).await.unwrap();
    assert_ne!(other.digest(), first.digest());
    assert_eq!(files().len(), 2);
    for blocks in 3..OTHER_INDEXES + 8 {
        write(&vec![b'x'; blocks * 512]);
        opened(folder.path(), options()).await.list(None).await.unwrap();
    }
    assert_eq!(files().len(), 1 + OTHER_INDEXES, "those of replaced shards are swept");
}

#[tokio::test]
async fn with_shards_in_keys_the_folders_of_members_are_the_classes() {
    let mut options = StoreOptions::default();
    options.dataset.keys = KeyRule::Shard;
    let (_, catalog) = listed_with(&archive([("dog/1.jpg", &b"a"[..]), ("cat/1.jpg", b"b")]), options).await.unwrap();
    assert_eq!((keys(&catalog), labels(&catalog)), (vec!["a/cat/1.jpg", "a/dog/1.jpg"], vec![Some(0), Some(1)]));
    assert_eq!(catalog.classes(), ["cat", "dog"]);
}

/// A tar file with all kinds of headers, for what follows.
fn every_kind() -> Vec<u8> {
    let sparse = [record("GNU.sparse.major", "1"), record("GNU.sparse.name", "holes.jpg")].concat();
    let long = format!("cat/{}.jpg", "y".repeat(150));
    [
        member(b'g', "global", record("comment", "x").as_bytes()),
        member(b'5', "cat/", b""),
        named("cat/1.jpg", b"first"),
        member(b'0', "cat/1.cls", b"1"),
        member(b'0', "cat/1.json", br#"{"label": 2, "txt": "x"}"#),
        member(b'x', "ext", [record("path", &long), record("size", "3")].concat().as_bytes()),
        member(b'0', "short.jpg", b"pax"),
        named(&long.replace('y', "z"), b"gnu"),
        member(b'x', "ext", sparse.as_bytes()),
        member(b'0', "GNUSparseFile.1/holes.jpg", &[0; 512]),
        linked(b'1', "hard.jpg", "cat/1.jpg"),
        linked(b'2', "soft.jpg", "1.jpg"),
        vec![0; 1024],
        named("second/archive.jpg", b"more"),
        vec![0; 1024],
    ]
    .concat()
}

/// A thousand mutations, or as many as the variable says.
#[test]
fn no_mutation_of_a_tar_file_does_more_than_fail() {
    let count = std::env::var("HEADWATER_TAR_MUTATIONS").map_or(1_000, |count| count.parse().unwrap());
    let good = every_kind();
    assert_eq!(count_members(&good), Ok(5));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut refused = 0;
    for _ in 0..count {
        let mut bytes = good.clone();
        for _ in 0..1 + next(4) {
            let at = next(bytes.len());
            match next(6) {
                0 => bytes[at] ^= 1 << next(8),
                1 => bytes[at] = next(256) as u8,
                2 => bytes.truncate(at.max(1)),
                3 => drop(bytes.drain(at..(at + next(600)).min(bytes.len()))),
                4 => bytes.splice(at..at, good[..next(600)].iter().copied()).for_each(drop),
                _ => {
                    // A header that is changed and has its checksum again.
                    let block = at / 512 * 512;
                    if let Some(header) = bytes.get_mut(block..block + 512) {
                        header[[124, 135, 156, 157, 0, 345, 257][next(7)] + next(8)] = next(256) as u8;
                        header[148..156].copy_from_slice(b"        ");
                        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
                        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                    }
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        let counted = count_members(&bytes);
        assert!(!matches!(&counted, Err(why) if why.contains("a fault of the reader")), "{counted:?}");
        refused += usize::from(counted.is_err());
    }
    println!("tar: {} damaged files were read, {refused} refused", count - refused);
    assert!(refused > count / 4 && refused < count, "{refused} of {count} were refused");
}
