use std::collections::{BTreeMap, BTreeSet};

use headwater_types::differences::push_index;
use headwater_types::{Differences, Partition};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::error::StoreError;
use crate::files::Files;
use crate::given::Given;
use crate::options::StoreOptions;
use crate::skip::Skip;

fn version(n: u64) -> Version {
    Version::of_file(n, 1_700_000_000, n as i64)
}

fn catalog<'a>(samples: impl IntoIterator<Item = (&'a str, Version)>) -> Catalog {
    let mut builder = all_files(Partition::ALL);
    for (key, version) in samples {
        builder.push(key, version).unwrap();
    }
    builder.finish()
}

fn all_files(partition: Partition) -> CatalogBuilder {
    CatalogBuilder::new(partition, Files::All)
}

/// Keys in few folders, some of which are a prefix of another or sort around the slash.
fn a_key() -> impl Strategy<Value = String> {
    "(cat/|cat-2/|cat/deep/|dog/|ünï/|)[a-z0-9é +-]{1,6}"
}

proptest! {
    #[test]
    fn a_catalog_agrees_with_a_sorted_map(samples in btree_map(a_key(), 0_u64..1000, 0..60), absent in a_key()) {
        let catalog = catalog(samples.iter().map(|(key, n)| (key.as_str(), version(*n))));
        let top = |key: &str| key.split_once('/').map(|(folder, _)| folder.to_owned());
        let classes: BTreeSet<String> = samples.keys().filter_map(|key| top(key)).collect();
        let classes = Vec::from_iter(classes);
        prop_assert_eq!(catalog.classes(), &classes[..]);
        prop_assert_eq!(catalog.len(), samples.len());
        for (at, (key, n)) in (0..).map(SampleIndex).zip(&samples) {
            let entry = catalog.get(at).unwrap();
            prop_assert_eq!(entry.key, key);
            prop_assert_eq!(entry.version, version(*n));
            prop_assert_eq!(entry.label.map(|label| classes[label.0 as usize].clone()), top(key));
            prop_assert_eq!(catalog.find(key), Some(at));
            let own = catalog.key(at).unwrap();
            prop_assert_eq!(own.as_str(), key.as_str());
        }
        let listed: Vec<_> = catalog.iter().map(|(at, entry)| (at.0, entry.key)).collect();
        let expected: Vec<_> = (0..).zip(samples.keys().map(String::as_str)).collect();
        prop_assert_eq!(listed, expected);
        prop_assert_eq!(catalog.find(&absent).is_some(), samples.contains_key(&absent));
        prop_assert_eq!(catalog.get(SampleIndex(samples.len() as u64)), None);
        prop_assert_eq!(catalog.get(SampleIndex(u64::MAX)), None);
        prop_assert_eq!(catalog.bytes_total().get(), samples.values().sum::<u64>());
    }

    #[test]
    fn the_order_and_threads_of_a_listing_do_not_show(samples in vec((a_key(), 0_u64..5), 0..40), cut in 0_usize..40) {
        let forward = catalog(samples.iter().map(|(key, n)| (key.as_str(), version(*n))));
        let (mut first, mut second) = (all_files(Partition::ALL), all_files(Partition::ALL));
        for (at, (key, n)) in samples.iter().enumerate().rev() {
            let builder = if at < cut { &mut first } else { &mut second };
            builder.push(key, version(*n)).unwrap();
        }
        first.absorb(second).unwrap();
        let backward = first.finish();
        prop_assert_eq!(forward.digest(), backward.digest());
        prop_assert_eq!(forward.listing(), backward.listing());
        prop_assert!(forward.iter().eq(backward.iter()));
        prop_assert_eq!(forward.skipped(), backward.skipped());
    }

    #[test]
    fn partitions_share_out_the_samples_and_agree_on_classes(
        samples in btree_map(a_key(), 0_u64..9, 0..60),
        count in 1_u32..5,
    ) {
        let whole = catalog(samples.iter().map(|(key, n)| (key.as_str(), version(*n))));
        let mut together = BTreeMap::new();
        for number in 1..=count {
            let mut builder = all_files(Partition::new(number, count).unwrap());
            for (key, n) in &samples {
                builder.push(key, version(*n)).unwrap();
            }
            let part = builder.finish();
            prop_assert_eq!(part.classes(), whole.classes());
            prop_assert_eq!(part.listing(), whole.listing());
            prop_assert_eq!(part.listing().samples, samples.len() as u64);
            prop_assert_eq!(part.skipped().count(Skip::OtherPartition) as usize + part.len(), samples.len());
            for (_, entry) in part.iter() {
                prop_assert!(together.insert(entry.key.to_owned(), (entry.version, entry.label)).is_none());
            }
        }
        let all: BTreeMap<_, _> =
            whole.iter().map(|(_, entry)| (entry.key.to_owned(), (entry.version, entry.label))).collect();
        prop_assert_eq!(together, all);
    }
}

