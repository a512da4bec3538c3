//! What is right about the parts that servers serve, but worth a word.

use std::fmt;

use crate::parts::holders::Missing;
use headwater_discovery::ServerAddress;

/// What is right, but worth a word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Remark {
    /// The dataset lacks parts, as its reader has allowed.
    Partial(Missing),
    /// Two servers have some photos in common.
    Shared { first: ServerAddress, second: ServerAddress, shared: f64 },
}

// === impl Remark ===

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partial(missing) => write!(f, "going on with a part of the dataset, as was asked for: {missing}"),
            Self::Shared { first, second, shared } => {
                let percent = (shared * 100.0).ceil();
                write!(
                    f,
                    "servers {first} and {second} have some photos of the same name and size, about {percent} %: "
                )?;
                f.write_str("if they are the same photos, those come twice")
            }
        }
    }
}
