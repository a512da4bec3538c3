//! What may be said of a dataset beside its place.

use std::fmt;
use std::str::FromStr;

use headwater_types::shown;

use super::classes::ClassList;
use crate::kind::Kind;
use crate::site::Site;

/// How a dataset is read, beside what is said of every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetOptions {
    /// A file of labels: `labels=FILE`.
    pub labels: Option<Site>,
    /// Which classes there are: `classes=FILE` or `classes=a+b+c`.
    pub classes: Option<ClassList>,
    /// The column of encoded photos: `image=COLUMN`.
    pub image: Option<String>,
    /// The column of labels, of the labels file where there is one: `label=COLUMN`.
    pub label: Option<String>,
    /// The column of keys, of the labels file where there is one: `key=COLUMN`.
    pub key: Option<String>,
    /// The columns that are served beside the label: `fields=a+b`.
    pub fields: Vec<String>,
    /// What the keys of members of archives are: `keys=shard`.
    pub keys: KeyRule,
}

/// What the key of an archive's member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyRule {
    /// The member's name.
    #[default]
    Member,
    /// The shard's name without its suffix, a slash and the member's name.
    Shard,
}

/// Why an option of a dataset is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// There is no such option.
    #[error(
        "there is no option {name:?}: options are {all}; a comma of a path before such a word is written \\,",
        all = shown::listed(NAMES, "and")
    )]
    Unknown {
        /// The name as it was given.
        name: String,
    },
    /// The value is none of this option.
    #[error("option {name}={value}: {reason}")]
    Value {
        /// The option.
        name: String,
        /// The value as it was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The option is given more than once.
    #[error("option {0} is given twice")]
    Twice(String),
    /// The option means nothing for this kind of dataset.
    #[error("option {name} is of {of}, and this dataset is of kind {kind}: leave it out")]
    OfOtherKind {
        /// The option.
        name: &'static str,
        /// What the option is of.
        of: &'static str,
        /// The dataset's kind.
        kind: Kind,
    },
}

/// Every option.
const NAMES: [&str; 8] = ["partition", "labels", "classes", "image", "label", "key", "fields", "keys"];

// === impl DatasetOptions ===

impl DatasetOptions {
    /// Refuses what means nothing for this kind.
    ///
    /// # Errors
    /// [`OptionError::OfOtherKind`].
    pub fn check(&self, kind: Kind) -> Result<(), OptionError> {
        let is_table = kind == Kind::Parquet || self.labels.is_some();
        let of_table = "Parquet files and of labels=FILE";
        let wrong = [
            ("image", "Parquet files", self.image.is_some() && kind != Kind::Parquet),
            ("label", of_table, self.label.is_some() && !is_table),
            ("key", of_table, self.key.is_some() && !is_table),
            ("keys", "tar files", self.keys != KeyRule::Member && kind != Kind::Tar),
        ];
        match wrong.into_iter().find(|(.., is_wrong)| *is_wrong) {
            Some((name, of, _)) => Err(OptionError::OfOtherKind { name, of, kind }),
            None => Ok(()),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let column = || parsed::<Column>(name, value).map(|column| Some(column.0));
        match name {
            "labels" => self.labels = Some(parsed(name, value)?),
            "classes" => self.classes = Some(parsed(name, value)?),
            "image" => self.image = column()?,
            "label" => self.label = column()?,
            "key" => self.key = column()?,
            "fields" => self.fields = parsed::<Columns>(name, value)?.0,
            "keys" => self.keys = parsed(name, value)?,
            _ => return Err(OptionError::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }

    /// The options that are given, as text.
    pub(super) fn each(&self) -> Vec<(&'static str, String)> {
        let shown = |value: &dyn fmt::Display| value.to_string();
        let given = [
            ("labels", self.labels.as_ref().map(|site| shown(site))),
            ("classes", self.classes.as_ref().map(|list| shown(list))),
            ("image", self.image.clone()),
            ("label", self.label.clone()),
            ("key", self.key.clone()),
            ("fields", (!self.fields.is_empty()).then(|| self.fields.join("+"))),
            ("keys", (self.keys == KeyRule::Shard).then(|| "shard".to_owned())),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The name of a column.
struct Column(String);

/// The names of columns, parted by `+`.
struct Columns(Vec<String>);

// === impl Column, Columns, KeyRule ===

impl FromStr for Column {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Err("give the name of a column") } else { Ok(Self(text.to_owned())) }
    }
}

impl FromStr for Columns {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split('+').map(|name| name.parse::<Column>().map(|column| column.0)).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for KeyRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "member" => Ok(Self::Member),
            "shard" => Ok(Self::Shard),
            _ => Err("give keys=shard, or keys=member as without it"),
        }
    }
}

/// The value of an option.
pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, OptionError> {
    let wrong = |error: T::Err| OptionError::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: error.to_string(),
    };
    value.parse().map_err(wrong)
}
