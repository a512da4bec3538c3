//! The labels of a catalog's samples: the classes in their order, and the number of each sample's class among them.

use std::collections::HashMap;
use std::sync::Arc;

use super::body::Body;
use super::columns::UNLABELLED;

/// The classes of a dataset, and how its samples come by them.
#[derive(Debug)]
pub(super) struct Labelling {
    classes: Arc<[String]>,
    /// Whether labels were given, so that folders are no classes.
    is_given: bool,
    /// The number of each class.
    numbers: HashMap<String, u32>,
    /// The class of each given label.
    given: Vec<u32>,
}

// === impl Labelling ===

impl Labelling {
    /// These classes, for labels that were given by these names.
    pub(super) fn new<'a>(classes: Arc<[String]>, is_given: bool, given: impl Iterator<Item = &'a str>) -> Self {
        let numbers: HashMap<String, u32> = classes.iter().cloned().zip(0..).collect();
        let given = given.map(|name| numbers.get(name).copied().unwrap_or(UNLABELLED)).collect();
        Self { classes, is_given, numbers, given }
    }

    pub(super) fn classes(&self) -> &Arc<[String]> {
        &self.classes
    }

    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// The number of a class.
    pub(super) fn class(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Whether a catalog's samples are labelled in the same way, so that the same samples have the same labels.
    pub(super) fn is_that_of(&self, body: &Body) -> bool {
        self.is_given == body.is_given && self.classes == body.classes
    }

    /// The number among these classes of each class of a catalog; nothing where the catalog's labels were not given.
    pub(super) fn translated_from(&self, body: &Body) -> Vec<u32> {
        let classes: &[String] = if body.is_given { &body.classes } else { &[] };
        classes.iter().map(|name| self.class(name).unwrap_or(UNLABELLED)).collect()
    }

    /// The number of the class that a label means: `Ok` with one of a catalog of which these are the translated
    /// classes, or `Err` with a given one.
    pub(super) fn number(&self, label: Result<u32, u32>, translated: &[u32]) -> u32 {
        let (numbers, label) = match label {
            Ok(label) => (translated, label),
            Err(label) => (&*self.given, label),
        };
        numbers.get(label as usize).copied().unwrap_or(UNLABELLED)
    }

    /// The number of each key's first folder. The keys are sorted, so that they come class by class.
    pub(super) fn of_folders<'a>(&self, keys: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let mut last: Option<(&str, u32)> = None;
        let label = |key: &'a str| {
            let Some((class, _)) = key.split_once('/') else { return UNLABELLED };
            match last {
                Some((name, label)) if name == class => label,
                _ => {
                    let label = self.class(class).unwrap_or(UNLABELLED);
                    last = Some((class, label));
                    label
                }
            }
        };
        keys.map(label).collect()
    }
}
