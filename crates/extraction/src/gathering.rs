//! Arrivals on one side, finished parts on the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use headwater_tables::features::{
    Assembly, Contents, FeatureProvenance, FeatureSample, Misdelivery, Missing, PartFolder, PartTask, RetryFailed,
};
use headwater_types::SampleIndex;

use crate::error::ExtractError;

/// An extraction under way: writes a part as soon as its last sample is there.
///
/// Samples arrive roughly in order from each server, so that about two parts a server are open at a time; each holds
/// its rows x feature length x 4 bytes.
#[derive(Debug)]
pub(crate) struct Gathering {
    folder: PartFolder,
    provenance: FeatureProvenance,
    retry: RetryFailed,
    /// By first index.
    tasks: BTreeMap<u64, PartTask>,
    open: BTreeMap<u64, Assembly>,
}

// === impl Gathering ===

impl Gathering {
    pub(crate) fn new(
        folder: PartFolder,
        provenance: FeatureProvenance,
        retry: RetryFailed,
        tasks: Vec<PartTask>,
    ) -> Self {
        let tasks = tasks.into_iter().map(|task| (task.range.start, task)).collect();
        Self { folder, provenance, retry, tasks, open: BTreeMap::new() }
    }

    /// Puts a sample into its part.
    pub(crate) fn take(&mut self, arrival: FeatureSample) -> Result<(), ExtractError> {
        let FeatureSample { index, key, label, outcome } = arrival;
        let unexpected = Misdelivery::Unexpected(index);
        let (&first, task) = self.tasks.range(..=index.0).next_back().ok_or(unexpected)?;
        let assembly = match self.open.entry(first) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert(open(&self.folder, task, self.retry, self.provenance.feature_len)?),
        };
        match (outcome, key) {
            (Ok(feature), Some(key)) => assembly.fill(index, key, label, &feature)?,
            (Ok(_), None) => return Err(Misdelivery::Keyless(index).into()),
            (Err(failure), key) => assembly.fail(index, key.as_ref(), &failure)?,
        }
        if assembly.is_complete()
            && let Some(assembly) = self.open.remove(&first)
        {
            self.folder.write(&self.provenance, &assembly.finish())?;
            self.tasks.remove(&first);
        }
        Ok(())
    }

    /// Writes what is there of parts that still wait for samples, and counts. An extraction that ends early calls this,
    /// so that the next start fetches only what is missing. A part that cannot be written is logged, and the rest is
    /// written all the same.
    pub(crate) fn keep(self) -> Result<Contents, ExtractError> {
        for assembly in self.open.into_values() {
            if let Err(error) = self.folder.write(&self.provenance, &assembly.finish()) {
                tracing::warn!(reason = %error, "a part could not be kept: its samples will be extracted again");
            }
        }
        Ok(self.folder.contents()?)
    }

    /// Lists the failures, and counts what is there; an error if something is still missing.
    pub(crate) fn finish(self) -> Result<Contents, ExtractError> {
        match self.tasks.values().next() {
            Some(task) => Err(ExtractError::Missing(SampleIndex(task.range.start))),
            None => Ok(self.folder.finish()?),
        }
    }
}

