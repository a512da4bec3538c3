//! What can be wrong with settings. Every message names the flag, variable, or file and key to change.

use std::io;
use std::path::PathBuf;

use headwater_types::ByteCount;

use super::one_line::in_one_line;

/// Why settings could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A mistake on the command line, or a request for help: clap has the words and the exit code.
    #[error(transparent)]
    Usage(Box<clap::Error>),
    /// The file could not be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than any configuration.
    #[error("the configuration file {} is longer than {limit}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The longest that is read.
        limit: ByteCount,
    },
    /// The file is not TOML.
    #[error("{}:{line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line of the file, counted from 1.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// The file has a key that no setting has.
    #[error(
        "{}:{line}: unknown key `{key}`{}",
        path.display(), nearest.as_ref().map(|key| format!("; did you mean `{key}`?")).unwrap_or_default()
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line of the file, counted from 1.
        line: usize,
        /// The key, with its table.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A value in the file is of the wrong TOML type.
    #[error("{}:{line}: key `{key}` takes {expected}, not {found}", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The line of the file, counted from 1.
        line: usize,
        /// The key, with its table.
        key: String,
        /// The TOML type that the key takes.
        expected: &'static str,
        /// The TOML type that is there.
        found: &'static str,
    },
    /// The setting's own parser refuses the value.
    #[error("{origin}{problem}")]
    Value {
        /// The flag, the variable, or the file, line and key.
        origin: String,
        /// What is wrong with the value, as ` must be ...` or `: ...`; secrets are left out.
        problem: String,
    },
    /// There is more than one mistake.
    #[error("{} mistakes in the settings", .0.len())]
    Several(Vec<SettingsError>),
}

// === impl SettingsError ===

impl SettingsError {
    /// One mistake as itself, more as [`SettingsError::Several`]; `None` where there is none.
    pub(super) fn of(mut mistakes: Vec<Self>) -> Option<Self> {
        match mistakes.len() {
            0 | 1 => mistakes.pop(),
            _ => Some(Self::Several(mistakes)),
        }
    }

    /// For a refusal that names nothing.
    pub(super) fn unexplained() -> Self {
        Self::Usage(Box::new(clap::Error::new(clap::error::ErrorKind::InvalidValue)))
    }

    /// Each mistake in words.
    pub fn each(&self) -> Vec<String> {
        match self {
            Self::Several(mistakes) => mistakes.iter().flat_map(Self::each).collect(),
            Self::Usage(error) => vec![in_one_line(error)],
            Self::Read { source, .. } => vec![format!("{self}: {source}")],
            other => vec![other.to_string()],
        }
    }
}
