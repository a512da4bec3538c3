//! What a server keeps of samples saves reads and work, and changes no bit: over a store that is far away, after a
//! restart, after `kill -9`, on one folder with another server, and whatever the disk does.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::read_parts;
use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Array, BUCKET, Moto, Server, ServerOptions, fetch, program, run};
use serde_json::Value;
use tempfile::TempDir;

const PHOTOS: u64 = 24;

/// A recipe that draws nothing at random, and one that draws a flip.
const DETERMINISTIC: &str = "imagenet-eval";
const FLIPPED: &str = "name='flipped'\n[[stage]]\nop='decode'\n[[stage]]\nop='resize'\nsize=64\n[[stage]]\n\
                       op='center-crop'\nsize=48\n[[stage]]\nop='random-horizontal-flip'\np=0.5\n[[stage]]\n\
                       op='to-tensor'\n";
const CUTS: [&str; 7] = ["encoded", "jpeg-crop", "decoded", "cropped", "flipped", "tensor", "normalized"];

type Bits = BTreeMap<u64, Array>;

fn photos() -> TempDir {
    let folder = TempDir::new().unwrap();
    PhotoSet { classes: 2, per_class: 12, max_side: 128, ..PhotoSet::default() }.write(folder.path()).unwrap();
    folder
}

fn bits(server: &Server, recipe: &str, cut: &str, epoch: &str) -> Bits {
    let out = TempDir::new().unwrap();
    let further = ["--recipe", recipe, "--cut", cut, "--seed", "5", "--epoch", epoch];
    let fetched = fetch(&[server.address()], out.path(), &further).unwrap();
    assert_eq!(fetched.arrays.len() as u64, PHOTOS, "{recipe} at {cut}");
    fetched.arrays
}

/// What the server says of its cache.
fn said(server: &Server) -> Value {
    let report = run("profiler", ["cache", "--servers", &server.address(), "--json"]).unwrap();
    report.success().unwrap().json().unwrap()["caches"][0].take()
}

fn count(server: &Server, outcome: &str) -> u64 {
    said(server)["counts"][outcome].as_u64().unwrap_or_default()
}

/// The entries of a folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = |folder: &Path| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    listed(folder).filter(|path| path.is_dir()).flat_map(|shard| listed(&shard).collect::<Vec<_>>()).collect()
}

fn cached(options: ServerOptions, folder: &Path, kinds: &str) -> ServerOptions {
    options.arg("--cache-dir").arg(folder).arg("--cache-kinds").arg(kinds)
}

#[test]
fn every_cut_has_the_same_bits_with_every_kind_and_without_in_both_epochs() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let flipped = folder.path().join("flipped.toml");
    fs::write(&flipped, FLIPPED).unwrap();
    let recipes = ["imagenet-train", DETERMINISTIC, flipped.to_str().unwrap()];
    let without = ServerOptions::new(photos.path()).arg("--no-cache").start().unwrap();
    let all = "encoded,indexed,resized,features";
    let servers = ["0B", "64MiB"].map(|memory| {
        let kept = folder.path().join(memory);
        cached(ServerOptions::new(photos.path()), &kept, all).arg("--cache-memory").arg(memory).start().unwrap()
    });
    for recipe in recipes {
        for cut in CUTS {
            for epoch in ["0", "1"] {
                let expected = bits(&without, recipe, cut, epoch);
                for server in &servers {
                    assert!(bits(server, recipe, cut, epoch) == expected, "{recipe} at {cut}, epoch {epoch}");
                }
            }
        }
    }
    for server in &servers {
        let kinds = said(server)["kinds"].clone();
        // A few of the photos are no JPEGs.
        for (kind, least) in [("encoded", PHOTOS), ("indexed", PHOTOS / 2), ("resized", PHOTOS)] {
            let hits = ["memory-hit", "ssd-hit"].map(|outcome| kinds[kind][outcome].as_u64().unwrap_or_default());
            assert!(hits[0] + hits[1] >= least, "{kind}: {kinds}");
        }
        // Two recipes that draw no crop at random, and nothing of the third.
        assert_eq!(kinds["resized"]["admitted"], 2 * PHOTOS, "{kinds}");
    }
}

