//! The classes of a dataset while it is listed: by the samples' folders, and by the labels that are given.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use headwater_types::caps::MAX_CLASSES;

use super::columns::UNLABELLED;
use super::labels::Labelling;
use super::skipped::Skipped;
use crate::error::StoreError;
use crate::given::Given;
use crate::skip::Skip;

/// The classes of all samples so far, of whichever partition, with their numbers of samples.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// The names of all classes in their order, where that is given.
    pins: Option<Arc<[String]>>,
    folders: BTreeMap<String, u64>,
    /// The class of the last key, and samples of it that are not counted in `folders` yet. A listing goes folder by
    /// folder, so most keys need no look at `folders`.
    last: (String, u64),
    /// The given labels by name, as positions in `given`.
    places: HashMap<String, u32>,
    given: Vec<(String, u64)>,
    /// Whether a label was given as a name, so that the classes are sorted by name.
    has_names: bool,
}

// === impl Classes ===

impl Classes {
    pub(super) fn new(pins: Option<Arc<[String]>>) -> Self {
        Self { pins, ..Self::default() }
    }

    /// No classes yet, by the same rules.
    pub(super) fn fork(&self) -> Self {
        Self::new(self.pins.clone())
    }

    /// Counts a sample whose first folder is this; with 0 samples, only notes the class.
    pub(super) fn folder(&mut self, class: &str, samples: u64) -> Result<(), StoreError> {
        if self.last.0 != class || self.folders.is_empty() {
            self.count_last();
            self.last = (class.to_owned(), 0);
            if !self.folders.contains_key(class) {
                self.folders.insert(class.to_owned(), 0);
            }
        }
        self.last.1 += samples;
        if self.folders.len() > MAX_CLASSES { Err(StoreError::TooManyClasses) } else { Ok(()) }
    }

    /// Counts a sample with this label, and gives the label's position among the given ones.
    pub(super) fn give(&mut self, label: Given<'_>) -> Result<u32, StoreError> {
        match label {
            Given::Nothing => Ok(UNLABELLED),
            Given::Class(name) => {
                self.has_names = true;
                self.count(name, 1)
            }
            // More numbers than there may be classes are one class too many.
            Given::Number(number) if number as usize >= MAX_CLASSES => Err(StoreError::TooManyClasses),
            Given::Number(number) => match self.pinned(number) {
                Some(name) => self.count(&name, 1),
                None => self.count(&number.to_string(), 1),
            },
        }
    }

    /// The name of a given label.
    pub(super) fn name(&self, given: u32) -> Option<&str> {
        self.given.get(given as usize).map(|(name, _)| name.as_str())
    }

    /// Whether a folder has samples.
    pub(super) fn has_folder(&self, name: &str) -> bool {
        self.folders.contains_key(name)
    }

    /// Adds what was found elsewhere, and gives the position here of each label that was given there.
    pub(super) fn absorb(&mut self, mut other: Self) -> Result<Vec<u32>, StoreError> {
        other.count_last();
        for (class, samples) in &other.folders {
            self.folder(class, *samples)?;
        }
        self.has_names |= other.has_names;
        other.given.iter().map(|(name, samples)| self.count(name, *samples)).collect()
    }

    /// The classes, and what each given label is among them. Samples of classes that are not pinned are counted as
    /// left out, and so are pinned classes without a sample.
    pub(super) fn finish(mut self, skipped: &mut Skipped) -> Labelling {
        self.count_last();
        let is_given = !self.given.is_empty();
        let classes: Arc<[String]> = match &self.pins {
            Some(pins) => Arc::clone(pins),
            None if !is_given => self.folders.keys().cloned().collect(),
            None if self.has_names => self.sorted_names(),
            None => self.numbers(),
        };
        let labelling = Labelling::new(classes, is_given, self.given.iter().map(|(name, _)| name.as_str()));
        if self.pins.is_some() {
            self.tell_of_pins(&labelling, skipped);
        }
        labelling
    }

    fn tell_of_pins(&self, labelling: &Labelling, skipped: &mut Skipped) {
        let folders = self.folders.iter().map(|(name, samples)| (name.as_str(), *samples));
        let given = self.given.iter().map(|(name, samples)| (name.as_str(), *samples));
        let mut is_used = vec![false; labelling.classes().len()];
        let used: Vec<_> = if labelling.is_given() { given.collect() } else { folders.collect() };
        for (name, samples) in used.into_iter().filter(|(_, samples)| *samples > 0) {
            match labelling.class(name) {
                Some(class) => is_used[class as usize] = true,
                None => skipped.add_many(Skip::UnknownClass, name, samples),
            }
        }
        for (name, _) in labelling.classes().iter().zip(is_used).filter(|(_, is_used)| !is_used) {
            skipped.add(Skip::EmptyClass, name);
        }
    }

    fn sorted_names(&self) -> Arc<[String]> {
        let mut names: Vec<_> = self.given.iter().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names.into()
    }

    /// From 0 to the highest number that was given.
    fn numbers(&self) -> Arc<[String]> {
        let highest = self.given.iter().filter_map(|(name, _)| name.parse::<u32>().ok()).max();
        (0..=highest.unwrap_or_default()).map(|number| number.to_string()).collect()
    }

    /// The pinned class that a number means.
    fn pinned(&self, number: u32) -> Option<String> {
        let pins = self.pins.as_ref()?;
        let are_numbers = pins.iter().all(|name| name.parse::<u32>().is_ok());
        pins.get(number as usize).filter(|_| !are_numbers).cloned()
    }

    fn count(&mut self, name: &str, samples: u64) -> Result<u32, StoreError> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.given.len() >= MAX_CLASSES => return Err(StoreError::TooManyClasses),
            None => {
                // There are at most MAX_CLASSES.
                let place = self.given.len() as u32;
                self.places.insert(name.to_owned(), place);
                self.given.push((name.to_owned(), 0));
                place
            }
        };
        self.given[place as usize].1 += samples;
        Ok(place)
    }

    fn count_last(&mut self) {
        let (class, samples) = std::mem::take(&mut self.last);
        if let Some(counted) = self.folders.get_mut(&class) {
            *counted += samples;
        }
    }
}
