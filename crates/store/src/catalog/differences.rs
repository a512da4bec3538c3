//! What differs between two catalogs of one dataset.

use headwater_types::Differences;
use headwater_types::differences::push_index;

use super::body::Body;
use super::columns::UNLABELLED;

/// What differs between an earlier catalog and a later one: one pass over both, which are sorted.
pub(super) fn between(earlier: &Body, later: &Body) -> Differences {
    let mut found = Differences::default();
    let (mut old, mut new) = (0, 0);
    let labels = Translated::new(earlier, later);
    loop {
        match (earlier.columns.key(old), later.columns.key(new)) {
            (None, None) => return found,
            (Some(key), other) if other.is_none_or(|other| key < other) => {
                push_index(&mut found.removed, old as u64);
                old += 1;
            }
            (Some(key), Some(other)) if key == other => {
                if !labels.is_same(old, new) {
                    push_index(&mut found.replaced, new as u64);
                }
                old += 1;
                new += 1;
            }
            _ => {
                push_index(&mut found.added, new as u64);
                new += 1;
            }
        }
    }
}

/// Two catalogs whose classes may have other numbers.
struct Translated<'a> {
    earlier: &'a Body,
    later: &'a Body,
    /// The number in the later catalog of each class of the earlier one.
    classes: Vec<u32>,
}

// === impl Translated ===

impl<'a> Translated<'a> {
    fn new(earlier: &'a Body, later: &'a Body) -> Self {
        let number = |name: &String| later.classes.iter().position(|other| other == name);
        // Most often the classes are the same, and each is found at its place.
        let translated = |(at, name): (usize, &String)| match later.classes.get(at) == Some(name) {
            true => at as u32,
            false => number(name).map_or(UNLABELLED, |at| at as u32),
        };
        Self { earlier, later, classes: earlier.classes.iter().enumerate().map(translated).collect() }
    }

    fn is_same(&self, old: usize, new: usize) -> bool {
        let (was, is) = (&self.earlier.columns, &self.later.columns);
        let class = match was.label(old) {
            UNLABELLED => Some(UNLABELLED),
            // A class that is gone is no label's number.
            label => self.classes.get(label as usize).copied().filter(|class| *class != UNLABELLED),
        };
        class == Some(is.label(new)) && was.spot(old) == is.spot(new) && was.records.get(old) == is.records.get(new)
    }
}