fn open(
    folder: &PartFolder,
    task: &PartTask,
    retry: RetryFailed,
    feature_len: usize,
) -> Result<Assembly, ExtractError> {
    Ok(match task.missing {
        Missing::All => Assembly::new(task.range.clone(), feature_len),
        Missing::Some(_) => {
            Assembly::reopen(&folder.read(task.range.start)?, feature_len, |failed| retry.includes(failed.kind))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::num::NonZeroU64;
    use std::path::Path;

    use headwater_types::{ClassId, Digest, FailureKind, SampleFailure};
    use proptest::prelude::*;

    use super::*;
    use headwater_tables::features::{part_paths, read, tasks};

    const SAMPLES: u64 = 40;

    fn provenance(samples: u64, feature_len: usize) -> FeatureProvenance {
        FeatureProvenance {
            dataset: "photos".parse().unwrap(),
            dataset_digest: Digest::of(b"dataset"),
            samples,
            // As --classes may pin them: not sorted.
            classes: vec!["zebra".into(), "ant".into(), "emu".into()],
            model: "net".parse().unwrap(),
            model_digest: Digest::of(b"model"),
            recipe_digest: Digest::of(b"recipe"),
            output: "features".into(),
            feature_len,
        }
    }

    /// What a server delivers: some samples are broken for ever, and some on the first try.
    fn deliver(index: u64, first_try: bool) -> FeatureSample {
        let kind = match index % 7 {
            3 => Some(FailureKind::Malformed),
            5 if first_try => Some(FailureKind::Unavailable),
            _ => None,
        };
        FeatureSample {
            index: SampleIndex(index),
            key: Some(format!("cat/{index}.jpg").parse().unwrap()),
            label: (!index.is_multiple_of(4)).then_some(ClassId(index as u32 % 3)),
            outcome: match kind {
                Some(kind) => Err(SampleFailure::new(kind, "no")),
                None => Ok(vec![index as f32, 0.5 * index as f32]),
            },
        }
    }

    /// One start of the tuner that is killed, or stopped, after some samples: returns whether it was not.
    fn start(out: &Path, rows: u64, first_try: bool, order: &[u64], killed_after: usize, is_stopped: bool) -> bool {
        let provenance = provenance(SAMPLES, 2);
        let folder = PartFolder::open(out).unwrap();
        let present = folder.survey(&provenance, &mut || false).unwrap().unwrap();
        let tasks = tasks(SAMPLES, NonZeroU64::new(rows).unwrap(), &present, RetryFailed::Passing);
        let missing: Vec<u64> = tasks.iter().flat_map(|task| task.indices().map(|index| index.0)).collect();
        let mut gathering = Gathering::new(folder, provenance, RetryFailed::Passing, tasks);
        let mut left = killed_after;
        for index in order.iter().filter(|index| missing.contains(index)) {
            if left == 0 {
                if is_stopped {
                    let (before, now) = (SAMPLES - missing.len() as u64, killed_after as u64);
                    assert!(gathering.keep().unwrap().samples >= before + now);
                }
                return false;
            }
            left -= 1;
            gathering.take(deliver(*index, first_try)).unwrap();
        }
        gathering.finish().unwrap();
        true
    }

    fn features(out: &Path) -> BTreeMap<u64, Vec<f32>> {
        let mut all = BTreeMap::new();
        for path in part_paths(out).unwrap().into_values() {
            let (provenance, part) = read(&path).unwrap();
            for (index, row, feature) in part.iter(provenance.feature_len) {
                let expected = deliver(index.0, false);
                assert_eq!((Some(&row.key), row.label), (expected.key.as_ref(), expected.label));
                assert_eq!(all.insert(index.0, feature.to_vec()), None, "sample {index} twice");
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Each kill leaves what a killed process can leave: parts, leftovers, and (should a disk lie) a torn part.
        #[test]
        fn after_any_kills_the_folder_holds_each_sample_once(
            order in Just((0..SAMPLES).collect::<Vec<_>>()).prop_shuffle(),
            kills in proptest::collection::vec(
                (0_usize..50, 1_u64..12, any::<bool>(), any::<Option<(prop::sample::Index, u8)>>()),
                0..5,
            ),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path();
            for (number, (killed_after, rows, is_stopped, torn)) in kills.into_iter().enumerate() {
                start(out, rows, number == 0, &order, killed_after, is_stopped);
                fs::create_dir_all(out).unwrap();
                fs::write(out.join(format!(".part-{number}.parquet.ab12CD.part")), "half a part").unwrap();
                let parts: Vec<_> = part_paths(out).unwrap().into_values().collect();
                if let Some((which, keep)) = torn && !parts.is_empty() {
                    let path = which.get(&parts);
                    let bytes = fs::read(path).unwrap();
                    fs::write(path, &bytes[..bytes.len() * usize::from(keep) / 256]).unwrap();
                }
            }
            prop_assert!(start(out, 8, false, &order, usize::MAX, false));
            let good = (0..SAMPLES).filter(|index| index % 7 != 3);
            let expected: BTreeMap<_, _> = good.map(|index| (index, deliver(index, false).outcome.unwrap())).collect();
            prop_assert_eq!(features(out), expected);
            let is_leftover = |path: &Path| path.extension() == Some("part".as_ref());
            prop_assert!(fs::read_dir(out).unwrap().all(|entry| !is_leftover(&entry.unwrap().path())));
            let failures = fs::read_to_string(out.join("_failures.jsonl")).unwrap();
            let broken = (0..SAMPLES).filter(|index| index % 7 == 3).count();
            prop_assert_eq!(failures.lines().count(), broken);
        }
    }

    #[test]
    fn an_extraction_that_lacks_a_sample_is_not_finished() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PartFolder::open(dir.path()).unwrap();
        let tasks = tasks(4, NonZeroU64::new(2).unwrap(), &[], RetryFailed::Passing);
        let mut gathering = Gathering::new(folder, provenance(4, 2), RetryFailed::Passing, tasks);
        for index in [0, 1, 3] {
            gathering.take(deliver(index, false)).unwrap();
        }
        assert!(matches!(gathering.take(deliver(0, false)), Err(ExtractError::Misdelivery(_))));
        assert!(matches!(gathering.finish(), Err(ExtractError::Missing(SampleIndex(2)))));
    }
}
