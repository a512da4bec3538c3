//! Where a dataset rests and as what: what `--data` says before its options.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::braces::{self, BraceError};
use crate::kind::{Kind, KindError};
use crate::repack;
use crate::site::{Site, SiteError};

/// The places of a dataset, and how its photos are kept there.
///
/// As text: a path or `s3://bucket/prefix`, where the kind shows in the name or in the place itself; or a kind, a colon
/// and that. Braces stand for several names: `shard-{000..099}.tar`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    kind: Kind,
    told: Told,
    /// The place as it was given, its braces not expanded.
    pattern: Site,
    sites: Arc<[Site]>,
}

/// What tells the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Told {
    /// The text, by a word before the place.
    Word,
    /// The name of the place, as that of a shard.
    Name,
    /// Nothing yet: a folder or prefix may hold photos or shards.
    Nothing,
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// The place is none.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The word before the colon is no kind.
    #[error("{kind}; for a path that begins so give ./{text}")]
    Kind {
        /// The location as it was given.
        text: String,
        /// What is wrong with the word.
        kind: KindError,
    },
    /// The braces name nothing.
    #[error("{text}: {reason}")]
    Braces {
        /// The location as it was given.
        text: String,
        /// What is wrong with the braces.
        reason: BraceError,
    },
    /// A compressed tar file.
    #[error(
        "{text}: a compressed tar file has no place where a photo can be read by itself: repack it with `{command}`"
    )]
    Compressed {
        /// The location as it was given.
        text: String,
        /// The command that makes plain tar files.
        command: String,
    },
}

// === impl Location ===

impl Location {
    /// A folder of photos, whatever its name.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::one(Kind::Folder, Told::Word, Site::Local(path.into()))
    }

    fn one(kind: Kind, told: Told, site: Site) -> Self {
        Self { kind, told, sites: Arc::from([site.clone()]), pattern: site }
    }

    /// How the photos are kept. [`Kind::Folder`] where nothing else is known; see [`Self::is_sure`].
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the text or the place's name says the kind, so that it need not be looked for in the place.
    pub fn is_sure(&self) -> bool {
        self.told != Told::Nothing
    }

    /// The same place, looked at and found to be of this kind.
    pub(crate) fn found_to_be(&self, kind: Kind) -> Self {
        Self { kind, told: Told::Word, ..self.clone() }
    }

    /// Whether only the place's name says the kind, which may be that of a folder all the same.
    pub(crate) fn is_by_name(&self) -> bool {
        self.told == Told::Name
    }

    /// The files, folders, objects or prefixes, in the order of the text; never none, and one for a folder of photos.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The place as it was given, with its braces.
    pub fn pattern(&self) -> &Site {
        &self.pattern
    }

    /// The paths of this machine at which the dataset lies; none where it lies elsewhere. Nothing is written there.
    pub fn local(&self) -> impl Iterator<Item = &Path> {
        self.sites.iter().filter_map(Site::local)
    }

    /// Whether the dataset lies on this machine.
    pub fn is_local(&self) -> bool {
        self.pattern.local().is_some()
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let (word, place) = word(text)?;
        let pattern: Site = place.parse()?;
        if word == Some(Kind::Folder) {
            return Ok(Self::one(Kind::Folder, Told::Word, pattern));
        }
        if let Some(command) = repack::command(&pattern) {
            return Err(LocationError::Compressed { text: text.to_owned(), command });
        }
        let (kind, told) = match (word, Kind::of_shard(place)) {
            (Some(kind), _) => (kind, Told::Word),
            (None, Some(kind)) => (kind, Told::Name),
            // The braces of a folder's name are a part of it.
            (None, None) => return Ok(Self::one(Kind::Folder, Told::Nothing, pattern)),
        };
        let names = braces::expand(place);
        let names = names.map_err(|reason| LocationError::Braces { text: text.to_owned(), reason })?;
        let sites: Vec<Site> = names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        Ok(Self { kind, told, pattern, sites: sites.into() })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pattern.to_string();
        let needs_word = self.told == Told::Word && place.parse().as_ref().map(Self::kind) != Ok(self.kind);
        if needs_word { write!(f, "{}:{place}", self.kind) } else { f.write_str(&place) }
    }
}

/// The word before a place that says its kind, and the place.
fn word(text: &str) -> Result<(Option<Kind>, &str), LocationError> {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.split_once(':') {
        Some((word, place)) if is_word(word) && !place.starts_with("//") => {
            let kind = word.parse().map_err(|kind| LocationError::Kind { text: text.to_owned(), kind })?;
            Ok((Some(kind), place))
        }
        _ => Ok((None, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Location {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_location_reads_what_it_prints() {
        for (text, kind, is_sure) in [
            ("photos", Kind::Folder, false),
            ("/srv/My Photos", Kind::Folder, false),
            ("s3://photos/2026/cats", Kind::Folder, false),
            ("/srv/{a,b}", Kind::Folder, false),
            ("/srv/a:b/c", Kind::Folder, false),
            ("folder:/srv/a.tar", Kind::Folder, true),
            ("tar:/srv/shards", Kind::Tar, true),
            ("tar:s3://photos/shards", Kind::Tar, true),
            ("/srv/shard-{000..002}.tar", Kind::Tar, true),
            ("parquet:data", Kind::Parquet, true),
            ("train-images-idx3-ubyte.gz", Kind::Idx, true),
        ] {
            let location = parsed(text);
            assert_eq!((location.kind(), location.is_sure(), location.to_string().as_str()), (kind, is_sure, text));
            assert_eq!(parsed(&location.to_string()), location);
        }
        assert_eq!(Location::folder("tar:x").to_string(), "folder:tar:x");
    }

    #[test]
    fn braces_are_names_of_shards() {
        let sites = |text: &str| parsed(text).sites().iter().map(Site::to_string).collect::<Vec<_>>();
        assert_eq!(sites("s3://b-b/x/{0..1}.tar"), ["s3://b-b/x/0.tar", "s3://b-b/x/1.tar"]);
        assert_eq!(sites("tar:{a,b}"), ["a", "b"]);
        assert_eq!(sites("folder:{a,b}"), ["{a,b}"]);
    }

    #[test]
    fn what_is_no_location_is_refused_with_the_fix() {
        for (text, fix) in [
            ("", "give a path"),
            ("tar:", "give a path"),
            ("http://x/y", "give a path or s3://"),
            ("tar:http://x/y", "give a path or s3://"),
            ("zip:x", "kinds are folder, tar, parquet, idx and npy; for a path that begins so give ./zip:x"),
            ("s-{9..1}.tar", "ends before it begins"),
            ("s-{1..99999999}.tar", "give the folder of the shards"),
            ("a/s-{00..10}.tar.gz", "repack it with `gunzip --keep a/s-{00..10}.tar.gz`"),
            ("tar:s3://bucket/a.tgz", "aws s3 cp"),
        ] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(fix), "{text}: {error}");
        }
    }
}
