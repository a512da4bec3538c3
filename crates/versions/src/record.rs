//! The record: which versions each name has, which one is active, and which were before.
//!
//! ```text
//! "headwater-models 1 " BLAKE3 of the rest, in hexadecimal digits, and a line feed
//! JSON
//! ```

use std::collections::BTreeMap;

use headwater_types::caps::{MAX_LABEL_CLASSES, MAX_MODEL_NAMES, MAX_MODEL_RECORD};
use headwater_types::recipe::RecipeError;
use headwater_types::{Digest, ModelName, Recipe};
use serde::{Deserialize, Serialize};

use crate::error::VersionError;

/// What is known of every name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(crate) names: BTreeMap<String, Named>,
}

/// The versions of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Grows with each activation; 0 before the first.
    pub revision: u64,
    /// The version that serves; `None` before the first activation.
    pub active: Option<Digest>,
    /// Those that served before, the latest last: a rollback goes there.
    pub earlier: Vec<Digest>,
    /// The file that the settings named when a version was activated over it; `None` where they named none.
    pub over: Option<Digest>,
    /// All that are kept, in the order in which they came.
    pub versions: Vec<Version>,
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// BLAKE3 of its file.
    pub digest: Digest,
    /// Size of its file.
    pub bytes: u64,
    /// How it is opened.
    pub manner: Manner,
}

/// How a version is opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Manner {
    /// It makes features of photos.
    Model {
        /// The recipe that makes its input, as TOML.
        recipe: String,
        /// The output that is taken; `None` for the usual one.
        output: Option<String>,
        /// The names of its classes; none for those that its own file has.
        classes: Vec<String>,
    },
    /// It makes scores of the features of another, which its file names.
    Head,
}

const MAGIC: &str = "headwater-models 1 ";

// === impl Record ===

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// In words, for one that is not as it was written, or breaks the rules.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_MODEL_RECORD {
            return Err(format!("it has more than {MAX_MODEL_RECORD} bytes"));
        }
        let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or("it does not begin as one of this version")?;
        let (digest, json) = rest.split_at_checked(64).ok_or("it ends too early")?;
        let json = json.strip_prefix(b"\n").ok_or("it ends too early")?;
        if digest != Digest::of(json).to_string().as_bytes() {
            return Err("its checksum is wrong".to_owned());
        }
        let record: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        record.check().map(|()| record)
    }

    /// The record as it is kept.
    ///
    /// # Errors
    /// One that is larger than any that is read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, VersionError> {
        let json = serde_json::to_vec(self).map_err(|_| VersionError::TooMany(MAX_MODEL_NAMES))?;
        let bytes = [format!("{MAGIC}{}\n", Digest::of(&json)).into_bytes(), json].concat();
        match bytes.len() > MAX_MODEL_RECORD || self.names.len() > MAX_MODEL_NAMES {
            true => Err(VersionError::TooMany(MAX_MODEL_NAMES)),
            false => Ok(bytes),
        }
    }

    /// The names that have versions.
    pub fn names(&self) -> impl Iterator<Item = (ModelName, &Named)> {
        self.names.iter().filter_map(|(name, named)| Some((name.parse().ok()?, named)))
    }

    pub(crate) fn get(&self, name: &ModelName) -> Option<&Named> {
        self.names.get(name.as_str())
    }

    pub(crate) fn named(&mut self, name: &ModelName) -> &mut Named {
        self.names.entry(name.as_str().to_owned()).or_default()
    }

    /// Whether some name has a version of this digest.
    pub(crate) fn keeps(&self, digest: Digest) -> bool {
        self.names.values().any(|named| named.version(digest).is_some())
    }

    fn check(&self) -> Result<(), String> {
        if self.names.len() > MAX_MODEL_NAMES {
            return Err(format!("it has more than {MAX_MODEL_NAMES} names"));
        }
        self.names.iter().try_for_each(|(name, named)| {
            name.parse::<ModelName>().map_err(|error| error.to_string())?;
            named.check().map_err(|why| format!("{name}: {why}"))
        })
    }
}

