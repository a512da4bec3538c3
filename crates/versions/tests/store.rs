//! Promise: what comes is kept whole or not at all, whatever is damaged, cut off or forged, and what was kept and noted
//! is there after the next opening.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use headwater_delta::header::seal;
use headwater_testdata::Extractor;
use headwater_types::caps::MAX_PARTIALS;
use headwater_types::{ByteCount, Digest, ModelName};
use headwater_versions::{Manner, Opened, StoreLimits, Transfer, Version, VersionError, VersionStore};
use tempfile::TempDir;

/// Deltas that are tried where nothing else is said; `HEADWATER_MUTATIONS` is how many.
const FEW: u64 = 300;

fn open(folder: &TempDir) -> VersionStore {
    open_with(folder, StoreLimits::default())
}

fn open_with(folder: &TempDir, limits: StoreLimits) -> VersionStore {
    let Opened { store, moved_aside } = VersionStore::open(folder.path(), limits).unwrap();
    assert_eq!(moved_aside, None);
    store
}

fn version(model: &[u8]) -> Version {
    Version { digest: Digest::of(model), bytes: model.len() as u64, manner: Manner::Head }
}

fn name() -> ModelName {
    "m".parse().unwrap()
}

#[test]
fn a_transfer_goes_on_at_any_place_and_after_a_restart() {
    let (folder, model) = (TempDir::new().unwrap(), Extractor::onnx(1));
    let transfer = Transfer::whole(&model);
    let store = open(&folder);
    assert_eq!(store.begin(&transfer).unwrap(), (ByteCount::new(0), false));
    assert_eq!(store.take(&transfer, 0, &model[..1000]).unwrap(), (ByteCount::new(1000), false));
    assert_eq!(store.take(&transfer, 2000, &model[2000..3000]).unwrap(), (ByteCount::new(1000), false), "a gap");
    assert_eq!(store.take(&transfer, 500, &model[500..1500]).unwrap(), (ByteCount::new(1500), false), "an overlap");
    drop(store);
    let store = open(&folder);
    assert_eq!(store.begin(&transfer).unwrap(), (ByteCount::new(1500), false));
    assert!(store.take(&transfer, 1500, &model[1500..]).unwrap().1);
    assert_eq!(store.read(transfer.target).unwrap(), model);
    assert_eq!(store.received(transfer.digest), ByteCount::new(0));
    store.add(&name(), version(&model)).unwrap();
    store.activate(&name(), transfer.target, 1, None).unwrap();
    drop(store);
    assert_eq!(open(&folder).named(&name()).active, Some(transfer.target));
}

#[test]
fn old_revisions_count_no_more_and_a_rollback_leads_to_the_one_before() {
    let folder = TempDir::new().unwrap();
    let store = open_with(&folder, StoreLimits { keep: 2, ..StoreLimits::default() });
    let models: Vec<_> = (1..=4).map(Extractor::onnx).collect();
    let digests: Vec<_> = models.iter().map(|model| store.keep(model).unwrap()).collect();
    for (revision, model) in (1..).zip(&models) {
        store.add(&name(), version(model)).unwrap();
        store.activate(&name(), Digest::of(model), revision, None).unwrap();
    }
    let named = store.named(&name());
    assert_eq!((named.active, named.before(), named.versions.len()), (Some(digests[3]), Some(digests[2]), 2));
    assert!(!store.has(digests[0]) && store.has(digests[2]), "what is not kept takes no room");
    let replayed = store.activate(&name(), digests[2], 4, None).unwrap_err();
    assert!(matches!(replayed, VersionError::Replayed { asked: 4, active: 4, .. }), "{replayed}");
    let gone = store.activate(&name(), digests[0], 9, None).unwrap_err();
    assert!(matches!(gone, VersionError::UnknownVersion { .. }), "{gone}");
    let wrong = store.roll_back(&name(), digests[3], 5, None).unwrap_err();
    assert!(matches!(wrong, VersionError::NotBefore { .. }), "{wrong}");
    for _ in 0..2 {
        let named = store.roll_back(&name(), digests[2], 5, None).unwrap();
        assert_eq!((named.active, named.before(), named.revision), (Some(digests[2]), None, 5), "twice is once");
    }
}

