//! `profiler import`: profiles that other programs measured.

mod args;

pub(crate) use args::{ImportArgs, ImportSource, SophonArgs};

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use headwater_cli::input::read_at_most;
use headwater_cli::outputs::Written;
use headwater_cli::{Outcome, OutputFile, Outputs};
use headwater_pilot::{hostname, now_rfc3339};
use headwater_plan::import::{self, ImportError, ImportFile};
use headwater_plan::{Profile, Provenance, Source, SourceFile};
use headwater_types::Digest;
use serde::Serialize;

/// Most bytes of one imported file: a row has about 70.
const MOST_BYTES: u64 = 8 << 30;

/// What was imported.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    /// Where it was written.
    out: String,
    digest: Digest,
    samples: usize,
    ways: Vec<String>,
    /// Bytes if no sample is offloaded.
    encoded_bytes: u64,
}

/// Opens the file that the profile goes to.
pub(crate) fn output(args: &SophonArgs) -> anyhow::Result<OutputFile> {
    let mut outputs = Outputs::new().reading("--sizes", Some(&args.sizes)).reading("--times", Some(&args.times));
    Ok(outputs.file("--out", &args.out)?)
}

/// Reads SOPHON's two files as a profile.
pub(crate) fn read_sophon(args: &SophonArgs) -> anyhow::Result<Profile> {
    let (sizes, times) = (read(&args.sizes)?, read(&args.times)?);
    let files = vec![file(&args.sizes, &sizes), file(&args.times, &times)];
    let provenance =
        Provenance { files, ..Provenance::new(Source::Sophon, now_rfc3339(), hostname(), env!("CARGO_PKG_VERSION")) };
    import::sophon(&sizes, &times, provenance).map_err(|error| at_path(args, error))
}

/// Writes it.
pub(crate) fn write(output: OutputFile, profile: &Profile) -> anyhow::Result<Outcome<Imported>> {
    let Written { path, fault } = headwater_tables::profile::write(output, profile)?;
    Ok(Outcome::of(Imported::new(&path, profile), fault.map_or(Ok(()), Err)))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = read_at_most(path, MOST_BYTES).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("{} has more than {MOST_BYTES} bytes: import parts of it", path.display());
    }
    Ok(bytes)
}

fn file(path: &Path, bytes: &[u8]) -> SourceFile {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    SourceFile { name, digest: Digest::of(bytes) }
}

/// `PATH:LINE:COLUMN: what is wrong`, as compilers say it and editors follow it.
fn at_path(args: &SophonArgs, error: ImportError) -> anyhow::Error {
    match error {
        ImportError::File { file, line, column, fault } => {
            let path = match file {
                ImportFile::Sizes => &args.sizes,
                ImportFile::Times => &args.times,
            };
            anyhow!("{}:{line}:{column}: {fault}", path.display())
        }
        ImportError::Profile(error) => anyhow!(error).context("the two files are no profile"),
    }
}

// === impl Imported ===

impl Imported {
    fn new(out: &Path, profile: &Profile) -> Self {
        let encoded = (0..profile.len()).filter_map(|index| profile.cost(index, 0));
        Self {
            out: out.display().to_string(),
            digest: profile.digest(),
            samples: profile.len(),
            ways: profile.ways().iter().map(ToString::to_string).collect(),
            encoded_bytes: encoded.map(|cost| cost.bytes).sum(),
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { out, digest, samples, ways, .. } = self;
        write!(f, "{out}: {samples} samples at {}; digest {}", ways.join(", "), digest.short())
    }
}
