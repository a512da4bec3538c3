//! A plan as a file: a head in TOML, a line `---`, and a line for each run of samples that travel alike.
//!
//! ```text
//! format = "headwater-plan"
//! version = 1
//! algorithm = "optimal"
//! samples = 40000
//!
//! [prediction]
//! epoch = 103.4
//! ...
//! [inputs]
//! ...
//! ---
//! 0-17 encoded
//! 18 flipped+lossless
//! 19-39999 jpeg-crop
//! ```
//!
//! A plan is text, so that it can be read, compared and kept beside a training run's settings. It has a line for each
//! run, so that a plan that is mostly one way is short. An index for each sample of a million makes about 20 MB, read
//! in a tenth of a second.
//!
//! Invariant: what is read back is the plan that was written, to the bit; runs are in order, without a gap, and make up
//! `samples`.

use std::fmt;
use std::io;

use headwater_types::caps::{MAX_PLAN_BYTES, MAX_PLAN_HEAD_BYTES, MAX_PROFILE_SAMPLES};
use headwater_types::digest::Digester;
use headwater_types::way::WayError;
use headwater_types::{Digest, Way};
use serde::{Deserialize, Serialize};

use super::{Inputs, Plan};
use crate::algorithm::Algorithm;
use crate::prediction::Prediction;

/// The format's name, which the first line gives.
const FORMAT: &str = "headwater-plan";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// The line between head and body.
const RULE: &str = "---";

/// The head of a plan's text.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    algorithm: Algorithm,
    samples: u64,
    prediction: Prediction,
    inputs: Inputs,
}

/// The first two entries, which decide whether the others can be read.
#[derive(Deserialize)]
struct Stamp {
    format: String,
    version: u32,
}

/// Why text is not a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanFileError {
    /// The text is too long.
    #[error("it has {bytes} bytes, and a plan at most {most}")]
    TooLong {
        /// The number of bytes that the text has.
        bytes: usize,
        /// The most bytes that a plan may have.
        most: usize,
    },
    /// The line with this number is not UTF-8.
    #[error("line {0} is not text")]
    NotText(u64),
    /// No line separates the head from the samples.
    #[error(
        "it has no line {RULE} in its first {MAX_PLAN_HEAD_BYTES} bytes: a plan is a head in TOML, {RULE}, and a line for each run of samples"
    )]
    NoRule,
    /// The head is not TOML of a plan.
    #[error("its head is wrong: {0}")]
    Head(String),
    /// The text is something else, or a plan of another version.
    #[error("it is {format:?} version {version}, and this program reads {FORMAT:?} version {VERSION}")]
    Version {
        /// The format that the head names.
        format: String,
        /// The version that the head names.
        version: u32,
    },
    /// A line is no run of samples.
    #[error("line {line}: {text:?} is not a run of samples such as \"0-99 encoded\" or \"100 cropped\"")]
    Run {
        /// The number of the line, from 1, the head included.
        line: u64,
        /// The text of the line.
        text: String,
    },
    /// A line names a way that does not exist.
    #[error("line {line}: {error}")]
    Way {
        /// The number of the line, from 1, the head included.
        line: u64,
        /// What is wrong with it.
        error: WayError,
    },
    /// Runs leave a gap or overlap, or a run ends before it begins.
    #[error("line {line}: sample {expected} should follow, and {given} does: every sample is in one run, in order")]
    Order {
        /// The number of the line, from 1, the head included.
        line: u64,
        /// The index that should follow.
        expected: u64,
        /// The index that follows.
        given: u64,
    },
    /// The runs have more or fewer samples than the head says.
    #[error("its runs have {given} samples, and its head says {expected}")]
    Samples {
        /// The number of samples in the head.
        expected: u64,
        /// The number of samples in the runs.
        given: u64,
    },
    /// The head has numbers that no prediction has, or servers that do not fit.
    #[error("its head is wrong: {0}")]
    Content(&'static str),
}

// === impl Plan ===