#[test]
fn the_digest_covers_keys_versions_labels_and_nothing_else() {
    let base = catalog([("a/1", version(1)), ("b/2", version(2))]).digest();
    assert_eq!(base, catalog([("b/2", version(2)), ("a/1", version(1))]).digest());
    for other in [
        catalog([("a/1", version(1))]),
        catalog([("a/1", version(1)), ("b/2", version(3))]),
        catalog([("a/1", version(1)), ("b/3", version(2))]),
        catalog([("a/1", version(1)), ("c/2", version(2))]),
        catalog([("a/1", version(2)), ("b/2", version(1))]),
        catalog([]),
    ] {
        assert_ne!(base, other.digest());
    }
}

#[test]
fn a_digest_is_the_same_on_every_machine_and_in_every_release() {
    let catalog = catalog([("cat/1.jpg", version(1)), ("flat.jpg", version(2))]);
    let digest = catalog.digest();
    // From the BLAKE3 of PyPI's `blake3`, over the bytes as documented.
    assert_eq!(digest.to_string(), "689eaec50bd99f0fee63584ede7490b3f9e80591aaae004afa296f814cede90e");
    assert_eq!(catalog.names().to_string(), "b9276c567fb0b14e38ef110b7688ce6ee045178048688a2408bd768b5ac62347");
}

#[test]
fn copies_are_one_listing_whenever_they_were_made_and_a_file_more_is_another() {
    let size = |n: u64, seconds| Version::of_file(n, seconds, 0);
    let original = catalog([("a/1", size(10, 1)), ("b/2", size(20, 2))]);
    let copied = catalog([("a/1", size(10, 7)), ("b/2", size(20, 8))]);
    assert_eq!(original.listing(), copied.listing());
    assert_ne!(original.digest(), copied.digest());
    assert_eq!(original.names(), copied.names());
    for other in [
        catalog([("a/1", size(10, 1))]),
        catalog([("a/1", size(10, 1)), ("b/3", size(20, 2))]),
        catalog([("a/1", size(10, 1)), ("c/2", size(20, 2))]),
    ] {
        assert_ne!(original.names(), other.names());
    }
    for other in [
        catalog([("a/1", size(11, 1)), ("b/2", size(20, 2))]),
        catalog([("a/1", size(10, 1)), ("b/2", size(20, 2)), ("b/3", size(5, 2))]),
        catalog([("a/1", size(20, 1)), ("b/2", size(10, 2))]),
        catalog([("c/1", size(10, 1)), ("b/2", size(20, 2))]),
    ] {
        assert_ne!(original.listing().digest, other.listing().digest);
    }
}

#[test]
fn keys_that_lead_out_or_hide_are_counted_and_left_out() {
    let catalog = catalog(
        ["../x", "/etc/passwd", "a/../b", "a//b", "a\0b", "", ".git/x", "a/.x", "a/b", "a/b"]
            .map(|key| (key, version(1))),
    );
    assert_eq!(catalog.iter().map(|(_, entry)| entry.key).collect::<Vec<_>>(), ["a/b"]);
    let counts = [Skip::Key, Skip::Hidden, Skip::Duplicate].map(|reason| catalog.skipped().count(reason));
    assert_eq!(counts, [6, 2, 1]);
}

