//! The log that lost: segments of frames, an index in memory, compaction.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use headwater_cache::{Entry, EntryKey, Frame};
use headwater_types::Digest;

const SEGMENT: u64 = 8 << 20;

/// Where an entry's frame is.
#[derive(Clone, Copy)]
struct Place {
    segment: usize,
    at: u64,
    length: u64,
}

struct Segment {
    file: File,
    path: PathBuf,
    bytes: u64,
    live: u64,
}

/// A log.
pub(crate) struct Log {
    folder: PathBuf,
    segments: Vec<Option<Segment>>,
    index: HashMap<Digest, Place>,
    number: usize,
}

// === impl Log ===

impl Log {
    pub(crate) fn open(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut log = Self { folder: folder.to_owned(), segments: Vec::new(), index: HashMap::new(), number: 0 };
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            log.read(path);
        }
        log.number = log.segments.len() * 2;
        log.begin();
        log
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn put(&mut self, key: &EntryKey, entry: &Entry) {
        let (Entry::Bytes(payload) | Entry::Refused(payload)) = entry;
        let frame = [Frame::seal(key, entry).as_bytes(), payload].concat();
        self.append(*key.digest(), &frame);
    }

    pub(crate) fn get(&self, key: &EntryKey) -> Option<Entry> {
        let place = self.index.get(key.digest())?;
        let mut frame = vec![0; place.length as usize];
        self.segments[place.segment].as_ref()?.file.read_exact_at(&mut frame, place.at).unwrap();
        Frame::open(frame.into(), key).ok()
    }

    pub(crate) fn remove(&mut self, key: &EntryKey) {
        let Some(place) = self.index.remove(key.digest()) else { return };
        let segment = self.segments[place.segment].as_mut().unwrap();
        segment.live -= place.length;
        if segment.live * 2 < segment.bytes && place.segment + 1 < self.segments.len() {
            self.compact(place.segment);
        }
    }

    /// Writes the index of the open segment.
    pub(crate) fn close(&mut self) {
        let segment = self.segments.len() - 1;
        let mut footer = Vec::new();
        for (digest, place) in self.index.iter().filter(|(_, place)| place.segment == segment) {
            footer.extend_from_slice(digest.as_bytes());
            footer.extend_from_slice(&place.at.to_le_bytes());
            footer.extend_from_slice(&place.length.to_le_bytes());
        }
        let count = footer.len() as u64;
        footer.extend_from_slice(&count.to_le_bytes());
        let open = self.segments[segment].as_mut().unwrap();
        open.file.write_all_at(&footer, open.bytes).unwrap();
    }

    fn append(&mut self, digest: Digest, frame: &[u8]) {
        let open = self.segments.last_mut().unwrap().as_mut().unwrap();
        let place = Place { segment: 0, at: open.bytes, length: frame.len() as u64 };
        open.file.write_all_at(frame, open.bytes).unwrap();
        open.bytes += place.length;
        open.live += place.length;
        let is_full = open.bytes >= SEGMENT;
        self.index.insert(digest, Place { segment: self.segments.len() - 1, ..place });
        if is_full {
            self.close();
            self.begin();
        }
    }

    fn begin(&mut self) {
        let path = self.folder.join(format!("{:08}", self.number));
        self.number += 1;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        self.segments.push(Some(Segment { file, path, bytes: 0, live: 0 }));
    }

    fn compact(&mut self, segment: usize) {
        let old = self.segments[segment].take().unwrap();
        let alive: Vec<_> =
            self.index.iter().filter(|(_, place)| place.segment == segment).map(|(d, p)| (*d, *p)).collect();
        for (digest, place) in alive {
            let mut frame = vec![0; place.length as usize];
            old.file.read_exact_at(&mut frame, place.at).unwrap();
            self.append(digest, &frame);
        }
        std::fs::remove_file(old.path).unwrap();
    }

    fn read(&mut self, path: PathBuf) {
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        let mut count = [0; 8];
        if length < 8 {
            return;
        }
        file.read_exact_at(&mut count, length - 8).unwrap();
        let footer = u64::from_le_bytes(count);
        let mut entries = vec![0; footer as usize];
        file.read_exact_at(&mut entries, length - 8 - footer).unwrap();
        let segment = self.segments.len();
        for entry in entries.as_chunks::<48>().0 {
            let number = |at: usize| u64::from_le_bytes(*entry[at..].first_chunk().unwrap());
            let text: String = entry[..32].iter().map(|byte| format!("{byte:02x}")).collect();
            self.index.insert(text.parse().unwrap(), Place { segment, at: number(32), length: number(40) });
        }
        let bytes = length - 8 - footer;
        self.segments.push(Some(Segment { file, path, bytes, live: bytes }));
    }
}
