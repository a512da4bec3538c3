//! Looking for a value: in memory, then on the SSD.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;

use headwater_policy::Tier;

use super::counters::Counter;
use super::error::NodeError;
use super::hold::Node;
use super::layout::{Row, State};
use super::sample::{SAMPLE_HEAD, SampleId, SampleLayout};

/// A value that was found.
#[derive(Debug)]
pub enum Found {
    /// In memory.
    InMemory(InMemory),
    /// On the SSD: the whole file, verified.
    OnSsd(Vec<u8>, SampleLayout),
}

/// A value in memory, to be read or mapped. It stays whole, whatever becomes of it in the cache.
#[derive(Debug)]
pub struct InMemory {
    file: File,
    length: usize,
    id: SampleId,
}

// === impl InMemory ===

impl InMemory {
    /// Bytes of the whole.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Reads the whole into memory of its length. `None` where that is no value of this sample.
    pub fn read(&self, bytes: &mut [u8]) -> Option<SampleLayout> {
        self.file.read_exact_at(bytes, 0).ok()?;
        SampleLayout::parse(bytes, self.length, self.id).ok()
    }

    /// Where its parts are, and the file, to be mapped.
    pub fn into_file(self) -> Option<(SampleLayout, File)> {
        let mut head = vec![0; SAMPLE_HEAD];
        self.file.read_exact_at(&mut head, 0).ok()?;
        head.resize(SampleLayout::head_length(&head)?, 0);
        self.file.read_exact_at(&mut head, 0).ok()?;
        Some((SampleLayout::parse(&head, self.length, self.id).ok()?, self.file))
    }
}

// === impl Node ===

impl Node {
    /// The value of a sample, wherever it is. Nothing is counted yet: see [`Self::hit`].
    pub fn find(&self, index: u64) -> Option<Found> {
        // A value that moves meanwhile is in one of them at some time, but for one that is promoted: whoever asks for
        // the lead next is told to wait for it.
        self.in_memory(index).map(Found::InMemory).or_else(|| self.on_ssd(index))
    }

    fn in_memory(&self, index: u64) -> Option<InMemory> {
        let found = self.tiers.memory.get(index).and_then(|file| {
            let Some(file) = file else { return Ok(None) };
            let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
            Ok(Some(InMemory { file, length, id: self.id(index) }))
        });
        found.unwrap_or_else(|error| {
            self.count(self.tiers.refused(Tier::Memory, "read from", &error, self.stamp()));
            None
        })
    }

    fn on_ssd(&self, index: u64) -> Option<Found> {
        let found = self.tiers.of(Tier::Ssd)?.get(index).and_then(|file| {
            let Some(mut file) = file else { return Ok(None) };
            let mut bytes = Vec::with_capacity(usize::try_from(file.metadata()?.len()).unwrap_or_default());
            file.read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        });
        match found {
            Ok(bytes) => {
                let bytes = bytes?;
                match SampleLayout::verify(&bytes, self.id(index)) {
                    Ok(layout) => Some(Found::OnSsd(bytes, layout)),
                    Err(error) => {
                        tracing::debug!(index, %error, "a value on the SSD is broken");
                        self.broken(index, Tier::Ssd);
                        None
                    }
                }
            }
            // Whatever it is, it may pass: the file stays.
            Err(error) => {
                self.count(self.tiers.refused(Tier::Ssd, "read from", &error, self.stamp()));
                None
            }
        }
    }

    /// A value was found and given: counts the access, and promotes what was on the SSD.
    ///
    /// # Errors
    /// What the system refuses: the value is good all the same.
    pub fn hit(&self, index: u64, on_ssd: Option<&[u8]>, waited: bool) -> Result<(), NodeError> {
        let counter = if on_ssd.is_some() { Counter::SsdHits } else { Counter::MemoryHits };
        match waited {
            true => self.count_all(&[counter, Counter::Coalesced]),
            false => self.count(counter),
        }
        self.used(index)?;
        on_ssd.map_or(Ok(()), |bytes| self.promote(index, bytes))
    }

    /// A value in memory or on the SSD is not what was put: counts and removes it.
    pub fn broken(&self, index: u64, tier: Tier) {
        self.count(Counter::Corrupt);
        if let Err(error) = self.drop_value(index, tier) {
            tracing::debug!(%error, index, "a broken value stays");
        }
    }

    fn drop_value(&self, index: u64, tier: Tier) -> Result<(), NodeError> {
        let Some(values) = self.tiers.of(tier) else { return Ok(()) };
        let mut books = self.books()?;
        let (row, _) = books.row(index)?;
        let is_there = match tier {
            Tier::Memory => row.state == State::Memory,
            Tier::Ssd => row.state == State::Ssd,
        };
        if !is_there {
            return Ok(());
        }
        books.begin()?;
        values.remove(index).map_err(NodeError::io("remove from", &values.path))?;
        books.change(index, &row, Row { state: State::Absent, length: 0, ..row })
    }
}