#[test]
fn more_classes_than_the_limit_are_an_error_that_says_so() {
    let mut builder = all_files(Partition::ALL);
    let pushed = (0..70_000).map(|n| builder.push(&format!("{n}/x"), version(1))).find_map(Result::err).unwrap();
    assert!(pushed.to_string().starts_with("more than 65536 folders"), "{pushed}");
}

#[test]
fn a_million_samples_take_at_most_a_hundred_bytes_each_beside_their_keys() {
    let mut builder = CatalogBuilder::default();
    let mut key_bytes = 0;
    for n in 0..1_000_000_u64 {
        let key = format!("n{:08}/n{:08}_{n}.JPEG", n % 1000, n % 1000);
        key_bytes += key.len() as u64;
        builder.push(&key, version(n)).unwrap();
    }
    let catalog = builder.finish();
    assert_eq!((catalog.len(), catalog.classes().len()), (1_000_000, 1000));
    let beside = (catalog.memory().get() - key_bytes) as f64 / 1e6;
    assert!(beside <= 100.0, "{beside} bytes each");
    println!("{beside:.1} bytes each beside the key");
    let middle = catalog.get(SampleIndex(500_000)).unwrap();
    assert_eq!(catalog.find(middle.key), Some(SampleIndex(500_000)));
}

#[test]
fn files_that_are_no_photos_are_left_out_by_suffix_in_every_partition_and_make_no_class() {
    let keys = [
        "cat/1.jpg",
        "cat/2.JPEG",
        "cat/Thumbs.db",
        "dog/3.png",
        "dog/4.WebP",
        "notes/readme.txt",
        "scans/5.heic",
        "scans/6.avif",
        "labels.csv",
        "cat/._1.jpg",
        "cat/no-suffix",
    ];
    for partition in ["1/1", "1/2", "2/2"] {
        let mut builder = CatalogBuilder::new(partition.parse().unwrap(), Files::Photos);
        ["cat", "dog", "notes", "scans"].iter().for_each(|folder| builder.folder(folder).unwrap());
        keys.iter().for_each(|key| builder.push(key, version(1)).unwrap());
        let catalog = builder.finish();
        assert_eq!(catalog.len() as u64 + catalog.skipped().count(Skip::OtherPartition), 4);
        assert_eq!(catalog.classes(), ["cat", "dog"]);
        let counts = [Skip::NoPhoto, Skip::UnsupportedFormat, Skip::Hidden, Skip::EmptyFolder];
        assert_eq!(counts.map(|reason| catalog.skipped().count(reason)), [4, 2, 1, 2], "{}", catalog.skipped());
        let first: Vec<_> = catalog.skipped().first(Skip::NoPhoto).collect();
        assert_eq!(first, ["cat/Thumbs.db", "cat/no-suffix", "labels.csv", "notes/readme.txt"]);
    }
}

#[test]
fn what_cannot_be_read_is_named_and_its_class_stays() {
    let mut builder = CatalogBuilder::default();
    ["ant", "bee", "cat"].iter().for_each(|folder| builder.folder(folder).unwrap());
    builder.push("ant/1.jpg", version(1)).unwrap();
    builder.push("cat/1.jpg", version(1)).unwrap();
    builder.unreadable("bee", true, "Permission denied").unwrap();
    builder.unreadable("dog/deep/1.jpg", false, "Input/output error").unwrap();
    builder.unreadable("flat.jpg", false, "Permission denied").unwrap();
    let catalog = builder.finish();
    assert_eq!(catalog.classes(), ["ant", "bee", "cat", "dog"]);
    let first: Vec<_> = catalog.skipped().first(Skip::Unreadable).collect();
    assert_eq!(
        first,
        ["bee (Permission denied)", "dog/deep/1.jpg (Input/output error)", "flat.jpg (Permission denied)"]
    );
    assert_eq!(catalog.skipped().count(Skip::EmptyFolder), 0);
}

