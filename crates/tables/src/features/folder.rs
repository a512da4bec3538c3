//! The folder that holds the parts: one tuner at a time, no leftovers, and only parts that are whole and belong
//! together.
//!
//! ```text
//! DIR/part-0000000000.parquet    the number is the first global index: names sort as the dataset does
//!     part-0000004096.parquet
//!     _failures.jsonl            which samples have no feature, and why; written when all parts are there
//!     _lock                      locked (flock) while a tuner works here
//!     .*.part                    a file that is being written; the next start removes what a killed tuner left
//! ```

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use headwater_cli::{Failures, OutputFolder};

use super::coverage::Present;
use super::error::{FolderError, PartError, at};
use super::file;
use super::footer::Footer;
use super::part::Part;
use super::paths::{entries, first_index, part_name, part_paths};
use super::provenance::FeatureProvenance;

const LOCK: &str = "_lock";
const FAILURES: &str = "_failures.jsonl";

/// A folder of parts that this process alone writes to.
#[derive(Debug)]
pub struct PartFolder {
    out: OutputFolder,
    /// Unlocked by the kernel when the process ends, however it ends.
    _lock: File,
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Files.
    pub parts: u64,
    /// Samples that came, failed samples included.
    pub samples: u64,
    /// Samples that failed, and why.
    pub failures: Failures,
}

// === impl PartFolder ===

