//! What is made of a dataset once and kept in a folder of the server's own: indices of archives, whole catalogs.
//!
//! ```text
//! FOLDER/NAME (64 hexadecimal digits):  "hw-kept1" | length u64 | bytes | BLAKE3 of the bytes, 32
//! ```
//!
//! Numbers are little endian. Invariants: what is given back is what was put, to the bit, or nothing; a name stands for
//! one content, so that whoever keeps something names it by all that it was made from; nothing here is an error: what
//! cannot be kept is made again at the next start, and a warning says why.

mod reader;
mod writer;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use headwater_types::Digest;
use headwater_types::digest::Digester;
use tracing::warn;

use crate::apart::Apart;

pub(crate) use reader::{Reader, damaged};
pub(crate) use writer::Writer;

/// A folder of things that are kept, or none.
#[derive(Clone, Debug, Default)]
pub struct Kept(Option<Apart>);

/// Something kept, while it is read. What was read counts only once [`Reading::finish`] says so.
pub(crate) struct Reading {
    file: BufReader<File>,
    /// Bytes that are still to be read.
    left: u64,
    digester: Digester,
}

/// Something that is to be kept, while it is written.
pub(crate) struct Writing {
    file: BufWriter<File>,
    written: u64,
    digester: Digester,
}

const MAGIC: &[u8; 8] = b"hw-kept1";
/// Bytes of a file beside what is kept in it.
const FRAME: u64 = 8 + 8 + 32;
/// What stands at the end of a file's name until the file is whole.
const UNFINISHED: &str = ".new";
/// A file that was not finished for so long never will be.
const ABANDONED: Duration = Duration::from_secs(3600);
/// Bytes that are read or written at once.
const BUFFER: usize = 1 << 20;

// === impl Kept ===

impl Kept {
    /// Keeps nothing.
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Keeps things in this folder, which is made when there is a first one.
    pub fn at(folder: Apart) -> Self {
        Self(Some(folder))
    }

    /// Whether things are kept at all.
    pub fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// What is kept under this name. Something damaged is told of, removed, and counts as absent.
    pub fn get(&self, name: &Digest) -> Option<Vec<u8>> {
        self.read(name, |reading| {
            let mut bytes = Vec::with_capacity(usize::try_from(reading.left).map_err(io::Error::other)?);
            reading.read_to_end(&mut bytes).map(|_| bytes)
        })
    }

    /// Keeps these bytes under this name, whole or not at all. A failure is a warning.
    pub fn put(&self, name: &Digest, bytes: &[u8]) {
        self.write(name, |writing| writing.write_all(bytes));
    }

    /// A folder in this one, for things of one kind, which are then swept by themselves.
    pub(crate) fn within(&self, name: &str) -> Self {
        Self(self.0.as_ref().map(|folder| folder.within(name)))
    }

    /// Removes all but the youngest.
    pub(crate) fn sweep_to(&self, most: usize) {
        self.sweep_beside(&HashSet::new(), most);
    }

    /// Removes all that has none of these names, but for the youngest of it.
    pub(crate) fn sweep_beside(&self, needed: &HashSet<Digest>, most_others: usize) {
        let Some(entries) = self.0.as_ref().and_then(|folder| fs::read_dir(folder.path()).ok()) else { return };
        let named = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().to_str()?.parse().ok().filter(|name| !needed.contains(name))?;
            Some((entry.metadata().ok()?.modified().ok()?, name))
        });
        let mut others: Vec<(SystemTime, Digest)> = named.collect();
        others.sort_unstable_by(|a, b| b.cmp(a));
        let others = others.into_iter().take(most_others).map(|(_, name)| name);
        self.sweep(&needed.iter().copied().chain(others).collect());
    }

    /// Removes all that has none of these names.
    fn sweep(&self, keep: &HashSet<Digest>) {
        let Some(folder) = &self.0 else { return };
        let is_kept = |name: &str| name.parse().is_ok_and(|name| keep.contains(&name));
        let Ok(entries) = fs::read_dir(folder.path()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_gone = match name.to_str() {
                Some(name) if name.ends_with(UNFINISHED) => is_abandoned(&entry.path()),
                Some(name) => name.parse::<Digest>().is_ok() && !is_kept(name),
                None => false,
            };
            if is_gone {
                remove(&entry.path());
            }
        }
    }

    /// Reads what is kept under this name with `read`, which takes all of it.
    pub(crate) fn read<T>(&self, name: &Digest, read: impl FnOnce(&mut Reading) -> io::Result<T>) -> Option<T> {
        let path = self.path(name)?;
        let read = Reading::open(&path).and_then(|mut reading| {
            let made = read(&mut reading)?;
            reading.finish().map(|()| made)
        });
        match read {
            Ok(made) => Some(made),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                warn!(path = %path.display(), %error, "what was kept cannot be used and is made again");
                remove(&path);
                None
            }
        }
    }

    /// Keeps under this name what `write` writes.
    pub(crate) fn write(&self, name: &Digest, write: impl FnOnce(&mut Writing) -> io::Result<()>) {
        let Some(path) = self.path(name) else { return };
        static UNIQUE: AtomicU64 = AtomicU64::new(0);
        let number = UNIQUE.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_extension(format!("{}.{number}{UNFINISHED}", std::process::id()));
        let written = Writing::create(&unfinished).and_then(|mut writing| {
            write(&mut writing)?;
            writing.finish()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&unfinished, &path)) {
            warn!(path = %path.display(), %error, "nothing is kept for the next start, which makes it again");
            remove(&unfinished);
        }
    }

    fn path(&self, name: &Digest) -> Option<PathBuf> {
        Some(self.0.as_ref()?.path().join(name.to_string()))
    }
}

