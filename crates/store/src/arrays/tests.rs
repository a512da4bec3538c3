//! Arrays as other programs write them, in a folder.

use std::fs;
use std::io::Write;

use headwater_types::SampleIndex;
use tempfile::TempDir;

use super::*;
use crate::open::open;

/// An IDX file of `count` photos of 3 x 2 pixels, of which each has its own number in every byte.
fn photos(count: u8) -> Vec<u8> {
    let pixels = (0..count).flat_map(|number| [number; 6]);
    [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3].into_iter().chain(pixels).collect()
}

fn labels(labels: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

async fn listed_at(place: String) -> Result<(Arc<dyn Store>, Catalog), StoreError> {
    let store = open(&place.parse().unwrap(), &StoreOptions::default()).await?;
    let catalog = store.list(None).await?;
    Ok((store, catalog))
}

#[tokio::test]
async fn photos_of_idx_files_are_pnm_files_with_the_labels_beside_them_packed_or_not() {
    for is_packed in [false, true] {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, bytes: &[u8]| match is_packed {
            true => fs::write(folder.path().join(format!("{name}.gz")), packed(bytes)).unwrap(),
            false => fs::write(folder.path().join(name), bytes).unwrap(),
        };
        write("train-images-idx3-ubyte", &photos(12));
        write("train-labels-idx1-ubyte", &labels(&[3, 1, 0, 0, 1, 2, 3, 0, 0, 1, 1, 2]));
        let name = if is_packed { "train-images-idx3-ubyte.gz" } else { "train-images-idx3-ubyte" };
        for place in [format!("idx:{}", folder.path().display()), folder.path().join(name).display().to_string()] {
            let (store, catalog) = listed_at(place).await.unwrap();
            assert_eq!((catalog.len(), catalog.classes().len()), (12, 4));
            assert_eq!(catalog.get(SampleIndex(5)).map(|entry| (entry.key, entry.label.unwrap().0)), Some(("05", 2)));
            for (at, _) in catalog.iter() {
                let extent = catalog.extent(at).unwrap();
                let photo = store.read(&extent).await.unwrap();
                assert_eq!(photo, [b"P5\n3 2\n255\n", &[at.0 as u8; 6][..]].concat());
                assert_eq!(store.length(&extent).await.unwrap(), ByteCount::from(photo.len()));
            }
        }
    }
}

#[tokio::test]
async fn a_replaced_file_gives_none_of_its_photos_packed_or_not() {
    for (name, bytes) in [("a-idx3-ubyte", photos(4)), ("a-idx3-ubyte.gz", packed(&photos(4)))] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(name), &bytes).unwrap();
        let (store, catalog) = listed_at(format!("idx:{}", folder.path().display())).await.unwrap();
        let extent = catalog.extent(SampleIndex(1)).unwrap();
        store.read(&extent).await.unwrap();
        fs::write(folder.path().join(name), &bytes).unwrap();
        assert_eq!(store.read(&extent).await.unwrap_err().kind, FailureKind::Changed, "{name}");
    }
}

#[tokio::test]
async fn labels_of_other_photos_are_refused_and_damaged_files_are_named() {
    let folder = TempDir::new().unwrap();
    let place = format!("idx:{}", folder.path().display());
    fs::write(folder.path().join("a-images-idx3-ubyte"), photos(4)).unwrap();
    fs::write(folder.path().join("a-labels-idx1-ubyte"), labels(&[1, 2])).unwrap();
    let error = listed_at(place.clone()).await.err().unwrap().to_string();
    assert!(error.contains("a-labels-idx1-ubyte: they are 2, and the photos 4"), "{error}");
    fs::write(folder.path().join("a-images-idx3-ubyte"), &photos(4)[..30]).unwrap();
    let error = listed_at(place).await.err().unwrap().to_string();
    assert!(error.contains("it has 30 bytes, and its header says 40"), "{error}");
}

#[tokio::test]
async fn photos_of_several_numpy_files_have_the_files_names_in_their_keys() {
    let folder = TempDir::new().unwrap();
    let head = b"\x93NUMPY\x01\x00\x3c\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2,1,1,3)}";
    assert_eq!(head.len(), 10 + 0x3c);
    for name in ["a", "b"] {
        fs::write(folder.path().join(format!("{name}.npy")), [&head[..], b"abcdef"].concat()).unwrap();
    }
    let (store, catalog) = listed_at(format!("npy:{}", folder.path().display())).await.unwrap();
    assert_eq!(catalog.iter().map(|(_, entry)| entry.key).collect::<Vec<_>>(), ["a-0", "a-1", "b-0", "b-1"]);
    assert_eq!(store.read(&catalog.extent(SampleIndex(3)).unwrap()).await.unwrap(), &b"P6\n1 1\n255\ndef"[..]);
}