/// What a sample may be given: by text, by number, or nothing.
fn a_label() -> impl Strategy<Value = Option<Result<String, u32>>> {
    prop_oneof![Just(None), "[a-c]".prop_map(|name| Some(Ok(name))), (0_u32..4).prop_map(|number| Some(Err(number)))]
}

type Sample = (u64, Option<Result<String, u32>>, Vec<u8>);

fn a_sample() -> impl Strategy<Value = Sample> {
    (0_u64..3, a_label(), vec(any::<u8>(), 0..3))
}

/// Lists samples as parts of an archive where their number is odd, and as objects of their own otherwise.
fn listed(samples: &BTreeMap<String, Sample>, base: Option<&Catalog>, threads: usize, has_labels: bool) -> Catalog {
    let options = StoreOptions { files: Files::All, ..StoreOptions::default() };
    let mut all = CatalogBuilder::of(&options, base);
    let mut forks: Vec<_> = (0..threads).map(|_| all.fork()).collect();
    for (at, (key, (n, label, record))) in samples.iter().rev().enumerate() {
        let found = forks.get_mut(at % (threads + 1)).unwrap_or(&mut all);
        let object = "archive".parse().unwrap();
        let extent = match n % 3 {
            0 => Extent::whole(key.parse().unwrap(), version(*n)),
            1 => Extent::part(object, version(100), *n..n + 5).unwrap(),
            _ => Extent::row(object, version(100), *n, ByteCount::new(7)),
        };
        let label = match label.as_ref().filter(|_| has_labels) {
            None => Given::Nothing,
            Some(Ok(name)) => Given::Class(name),
            Some(Err(number)) => Given::Number(*number),
        };
        found.push_described(key, &extent, label, record).unwrap();
    }
    forks.into_iter().try_for_each(|fork| all.absorb(fork)).unwrap();
    all.finish()
}

/// What differs, looked up sample by sample.
fn differences(earlier: &Catalog, later: &Catalog) -> Differences {
    let class =
        |catalog: &Catalog, entry: Entry<'_>| entry.label.map(|class| catalog.classes()[class.0 as usize].clone());
    let mut naive = Differences::default();
    for (at, entry) in earlier.iter() {
        if later.find(entry.key).is_none() {
            push_index(&mut naive.removed, at.0);
        }
    }
    for (at, entry) in later.iter() {
        match earlier.find(entry.key) {
            None => push_index(&mut naive.added, at.0),
            Some(old) => {
                let was = earlier.get(old).unwrap();
                let is_same = earlier.extent(old) == later.extent(at)
                    && class(earlier, was) == class(later, entry)
                    && earlier.record(old) == later.record(at);
                if !is_same {
                    push_index(&mut naive.replaced, at.0);
                }
            }
        }
    }
    naive
}

proptest! {
    #[test]
    fn a_listing_that_is_compared_gives_what_one_gives_that_is_not(
        before in btree_map(a_key(), a_sample(), 0..40),
        changed in btree_map(a_key(), a_sample(), 0..8),
        gone in vec(any::<prop::sample::Index>(), 0..6),
        (threads, had_labels, has_labels) in (0_usize..4, any::<bool>(), any::<bool>()),
    ) {
        let base = listed(&before, None, 0, had_labels);
        let mut after = before.clone();
        after.extend(changed);
        for at in gone {
            let key = after.keys().nth(at.index(after.len().max(1))).cloned();
            key.map(|key| after.remove(&key));
        }
        let fresh = listed(&after, None, 0, has_labels);
        let compared = listed(&after, Some(&base), threads, has_labels);
        prop_assert!(compared.iter().eq(fresh.iter()));
        prop_assert!(compared.iter().all(|(at, _)| compared.extent(at) == fresh.extent(at)));
        prop_assert!(compared.iter().all(|(at, _)| compared.record(at) == fresh.record(at)));
        prop_assert_eq!(compared.classes(), fresh.classes());
        prop_assert_eq!((compared.digest(), compared.names()), (fresh.digest(), fresh.names()));
        prop_assert_eq!((compared.listing(), compared.skipped()), (fresh.listing(), fresh.skipped()));
        let differences_found = base.differences(&compared);
        prop_assert_eq!(&differences_found, &differences(&base, &fresh));
        prop_assert_eq!(differences_found.check(base.len() as u64, compared.len() as u64), Ok(()));
        let again = listed(&after, Some(&compared), threads, has_labels);
        prop_assert!(again.shares(&compared) && compared.differences(&again).is_empty());
    }
}