// === impl Reading ===

impl Reading {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut file = BufReader::with_capacity(BUFFER, file);
        let (mut magic, mut length) = ([0; 8], [0; 8]);
        file.read_exact(&mut magic)?;
        file.read_exact(&mut length)?;
        let left = u64::from_le_bytes(length);
        if magic != *MAGIC || left.checked_add(FRAME) != Some(size) {
            return Err(damaged("it is cut off, or no file of this kind"));
        }
        Ok(Self { file, left, digester: Digester::default() })
    }

    /// Bytes that are still to be read.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Whether all was read, and is what was written.
    fn finish(mut self) -> io::Result<()> {
        let mut digest = [0; 32];
        self.file.read_exact(&mut digest)?;
        let is_same = self.left == 0 && *self.digester.finish().as_bytes() == digest;
        if is_same { Ok(()) } else { Err(damaged("its bytes are not those that were written")) }
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.digester.update(&buffer[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}

// === impl Writing ===

impl Writing {
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::with_capacity(BUFFER, File::create(path)?);
        file.write_all(MAGIC)?;
        // The length is written once it is known.
        file.write_all(&[0; 8])?;
        Ok(Self { file, written: 0, digester: Digester::default() })
    }

    fn finish(mut self) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        self.file.write_all(self.digester.finish().as_bytes())?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.write_all_at(&self.written.to_le_bytes(), MAGIC.len() as u64)
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digester.update(&bytes[..written]);
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn is_abandoned(path: &Path) -> bool {
    let age = fs::metadata(path).and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > ABANDONED)
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %error, "cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn kept(root: &TempDir) -> Kept {
        Kept::at(Apart::from(&"s3://photos".parse().unwrap(), "--state", root.path().join("kept")).unwrap())
    }

    #[test]
    fn what_is_put_is_there_for_everybody_until_it_is_swept() {
        let root = TempDir::new().unwrap();
        let names = [Digest::of(b"one"), Digest::of(b"two")];
        assert_eq!(kept(&root).get(&names[0]), None);
        kept(&root).put(&names[0], b"first");
        kept(&root).put(&names[0], b"again");
        kept(&root).put(&names[1], b"");
        fs::write(root.path().join("kept/notes.txt"), b"somebody's").unwrap();
        assert_eq!(names.map(|name| kept(&root).get(&name)), [Some(b"again".to_vec()), Some(Vec::new())]);
        kept(&root).sweep_beside(&HashSet::from([names[1]]), 0);
        assert_eq!(names.map(|name| kept(&root).get(&name)), [None, Some(Vec::new())]);
        assert_eq!(fs::read_dir(root.path().join("kept")).unwrap().count(), 2, "what is not ours stays");
        Kept::nowhere().put(&names[0], b"x");
        assert_eq!(Kept::nowhere().get(&names[0]), None);
    }

    #[test]
    fn whatever_bit_of_it_is_damaged_it_counts_as_absent_and_is_replaced() {
        let root = TempDir::new().unwrap();
        let (kept, name) = (kept(&root), Digest::of(b"one"));
        let path = root.path().join("kept").join(name.to_string());
        kept.put(&name, b"content");
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            for bad in [&bad[..], &good[..at]] {
                fs::write(&path, bad).unwrap();
                assert_eq!(kept.get(&name), None, "byte {at}");
                assert!(!path.exists());
            }
        }
        kept.put(&name, b"content");
        assert_eq!(kept.get(&name).as_deref(), Some(&b"content"[..]));
    }

    #[test]
    fn a_folder_that_cannot_be_written_keeps_nothing_and_is_no_error() {
        let root = TempDir::new().unwrap();
        fs::write(root.path().join("kept"), b"a file").unwrap();
        let name = Digest::of(b"one");
        kept(&root).put(&name, b"content");
        assert_eq!(kept(&root).get(&name), None);
    }
}
