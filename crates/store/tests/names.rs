//! Names that people and programs give to files: each is served under a key of its own, whatever its bytes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use headwater_store::{Location, StoreOptions, open};
use headwater_types::key;
use tempfile::TempDir;

/// Names that other programs have lost, joined or refused.
fn names() -> Vec<Vec<u8>> {
    let text = [
        "plain.jpg",
        "caf\u{e9}.jpg",
        "cafe\u{301}.jpg",
        "CAF\u{c9}.JPG",
        "Plain.jpg",
        " leading.jpg",
        "two  spaces.jpg",
        "new\nline.jpg",
        "carriage\rreturn.jpg",
        "tab\t.jpg",
        "\"quotes\" 'and' `ticks`.jpg",
        "back\\slash.jpg",
        "up\\..\\..\\x.jpg",
        "a,b={c}.jpg",
        "%41%2F.jpg",
        "\u{1f431}.jpg",
        "\u{efe9}.jpg",
        "\u{202e}gpj.jpg",
        "\u{1b}[31m.jpg",
        "$(rm -rf).jpg",
    ];
    let bytes = [&b"caf\xe9.jpg"[..], b"\xff\xfe.jpg", b"\xed\xa0\x80.jpg", b"\xc3.jpg"];
    let longest = [b"x".repeat(251), [0xe9].repeat(251)].map(|stem| [stem, b".jpg".to_vec()].concat());
    let text = text.into_iter().map(str::as_bytes).chain(bytes).map(<[u8]>::to_vec);
    text.chain(longest).collect()
}

#[tokio::test]
async fn every_name_is_a_sample_and_a_class_of_its_own() {
    let root = TempDir::new().unwrap();
    let mut written = BTreeMap::new();
    for (at, name) in names().iter().enumerate() {
        let class = root.path().join(OsStr::from_bytes(name));
        fs::create_dir(&class).unwrap();
        fs::write(class.join("1.jpg"), format!("in class {at}")).unwrap();
        let sample = root.path().join("plain.jpg").join(OsStr::from_bytes(name));
        fs::write(&sample, format!("sample {at}")).unwrap();
        written.insert([name, &b"/1.jpg"[..]].concat(), format!("in class {at}"));
        written.insert([&b"plain.jpg/"[..], name].concat(), format!("sample {at}"));
    }
    let store = open(&Location::folder(root.path()), &StoreOptions::default()).await.unwrap();
    let catalog = store.list(None).await.unwrap();
    assert_eq!(catalog.skipped().iter().collect::<Vec<_>>(), [], "{}", catalog.skipped());
    let mut read = BTreeMap::new();
    for (index, entry) in catalog.iter() {
        let name = key::to_bytes(entry.key).into_owned();
        let extent = catalog.extent(index).unwrap();
        let content = store.read(&extent).await.unwrap();
        store.check(&extent).unwrap();
        assert!(store.check_now(&extent), "{:?}", entry.key);
        read.insert(name, String::from_utf8(content.to_vec()).unwrap());
    }
    assert_eq!(read, written);
    // In the order in which torchvision sorts `os.scandir`'s names: by code points.
    let mut classes: Vec<_> = names().iter().map(|name| key::from_bytes(name).into_owned()).collect();
    classes.sort_unstable();
    assert_eq!(catalog.classes(), classes);
}
