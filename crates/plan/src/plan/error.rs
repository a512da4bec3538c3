//! Why text is not a plan.

use headwater_types::caps::MAX_PLAN_HEAD_BYTES;
use headwater_types::way::WayError;

/// The format that a head names.
pub(super) const FORMAT: &str = "headwater-plan";
/// The version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;
/// The line between head and runs.
pub(super) const RULE: &str = "---";

/// Why text is not a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanFileError {
    /// The text is longer than any plan.
    #[error("it has {bytes} bytes, and a plan at most {most}")]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// Bytes of the longest plan.
        most: usize,
    },
    /// A line, counted from 1, is not UTF-8.
    #[error("line {0} is not text")]
    NotText(u64),
    /// No line stands between the head and the samples.
    #[error(
        "it has no line {RULE} in its first {MAX_PLAN_HEAD_BYTES} bytes: a plan is a head in TOML, {RULE}, and a \
         line for each run of samples"
    )]
    NoRule,
    /// The head is not TOML, or not what a head holds.
    #[error("its head is wrong: {0}")]
    Head(String),
    /// The text is something else, or a plan of another version.
    #[error("it is {format:?} version {version}, and this program reads {FORMAT:?} version {VERSION}")]
    Version {
        /// The format that the text says.
        format: String,
        /// The version that the text says.
        version: u32,
    },
    /// A line is no run of samples.
    #[error("line {line}: {text:?} is not a run of samples such as \"0-99 encoded\" or \"100 cropped\"")]
    Run {
        /// The line, counted from 1, the head included.
        line: u64,
        /// The beginning of the line.
        text: String,
    },
    /// A line names no way.
    #[error("line {line}: {error}")]
    Way {
        /// The line, counted from 1, the head included.
        line: u64,
        /// What is wrong with the way.
        error: WayError,
    },
    /// Runs leave a gap or overlap, or a run ends before it begins.
    #[error("line {line}: sample {expected} should follow, and {given} does: every sample is in one run, in order")]
    Order {
        /// The line, counted from 1, the head included.
        line: u64,
        /// The sample that should follow.
        expected: u64,
        /// The sample that does follow.
        given: u64,
    },
    /// The runs have more or fewer samples than the head says.
    #[error("its runs have {given} samples, and its head says {expected}")]
    Samples {
        /// Samples that the head says.
        expected: u64,
        /// Samples of the runs.
        given: u64,
    },
    /// The head has numbers that no prediction has, or servers that do not fit.
    #[error("its head is wrong: {0}")]
    Content(&'static str),
}
