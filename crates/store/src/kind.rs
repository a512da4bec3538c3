//! The kinds of dataset: how photos are kept in a place.

use std::fmt;
use std::str::FromStr;

/// How a dataset keeps its photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Each photo a file or an object, and the first-level folders the classes.
    Folder,
    /// Tar files of photos and what belongs to each, as WebDataset writes them.
    Tar,
    /// Parquet files with a column of encoded photos, as Hugging Face's `datasets` writes them.
    Parquet,
    /// IDX files of pixels, as MNIST's.
    Idx,
    /// NumPy files of pixels.
    Npy,
}

/// A kind that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of dataset {0:?}: kinds are {all}", all = headwater_types::shown::listed(Kind::ALL, "and"))]
pub struct KindError(pub String);

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Folder, Self::Tar, Self::Parquet, Self::Idx, Self::Npy];

    /// The kind's name, as in `tar:PATH`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Tar => "tar",
            Self::Parquet => "parquet",
            Self::Idx => "idx",
            Self::Npy => "npy",
        }
    }

    /// The kind of the file or object that has this name or key; `None` where it is no shard of any kind.
    pub fn of_shard(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.has_shard(name))
    }

    /// Whether a file or object of this name or key is a shard of this kind, in any case of its letters.
    pub fn has_shard(self, name: &str) -> bool {
        let name = name.rsplit_once('/').map_or(name, |(_, name)| name).to_ascii_lowercase();
        let ends = |suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
        match self {
            Self::Folder => false,
            Self::Tar => ends(".tar"),
            Self::Parquet => ends(".parquet"),
            Self::Npy => ends(".npy"),
            Self::Idx => is_idx(name.strip_suffix(".gz").unwrap_or(&name)),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(name: &str) -> Result<Self, KindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| KindError(name.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a file of this name has photos by the naming of MNIST: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`.
/// The files of one dimension, `-idx1-`, are labels.
fn is_idx(name: &str) -> bool {
    let dimensions = ["3", "4"].into_iter();
    let mut forms = dimensions.flat_map(|n| ["-", "."].map(|dash| format!("idx{n}{dash}ubyte")));
    forms.any(|form| name.strip_suffix(&form).is_some_and(|stem| stem.ends_with(['-', '.'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_known_by_its_name() {
        for (name, kind) in [
            ("s3/a/shard-000.tar", Some(Kind::Tar)),
            ("A.TAR", Some(Kind::Tar)),
            ("train-00000-of-00002.parquet", Some(Kind::Parquet)),
            ("x.npy", Some(Kind::Npy)),
            ("train-images-idx3-ubyte", Some(Kind::Idx)),
            ("t10k-images-idx3-ubyte.gz", Some(Kind::Idx)),
            ("train-images.idx3-ubyte", Some(Kind::Idx)),
            ("train-labels-idx1-ubyte", None),
            ("idx3-ubyte", None),
            (".tar", None),
            ("tar", None),
            ("a.tar.gz", None),
            ("a.tar/b.jpg", None),
            ("shard.idx", None),
        ] {
            assert_eq!(Kind::of_shard(name), kind, "{name}");
        }
    }

    #[test]
    fn kinds_have_names_and_no_others() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "zip".parse::<Kind>().unwrap_err().to_string();
        assert_eq!(error, "there is no kind of dataset \"zip\": kinds are folder, tar, parquet, idx and npy");
    }
}
