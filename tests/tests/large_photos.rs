//! Photos past the default limits: what is raised at the server is raised everywhere, and what is too large fails
//! alone, by name.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::Path;

use headwater_tests::{Fetched, ServerOptions, fetch};
use serde_json::Value;
use tempfile::TempDir;

/// A grey JPEG of even grey, of any size for few bytes: its Huffman tables have one code each, a bit of 0, so that
/// every block is two bits.
fn even(width: u16, height: u16) -> Vec<u8> {
    let [[w1, w0], [h1, h0]] = [width.to_be_bytes(), height.to_be_bytes()];
    let table = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    [
        &[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0][..],
        &[1; 64],
        &[0xff, 0xc0, 0, 11, 8, h1, h0, w1, w0, 1, 1, 0x11, 0],
        &table(0x00),
        &table(0x10),
        &[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0],
        &vec![0; (blocks * 2).div_ceil(8)],
        &[0xff, 0xd9],
    ]
    .concat()
}

/// Two small photos, and one of 81 megapixels between them.
fn photos() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("grey")).unwrap();
    for (name, width, height) in [("a", 60, 40), ("b", 9_000, 9_001), ("c", 40, 60)] {
        fs::write(folder.path().join(format!("grey/{name}.jpg")), even(width, height)).unwrap();
    }
    folder
}

fn fetched(address: &str, out: &Path, cut: &str, further: &[&str]) -> Fetched {
    let all = ["--recipe", "imagenet-eval", "--cut", cut, "--seed", "1", "--epoch", "0"];
    fetch(&[address.to_owned()], out, &[&all, further].concat()).unwrap()
}

/// The message of sample 1's failure, which must be the only one.
fn only_failure(fetched: &Fetched) -> String {
    let errors: Vec<(u64, &Value)> = fetched.samples.iter().map(|(index, sample)| (*index, &sample["error"])).collect();
    let failed: Vec<_> = errors.iter().filter(|(_, error)| !error.is_null()).collect();
    assert_eq!(failed.len(), 1, "{errors:?}");
    assert_eq!((failed[0].0, failed[0].1["kind"].as_str()), (1, Some("limit-exceeded")), "{errors:?}");
    failed[0].1["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_raised_at_the_server_is_raised_everywhere() {
    let folder = photos();
    let raised = ["--max-sample-memory", "512MiB", "--memory", "2GiB", "--no-cache"];
    let server = raised.into_iter().fold(ServerOptions::new(folder.path()), ServerOptions::arg).start().unwrap();
    let [decoded, encoded] = ["decoded", "encoded"].map(|cut| {
        let out = TempDir::new().unwrap();
        fetched(&server.address(), out.path(), cut, &[])
    });
    assert_eq!(decoded.arrays.len(), 3, "{:?}", decoded.samples);
    assert_eq!(decoded.arrays, encoded.arrays);

    let out = TempDir::new().unwrap();
    let message = only_failure(&fetched(&server.address(), out.path(), "decoded", &["--max-sample-memory", "200MiB"]));
    assert!(message.contains("243027000 bytes at the cut decoded"), "{message}");
    assert!(message.contains("the 200MiB that the client takes: raise --max-sample-memory there"), "{message}");
}

#[test]
fn a_limit_that_is_passed_says_which_and_on_which_side_at_every_cut() {
    let folder = photos();
    let server = ServerOptions::new(folder.path()).arg("--max-pixels").arg("80000000").start().unwrap();
    let words = "pixels 81009000 over the limit of 80000000: raise --max-pixels";
    for cut in ["encoded", "jpeg-crop", "decoded", "cropped"] {
        let out = TempDir::new().unwrap();
        let message = only_failure(&fetched(&server.address(), out.path(), cut, &[]));
        assert!(message.contains(words) && message.contains("server"), "{cut}: {message}");
        let out = TempDir::new().unwrap();
        let message = only_failure(&fetched(&server.address(), out.path(), cut, &["--max-pixels", "70000000"]));
        assert!(message.contains("--max-pixels"), "{cut}: {message}");
    }
}