#[test]
fn labels_are_of_all_samples_or_of_none_and_numbers_count_as_numbers() {
    let object = || Extent::whole("archive".parse().unwrap(), version(9));
    let catalog = |labels: &[Given<'_>], pins: Option<&[&str]>| {
        let classes = pins.map(|pins| pins.iter().map(|name| (*name).to_owned()).collect());
        let options = StoreOptions { files: Files::All, classes, ..StoreOptions::default() };
        let mut builder = CatalogBuilder::of(&options, None);
        builder.folder("cat").unwrap();
        for (n, label) in labels.iter().enumerate() {
            builder.push_labelled(&format!("dog/{n}"), &object(), *label).unwrap();
        }
        let catalog = builder.finish();
        let labels: Vec<_> = catalog.iter().map(|(_, entry)| entry.label.map(|label| label.0)).collect();
        let [unknown, unused, empty] = [Skip::UnknownClass, Skip::EmptyClass, Skip::EmptyFolder];
        let told = [unknown, unused, empty].map(|reason| catalog.skipped().count(reason));
        (catalog.classes().join(" "), labels, told)
    };
    let (nothing, class) = (Given::Nothing, Given::Class);
    let number = Given::Number;
    assert_eq!(catalog(&[nothing, nothing], None), ("dog".to_owned(), vec![Some(0); 2], [0, 0, 1]));
    let two = |labels: &[Given<'_>]| catalog(labels, None);
    assert_eq!(two(&[class("b"), nothing, class("a")]), ("a b".to_owned(), vec![Some(1), None, Some(0)], [0; 3]));
    assert_eq!(two(&[number(10), number(2)]).1, [Some(10), Some(2)]);
    assert_eq!(two(&[number(10), number(2)]).0, "0 1 2 3 4 5 6 7 8 9 10");
    assert_eq!(two(&[number(10), class("9")]), ("10 9".to_owned(), vec![Some(0), Some(1)], [0; 3]));
    let pinned = |labels: &[Given<'_>], pins: &[&str]| catalog(labels, Some(pins));
    let three = ["fox", "dog", "eel"];
    assert_eq!(pinned(&[nothing], &three), ("fox dog eel".to_owned(), vec![Some(1)], [0, 2, 1]));
    assert_eq!(pinned(&[number(2), class("fox")], &three).1, [Some(2), Some(0)]);
    assert_eq!(pinned(&[number(3), class("ant"), class("ant")], &three).2, [3, 3, 0]);
    assert_eq!(pinned(&[number(7), number(0)], &["7", "0"]).1, [Some(0), Some(1)]);
    let mut many = CatalogBuilder::default();
    let error = many.push_labelled("a", &object(), number(70_000)).unwrap_err();
    assert!(matches!(error, StoreError::TooManyClasses));
}

#[test]
fn a_million_parts_and_rows_take_24_bytes_each_beside_their_keys_as_files_do() {
    let lone: SampleKey = "shards/000.tar".parse().unwrap();
    let listed = Version::of_file(1 << 40, 1, 2);
    for is_row in [false, true] {
        let (mut builder, mut key_bytes) = (CatalogBuilder::default(), 0);
        for n in 0..1_000_000_u64 {
            let key = format!("{n:07}.jpg");
            key_bytes += key.len() as u64;
            let extent = match is_row {
                true => Extent::row(lone.clone(), listed, n, ByteCount::new(100)),
                false => Extent::part(lone.clone(), listed, n * 1024..n * 1024 + 1000).unwrap(),
            };
            builder.push_at(&key, &extent).unwrap();
        }
        let catalog = builder.finish();
        let beside = (catalog.memory().get() - key_bytes) as f64 / 1e6;
        assert!((24.0..24.01).contains(&beside), "{beside} bytes each");
    }
}
