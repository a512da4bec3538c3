//! Where a dataset rests: what `--data` says.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use headwater_types::SampleKey;

/// A folder of this machine, or a bucket of an S3-compatible store and the folder in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A folder; a relative path is relative to the working directory.
    Folder(PathBuf),
    /// A bucket, and the prefix that every key of the dataset begins with.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The prefix without a slash at either end; empty for the whole bucket.
        prefix: String,
    },
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// The text is empty.
    #[error("--data is empty: give a folder or s3://bucket/prefix")]
    Empty,
    /// The text is some other kind of address.
    #[error("--data {0}: give a folder or s3://bucket/prefix, other addresses are not read")]
    Scheme(String),
    /// The bucket has a name that no bucket can have.
    #[error("--data {0}: a bucket's name has 3 to 63 of a-z A-Z 0-9 . _ -")]
    Bucket(String),
    /// The prefix is no path.
    #[error("--data {location}: {reason}")]
    Prefix {
        /// The location as it was given.
        location: String,
        /// What is wrong with the prefix.
        reason: String,
    },
}

// === impl Location ===

impl Location {
    /// The folder or file of this machine in which the dataset lies; `None` where it lies elsewhere. Nothing is written
    /// there.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::S3 { .. } => None,
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(LocationError::Empty) } else { Ok(Self::Folder(text.into())) };
        };
        if scheme != "s3" {
            return Err(LocationError::Scheme(text.to_owned()));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket_name(bucket) {
            return Err(LocationError::Bucket(text.to_owned()));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            SampleKey::check(prefix)
                .map_err(|error| LocationError::Prefix { location: text.to_owned(), reason: error.to_string() })?;
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => fmt::Display::fmt(&path.display(), f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Whether a bucket can have this name. The rule is wider than that of AWS today, which allows no capitals and no
/// underscore: older buckets and other stores have them.
fn is_bucket_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (3..=63).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(bucket: &str, prefix: &str) -> Location {
        Location::S3 { bucket: bucket.into(), prefix: prefix.into() }
    }

    #[test]
    fn a_location_reads_what_it_prints() {
        for (text, location) in [
            ("photos", Location::Folder("photos".into())),
            ("/srv/My Photos", Location::Folder("/srv/My Photos".into())),
            ("s3://photos", s3("photos", "")),
            ("s3://photos/2026/cats", s3("photos", "2026/cats")),
        ] {
            assert_eq!(text.parse::<Location>().unwrap(), location);
            assert_eq!(location.to_string(), text);
        }
        assert_eq!("s3://photos/".parse::<Location>().unwrap(), s3("photos", ""));
        assert_eq!("s3://photos/cats/".parse::<Location>().unwrap(), s3("photos", "cats"));
    }

    #[test]
    fn what_is_no_place_is_refused_with_the_setting_named() {
        for bad in
            ["", "http://x/y", "S3://photos", "s3://", "s3:///cats", "s3://..", "s3://a b c", "s3://photos/a/../b"]
        {
            let error = bad.parse::<Location>().unwrap_err();
            assert!(error.to_string().starts_with("--data"), "{bad:?}: {error}");
        }
    }
}
