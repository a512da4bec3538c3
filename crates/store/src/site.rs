//! A path of this machine, or a key or prefix of a bucket.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use headwater_types::SampleKey;

/// Where something lies: a file or folder of this machine, or an object or prefix of an S3-compatible store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// A file or folder; a relative path is relative to the working directory.
    Local(PathBuf),
    /// A bucket, and a key in it or the prefix that keys begin with.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The prefix or key without a slash at either end; empty for the whole bucket.
        prefix: String,
    },
}

/// Why a text names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// The text is empty.
    #[error("no place is given: give a path or s3://bucket/prefix")]
    Empty,
    /// The text is some other kind of address.
    #[error("{0}: give a path or s3://bucket/prefix, other addresses are not read")]
    Scheme(String),
    /// The bucket has a name that no bucket can have.
    #[error("{0}: a bucket's name has 3 to 63 of a-z A-Z 0-9 . _ -")]
    Bucket(String),
    /// The prefix is no path.
    #[error("{site}: {reason}")]
    Prefix {
        /// The place as it was given.
        site: String,
        /// What is wrong with the prefix.
        reason: String,
    },
}

// === impl Site ===

impl Site {
    /// The path, where it is one of this machine.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::S3 { .. } => None,
        }
    }
}

impl FromStr for Site {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(SiteError::Empty) } else { Ok(Self::Local(text.into())) };
        };
        if scheme != "s3" {
            return Err(SiteError::Scheme(text.to_owned()));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket_name(bucket) {
            return Err(SiteError::Bucket(text.to_owned()));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            SampleKey::check(prefix)
                .map_err(|error| SiteError::Prefix { site: text.to_owned(), reason: error.to_string() })?;
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => fmt::Display::fmt(&path.display(), f),
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

    fn s3(bucket: &str, prefix: &str) -> Site {
        Site::S3 { bucket: bucket.into(), prefix: prefix.into() }
    }

    #[test]
    fn a_site_reads_what_it_prints() {
        for (text, site) in [
            ("photos", Site::Local("photos".into())),
            ("/srv/My Photos", Site::Local("/srv/My Photos".into())),
            ("s3://photos", s3("photos", "")),
            ("s3://photos/2026/cats", s3("photos", "2026/cats")),
        ] {
            assert_eq!(text.parse::<Site>().unwrap(), site);
            assert_eq!(site.to_string(), text);
        }
        assert_eq!("s3://photos/".parse::<Site>().unwrap(), s3("photos", ""));
        assert_eq!("s3://photos/cats/".parse::<Site>().unwrap(), s3("photos", "cats"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for bad in
            ["", "http://x/y", "S3://photos", "s3://", "s3:///cats", "s3://..", "s3://a b c", "s3://photos/a/../b"]
        {
            assert!(bad.parse::<Site>().is_err(), "{bad:?}");
        }
    }
}
