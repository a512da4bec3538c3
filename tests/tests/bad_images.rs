//! Promises 2 and 3: one bad image never fails a batch, and memory is bounded.

use headwater_testdata::Expectation;
use headwater_tests::{Data, Hostile, Server, ServerOptions, fetch};
use tempfile::TempDir;

/// What the largest sample may take over the server's memory before it.
const PER_SAMPLE: u64 = 256 << 20;

#[test]
fn every_hostile_file_is_a_typed_failure_beside_intact_neighbours() {
    let hostile = Hostile::new().unwrap();
    // One sample at a time, so that the peak is one sample's.
    let mut server = ServerOptions::new(&hostile.folder)
        // The corpus has files of every suffix.
        .arg("--all-files")
        .arg("--cpu-workers")
        .arg("1")
        .arg("--stream-window")
        .arg("1")
        .start()
        .unwrap();
    let before = server.peak_memory().unwrap();
    let mut failures = None;
    for cut in ["encoded", "decoded", "cropped", "flipped", "tensor", "normalized"] {
        let out = TempDir::new().unwrap();
        let further = ["--recipe", "imagenet-train", "--cut", cut, "--seed", "1", "--epoch", "0"];
        let fetched = fetch(&[server.address()], out.path(), &further).unwrap();
        for (index, sample) in &fetched.samples {
            assert_eq!(sample["error"].is_null(), fetched.arrays.contains_key(index), "{sample}");
            if sample["key"].as_str().unwrap().starts_with("generated/") {
                assert!(sample["error"].is_null(), "a good neighbour failed: {sample}");
            }
            if let Some(kind) = sample["error"]["kind"].as_str() {
                assert!(["unsupported-format", "malformed", "limit-exceeded"].contains(&kind), "{sample}");
            }
        }
        for file in &hostile.files {
            let sample = fetched.samples.values().find(|sample| file.path.to_str() == sample["key"].as_str());
            match file.expectation {
                Expectation::Fails => assert!(!sample.unwrap()["error"].is_null(), "{file:?} was delivered at {cut}"),
                Expectation::NeverRead => assert!(sample.is_none(), "{file:?} is a sample"),
                Expectation::MayDecode => {}
            }
        }
        let failed: Vec<_> =
            fetched.samples.keys().filter(|index| !fetched.arrays.contains_key(index)).copied().collect();
        assert!(!failed.is_empty());
        assert_eq!(*failures.get_or_insert_with(|| failed.clone()), failed, "cut {cut}");
    }
    assert!(server.is_running().unwrap());
    let grown = server.peak_memory().unwrap() - before;
    assert!(grown <= PER_SAMPLE, "a sample took {} MiB", grown >> 20);
}

#[test]
fn limits_are_settings_and_their_failures_name_them() {
    let data = Data::photos().unwrap();
    let limited = |arguments: [&str; 2]| -> Server {
        ServerOptions::new(&data.photos).arg(arguments[0]).arg(arguments[1]).start().unwrap()
    };
    for setting in [["--max-pixels", "100"], ["--max-dimension", "10"], ["--max-object-bytes", "100B"]] {
        let server = limited(setting);
        let out = TempDir::new().unwrap();
        let further =
            ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "0", "--indices", "0-3"];
        // All samples fail, and each says why.
        let fetched = fetch(&[server.address()], out.path(), &further).unwrap();
        assert_eq!(fetched.summary["failures"][0]["count"], 4, "{}", fetched.summary);
        let samples = std::fs::read_to_string(out.path().join("samples.jsonl")).unwrap();
        assert!(samples.contains("limit-exceeded") && samples.contains(setting[0]), "{setting:?}: {samples}");
    }
}
