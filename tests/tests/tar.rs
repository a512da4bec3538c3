//! The same photos in tar files, on this machine and in a bucket, are the samples that they are in a folder.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_tests::{BUCKET, Data, Fetched, Moto, Server, ServerOptions, fetch};
use tempfile::TempDir;

/// Every cut, and some of the ways in which samples travel.
const WAYS: [&[&str]; 6] = [
    &["normalized"],
    &["tensor", "--wire-floats"],
    &["cropped", "--pixels", "lossless"],
    &["decoded"],
    &["encoded"],
    &["jpeg-crop"],
];

/// Two tar files of a folder's photos: those of the first half of its classes, and the others.
fn packed(photos: &Path, into: &Path) -> bool {
    let mut classes: Vec<PathBuf> =
        std::fs::read_dir(photos).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    classes.sort_unstable();
    let half = classes.len().div_ceil(2);
    let pack = |(shard, classes): (&str, &[PathBuf])| {
        let tar = Command::new("tar").arg("-cf").arg(into.join(shard)).arg("-C").arg(photos).args(classes).status();
        classes.is_empty() || tar.is_ok_and(|status| status.success())
    };
    [("shard-0.tar", &classes[..half]), ("shard-1.tar", &classes[half..])].into_iter().all(pack)
}

fn fetched(server: &Server, way: &[&str]) -> Fetched {
    let out = TempDir::new().unwrap();
    let draws = ["--recipe", "imagenet-train", "--seed", "7", "--epoch", "1", "--cut"];
    fetch(&[server.address()], out.path(), &[&draws, way].concat()).unwrap()
}

fn assert_same(folder: &Server, tar: &Server, ways: &[&[&str]], least: usize) {
    for way in ways {
        let [expected, actual] = [folder, tar].map(|server| fetched(server, way));
        assert!(expected.arrays.len() >= least, "only {} samples decoded", expected.arrays.len());
        assert_eq!(expected.samples, actual.samples, "{way:?}");
        assert_eq!(expected.arrays, actual.arrays, "{way:?}");
    }
}

/// The bytes that a server reads of its source in an epoch of stored photos, as a multiple of the photos' own.
fn read_in_an_epoch(server: &Server) -> f64 {
    let metric = |name: &str| server.metric(&format!("headwater_{name}{{dataset=\"photos\"}}")).unwrap().unwrap();
    let before = metric("source_fetched_bytes_total");
    fetched(server, &["encoded"]);
    (metric("source_fetched_bytes_total") - before) / metric("dataset_stored_bytes")
}

#[test]
fn tar_files_give_the_bits_that_their_folder_gives_at_every_cut() {
    let (data, shards) = (Data::photos().unwrap(), TempDir::new().unwrap());
    if !packed(&data.photos, shards.path()) {
        println!("skipped: there is no tar");
        return;
    }
    let folder = ServerOptions::new(&data.photos).metrics().arg("--no-cache").start().unwrap();
    let tar = ServerOptions::new(&shards.path().join("shard-{0..1}.tar")).metrics().arg("--no-cache").start().unwrap();
    assert_same(&folder, &tar, &WAYS, 150);
    for server in [&folder, &tar] {
        assert_eq!(read_in_an_epoch(server), 1.0, "of a source of this machine, photos are read and nothing else");
    }
    let Some(store) = Moto::start(shards.path()).unwrap() else {
        println!("no Python with moto: no S3-compatible store to ask");
        return;
    };
    let bucket = store.serve(BUCKET).metrics().arg("--no-cache").start().unwrap();
    assert_same(&folder, &bucket, &WAYS[..1], 150);
    // Slow answers are asked for twice.
    let read = read_in_an_epoch(&bucket);
    assert!((1.0..=1.05).contains(&read), "{read}");
}