#[test]
fn features_of_kept_pixels_are_those_of_the_photos() {
    let (photos, folder, out) = (photos(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (model, recipe) = (out.path().join("extractor.onnx"), out.path().join("extractor.toml"));
    fs::write(&model, Extractor::onnx(1)).unwrap();
    fs::write(&recipe, Extractor::RECIPE).unwrap();
    // One by one: the bits of a feature may depend on how many are inferred together.
    let with_model = |options: ServerOptions| {
        options.args(["--max-batch", "1"]).model("m", &model, recipe.to_str().unwrap()).start().unwrap()
    };
    let extracted = |server: &Server, name: &str| {
        let out = out.path().join(name);
        let fixed = ["extract", "--servers", &server.address(), "--dataset", "photos", "--model", "m", "--out"];
        run("tuner", fixed.iter().chain(&[out.to_str().unwrap()])).unwrap().success().unwrap();
        let parts = read_parts(&out).unwrap();
        let rows = parts.iter().map(|part| part.num_rows() as u64).sum::<u64>();
        assert_eq!(rows, PHOTOS, "{name}");
        parts
    };
    let expected = extracted(&with_model(ServerOptions::new(photos.path()).arg("--no-cache")), "without");
    let options = || cached(ServerOptions::new(photos.path()), folder.path(), "resized");
    for round in ["made", "kept"] {
        let server = with_model(options());
        assert!(extracted(&server, round) == expected, "{round}");
        let kinds = &said(&server)["kinds"]["resized"];
        let (admitted, hits) = if round == "made" { (PHOTOS, 0) } else { (0, PHOTOS) };
        let counted = ["admitted", "ssd-hit"].map(|outcome| kinds[outcome].as_u64().unwrap_or_default());
        assert_eq!(counted, [admitted, hits], "{round}: {kinds}");
    }
    // Where features are kept too, they are enough.
    let server = with_model(cached(ServerOptions::new(photos.path()), folder.path(), "resized,features"));
    assert!(extracted(&server, "both") == expected);
    assert_eq!(said(&server)["kinds"]["features"]["admitted"].as_u64(), Some(PHOTOS));
}

#[test]
fn a_crop_that_is_drawn_at_random_is_kept_in_no_kind() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let server = cached(ServerOptions::new(photos.path()), folder.path(), "resized,features").start().unwrap();
    for (cut, epoch) in [("cropped", "0"), ("flipped", "0"), ("normalized", "0"), ("normalized", "1")] {
        bits(&server, "imagenet-train", cut, epoch);
    }
    assert_eq!((count(&server, "admitted"), entries(folder.path()).len()), (0, 0));
    bits(&server, DETERMINISTIC, "normalized", "0");
    assert_eq!((count(&server, "admitted"), entries(folder.path()).len()), (PHOTOS, PHOTOS as usize));
}

#[test]
fn the_second_epoch_over_a_bucket_reads_nothing_of_it_and_neither_does_a_restart() {
    let photos = photos();
    let Some(moto) = Moto::start(photos.path()).unwrap() else {
        println!("no Python with moto: no S3-compatible store to ask");
        return;
    };
    let folder = TempDir::new().unwrap();
    let server = cached(moto.serve(BUCKET), folder.path(), "auto").metrics().start().unwrap();
    let first = bits(&server, "imagenet-train", "normalized", "0");
    assert_eq!(count(&server, "origin"), PHOTOS);
    let second = bits(&server, "imagenet-train", "normalized", "1");
    assert_eq!(count(&server, "origin"), PHOTOS, "the second epoch asked the bucket");
    assert!(first != second && count(&server, "ssd-hit") >= PHOTOS);
    let metric = server.metric("headwater_cache_entries_total{outcome=\"origin\",kind=\"encoded\"}").unwrap();
    assert_eq!(metric, Some(PHOTOS as f64));

    let server = server.restart().unwrap();
    assert!(bits(&server, "imagenet-train", "normalized", "1") == second);
    assert_eq!(count(&server, "origin"), 0, "the restarted server asked the bucket");
}

#[test]
fn two_servers_on_one_folder_keep_each_sample_once_and_stay_below_the_limit() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let start = || {
        let options = cached(ServerOptions::new(photos.path()), folder.path(), "indexed");
        options.arg("--cache-ssd").arg("1MiB").start().unwrap()
    };
    let (one, other) = (start(), start());
    let expected = bits(&one, "imagenet-train", "jpeg-crop", "0");
    assert!(bits(&other, "imagenet-train", "jpeg-crop", "0") == expected);
    assert!(count(&other, "ssd-hit") >= PHOTOS / 2, "{}", said(&other));
    let disk: u64 =
        entries(folder.path()).iter().map(|file| file.metadata().unwrap().len().next_multiple_of(4096)).sum();
    assert!(disk <= 1 << 20, "{disk}");
    assert_eq!(said(&one)["setup"]["ssd_bytes"], disk);
}

