//! The fields of a dataset: their names and kinds.

use super::kind::FieldKind;
use crate::caps::{MAX_FIELD_NAME_BYTES, MAX_FIELDS};
use crate::shown;

/// The name and kind of one field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name: that of a column of the labels file or the Parquet file.
    pub name: String,
    /// What its values are.
    pub kind: FieldKind,
}

/// The fields of a dataset, in the order in which a record has their values. Each name is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields(Box<[Field]>);

/// Why some fields cannot be those of a dataset, or a name is none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The name is empty, too long, or has a control character.
    #[error("a field's name has 1 to {MAX_FIELD_NAME_BYTES} bytes and no control character, unlike {0:?}")]
    Name(String),
    /// A name is there twice.
    #[error("there are two fields named {0:?}: leave one out")]
    Twice(String),
    /// There are more than [`MAX_FIELDS`].
    #[error("{0} fields are more than {MAX_FIELDS}: name those that are needed")]
    TooMany(usize),
    /// The dataset has no such field.
    #[error("there is no field {name:?}: {there}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// What there is, as a sentence.
        there: String,
    },
}

// === impl Fields ===

impl Fields {
    /// These fields, in this order.
    ///
    /// # Errors
    /// Names that are no names of fields or are there twice; more than [`MAX_FIELDS`].
    pub fn new(fields: Vec<Field>) -> Result<Self, FieldError> {
        if fields.len() > MAX_FIELDS {
            return Err(FieldError::TooMany(fields.len()));
        }
        for (at, Field { name, .. }) in fields.iter().enumerate() {
            if name.is_empty() || name.len() > MAX_FIELD_NAME_BYTES || name.chars().any(char::is_control) {
                return Err(FieldError::Name(name.chars().take(MAX_FIELD_NAME_BYTES).collect()));
            }
            if fields[..at].iter().any(|earlier| earlier.name == *name) {
                return Err(FieldError::Twice(name.clone()));
            }
        }
        Ok(Self(fields.into()))
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.0.iter()
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where in a record the value of this field is.
    ///
    /// # Errors
    /// [`FieldError::Unknown`] names the fields that there are.
    pub fn place(&self, name: &str) -> Result<usize, FieldError> {
        self.iter().position(|field| field.name == name).ok_or_else(|| {
            let there = match self.len() {
                0 => "the dataset has no fields (the server's setting labels=FILE gives them)".to_owned(),
                _ => format!("the dataset has {}", shown::listed(self.iter().map(|field| &field.name), "and")),
            };
            FieldError::Unknown { name: name.to_owned(), there }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(names: &[&str]) -> Result<Fields, FieldError> {
        let named = |name: &&str| Field { name: (*name).to_owned(), kind: FieldKind::Text };
        Fields::new(names.iter().map(named).collect())
    }

    #[test]
    fn a_field_is_found_by_its_name_and_an_unknown_name_hears_which_there_are() {
        let both = fields(&["caption", "score"]).unwrap();
        assert_eq!((both.len(), both.place("score")), (2, Ok(1)));
        let error = both.place("scor").unwrap_err().to_string();
        assert_eq!(error, "there is no field \"scor\": the dataset has caption and score");
        let error = Fields::default().place("a").unwrap_err().to_string();
        assert!(error.starts_with("there is no field \"a\": the dataset has no fields"), "{error}");
    }

    #[test]
    fn names_that_would_mislead_are_refused() {
        assert_eq!(fields(&["a", "b", "a"]), Err(FieldError::Twice("a".to_owned())));
        for bad in ["", "a\nb", &"x".repeat(MAX_FIELD_NAME_BYTES + 1)] {
            assert!(matches!(fields(&[bad]), Err(FieldError::Name(_))), "{bad:?}");
        }
        let many: Vec<_> = (0..=MAX_FIELDS).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(fields(&many), Err(FieldError::TooMany(MAX_FIELDS + 1)));
        assert!(fields(&many[1..]).is_ok());
    }
}
