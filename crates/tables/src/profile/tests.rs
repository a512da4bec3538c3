//! What a profile's file promises.

use headwater_plan::{
    Cores, Cost, Fit, ModelStamp, Overheads, Profile, ProfileBuilder, Provenance, RecipeStamp, SampleFacts, Server,
    Source,
};
use headwater_types::{DevicePool, Digest, Epoch, Recipe, Seed, Way};
use proptest::prelude::*;

use super::columns::BATCH_ROWS;
use super::{ProfileFileError, read, write};

/// A profile of two servers, with everything that a profile can say.
pub(crate) fn profile(samples: u64) -> Profile {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let ways: Vec<Way> = ["encoded", "jpeg-crop", "flipped+lossless"].map(|way| way.parse().unwrap()).to_vec();
    let provenance = Provenance {
        source: Source::Measured,
        date: "2026-11-21T12:00:00Z".into(),
        host: "node \"1\"".into(),
        version: "0.1.0".into(),
        dataset: Some("photos".parse().unwrap()),
        dataset_digest: Some(Digest::of(b"photos")),
        recipe: Some(RecipeStamp { name: recipe.name().to_string(), digest: recipe.digest(), toml: recipe.to_toml() }),
        model: None,
        trainer_devices: DevicePool::new(1, 0.1).ok(),
        seed: Some(Seed(u64::MAX)),
        epoch: Some(Epoch(0)),
        measured: 1,
        fits: vec![Fit {
            way: ways[1],
            measured: Some(3),
            bytes: Some(0.1),
            storage_seconds: None,
            trainer_seconds: Some(0.25),
        }],
        overheads: Overheads { envelope_bytes: 70.5, receive_seconds_per_byte: 1e-10, ..Overheads::default() },
        files: vec![],
    };
    let server = |address: &str, first, samples| Server {
        address: address.into(),
        digest: Some(Digest::of(address.as_bytes())),
        first,
        samples,
        cpu_workers: Some(Cores::from(2)),
        devices: DevicePool::new(2, 1500.25).ok(),
        lacks: Vec::new(),
    };
    let half = samples / 2;
    let servers = vec![server("node1:7440", 0, half), server("node2:7440", half, samples - half)];
    let mut builder = ProfileBuilder::new(provenance, servers, ways).unwrap();
    for index in 0..samples {
        let key = format!("red/{index}ä.jpg");
        let facts = SampleFacts {
            key: (index % 3 > 0).then_some(key.as_str()),
            width: (index % 2 > 0).then_some(7 + index as u32),
            height: (index % 2 > 0).then_some(u32::MAX),
            measured: index == 0,
        };
        let seconds = 0.1 * index as f64;
        let cost = |bytes: u64, storage_seconds| Cost { bytes, storage_seconds, trainer_seconds: seconds / 3.0 };
        builder.push(&facts, &[cost(index, 0.0), cost(4_294_967_295, 0.1 + 0.2), cost(0, seconds % 7.0)]).unwrap();
    }
    builder.finish().unwrap()
}

fn written(profile: &Profile) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    write(headwater_cli::OutputFile::open("--out", &path).unwrap(), profile).unwrap();
    (folder, path)
}

/// The same for a model's features, which one of the servers does not have.
fn of_features() -> Profile {
    let tensors = profile(4);
    let stamp = ModelStamp { name: "net".parse().unwrap(), digest: Digest::of(b"net") };
    let provenance = Provenance { model: Some(stamp), ..tensors.provenance().clone() };
    let mut servers = tensors.servers().to_vec();
    servers[1].lacks = vec![Way::FEATURES];
    let mut builder = ProfileBuilder::new(provenance, servers, vec![Way::ENCODED, Way::FEATURES]).unwrap();
    let cost = |storage_seconds| Cost { bytes: 5, storage_seconds, trainer_seconds: 0.5 };
    (0..4).for_each(|_| builder.push(&SampleFacts::default(), &[cost(0.0), cost(0.25)]).unwrap());
    builder.finish().unwrap()
}

#[test]
fn a_profile_for_features_survives_its_file_and_says_who_lacks_them() {
    let profile = of_features();
    let (_folder, path) = written(&profile);
    let read = read(&path).unwrap();
    assert_eq!(read, profile);
    assert_eq!(read.servers()[1].lacks, [Way::FEATURES]);
    assert_ne!(read.digest(), {
        let everywhere = profile.servers().iter().map(|server| Server { lacks: vec![], ..server.clone() }).collect();
        let ways = profile.ways().to_vec();
        let mut builder = ProfileBuilder::new(profile.provenance().clone(), everywhere, ways).unwrap();
        for index in 0..4 {
            let costs = [profile.cost(index, 0).unwrap(), profile.cost(index, 1).unwrap()];
            builder.push(&SampleFacts::default(), &costs).unwrap();
        }
        builder.finish().unwrap().digest()
    });
}

#[test]
fn a_profile_survives_its_file() {
    for samples in [0, 1, 5, BATCH_ROWS as u64 + 3] {
        let profile = profile(samples);
        let (_folder, path) = written(&profile);
        assert_eq!(read(&path).unwrap(), profile);
    }
}

#[test]
fn what_is_no_profile_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    assert!(matches!(read(&path), Err(ProfileFileError::Io(_))));
    std::fs::write(&path, "index,raw").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.starts_with("it is no Parquet file") && error.contains("profiler import"), "{error}");
    std::fs::write(&path, "").unwrap();
    assert!(matches!(read(&path), Err(ProfileFileError::Empty)));
}

#[test]
fn a_torn_file_is_told_from_a_damaged_one() {
    let (_folder, path) = written(&profile(5));
    let good = std::fs::read(&path).unwrap();
    for length in [4, 5, 11, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(read(&path), Err(ProfileFileError::Torn { length: there }) if there == length as u64));
    }
    // In the footer, whose length stands before the last four bytes.
    let mut footer = good.clone();
    let at = good.len() - 20;
    footer[at..at + 10].fill(0xff);
    std::fs::write(&path, footer).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.starts_with("it is damaged"), "{error}");
}

/// One bit in a file of five samples made the Parquet reader panic: every bit is tried.
#[test]
fn no_flipped_bit_is_more_than_an_error() {
    let profile = profile(5);
    let (_folder, path) = written(&profile);
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).is_ok_and(|read| read == profile) || read(&path).is_err(), "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_torn_or_flipped_file_is_an_error_and_never_another_profile(
        at: prop::sample::Index,
        bit in 0_u8..8,
        tear: bool,
    ) {
        let profile = profile(5);
        let (_folder, path) = written(&profile);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if tear {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        std::fs::write(&path, bytes).unwrap();
        // A bit that nobody reads (the program's name) may flip unseen.
        if let Ok(read) = read(&path) {
            prop_assert!(!tear);
            prop_assert_eq!(read, profile);
        }
    }
}
