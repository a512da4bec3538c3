//! Which samples are a package, and that it is one read.

use std::sync::Arc;

use headwater_cache::{CacheSettings, PolicyName};
use headwater_store::{Fetched, StoreOptions};
use headwater_types::{ByteCount, ImageLimits};
use tempfile::TempDir;

use super::*;
use crate::cached::{DatasetCache, SharedCache};
use crate::resources::{Memory, Resources};

struct Place {
    pipeline: Pipeline,
    fetched: Fetched,
    job: Job,
    _folder: TempDir,
}

/// A photo's bytes: this one's number, so often.
fn content(number: usize, length: usize) -> Vec<u8> {
    vec![number as u8; length]
}

/// A member of a tar file (POSIX ustar): a header of 512 bytes, and the content up to a whole block.
fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

/// Photos of these lengths, `0.jpg`, `1.jpg` and so on, in a tar file or as files.
async fn place(lengths: &[usize], in_tar: bool) -> Place {
    let folder = TempDir::new().unwrap();
    let named = lengths.iter().enumerate().map(|(at, &length)| (format!("{at}.jpg"), content(at, length)));
    let data = match in_tar {
        true => {
            let mut tar: Vec<u8> = named.flat_map(|(name, content)| member(&name, &content)).collect();
            tar.extend([0; 1024]);
            std::fs::write(folder.path().join("photos.tar"), tar).unwrap();
            folder.path().join("photos.tar")
        }
        false => {
            named.for_each(|(name, content)| std::fs::write(folder.path().join(name), content).unwrap());
            folder.path().to_owned()
        }
    };
    let options = StoreOptions::default();
    let fetched = options.fetched.clone();
    let store = headwater_store::open(&data.to_str().unwrap().parse().unwrap(), &options).await.unwrap();
    let catalog = Arc::new(store.list(None).await.unwrap());
    let settings = CacheSettings { memory: ByteCount::mebibytes(8), ssd: None, policy: PolicyName::Lru };
    let shared = SharedCache::open(settings, "encoded".parse().unwrap()).unwrap();
    let limits = ImageLimits::default();
    let cache = Some(DatasetCache::new(&shared, store.place(), true, limits));
    let pipeline = Pipeline { store, catalog, cache, index: None, outlook: None, limits };
    let memory = Memory { encoded: ByteCount::mebibytes(8), decoded: ByteCount::mebibytes(8) };
    let job = Resources::new(memory, 0).unwrap().background();
    Place { pipeline, fetched, job, _folder: folder }
}

fn numbers(package: &Package) -> Vec<u64> {
    package.samples.iter().map(|(index, _)| index.0).collect()
}

#[tokio::test]
async fn what_is_wanted_behind_a_sample_in_its_tar_file_is_one_read() {
    let Place { pipeline, fetched, job, _folder } = place(&[1000; 8], true).await;
    let package = |first, most| pipeline.package(SampleIndex(first), most, |index| index.0 % 2 == 1);
    assert_eq!(numbers(&package(1, 2).unwrap()), [1, 3]);
    assert_eq!(numbers(&package(2, 9).unwrap()), [2, 3, 5, 7], "the first one is not asked about");
    let whole = package(1, 9).unwrap();
    assert_eq!((numbers(&whole), whole.samples()), (vec![1, 3, 5, 7], 4));

    let (reads, bytes) = (fetched.reads(), fetched.bytes().get());
    assert_eq!(pipeline.prefetch_package(whole, &job).await, Ok(Some(4)));
    // Six samples and the headers between them: each takes 512 + 1024 bytes.
    let span = 6 * 1536 + 1000;
    assert_eq!((fetched.reads() - reads, fetched.bytes().get() - bytes), (1, span));
    let cache = pipeline.cache.as_ref().unwrap();
    let counts = cache.cache().counts();
    let of = |outcome| counts.of(outcome, KindName::Encoded);
    assert_eq!([Outcome::Origin, Outcome::Prefetched, Outcome::Admitted].map(of), [4, 4, 4]);
    let shared = cache.shared();
    assert_eq!((shared.packages().reads(), shared.packages().bytes(), shared.origin_bytes()), (1, span, span));
    let cached: Vec<_> = (0..8).filter(|&index| pipeline.is_cached(SampleIndex(index))).collect();
    assert_eq!(cached, [1, 3, 5, 7]);
    for index in cached {
        let (key, extent) = (pipeline.catalog.key(SampleIndex(index)), pipeline.catalog.extent(SampleIndex(index)));
        let entry = cache.names.encoded(&key.unwrap(), &extent.unwrap());
        assert_eq!(cache.find(entry).await.unwrap(), content(index as usize, 1000));
    }

    assert_eq!(package(1, 9), None, "it is cached");
    let all = pipeline.package(SampleIndex(0), 9, |_| true).unwrap();
    assert_eq!(numbers(&all), [0, 2, 4, 6], "of what is cached nothing is read again");
}

#[tokio::test]
async fn a_package_ends_before_a_wide_gap_and_at_its_most_bytes() {
    let (wide, large) = (PACKAGE_GAP.get() as usize, PACKAGE_BYTES.get() as usize / 4);
    let Place { pipeline, .. } = place(&[1000, 1000, wide, 1000, large, large, large, large], true).await;
    let package = |first: u64, wanted: &[u64]| {
        numbers(&pipeline.package(SampleIndex(first), 9, |index| wanted.contains(&index.0)).unwrap())
    };
    assert_eq!(package(0, &[1, 3]), [0, 1]);
    assert_eq!(package(0, &[1, 2, 3]), [0, 1, 2, 3]);
    assert_eq!(package(4, &[5, 6, 7]), [4, 5, 6], "with their headers four are too many");
}

#[tokio::test]
async fn a_file_is_a_package_by_itself_and_what_is_brought_by_others_is_left_to_them() {
    let Place { pipeline, job, _folder, .. } = place(&[1000; 3], false).await;
    let package = pipeline.package(SampleIndex(0), 9, |_| true).unwrap();
    assert_eq!(numbers(&package), [0]);
    let cache = pipeline.cache.as_ref().unwrap();
    let (key, extent) = (pipeline.catalog.key(SampleIndex(0)), pipeline.catalog.extent(SampleIndex(0)));
    let Flight::Lead(lead) = cache.cache().flight(&cache.names.encoded(&key.unwrap(), &extent.unwrap())) else {
        panic!("nobody else brings it")
    };
    assert_eq!(pipeline.prefetch_package(package.clone(), &job).await, Ok(None));
    drop(lead);
    assert_eq!(pipeline.prefetch_package(package, &job).await, Ok(Some(1)));
}

#[tokio::test]
async fn a_package_that_cannot_be_read_fails_whole_and_keeps_nothing() {
    let Place { pipeline, job, _folder, .. } = place(&[1000; 4], true).await;
    let package = pipeline.package(SampleIndex(0), 9, |_| true).unwrap();
    std::fs::write(_folder.path().join("photos.tar"), b"another file").unwrap();
    assert!(pipeline.prefetch_package(package, &job).await.is_err());
    assert!((0..4).all(|index| !pipeline.is_cached(SampleIndex(index))));
    assert_eq!(pipeline.cache.as_ref().unwrap().shared().packages().reads(), 0);
}
