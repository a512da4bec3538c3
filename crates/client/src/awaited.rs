//! The samples that a call is still to answer.

use std::collections::HashMap;

use headwater_wire::proto;

use crate::wanted::Wanted;

/// What a call has asked for: at each place of it a sample, until that has come.
#[derive(Debug)]
pub(crate) struct Awaited {
    places: Vec<Option<Place>>,
    left: usize,
    by: Naming,
}

/// A sample of a call: its index in the server's partition, and its place in the client's request.
#[derive(Clone, Copy, Debug)]
struct Place {
    local: u64,
    position: u64,
}

/// How an answer says which sample it is.
#[derive(Debug)]
enum Naming {
    /// By the sample's place in the call.
    Place,
    /// By the sample's index, which no other sample of the call has; from older servers, which do not say places. The
    /// map has the place of each index.
    Index(HashMap<u64, usize>),
}

// === impl Awaited ===

impl Awaited {
    /// `says_places`: whether the server says which place of the call a sample answers.
    pub(crate) fn new<'a>(wanted: impl Iterator<Item = &'a Wanted>, says_places: bool) -> Self {
        let place = |wanted: &Wanted| Some(Place { local: wanted.local, position: wanted.position });
        let places: Vec<_> = wanted.map(place).collect();
        let by = match says_places {
            true => Naming::Place,
            false => {
                let locals = places.iter().flatten().map(|place| place.local);
                Naming::Index(locals.zip(0..).collect())
            }
        };
        Self { left: places.len(), places, by }
    }

    /// How many samples are still to come.
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// Takes this sample off, and says its place in the client's request, or how the server has broken the protocol.
    pub(crate) fn take(&mut self, sample: &proto::Sample) -> Result<u64, String> {
        let local = sample.index;
        let place = match (&self.by, sample.position) {
            (Naming::Place, None) => {
                // It has become an older one than it was, and may have cropped all alike.
                return Err(format!("it no longer says which place of a call sample {local} is for"));
            }
            (Naming::Place, Some(place)) => usize::try_from(place).ok(),
            (Naming::Index(places), _) => places.get(&local).copied(),
        };
        let slot =
            place.and_then(|place| self.places.get_mut(place)).filter(|slot| slot.is_some_and(|s| s.local == local));
        let Some(Place { position, .. }) = slot.and_then(Option::take) else {
            return Err(format!("it sent sample {local} of its partition without being asked, or twice"));
        };
        self.left -= 1;
        Ok(position)
    }
}
