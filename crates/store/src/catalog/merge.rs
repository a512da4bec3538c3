//! From what a listing gathered, and from what it found unchanged in an earlier catalog, to sorted columns.

use super::columns::Columns;
use super::ends::Ends;
use super::places::{Object, Place, Places};
use super::records::Records;
use crate::version::Version;

/// The samples of two columns in order of their keys: a position in `old`, or one in `new` behind all of those.
struct Order {
    order: Vec<u32>,
    old: usize,
}

/// Merges the samples of `old` at these positions, which ascend, with the unsorted samples of `new`. Of samples with
/// the same key one is kept, always the same one; `again` hears the key of each other. `label` says what a label of the
/// old ones (`Ok`) or of the new ones (`Err`) is in the merged columns.
pub(super) fn merged(
    old: &Columns,
    kept: impl Iterator<Item = usize>,
    mut new: Columns,
    again: impl FnMut(&str),
    label: impl Fn(Result<u32, u32>) -> u32,
) -> Columns {
    let order = Order::of(old, kept, &new, again);
    // Column by column, so that at no time two of all are there.
    let places = order.places(old, &new);
    new.places = Places::default();
    let records = order.records(&old.records, &std::mem::take(&mut new.records));
    let of_sample = |at: Result<usize, usize>| at.map(|at| old.label(at)).map_err(|at| new.label(at));
    let labels = order.each().map(|at| label(of_sample(at))).collect();
    new.labels = Vec::new();
    let (keys, ends) = order.keys(old, &new);
    Columns { keys, ends, places, labels, records }
}

// === impl Order ===

impl Order {
    fn of(old: &Columns, kept: impl Iterator<Item = usize>, new: &Columns, mut again: impl FnMut(&str)) -> Self {
        let sorted = sorted(new, &mut again);
        let mut order = Vec::with_capacity(sorted.len());
        let mut sorted = sorted.into_iter().peekable();
        let behind = old.len() as u32;
        for at in kept {
            let key = old.key(at);
            while let Some(next) = sorted.next_if(|next| new.key(*next as usize) < key) {
                order.push(behind + next);
            }
            // The same key twice in one listing, of which one is as it was.
            let twin = sorted.next_if(|next| new.key(*next as usize) == key);
            if twin.is_some() {
                again(key.unwrap_or_default());
            }
            let twin = twin.filter(|twin| new.spot(*twin as usize) < old.spot(at));
            order.push(twin.map_or(at as u32, |twin| behind + twin));
        }
        order.extend(sorted.map(|next| behind + next));
        Self { order, old: old.len() }
    }

    /// Each sample: `Ok` with its position in the old columns, or `Err` with that in the new.
    fn each(&self) -> impl Iterator<Item = Result<usize, usize>> {
        let old = self.old;
        self.order.iter().map(move |at| *at as usize).map(move |at| if at < old { Ok(at) } else { Err(at - old) })
    }

    fn keys(&self, old: &Columns, new: &Columns) -> (String, Ends) {
        let key = |at| match at {
            Ok(at) => old.key(at),
            Err(at) => new.key(at),
        };
        let mut keys = String::with_capacity(self.each().filter_map(key).map(str::len).sum());
        let mut ends = Ends::with_capacity(self.order.len());
        for key in self.each().filter_map(key) {
            keys.push_str(key);
            ends.push(keys.len());
        }
        (keys, ends)
    }

    fn records(&self, old: &Records, new: &Records) -> Records {
        let mut records = Records::default();
        if !(old.is_empty() && new.is_empty()) {
            for (place, at) in self.each().enumerate() {
                records.push(place, at.map_or_else(|at| new.get(at), |at| old.get(at)));
            }
        }
        records
    }

    fn places(&self, old: &Columns, new: &Columns) -> Places {
        match (&old.places, &new.places) {
            (Places::Whole(old), Places::Whole(new)) => Places::Whole(self.versions(old, new)),
            (Places::Parts { places: old, objects: first }, Places::Parts { places: new, objects: second }) => {
                self.parts((old, first), (new, second))
            }
            // Without a sample of one kind, or with samples of both.
            _ => self.mixed(old, new),
        }
    }

    fn versions(&self, old: &[Version], new: &[Version]) -> Vec<Version> {
        self.each().map(|at| at.map_or_else(|at| new[at], |at| old[at])).collect()
    }

    fn parts(&self, old: (&[Place], &[Object]), new: (&[Place], &[Object])) -> Places {
        let (mut objects, mut places) = (Vec::new(), Vec::with_capacity(self.order.len()));
        // Where each object of either stands among those that are still of use.
        let mut moved = vec![u32::MAX; old.1.len() + new.1.len()];
        for at in self.each() {
            let (place, object, from) = match at {
                Ok(at) => (old.0[at], &old.1[old.0[at].object as usize], old.0[at].object as usize),
                Err(at) => {
                    let object = new.0[at].object as usize;
                    (new.0[at], &new.1[object], old.1.len() + object)
                }
            };
            if moved[from] == u32::MAX {
                // There are at most as many as samples.
                moved[from] = objects.len() as u32;
                objects.push(object.clone());
            }
            places.push(Place { object: moved[from], ..place });
        }
        objects.shrink_to_fit();
        Places::Parts { places, objects }
    }

    fn mixed(&self, old: &Columns, new: &Columns) -> Places {
        let (mut whole, mut parts) = (Places::Whole(Vec::new()), None);
        let both = |at| match at {
            Ok(at) => old.key(at).zip(old.spot(at)),
            Err(at) => new.key(at).zip(new.spot(at)),
        };
        if self.each().filter_map(both).any(|(key, spot)| !spot.is_own(key)) {
            parts = Some(Places::parts(self.order.len()));
        }
        for (key, spot) in self.each().filter_map(both) {
            parts.as_mut().unwrap_or(&mut whole).push(key, spot);
        }
        parts.unwrap_or(whole)
    }
}

/// The positions of unsorted samples by key, each key once.
fn sorted(new: &Columns, again: &mut impl FnMut(&str)) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..new.len() as u32).collect();
    let key = |at: u32| new.key(at as usize);
    // A listing comes in long runs of sorted keys, which a stable sort takes as they are.
    sorted.sort_by(|a, b| key(*a).cmp(&key(*b)).then_with(|| new.spot(*a as usize).cmp(&new.spot(*b as usize))));
    sorted.dedup_by(|later, kept| {
        let is_again = key(*later) == key(*kept);
        if is_again {
            again(key(*kept).unwrap_or_default());
        }
        is_again
    });
    sorted
}
