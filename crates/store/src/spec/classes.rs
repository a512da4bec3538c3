//! The names of classes in their order, given by hand or in a file.

use std::fmt;
use std::str::FromStr;

use crate::site::{Site, SiteError};

/// Which classes there are, and in which order they are numbered: `classes=FILE` or `classes=cat+dog`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassList {
    /// The names themselves.
    Names(Vec<String>),
    /// A file that has them.
    File(Site),
}

/// Why a text is no list of classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassListError {
    /// The file is no place.
    #[error(transparent)]
    File(#[from] SiteError),
    /// A name is empty.
    #[error("{0:?} has a class without a name: give the names as a+b+c or a,b,c, or in a file")]
    Empty(String),
    /// A name is given twice.
    #[error("class {0:?} is given twice")]
    Twice(String),
}

// === impl ClassList ===

impl FromStr for ClassList {
    type Err = ClassListError;

    /// Names are parted by `,`, or where there is none by `+`. What has neither, or a slash, is a file.
    fn from_str(text: &str) -> Result<Self, ClassListError> {
        let mark = [',', '+'].into_iter().find(|&mark| text.contains(mark));
        let Some(mark) = mark.filter(|_| !text.contains('/')) else { return Ok(Self::File(text.parse()?)) };
        let names: Vec<String> = text.split(mark).map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            return Err(ClassListError::Empty(text.to_owned()));
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(ClassListError::Twice(twice[0].clone())),
            None => Ok(Self::Names(names)),
        }
    }
}

impl fmt::Display for ClassList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names(names) if names.iter().any(|name| name.contains('+')) => f.write_str(&names.join(",")),
            Self::Names(names) => f.write_str(&names.join("+")),
            Self::File(file) => fmt::Display::fmt(file, f),
        }
    }
}