impl Plan {
    /// The plan as text; this module says how it is written.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // A String takes whatever is written.
        let _ = self.write_text(&mut text);
        text
    }

    /// Writes the plan's text.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: &mut impl io::Write) -> io::Result<()> {
        struct Adapter<'w, W> {
            writer: &'w mut W,
            error: Option<io::Error>,
        }
        impl<W: io::Write> fmt::Write for Adapter<'_, W> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.writer.write_all(text.as_bytes()).map_err(|error| {
                    self.error = Some(error);
                    fmt::Error
                })
            }
        }
        let mut adapter = Adapter { writer, error: None };
        match self.write_text(&mut adapter) {
            Ok(()) => Ok(()),
            Err(fmt::Error) => Err(adapter.error.unwrap_or_else(|| io::Error::other("a plan cannot be written"))),
        }
    }

    /// The BLAKE3 digest of the plan's text.
    pub fn digest(&self) -> Digest {
        struct Adapter(Digester);
        impl fmt::Write for Adapter {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text.as_bytes());
                Ok(())
            }
        }
        let mut adapter = Adapter(Digester::default());
        let _ = self.write_text(&mut adapter);
        adapter.0.finish()
    }

    /// Reads a plan's text.
    ///
    /// # Errors
    /// [`PlanFileError`]: what is wrong, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanFileError> {
        if bytes.len() > MAX_PLAN_BYTES {
            return Err(PlanFileError::TooLong { bytes: bytes.len(), most: MAX_PLAN_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            PlanFileError::NotText(before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1)
        })?;
        let (head_text, body) = divide(text).ok_or(PlanFileError::NoRule)?;
        let head = parse_head(head_text)?;
        let first_line = head_text.lines().count() as u64 + 2;
        let (ways, choices) = parse_body(body, first_line, head.samples)?;
        let Head { algorithm, prediction, inputs, .. } = head;
        if ways.contains(&Way::FEATURES) && inputs.model_digest.is_none() {
            return Err(PlanFileError::Content("it has features of no model"));
        }
        Self::new(algorithm, inputs, prediction, ways, choices)
            .map_err(|_| PlanFileError::Content("its ways do not fit its choices"))
    }

    fn write_text(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            algorithm: self.algorithm,
            samples: self.len() as u64,
            prediction: self.prediction.clone(),
            inputs: self.inputs.clone(),
        };
        out.write_str(&toml::to_string(&head).map_err(|_| fmt::Error)?)?;
        writeln!(out, "{RULE}")?;
        let mut first = 0;
        for run in self.choices.chunk_by(|a, b| a == b) {
            let (last, way) = (first + run.len() - 1, self.ways[usize::from(run[0])]);
            if first == last {
                writeln!(out, "{first} {way}")?;
            } else {
                writeln!(out, "{first}-{last} {way}")?;
            }
            first = last + 1;
        }
        Ok(())
    }
}

/// Head and body, without the line between them.
fn divide(text: &str) -> Option<(&str, &str)> {
    let mut begin = 0;
    while begin <= MAX_PLAN_HEAD_BYTES {
        let rest = &text[begin..];
        let end = rest.find('\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        if line.trim_end() == RULE {
            return Some((&text[..begin], end.map_or("", |end| &rest[end + 1..])));
        }
        begin += end? + 1;
    }
    None
}

fn parse_head(text: &str) -> Result<Head, PlanFileError> {
    let wrong = |error: toml::de::Error| PlanFileError::Head(error.message().chars().take(300).collect());
    let Stamp { format, version } = toml::from_str(text).map_err(wrong)?;
    if format != FORMAT || version != VERSION {
        return Err(PlanFileError::Version { format: format.chars().take(64).collect(), version });
    }
    let head: Head = toml::from_str(text).map_err(wrong)?;
    if head.samples > MAX_PROFILE_SAMPLES {
        return Err(PlanFileError::Content("it has more samples than a plan may have"));
    }
    let Prediction { epoch, bound, gap, resources, .. } = &head.prediction;
    let times = resources.iter().flat_map(|time| [time.seconds, time.price]);
    if times.chain([*epoch, *bound]).any(|value| !(value.is_finite() && value >= 0.0)) || gap.is_nan() || *gap < 0.0 {
        return Err(PlanFileError::Content("a number of its prediction is negative or none"));
    }
    let Inputs { resources, servers, .. } = &head.inputs;
    if resources.servers.len() != servers.len() {
        return Err(PlanFileError::Content("its servers are not those of its resources"));
    }
    let mut end = 0;
    for server in servers {
        if server.first != end || server.end() > head.samples {
            return Err(PlanFileError::Content("its servers' samples do not follow each other"));
        }
        end = server.end();
    }
    if end != head.samples {
        return Err(PlanFileError::Content("its servers have not as many samples as it says"));
    }
    Ok(head)
}

fn parse_body(body: &str, first_line: u64, samples: u64) -> Result<(Vec<Way>, Vec<u8>), PlanFileError> {
    // What the head claims is not yet memory.
    let (mut ways, mut choices) = (Vec::new(), Vec::with_capacity(samples.min(1 << 20) as usize));
    for (line, text) in (first_line..).zip(body.lines()) {
        let wrong = || PlanFileError::Run { line, text: text.chars().take(64).collect() };
        let (run, way) = text.trim_end().split_once(' ').ok_or_else(wrong)?;
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last) = (number(first).ok_or_else(wrong)?, number(last).ok_or_else(wrong)?);
        let expected = choices.len() as u64;
        if first != expected || last < first {
            return Err(PlanFileError::Order { line, expected, given: if first == expected { last } else { first } });
        }
        if last >= samples {
            return Err(PlanFileError::Samples { expected: samples, given: last.saturating_add(1) });
        }
        let way: Way = way.parse().map_err(|error| PlanFileError::Way { line, error })?;
        let choice = ways.iter().position(|known| *known == way).unwrap_or_else(|| {
            ways.push(way);
            ways.len() - 1
        });
        // There are eleven ways, and at most as many samples as fit in memory.
        choices.resize(last as usize + 1, choice as u8);
    }
    let given = choices.len() as u64;
    if given != samples {
        return Err(PlanFileError::Samples { expected: samples, given });
    }
    Ok((ways, choices))
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