impl PartFolder {
    /// Makes the folder where there is none, locks it, and removes what a killed tuner left half-written.
    ///
    /// # Errors
    /// [`FolderError`]: another tuner holds the lock, or the folder cannot be written to.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let out = OutputFolder::open("--out", path)?;
        let lock_path = path.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&lock_path)(error)),
        }
        Ok(Self { out, _lock: lock })
    }

    /// Removes every part.
    ///
    /// # Errors
    /// [`FolderError::Io`]: a part cannot be removed.
    pub fn clear(&self) -> Result<(), FolderError> {
        for (name, path) in entries(self.path())? {
            if first_index(&name).is_some() {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        self.out.path()
    }

    /// Sees that this many bytes more can be written, as far as the file system says.
    ///
    /// # Errors
    /// [`FolderError::Output`]: there is less space.
    pub fn need(&self, bytes: u64) -> Result<(), FolderError> {
        Ok(self.out.need(bytes)?)
    }

    /// Reads back every part. One that is torn, or answers for samples that another answers for already, is removed, so
    /// that its samples are missing and will be fetched; one of another dataset, model or recipe is an error. `None`
    /// once `stop` says so.
    pub fn survey(
        &self,
        provenance: &FeatureProvenance,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<Present>>, FolderError> {
        let mut present: Vec<Present> = Vec::new();
        for (first, path) in part_paths(self.path())? {
            if stop() {
                return Ok(None);
            }
            let problem = match file::read(&path) {
                Ok((theirs, part)) => {
                    if let Some((what, here, there)) = provenance.difference(&theirs) {
                        return Err(FolderError::Different { path, what, here, there });
                    }
                    let free_from = present.last().map_or(0, |last| last.range.end);
                    if part.range.start == first && free_from <= first && part.range.end <= provenance.samples {
                        let failed = part.failed.iter().map(|failed| (failed.index.0, failed.kind)).collect();
                        present.push(Present { range: part.range, failed, missing: part.missing });
                        continue;
                    }
                    format!("it answers for samples {:?}, which are not its own", part.range)
                }
                Err(PartError::Io(error)) => return Err(at(&path)(error)),
                Err(error) => error.to_string(),
            };
            tracing::warn!(part = %path.display(), problem, "dropping a part: its samples are extracted again");
            fs::remove_file(&path).map_err(at(&path))?;
        }
        Ok(Some(present))
    }

    /// Reads the part that begins at this index.
    ///
    /// # Errors
    /// [`FolderError::Part`]: it cannot be read.
    pub fn read(&self, first: u64) -> Result<Part, FolderError> {
        let path = self.part_path(first);
        match file::read(&path) {
            Ok((_, part)) => Ok(part),
            Err(error) => Err(FolderError::Part { path, error }),
        }
    }

    /// Writes a part, in place of one of the same first index.
    ///
    /// # Errors
    /// [`FolderError`]: it cannot be written.
    pub fn write(&self, provenance: &FeatureProvenance, part: &Part) -> Result<(), FolderError> {
        let name = part_name(part.range.start);
        match file::write(self.out.file(&name)?, provenance, part) {
            Ok(()) => Ok(()),
            Err(PartError::Output(error)) => Err(error.into()),
            Err(error) => Err(FolderError::Part { path: self.path().join(name), error }),
        }
    }

    /// Lists the failures of all parts in `_failures.jsonl`, and counts what is there.
    ///
    /// # Errors
    /// [`FolderError`]: a part cannot be read, or the list not be written.
    pub fn finish(&self) -> Result<Contents, FolderError> {
        self.out.file(FAILURES)?.write(|sink| {
            for path in part_paths(self.path())?.values() {
                for failure in &footer(path)?.failed {
                    serde_json::to_writer(&mut *sink, failure)?;
                    sink.write_all(b"\n")?;
                }
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        })?;
        self.contents()
    }

    /// Counts what is there.
    ///
    /// # Errors
    /// [`FolderError`]: a part cannot be read.
    pub fn contents(&self) -> Result<Contents, FolderError> {
        let mut contents = Contents::default();
        for path in part_paths(self.path())?.values() {
            let Footer { range, failed, missing, .. } = footer(path)?;
            contents.parts += 1;
            contents.samples += range.end - range.start - missing.len() as u64;
            for failure in &failed {
                contents.failures.add(failure.kind, failure.index, failure.key.as_deref());
            }
        }
        Ok(contents)
    }

    fn part_path(&self, first: u64) -> PathBuf {
        self.path().join(part_name(first))
    }
}

impl Drop for PartFolder {
    fn drop(&mut self) {
        // A folder into which nothing came is taken away again, and the lock is nothing.
        let lock = self.path().join(LOCK);
        if self.out.is_new() && entries(self.path()).is_ok_and(|entries| entries.iter().all(|(_, path)| *path == lock))
        {
            let _ = fs::remove_file(lock);
        }
    }
}

fn footer(path: &Path) -> Result<Footer, FolderError> {
    file::read_footer(path).map_err(|error| FolderError::Part { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::process::Command;

    use headwater_types::{Digest, FailureKind, SampleFailure, SampleIndex};

    use super::*;
    use crate::features::Assembly;
    use crate::features::provenance::tests::provenance;

    /// Samples of a range, every third of them broken.
    fn part(range: Range<u64>) -> Part {
        let mut assembly = Assembly::new(range.clone(), 1);
        for index in range {
            let key = format!("{index}").parse().unwrap();
            if index % 3 == 0 {
                let broken = SampleFailure::new(FailureKind::Malformed, "broken");
                assembly.fail(SampleIndex(index), Some(&key), &broken).unwrap();
            } else {
                assembly.fill(SampleIndex(index), key, None, &[index as f32]).unwrap();
            }
        }
        assembly.finish()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = entries(folder).unwrap().into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    fn ranges(folder: &PartFolder) -> Vec<Range<u64>> {
        let present = folder.survey(&provenance(10, 1), &mut || false).unwrap().unwrap();
        present.into_iter().map(|part| part.range).collect()
    }

    #[test]
    fn one_tuner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = PartFolder::open(dir.path()).unwrap();
        assert!(matches!(PartFolder::open(dir.path()), Err(FolderError::Locked(_))));
        drop(first);
        PartFolder::open(dir.path()).unwrap();
    }

    #[test]
    fn leftovers_go_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        PartFolder::open(dir.path()).unwrap().write(&provenance(10, 1), &part(0..4)).unwrap();
        for name in [".part-0000000004.parquet.ab12CD.part", "notes.part", "_mine.txt"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let folder = PartFolder::open(dir.path()).unwrap();
        assert_eq!(names(dir.path()), ["_lock", "_mine.txt", "notes.part", "part-0000000000.parquet"]);
        folder.clear().unwrap();
        assert_eq!(names(dir.path()), ["_lock", "_mine.txt", "notes.part"]);
    }

    #[test]
    fn a_folder_into_which_nothing_came_is_not_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("features");
        drop(PartFolder::open(&path).unwrap());
        assert!(!path.exists());
        PartFolder::open(&path).unwrap().write(&provenance(10, 1), &part(0..4)).unwrap();
        drop(PartFolder::open(&path).unwrap());
        assert_eq!(names(&path), ["_lock", "part-0000000000.parquet"]);
    }

    #[test]
    fn a_torn_a_misnamed_and_an_overlapping_part_are_missing_parts() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PartFolder::open(dir.path()).unwrap();
        for range in [0..4, 4..6, 6..8, 8..10] {
            folder.write(&provenance(10, 1), &part(range)).unwrap();
        }
        let torn = folder.part_path(4);
        fs::write(&torn, &fs::read(&torn).unwrap()[..200]).unwrap();
        fs::copy(folder.part_path(0), folder.part_path(5)).unwrap();
        folder.write(&provenance(10, 1), &part(2..4)).unwrap();
        assert_eq!(ranges(&folder), [0..4, 6..8, 8..10]);
        assert_eq!(part_paths(dir.path()).unwrap().len(), 3);
    }

    #[test]
    fn features_of_something_else_are_refused_by_name_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PartFolder::open(dir.path()).unwrap();
        let mut other = provenance(10, 1);
        other.model_digest = Digest::of(b"another model");
        folder.write(&other, &part(0..4)).unwrap();
        let error = folder.survey(&provenance(10, 1), &mut || false).unwrap_err();
        assert!(matches!(error, FolderError::Different { what: "model", .. }));
        assert!(error.to_string().contains("--overwrite"), "{error}");
        assert_eq!(names(dir.path()), ["_lock", "part-0000000000.parquet"]);
        fs::write(dir.path().join("mine.parquet"), "x").unwrap();
        assert!(matches!(folder.survey(&other, &mut || false), Err(FolderError::Foreign(_))));
    }

    #[test]
    fn failures_are_listed_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PartFolder::open(dir.path()).unwrap();
        for range in [0..4, 4..10] {
            folder.write(&provenance(10, 1), &part(range)).unwrap();
        }
        let contents = folder.finish().unwrap();
        assert_eq!((contents.parts, contents.samples, contents.failures.to_string().as_str()), (2, 10, "4 malformed"));
        let lines = fs::read_to_string(dir.path().join(FAILURES)).unwrap();
        assert_eq!(lines.lines().count(), 4);
        assert_eq!(lines.lines().last(), Some(r#"{"index":9,"key":"9","kind":"malformed","message":"broken"}"#));
    }

    /// An interpreter that has pyarrow; `None`, and a word about it, where there is none.
    fn python() -> Option<PathBuf> {
        let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
        let python = std::env::var_os("HEADWATER_PYTHON").map_or(venv, PathBuf::from);
        let has_pyarrow = Command::new(&python).args(["-c", "import pyarrow"]).output();
        let found = has_pyarrow.is_ok_and(|output| output.status.success());
        if !found {
            println!("skipped: {} has no pyarrow; name one that has in HEADWATER_PYTHON", python.display());
        }
        found.then_some(python)
    }

    #[test]
    fn pyarrow_reads_the_folder_as_one_table() {
        let Some(python) = python() else { return };
        let dir = tempfile::tempdir().unwrap();
        let folder = PartFolder::open(dir.path()).unwrap();
        let mut labelled = part(4..10);
        labelled.rows[0].label = Some(headwater_types::ClassId(2));
        folder.write(&provenance(10, 1), &part(0..4)).unwrap();
        folder.write(&provenance(10, 1), &labelled).unwrap();
        folder.finish().unwrap();
        let script = "import sys, json, pyarrow.parquet as pq; t = pq.read_table(sys.argv[1]); \
                      print(json.dumps([str(t.schema.types), t.to_pydict(), t.schema.field('feature').nullable, \
                      t.schema.metadata[b'headwater.model'].decode()]))";
        let output = Command::new(python).args(["-c", script]).arg(dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected = serde_json::json!([
            "[DataType(string), DataType(string), FixedSizeListType(fixed_size_list<item: float not null>[1])]",
            {
                "key": ["1", "2", "4", "5", "7", "8"],
                "label": [null, null, "emu", null, null, null],
                "feature": [[1.0], [2.0], [4.0], [5.0], [7.0], [8.0]],
            },
            false,
            "net",
        ]);
        assert_eq!(read, expected);
    }
}
