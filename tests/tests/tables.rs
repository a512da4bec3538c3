//! Photos in Parquet files and arrays give the bits of the same photos in a folder, at every cut.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use headwater_testdata::python;
use headwater_tests::{Array, BUCKET, Data, Moto, Server, ServerOptions, fetch};
use tempfile::TempDir;

/// One way of writing for each that is read: what pyarrow does by itself, and what `datasets` does.
const WRITE: &str = r"
import pathlib, sys
import pyarrow as pa, pyarrow.parquet as pq
folder, out, options = pathlib.Path(sys.argv[1]), sys.argv[2], eval(sys.argv[3])
rows = [{'bytes': path.read_bytes(), 'path': str(path.relative_to(folder))}
        for path in sorted(folder.rglob('*')) if path.is_file()]
image = pa.array(rows, pa.struct([('bytes', pa.binary()), ('path', pa.string())]))
pq.write_table(pa.table({'image': image}), out, **options)
";
const OPTIONS: [&str; 2] =
    ["{}", "{'row_group_size': 100, 'use_dictionary': False, 'compression': 'none', 'write_page_index': True}"];
const WAYS: [&[&str]; 6] =
    [&["normalized"], &["flipped", "--pixels", "lossless"], &["cropped"], &["decoded"], &["encoded"], &["jpeg-crop"]];

/// Writes the files of a folder as one Parquet file; `false` where no Python has pyarrow.
fn write(photos: &Path, file: &Path, options: &str) -> bool {
    let Some(python) = python() else { return false };
    let written = Command::new(python).args(["-c", WRITE]).arg(photos).arg(file).arg(options).output().unwrap();
    if !written.status.success() {
        println!("skipped: pyarrow is not installed: {}", String::from_utf8_lossy(&written.stderr));
    }
    written.status.success()
}

/// The arrays of an epoch by key.
fn epoch(server: &Server, way: &[&str]) -> BTreeMap<String, Option<Array>> {
    let out = TempDir::new().unwrap();
    let draws = ["--recipe", "imagenet-train", "--seed", "7", "--epoch", "1", "--cut"];
    let fetched = fetch(&[server.address()], out.path(), &[&draws, way].concat()).unwrap();
    let key = |sample: &serde_json::Value| sample["key"].as_str().unwrap().to_owned();
    fetched.samples.iter().map(|(index, sample)| (key(sample), fetched.arrays.get(index).cloned())).collect()
}

fn check_all_ways(folder: &Server, table: &Server, what: &str) {
    for way in WAYS {
        let (expected, found) = (epoch(folder, way), epoch(table, way));
        assert!(expected.values().flatten().count() >= 150, "{what}, {way:?}");
        assert_eq!(expected.len(), found.len(), "{what}, {way:?}");
        for (key, array) in &expected {
            assert_eq!(Some(array), found.get(key), "{key}: {what}, {way:?}");
        }
    }
}

#[test]
fn photos_of_parquet_files_give_the_bits_of_the_folder_at_every_cut() {
    let data = Data::photos().unwrap();
    let folder = ServerOptions::new(&data.photos).start().unwrap();
    for options in OPTIONS {
        let scratch = TempDir::new().unwrap();
        if !write(&data.photos, &scratch.path().join("train.parquet"), options) {
            return;
        }
        let place = format!("parquet:{}", scratch.path().display());
        let table = ServerOptions::new(Path::new(&place)).metrics().start().unwrap();
        check_all_ways(&folder, &table, options);
        // Its pages were read once, for all epochs: they fit into memory.
        let metric = |name: &str| table.metric(&format!("headwater_{name}{{dataset=\"photos\"}}")).unwrap().unwrap();
        let read = metric("source_fetched_bytes_total") / metric("dataset_stored_bytes");
        assert!((0.9..=1.5).contains(&read), "{options}: {read}");
    }
}

#[test]
fn photos_of_a_parquet_file_in_a_bucket_give_the_bits_of_the_folder() {
    let data = Data::photos().unwrap();
    let scratch = TempDir::new().unwrap();
    if !write(&data.photos, &scratch.path().join("train.parquet"), OPTIONS[1]) {
        return;
    }
    let Some(moto) = Moto::start(scratch.path()).unwrap() else { return };
    let folder = ServerOptions::new(&data.photos).start().unwrap();
    let table = moto.serve(&format!("parquet:{BUCKET}")).start().unwrap();
    check_all_ways(&folder, &table, "in a bucket");
}

#[test]
fn photos_of_an_array_are_its_pixels() {
    let scratch = TempDir::new().unwrap();
    let pixels: Vec<u8> = (0..10 * 8 * 6).map(|at| (at % 251) as u8).collect();
    let head = [0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 8, 0, 0, 0, 6];
    fs::write(scratch.path().join("train-images-idx3-ubyte"), [&head[..], &pixels].concat()).unwrap();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 10][..], &[3, 1, 0, 2, 3, 1, 0, 2, 3, 1]].concat();
    fs::write(scratch.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    let server = ServerOptions::new(&scratch.path().join("train-images-idx3-ubyte")).start().unwrap();
    let out = TempDir::new().unwrap();
    let draws = ["--recipe", "imagenet-train", "--seed", "7", "--epoch", "0", "--cut", "encoded"];
    let fetched = fetch(&[server.address()], out.path(), &draws).unwrap();
    assert_eq!((fetched.samples.len(), fetched.arrays.len()), (10, 10));
    for (index, sample) in &fetched.samples {
        assert_eq!(sample["key"].as_str().unwrap(), index.to_string());
        assert_eq!(sample["label"].as_str(), Some(["3", "1", "0", "2"][*index as usize % 4]));
    }
}