// === impl Named ===

impl Named {
    /// The version of this digest.
    pub fn version(&self, digest: Digest) -> Option<&Version> {
        self.versions.iter().find(|version| version.digest == digest)
    }

    /// The version that serves.
    pub fn serving(&self) -> Option<&Version> {
        self.version(self.active?)
    }

    /// The version that a rollback leads to.
    pub fn before(&self) -> Option<Digest> {
        self.earlier.last().copied()
    }

    /// Adds a version, in the place of an earlier one of the same file.
    pub(crate) fn add(&mut self, version: Version) {
        self.versions.retain(|known| known.digest != version.digest);
        self.versions.push(version);
    }

    /// Lets go of the oldest, where there are more than so many: neither of the active one nor of the one before.
    pub(crate) fn keep(&mut self, most: usize) {
        let stays = |named: &Self, digest| named.active == Some(digest) || named.before() == Some(digest);
        let mut place = 0;
        while self.versions.len() > most && place + 1 < self.versions.len() {
            match stays(self, self.versions[place].digest) {
                true => place += 1,
                false => drop(self.versions.remove(place)),
            }
        }
        let versions = &self.versions;
        self.earlier.retain(|digest| versions.iter().any(|version| version.digest == *digest));
    }

    fn check(&self) -> Result<(), String> {
        let known = |digest: &Digest| self.version(*digest).is_some();
        if !self.active.iter().chain(&self.earlier).all(known) {
            return Err("a version that served is not among the versions".to_owned());
        }
        self.versions.iter().try_for_each(|version| match &version.manner {
            Manner::Head => Ok(()),
            Manner::Model { classes, .. } if classes.len() > MAX_LABEL_CLASSES => Err("too many classes".to_owned()),
            Manner::Model { .. } => version.manner.recipe().map(drop).map_err(|error| error.to_string()),
        })
    }
}

// === impl Manner ===

impl Manner {
    /// The recipe of a model; `None` of a head.
    ///
    /// # Errors
    /// A text that is no recipe.
    pub fn recipe(&self) -> Result<Option<Recipe>, RecipeError> {
        match self {
            Self::Model { recipe, .. } => Recipe::from_toml(recipe).map(Some),
            Self::Head => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version { digest: Digest::of(text.as_bytes()), bytes: 1, manner: Manner::Head }
    }

    fn record() -> Record {
        let recipe = Recipe::builtin("mobilenet-eval").unwrap().to_toml();
        let manner = Manner::Model { recipe, output: None, classes: vec!["a".to_owned()] };
        let (one, two) = (Version { manner, ..version("one") }, version("two"));
        let named = Named {
            revision: 7,
            active: Some(two.digest),
            earlier: vec![one.digest],
            over: Some(one.digest),
            versions: vec![one, two],
        };
        Record { names: [("m".to_owned(), named)].into() }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written_and_every_flipped_bit_is_seen() {
        let bytes = record().to_bytes().unwrap();
        assert_eq!(Record::parse(&bytes), Ok(record()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::parse(&flipped).is_err(), "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert!(Record::parse(&bytes[..end]).is_err(), "up to {end}");
        }
    }

    #[test]
    fn what_serves_and_what_a_rollback_leads_to_are_never_let_go() {
        let texts: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        let mut named = Named { versions: texts.iter().map(|text| version(text)).collect(), ..Named::default() };
        named.active = Some(Digest::of(b"0"));
        named.earlier = vec![Digest::of(b"5"), Digest::of(b"1")];
        named.keep(3);
        let left: Vec<_> = named.versions.iter().map(|version| version.digest).collect();
        assert_eq!(left, ["0", "1", "9"].map(|text| Digest::of(text.as_bytes())));
        assert_eq!(named.earlier, [Digest::of(b"1")]);
        named.keep(1);
        assert_eq!(named.versions.len(), 3, "the newest is what was just pushed");
    }
}
