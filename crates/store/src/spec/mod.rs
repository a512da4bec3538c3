//! A dataset as a setting names it: `NAME=URI[,option=value]…`.

mod classes;
mod options;
mod text;

use std::fmt;
use std::str::FromStr;

use headwater_types::{DatasetName, Partition};

use self::text::Parts;
use crate::location::{Location, LocationError};

pub use self::classes::{ClassList, ClassListError};
pub use self::options::{DatasetOptions, KeyRule, OptionError};

/// Where a dataset rests, and how it is read: `URI[,option=value]…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSource {
    /// Where it rests, and as what.
    pub location: Location,
    /// The part that is served, where the text says so.
    pub partition: Option<Partition>,
    /// How it is read.
    pub options: DatasetOptions,
}

/// A dataset with its name: `NAME=URI[,option=value]…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSpec {
    /// The name under which it is served.
    pub name: DatasetName,
    /// The dataset.
    pub source: DatasetSource,
}

/// Why a text names no dataset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// There is no `=`.
    #[error("{0:?} has no name: give NAME=URI")]
    NoName(String),
    /// The name is none.
    #[error("{0}")]
    Name(String),
    /// The place is none.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// An option is none, or not of this kind of dataset.
    #[error(transparent)]
    Option(#[from] OptionError),
}

// === impl DatasetSource ===

impl DatasetSource {
    /// A place that is read with no options.
    pub fn of(location: Location) -> Self {
        Self { location, partition: None, options: DatasetOptions::default() }
    }
}

impl FromStr for DatasetSource {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let parts = Parts::of(text)?;
        let mut source = Self::of(parts.place.parse()?);
        for (name, value) in &parts.options {
            match *name {
                "partition" => source.partition = Some(options::parsed(name, value)?),
                _ => source.options.set(name, value)?,
            }
        }
        if source.location.is_sure() {
            source.options.check(source.location.kind())?;
        }
        Ok(source)
    }
}

impl fmt::Display for DatasetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::place(&self.location.to_string(), f)?;
        if let Some(partition) = self.partition {
            text::option("partition", &partition.to_string(), f)?;
        }
        self.options.each().into_iter().try_for_each(|(name, value)| text::option(name, &value, f))
    }
}

// === impl DatasetSpec ===

impl FromStr for DatasetSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, source) = text.split_once('=').ok_or_else(|| SpecError::NoName(text.to_owned()))?;
        let name = name.parse().map_err(|error| SpecError::Name(format!("{error}")))?;
        Ok(Self { name, source: source.parse()? })
    }
}

impl fmt::Display for DatasetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.source)
    }
}

#[cfg(test)]
mod tests;