#[test]
fn a_record_that_is_broken_is_moved_aside_and_said_and_files_are_left() {
    let (folder, model) = (TempDir::new().unwrap(), Extractor::onnx(1));
    let store = open(&folder);
    store.keep(&model).unwrap();
    store.add(&name(), version(&model)).unwrap();
    assert!(matches!(VersionStore::open(folder.path(), StoreLimits::default()), Err(VersionError::Locked { .. })));
    drop(store);
    let record = folder.path().join("record");
    let mut bytes = std::fs::read(&record).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&record, bytes).unwrap();
    let Opened { store, moved_aside } = VersionStore::open(folder.path(), StoreLimits::default()).unwrap();
    let (aside, why) = moved_aside.unwrap();
    assert!(aside.ends_with("record.broken-1") && why.contains("checksum"), "{why}");
    assert!(store.all().is_empty() && store.has(Digest::of(&model)));
}

#[test]
fn what_is_too_large_has_no_base_or_no_room_is_refused_before_it_comes() {
    let (folder, model) = (TempDir::new().unwrap(), Extractor::onnx(1));
    let limits = StoreLimits {
        max_model: ByteCount::new(200_000),
        max_partials: ByteCount::new(50_000),
        ..StoreLimits::default()
    };
    let store = open_with(&folder, limits);
    let of = |bytes: u64| Transfer {
        bytes: ByteCount::new(bytes),
        target_bytes: ByteCount::new(bytes),
        ..Transfer::whole(&model)
    };
    assert!(matches!(store.begin(&of(u64::MAX)), Err(VersionError::TooLarge { .. })));
    assert!(matches!(store.begin(&of(100_000)), Err(VersionError::PartialsFull { .. })));
    assert!(matches!(store.begin(&of(0)), Err(VersionError::Contradiction(_))));
    let base = Some(Digest::of(b"gone"));
    assert!(matches!(store.begin(&Transfer { base, ..of(10) }), Err(VersionError::NoBase { .. })));
    assert!(matches!(
        store.begin(&Transfer { digest: Digest::of(b"x"), ..of(10) }),
        Err(VersionError::Contradiction(_))
    ));
}

#[test]
fn of_too_many_transfers_that_stopped_few_are_kept() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let transfers: Vec<_> = (0..MAX_PARTIALS as u64 + 3).map(|number| number.to_le_bytes()).collect();
    let begin = |model: &[u8; 8]| store.begin(&Transfer::whole(model)).unwrap();
    for model in &transfers {
        assert_eq!(begin(model), (ByteCount::new(0), false));
        assert_eq!(store.take(&Transfer::whole(model), 0, &model[..5]).unwrap(), (ByteCount::new(5), false));
    }
    store.begin(&Transfer::whole(b"one more")).unwrap();
    let kept = transfers.iter().filter(|model| store.received(Digest::of(&model[..])) > ByteCount::new(0)).count();
    assert_eq!(kept, MAX_PARTIALS);
}

#[test]
fn a_million_mutated_deltas_make_no_version() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let (base, target) = (Extractor::onnx(1), Extractor::onnx(2));
    store.keep(&base).unwrap();
    store.add(&name(), version(&base)).unwrap();
    let delta = headwater_delta::encode(&base, &target);
    let many = std::env::var("HEADWATER_MUTATIONS").ok().and_then(|many| many.parse().ok()).unwrap_or(FEW);
    let mut dice = 1_u64;
    let mut below = |end: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % end
    };
    for number in 0..many {
        let mut mutated = delta.clone();
        for _ in 0..=below(3) {
            let at = if below(2) == 0 { below(mutated.len().min(400)) } else { below(mutated.len()) };
            match below(3) {
                0 => mutated.truncate(at.max(140)),
                _ => mutated[at] ^= 1 << below(8),
            }
        }
        if below(2) == 0 {
            let length = mutated.len() as u64;
            mutated[16..24].copy_from_slice(&length.to_le_bytes());
            seal(&mut mutated);
        }
        if mutated == delta {
            continue;
        }
        // Half of them are announced as they say of themselves, half as what they are not.
        let honest = Transfer::delta(&mutated).ok().filter(|_| below(2) == 0);
        let (digest, bytes) = (Digest::of(&mutated), ByteCount::from(mutated.len()));
        let (target, target_bytes) = (Digest::of(&target), ByteCount::from(target.len()));
        let forged = Transfer { digest, bytes, target, target_bytes, base: Some(Digest::of(&base)) };
        let transfer = honest.unwrap_or(forged);
        let came = store.begin(&transfer).and_then(|_| store.take(&transfer, 0, &mutated));
        let whole = came.as_ref().is_ok_and(|(_, is_complete)| *is_complete);
        // A mutation may leave what it makes as it is: then it is the model that was promised, to the bit.
        assert!(!whole || store.read(target).is_ok(), "{number}");
        if whole {
            assert_eq!(store.read(target).map(|model| Digest::of(&model)).ok(), Some(target), "{number}");
        }
    }
    assert_eq!(store.named(&name()).versions.len(), 1, "nothing is a version that nobody has noted");
}
