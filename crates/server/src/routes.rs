//! Where the samples of a call are prepared: here, or at their home where that is another server.
//!
//! ```text
//! samples ─▶ home? ─ this server ──▶ Own: prepared here, and kept
//!                  ├ another ──────▶ Home: asked of it, some at a time, and kept there
//!                  └ cannot be asked ▶ Alone: prepared here, and not kept
//! ```

use std::sync::Arc;

use headwater_pipeline::{SampleRequest, Wanted};
use headwater_types::caps::{FORWARDED_BYTES, FORWARDED_SAMPLES};

use crate::homes::{Came, Homes, Need, Neighbour, model_digest};
use crate::offer::Offer;

/// Where samples are prepared.
#[derive(Clone)]
pub(crate) enum Route {
    /// Here, where they are kept.
    Own,
    /// Here, though another server is their home: nothing is kept.
    Alone,
    /// By the server that is their home.
    Home(Arc<Neighbour>),
}

/// Samples of a call that are prepared together, as their places in it.
#[derive(Clone)]
pub(crate) struct Leg {
    pub(crate) places: Vec<usize>,
    pub(crate) route: Route,
}

/// Whether a call may ask other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handing {
    /// Not where it was handed on already, and where the store is shared with nobody.
    Never,
    On,
}

/// The homes for each need of a call.
struct Found<'a> {
    offer: &'a Offer,
    homes: Vec<(Need, Homes)>,
}

/// Samples for one home that are not yet enough for a call.
struct Open {
    home: Arc<Neighbour>,
    places: Vec<usize>,
    bytes: u64,
}

// === impl Leg ===

impl Leg {
    /// A sample that is prepared here after its home could not be asked.
    pub(crate) fn alone(place: usize) -> Self {
        Self { places: vec![place], route: Route::Alone }
    }
}

/// Parts samples of a call, by their places in it, into legs. They begin in the order of their first places.
pub(crate) fn plan(
    offer: &Offer,
    requests: &[SampleRequest],
    places: impl Iterator<Item = usize>,
    handing: Handing,
) -> Vec<Leg> {
    let Some(share) = offer.house.share.as_ref().filter(|_| handing == Handing::On) else {
        return here(offer, requests, &places.collect::<Vec<_>>(), &Route::Own);
    };
    let mut found = Found { offer, homes: Vec::new() };
    let (mut own, mut alone) = (Vec::new(), Vec::new());
    let (mut open, mut legs): (Vec<Open>, Vec<Leg>) = Default::default();
    for place in places {
        let Some(home) = found.home(&requests[place]) else {
            own.push(place);
            continue;
        };
        if home.rests() {
            share.counts.add(Came::Resting, 1);
            alone.push(place);
        } else {
            legs.extend(hand(&mut open, home, place, stored(offer, &requests[place])));
        }
    }
    legs.extend(open.into_iter().map(Open::close));
    legs.extend(here(offer, requests, &own, &Route::Own));
    legs.extend(here(offer, requests, &alone, &Route::Alone));
    legs.sort_by_key(|leg| leg.places.first().copied());
    legs
}

/// Samples that are prepared here: those of one run together.
fn here(offer: &Offer, requests: &[SampleRequest], places: &[usize], route: &Route) -> Vec<Leg> {
    let runs = offer.generation.pipeline.runs(places.iter().map(|place| &requests[*place]));
    runs.into_iter().map(|run| Leg { places: places[run].to_vec(), route: route.clone() }).collect()
}

/// Adds a sample of so many stored bytes to what is open for its home. Gives what is full without it.
fn hand(open: &mut Vec<Open>, home: Arc<Neighbour>, place: usize, bytes: u64) -> Option<Leg> {
    let same = open.iter_mut().find(|open| Arc::ptr_eq(&open.home, &home));
    let Some(same) = same else {
        open.push(Open { home, places: vec![place], bytes });
        return None;
    };
    let is_full = same.places.len() >= FORWARDED_SAMPLES || same.bytes.saturating_add(bytes) > FORWARDED_BYTES.get();
    let full = is_full.then(|| std::mem::replace(same, Open { home, places: Vec::new(), bytes: 0 }).close());
    same.places.push(place);
    same.bytes = same.bytes.saturating_add(bytes);
    full
}

fn stored(offer: &Offer, request: &SampleRequest) -> u64 {
    offer.generation.catalog().get(request.index).map(|entry| entry.version.size().get()).unwrap_or_default()
}

// === impl Open ===

impl Open {
    fn close(self) -> Leg {
        Leg { places: self.places, route: Route::Home(self.home) }
    }
}

// === impl Found ===

impl Found<'_> {
    /// The other server that is a sample's home; `None` where it is this one, and for an index that is no sample's.
    fn home(&mut self, request: &SampleRequest) -> Option<Arc<Neighbour>> {
        let need = need(&request.wanted);
        if !self.homes.iter().any(|(known, _)| *known == need) {
            self.homes.push((need, self.offer.homes(need)?));
        }
        let (_, homes) = self.homes.iter().find(|(known, _)| *known == need)?;
        let key = self.offer.generation.catalog().key(request.index)?;
        homes.of(&self.offer.served.name, &key).map(Arc::clone)
    }
}

/// What a server must have to prepare a sample.
fn need(wanted: &Wanted) -> Need {
    match wanted {
        Wanted::Stored => Need::Bytes,
        Wanted::JpegCrop(_) | Wanted::Pixels { .. } => Need::Workers,
        Wanted::Features { model, .. } => Need::Model(model_digest(model)),
    }
}

#[cfg(test)]
mod tests {
    use headwater_wire::Introduction;

    use super::*;
    use crate::homes::line;
    use crate::others::Others;

    fn home(name: &str) -> Arc<Neighbour> {
        let said = Introduction {
            name: None,
            instance: [0; 16],
            server_version: String::new(),
            has_workers: true,
            datasets: Vec::new(),
            models: Vec::new(),
        };
        let address = "127.0.0.1:1".parse().unwrap();
        let line = line(&Others::default(), address, &"peer:1".parse().unwrap());
        Arc::new(Neighbour::new(name.parse().unwrap(), address, said, line.unwrap()))
    }

    #[tokio::test]
    async fn samples_of_one_home_share_a_call_until_it_is_full() {
        let (homes, mut open, mut legs) = ([home("a"), home("b")], Vec::new(), Vec::new());
        let mut add = |place: usize, bytes| {
            legs.extend(hand(&mut open, Arc::clone(&homes[place % 2]), place, bytes));
        };
        (0..2 * FORWARDED_SAMPLES + 2).for_each(|place| add(place, 1));
        // A large one does not fit with the others, and takes no company.
        add(100, FORWARDED_BYTES.get());
        add(102, 1);
        let places: Vec<_> = legs.iter().map(|leg| leg.places.clone()).collect();
        let even: Vec<_> = (0..FORWARDED_SAMPLES).map(|place| 2 * place).collect();
        let odd: Vec<_> = even.iter().map(|place| place + 1).collect();
        assert_eq!(places, [even, odd, vec![2 * FORWARDED_SAMPLES], vec![100]]);
        let left: Vec<_> = open.into_iter().map(|open| open.close().places).collect();
        assert_eq!(left, [vec![102], vec![2 * FORWARDED_SAMPLES + 1]]);
    }
}