#[test]
fn after_kill_9_under_load_every_bit_is_right() {
    let (photos, folder, out) = (photos(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let without = ServerOptions::new(photos.path()).arg("--no-cache").start().unwrap();
    let expected = bits(&without, DETERMINISTIC, "normalized", "0");
    let options = || {
        let options = cached(ServerOptions::new(photos.path()), folder.path(), "encoded,resized");
        options.arg("--cache-memory").arg("1MiB")
    };
    for round in 0..4 {
        let mut server = options().start().unwrap();
        let mut load = Command::new(program("profiler"))
            .args(["fetch", "--servers", &server.address(), "--dataset", "photos", "--recipe", DETERMINISTIC])
            .args(["--cut", "normalized", "--seed", "5", "--out"])
            .arg(out.path().join(format!("out-{round}")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while entries(folder.path()).len() < 4 * (round + 1) && load.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        server.kill().unwrap();
        load.kill().unwrap();
        load.wait().unwrap();
    }
    let server = options().start().unwrap();
    assert!(bits(&server, DETERMINISTIC, "normalized", "0") == expected);
    assert!(bits(&server, DETERMINISTIC, "normalized", "0") == expected);
    assert_eq!(count(&server, "corrupt"), 0, "{}", said(&server));
}

#[test]
fn a_broken_entry_of_any_kind_is_counted_and_made_again() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let start = || cached(ServerOptions::new(photos.path()), folder.path(), "encoded,resized").start().unwrap();
    let server = start();
    let expected = bits(&server, DETERMINISTIC, "normalized", "0");
    drop(server);
    let files = entries(folder.path());
    assert_eq!(files.len() as u64, 2 * PHOTOS);
    for (at, file) in files.iter().enumerate() {
        let mut frame = fs::read(file).unwrap();
        let place = at * 7919 % frame.len();
        match at % 2 {
            0 => frame[place] ^= 1 << (at % 8),
            _ => frame.truncate(place),
        }
        fs::write(file, frame).unwrap();
    }
    let server = start();
    assert!(bits(&server, DETERMINISTIC, "normalized", "0") == expected);
    assert_eq!(count(&server, "corrupt"), 2 * PHOTOS, "{}", said(&server));
    assert!(bits(&server, DETERMINISTIC, "normalized", "0") == expected);
    assert_eq!(count(&server, "ssd-hit"), PHOTOS, "{}", said(&server));
}

#[test]
fn a_photo_that_changes_is_never_served_as_it_was() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let options = cached(ServerOptions::new(photos.path()), folder.path(), "encoded,indexed,resized");
    let server = options.arg("--cache-memory").arg("16MiB").start().unwrap();
    let cuts = ["encoded", "jpeg-crop", "normalized"];
    let before = cuts.map(|cut| bits(&server, DETERMINISTIC, cut, "0"));
    // Every photo becomes its neighbour in another set.
    let others = TempDir::new().unwrap();
    PhotoSet { classes: 2, per_class: 12, max_side: 128, seed: 77, ..PhotoSet::default() }
        .write(others.path())
        .unwrap();
    for class in fs::read_dir(others.path()).unwrap().map(|class| class.unwrap().path()) {
        for photo in fs::read_dir(&class).unwrap().map(|photo| photo.unwrap().path()) {
            let there = photos.path().join(photo.strip_prefix(others.path()).unwrap());
            if there.exists() {
                fs::write(there, fs::read(photo).unwrap()).unwrap();
            }
        }
    }
    let reload = run("storage-server", ["reload", "--address", &server.address(), "--json"]).unwrap();
    assert_eq!(reload.success().unwrap().json().unwrap()["datasets"][0]["outcome"], "changed");
    let without = ServerOptions::new(photos.path()).arg("--no-cache").start().unwrap();
    for (cut, before) in cuts.into_iter().zip(before) {
        let now = bits(&server, DETERMINISTIC, cut, "0");
        assert!(now != before && now == bits(&without, DETERMINISTIC, cut, "0"), "{cut}");
    }
}

#[test]
fn settings_that_keep_nothing_or_do_not_go_together_are_refused_with_the_fix() {
    let (photos, folder) = (photos(), TempDir::new().unwrap());
    let check = |further: &[&str]| {
        let photos = photos.path().display().to_string();
        let base = ["serve", "--check-config", "--dataset", "d", "--data", &photos, "--listen", "127.0.0.1:0"];
        run("storage-server", base.iter().chain(further)).unwrap()
    };
    let folder = folder.path().display().to_string();
    for (further, words) in [
        (&["--cache-ssd", "0"][..], "--no-cache"),
        (&["--cache-dir", &folder, "--index-dir", &folder], "earlier name"),
        (&["--cache-memory", "10B", "--cache-dir", &folder], "keeps next to nothing"),
        (&["--cache-policy", "belady", "--cache-dir", &folder], "simulate"),
        (&["--cache-kinds", "decoded", "--cache-dir", &folder], "encoded, indexed, resized and features"),
        (&["--cache-memory", "101%", "--cache-dir", &folder], "up to 100%"),
    ] {
        let refused = check(further);
        assert!(refused.code == Some(2) && refused.stderr.contains(words), "{further:?}: {}", refused.stderr);
    }
    for further in [&["--cache-dir", &*folder, "--cache-memory", "10%"][..], &["--index-dir", &folder], &["--no-index"]]
    {
        check(further).success().unwrap();
    }
}
