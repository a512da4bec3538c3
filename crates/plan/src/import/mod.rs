//! SOPHON's own profiles: `prep_sizes.csv` and `prep_times.csv`, as its profiler writes them.
//!
//! ```text
//! index;raw;decoding;original_shape;RandomResizedCrop;RandomHorizontalFlip;ToTensor;Normalize;
//! 0;462687;1886241;(1024, 614);150561;150561;602145;602145;
//!
//! index,loader,decoding,RandomResizedCrop,RandomHorizontalFlip,ToTensor,Normalize,
//! 0,0.001000,0.008995,0.001757,0.000060,0.000450,0.000350,
//! ```
//!
//! Each file may have either separator; its header tells which. A separator may end a line. Columns are known by name
//! and may stand in any order; `original_shape` and `loader` may be missing, and are checked where they are there.
//! Sizes are taken as they are (SOPHON's are payload + 33 bytes but for `raw`), seconds too. The storage side's seconds
//! at a cut are the sum of the stages up to it, from `decoding`; the trainer's seconds are the sum of the stages behind
//! it. `loader` reads the file wherever the cut is, so neither sum has it.
//!
//! Invariant: what is read is exactly what is written there, or an error that says file, line and column.

mod error;
mod table;

pub use error::{ImportError, ImportFault, ImportFile};

use headwater_types::{Cut, Way, caps};

use crate::profile::{Cost, Profile, ProfileBuilder, SampleFacts, Server};
use crate::provenance::Provenance;
use table::{Field, Table};

/// The stages whose size and time are in the files, in order, with the cut behind each.
const STAGES: [(&str, Cut); 5] = [
    ("decoding", Cut::Decoded),
    ("RandomResizedCrop", Cut::Cropped),
    ("RandomHorizontalFlip", Cut::Flipped),
    ("ToTensor", Cut::Tensor),
    ("Normalize", Cut::Normalized),
];

/// What the server of an imported profile is called: the files name none.
pub const SERVER: &str = "storage";

/// Longest time of one stage: a quarter of what one sample may take, so that all five fit.
const MOST_SECONDS: f64 = 600.0;

/// Reads a profile from the contents of the two files. Samples are those of one server.
///
/// # Errors
/// [`ImportError`]: the first row or header that is wrong, short, out of order or not a number.
pub fn sophon(sizes: &[u8], times: &[u8], provenance: Provenance) -> Result<Profile, ImportError> {
    let mut sizes = Sizes::new(Table::new(ImportFile::Sizes, sizes)?)?;
    let mut times = Times::new(Table::new(ImportFile::Times, times)?)?;
    let samples = sizes.table.count_rows();
    if samples > caps::MAX_PROFILE_SAMPLES {
        return Err(sizes.table.error_at_header(ImportFault::TooMany(caps::MAX_PROFILE_SAMPLES)));
    }
    let server = Server {
        address: SERVER.to_owned(),
        digest: None,
        first: 0,
        samples,
        cpu_workers: None,
        devices: None,
        lacks: Vec::new(),
    };
    let mut ways = vec![Way::ENCODED];
    ways.extend(STAGES.map(|(_, cut)| Way::raw(cut)));
    let provenance = Provenance { measured: samples, ..provenance };
    let mut builder = ProfileBuilder::new(provenance, vec![server], ways).map_err(ImportError::Profile)?;
    let mut costs = [Cost::default(); STAGES.len() + 1];
    for index in 0..samples {
        let (Some(size), Some(time)) = (sizes.next(index)?, times.next(index)?) else {
            return Err(times.table.error_at_end(ImportFault::Missing { index, samples }));
        };
        for (cut, cost) in costs.iter_mut().enumerate() {
            cost.bytes = size.bytes[cut].into();
            // Left to right, as SOPHON adds: to the bit.
            cost.storage_seconds = time[..cut].iter().fold(0.0, |sum, seconds| sum + seconds);
            cost.trainer_seconds = time[cut..].iter().fold(0.0, |sum, seconds| sum + seconds);
        }
        let facts = SampleFacts { width: size.width, height: size.height, measured: true, key: None };
        builder.push(&facts, &costs).map_err(ImportError::Profile)?;
    }
    if times.next(samples)?.is_some() {
        return Err(times.table.error_at_row(ImportFault::Surplus { samples }));
    }
    builder.finish().map_err(ImportError::Profile)
}

/// The file `prep_sizes.csv`.
struct Sizes<'a> {
    table: Table<'a>,
    index: Field,
    bytes: [Field; STAGES.len() + 1],
    shape: Option<Field>,
}

/// A row of `prep_sizes.csv`.
struct Size {
    bytes: [u32; STAGES.len() + 1],
    height: Option<u32>,
    width: Option<u32>,
}

/// The file `prep_times.csv`.
struct Times<'a> {
    table: Table<'a>,
    index: Field,
    loader: Option<Field>,
    stages: [Field; STAGES.len()],
}

// === impl Sizes ===

impl<'a> Sizes<'a> {
    fn new(table: Table<'a>) -> Result<Self, ImportError> {
        let mut names = ["raw"; STAGES.len() + 1];
        names.iter_mut().skip(1).zip(STAGES).for_each(|(name, (stage, _))| *name = stage);
        table.only(&[&["index", "original_shape"], &names[..]].concat())?;
        Ok(Self {
            index: table.column("index")?,
            bytes: table.columns(names)?,
            shape: table.optional("original_shape"),
            table,
        })
    }

    fn next(&mut self, index: u64) -> Result<Option<Size>, ImportError> {
        let Some(row) = self.table.next_row()? else { return Ok(None) };
        row.expect_index(self.index, index)?;
        let mut bytes = [0; STAGES.len() + 1];
        for (bytes, field) in bytes.iter_mut().zip(self.bytes) {
            *bytes = row.bytes(field)?;
        }
        let (height, width) = self.shape.map(|field| row.shape(field)).transpose()?.unzip();
        Ok(Some(Size { bytes, height, width }))
    }
}

// === impl Times ===

impl<'a> Times<'a> {
    fn new(table: Table<'a>) -> Result<Self, ImportError> {
        let stages = STAGES.map(|(stage, _)| stage);
        table.only(&[&["index", "loader"], &stages[..]].concat())?;
        Ok(Self {
            index: table.column("index")?,
            loader: table.optional("loader"),
            stages: table.columns(stages)?,
            table,
        })
    }

    fn next(&mut self, index: u64) -> Result<Option<[f64; STAGES.len()]>, ImportError> {
        let Some(row) = self.table.next_row()? else { return Ok(None) };
        row.expect_index(self.index, index)?;
        self.loader.map(|field| row.seconds(field, MOST_SECONDS)).transpose()?;
        let mut seconds = [0.0; STAGES.len()];
        for (seconds, field) in seconds.iter_mut().zip(self.stages) {
            *seconds = row.seconds(field, MOST_SECONDS)?;
        }
        Ok(Some(seconds))
    }
}

#[cfg(test)]
mod tests;
