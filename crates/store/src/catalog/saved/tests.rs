use std::collections::BTreeMap;

use headwater_types::field::FieldKind;
use headwater_types::{ByteCount, Partition, SampleIndex};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::catalog::CatalogBuilder;
use crate::extent::Extent;
use crate::given::Given;
use crate::options::StoreOptions;
use crate::skip::Skip;
use crate::version::Version;

fn bytes(catalog: &Catalog) -> Vec<u8> {
    let mut bytes = Vec::new();
    catalog.write(&mut bytes).unwrap();
    bytes
}

fn read_all(bytes: &[u8]) -> io::Result<Catalog> {
    Catalog::read(&mut &*bytes, bytes.len() as u64)
}

fn catalog(keys: &BTreeMap<String, (u64, Vec<u8>)>, kind: u64) -> Catalog {
    let options = StoreOptions { files: Files::All, partition: "1/2".parse().unwrap(), ..StoreOptions::default() };
    let fields = Fields::new(vec![Field { name: "score".to_owned(), kind: FieldKind::Number }]).unwrap();
    let mut builder = CatalogBuilder::of(&options, None).with_fields(fields);
    builder.folder("empty").unwrap();
    builder.skip(Skip::NoPhoto, "cat/notes.txt");
    let listed = Version::of_file(1000, 1, 2);
    for (key, (n, record)) in keys {
        let object = "archive".parse().unwrap();
        let extent = match kind {
            0 => Extent::whole(key.parse().unwrap(), Version::of_file(*n, 5, 6)),
            1 => Extent::part(object, listed, *n..n + 1).unwrap(),
            _ => Extent::row(object, listed, *n, ByteCount::new(10)),
        };
        let label = if kind == 1 { Given::Number((*n % 7) as u32) } else { Given::Nothing };
        builder.push_described(key, &extent, label, record).unwrap();
    }
    builder.finish()
}

proptest! {
    #[test]
    fn a_catalog_is_the_same_once_it_is_read(
        keys in btree_map("[a-c]{1,2}/[a-zé]{1,3}", (0_u64..900, vec(any::<u8>(), 0..4)), 0..30),
        kind in 0_u64..3,
    ) {
        let catalog = catalog(&keys, kind);
        let again = read_all(&bytes(&catalog)).unwrap();
        prop_assert!(again.iter().eq(catalog.iter()));
        for at in (0..catalog.len() as u64).map(SampleIndex) {
            prop_assert_eq!(again.extent(at), catalog.extent(at));
            prop_assert_eq!(again.record(at), catalog.record(at));
        }
        prop_assert_eq!((again.digest(), again.names()), (catalog.digest(), catalog.names()));
        prop_assert_eq!((again.listing(), again.skipped()), (catalog.listing(), catalog.skipped()));
        prop_assert_eq!((again.classes(), again.fields()), (catalog.classes(), catalog.fields()));
        prop_assert_eq!((again.scope(), again.bytes_total()), (catalog.scope(), catalog.bytes_total()));
        prop_assert_eq!(again.memory(), catalog.memory());
    }

    #[test]
    fn whatever_bytes_are_read_there_is_a_catalog_or_an_error(
        n in 1_usize..30,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        kind in 0_u64..3,
    ) {
        let keys = (0..n).map(|n| (format!("cat/{n}.jpg"), (n as u64, vec![7; n % 3]))).collect();
        let mut bytes = bytes(&catalog(&keys, kind));
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(read) = read_all(&bytes) {
            for at in (0..read.len() as u64).map(SampleIndex) {
                let entry = read.get(at).unwrap();
                prop_assert!(read.extent(at).is_some() && read.find(entry.key) == Some(at));
                prop_assert!(entry.label.is_none_or(|label| (label.0 as usize) < read.classes().len()));
                let _ = read.record(at);
            }
        }
    }
}

#[test]
fn a_catalog_that_is_cut_off_or_longer_is_none() {
    let keys = (0..9).map(|n| (format!("cat/{n}.jpg"), (n, vec![7; n as usize % 3]))).collect();
    for kind in 0..3 {
        let mut bytes = bytes(&catalog(&keys, kind));
        assert_eq!(read_all(&bytes).unwrap().scope().part, Partition::new(1, 2).unwrap());
        for cut in 0..bytes.len() {
            assert!(read_all(&bytes[..cut]).is_err(), "up to {cut}");
        }
        bytes.push(0);
        assert!(read_all(&bytes).is_err());
    }
}

#[test]
fn a_count_of_a_stranger_takes_no_memory() {
    let keys = BTreeMap::from([("a".to_owned(), (1, Vec::new()))]);
    let good = bytes(&catalog(&keys, 0));
    for at in 0..good.len() - 8 {
        let mut bad = good.clone();
        bad[at..at + 8].copy_from_slice(&(u64::MAX / 5).to_le_bytes());
        // An allocation of that size would end the test.
        let _ = read_all(&bad);
    }
}
