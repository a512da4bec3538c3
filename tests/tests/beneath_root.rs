//! Promises 4 and 5: nothing outside the root is read, and the source data is never written.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use headwater_testdata::PhotoSet;
use headwater_tests::{ServerOptions, fetch};
use tempfile::TempDir;

fn dataset(root: &Path) -> PathBuf {
    let photos = root.join("photos");
    PhotoSet { classes: 2, per_class: 5, ..PhotoSet::default() }.write(&photos).unwrap();
    photos
}

#[test]
fn links_out_of_the_root_are_not_followed_whenever_they_are_made() {
    let root = TempDir::new().unwrap();
    let photos = dataset(root.path());
    let outside = root.path().join("secret.jpg");
    let any = std::fs::read_dir(&photos).unwrap().next().unwrap().unwrap().path();
    let victim = std::fs::read_dir(&any).unwrap().next().unwrap().unwrap().path();
    std::fs::copy(&victim, &outside).unwrap();
    symlink(&outside, photos.join("absolute.jpg")).unwrap();
    symlink("../secret.jpg", photos.join("relative.jpg")).unwrap();
    symlink("..", photos.join("parent")).unwrap();
    symlink("/", photos.join("system")).unwrap();

    let server = ServerOptions::new(&photos).start().unwrap();
    // After the listing, a sample becomes a link to the same bytes outside.
    std::fs::remove_file(&victim).unwrap();
    symlink(&outside, &victim).unwrap();
    let key = victim.strip_prefix(&photos).unwrap().to_str().unwrap();

    let out = TempDir::new().unwrap();
    let further = ["--recipe", "imagenet-train", "--cut", "encoded", "--seed", "1", "--epoch", "0"];
    let fetched = fetch(&[server.address()], out.path(), &further).unwrap();
    assert_eq!(fetched.samples.len(), 10, "only what lies in the root is listed");
    for sample in fetched.samples.values() {
        match sample["key"].as_str().unwrap() {
            swapped if swapped == key => assert_eq!(sample["error"]["kind"], "forbidden", "{sample}"),
            _ => assert!(sample["error"].is_null(), "{sample}"),
        }
    }
}

#[test]
fn the_source_is_as_it_was() {
    let root = TempDir::new().unwrap();
    let photos = dataset(root.path());
    let state = |folder: &Path| -> BTreeMap<PathBuf, (u64, SystemTime)> {
        let mut state = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let (path, data) = (entry.as_ref().unwrap().path(), entry.unwrap().metadata().unwrap());
                state.insert(path.clone(), (data.len(), data.modified().unwrap()));
                if data.is_dir() {
                    folders.push(path);
                }
            }
        }
        state
    };
    let before = state(&photos);
    let server = ServerOptions::new(&photos).start().unwrap();
    let out = TempDir::new().unwrap();
    let further = ["--recipe", "imagenet-train", "--cut", "normalized", "--seed", "1", "--epoch", "0"];
    fetch(&[server.address()], out.path(), &further).unwrap();
    drop(server);
    assert_eq!(state(&photos), before);
}
