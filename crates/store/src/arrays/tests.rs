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

/// How many damaged files of each kind are read: `HEADWATER_ARRAY_MUTATIONS` says it, and 300 without it.
fn mutations() -> usize {
    std::env::var("HEADWATER_ARRAY_MUTATIONS").map_or(300, |count| count.parse().unwrap())
}

/// Bytes with one to four of them changed, lost, doubled or cut off; most of the damage is done to the first 100, where
/// the headers are.
fn damaged(good: &[u8], next: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=next(4) {
        let length = bytes.len().max(1);
        let at = if next(3) == 0 { next(length) } else { next(length.min(100)) };
        match next(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), next(256) as u8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.extend_from_slice(&good[..at.min(good.len())]),
            4 if at < bytes.len() => bytes[at] ^= 1 << next(8),
            // Digits and brackets too: the header of NumPy is text.
            _ => bytes.get_mut(at).map_or((), |byte| *byte = b"0129(),'\x00\x01\x7f\xff"[next(12)]),
        }
    }
    bytes
}

/// Lists a place and reads all that is listed: the number of photos, or why there are none.
async fn photos_of(place: &str) -> Result<usize, String> {
    let (store, catalog) = listed_at(place.to_owned()).await.map_err(|error| error.to_string())?;
    for (at, _) in catalog.iter() {
        let extent = catalog.extent(at).unwrap();
        let photo = store.read(&extent).await.map_err(|failure| failure.to_string())?;
        assert!(photo.starts_with(b"P5\n") || photo.starts_with(b"P6\n"), "no PNM file: {photo:?}");
        assert_eq!(store.length(&extent).await.unwrap(), ByteCount::from(photo.len()));
    }
    Ok(catalog.len())
}

#[tokio::test]
async fn no_mutation_of_an_array_does_more_than_fail() {
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (12, 2, 3), }            \n";
    let head = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
    let npy = [&head[..], &photos(12)[16..]].concat();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for (kind, name, good) in [
        ("idx", "a-images-idx3-ubyte", photos(12)),
        ("idx", "a-images-idx3-ubyte.gz", packed(&photos(12))),
        ("idx", "a-labels-idx1-ubyte", labels(&[3, 1, 0, 0, 1, 2, 3, 0, 0, 1, 1, 2])),
        ("npy", "a.npy", npy),
    ] {
        let folder = TempDir::new().unwrap();
        let place = format!("{kind}:{}", folder.path().display());
        fs::write(folder.path().join(if kind == "npy" { name } else { "a-images-idx3-ubyte" }), photos(12)).unwrap();
        if name.ends_with(".gz") {
            fs::remove_file(folder.path().join("a-images-idx3-ubyte")).unwrap();
        }
        fs::write(folder.path().join(name), &good).unwrap();
        assert_eq!(photos_of(&place).await, Ok(12), "{name}");
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..mutations() {
            fs::write(folder.path().join(name), damaged(&good, &mut next)).unwrap();
            match photos_of(&place).await {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        println!("{name}: {taken} damaged files were taken, {refused} refused");
        assert!(taken > 0 && refused > 0, "{name}: {taken} were taken and {refused} refused: neither may be none");
    }
}
