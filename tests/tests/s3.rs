//! A bucket is a dataset like a folder: same keys, labels and bits, with nothing but the standard variables.

use headwater_testdata::PhotoSet;
use headwater_tests::{BUCKET, Moto, ServerOptions, fetch};
use tempfile::TempDir;

#[test]
fn a_bucket_serves_what_its_folder_does() {
    let root = TempDir::new().unwrap();
    let photos = root.path().join("photos");
    PhotoSet { classes: 3, per_class: 8, ..PhotoSet::default() }.write(&photos).unwrap();
    let Some(store) = Moto::start(&photos).unwrap() else {
        println!("no Python with moto: no S3-compatible store to ask");
        return;
    };
    let folder = ServerOptions::new(&photos).start().unwrap();
    let bucket = store.serve(BUCKET).start().unwrap();
    let [expected, actual] = [&folder, &bucket].map(|server| {
        let out = TempDir::new().unwrap();
        let further = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "0"];
        fetch(&[server.address()], out.path(), &further).unwrap()
    });
    assert_eq!(expected.arrays.len(), 24);
    assert_eq!(expected.samples, actual.samples);
    assert_eq!(expected.arrays, actual.arrays);
}
