//! What a recipe is called.

use std::fmt;
use std::str::FromStr;

use crate::ids::{NameError, check_name};

/// What a recipe is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipeName(String);

// === impl RecipeName ===

impl RecipeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecipeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        check_name(name, "recipe")?;
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for RecipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
