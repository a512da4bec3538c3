//! The ways of a recipe: what travels, and what is done on both sides of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_image::{ImageError, IndexedJpeg, Payload, Scratch, advance, finish_into};
use headwater_plan::partition::NotMeasured;
use headwater_types::{Cut, ImageLimits, Recipe, SampleKey, Way};

use crate::error::DissectionError;
use crate::photos::{Photos, draws, key};
use crate::stopwatch::timed;

/// What a photo costs by one way, summed over photos.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WayCost {
    pub(crate) bytes: f64,
    /// CPU seconds of the server.
    pub(crate) server: f64,
    /// CPU seconds of the tuner to the network's input.
    pub(crate) tuner: f64,
}

/// All photos by all ways.
#[derive(Debug, Default)]
pub(crate) struct Pixels {
    /// The network's inputs, a row for each photo: f32 `[3, h, w]`.
    pub(crate) rows: Vec<Vec<f32>>,
    /// Means over the photos, by way.
    pub(crate) ways: BTreeMap<Way, WayCost>,
    /// CPU seconds from a stored photo to the network's input.
    pub(crate) seconds: f64,
    pub(crate) failed: u64,
    pub(crate) not_measured: Vec<NotMeasured>,
}

/// Times that each photo goes each way; the fastest counts.
const REPEATS: usize = 3;

// === impl Pixels ===

impl Pixels {
    /// Measures photos by every way of the recipe. `done` hears of each photo.
    ///
    /// # Errors
    /// `NoPhoto` where none can be read.
    pub(crate) fn measure(recipe: &Recipe, photos: &Photos, done: &dyn Fn()) -> Result<Self, DissectionError> {
        let mut pixels = Self::default();
        let (mut lacking, mut first): (BTreeMap<Way, (u64, String)>, _) = (BTreeMap::new(), None);
        for (place, (name, bytes)) in photos.files.iter().enumerate() {
            let photo = key(place).map(|key| Photo { recipe, key, bytes, limits: ImageLimits::default() });
            match photo.map(|photo| pixels.add(&photo, &mut lacking)) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    pixels.failed += 1;
                    first = first.or(Some(format!("{name}: {error}")));
                }
                None => pixels.failed += 1,
            }
            done();
        }
        if pixels.rows.is_empty() {
            let first = first.unwrap_or_else(|| "there is no photo".to_owned());
            return Err(DissectionError::NoPhoto { tried: photos.files.len(), first });
        }
        let count = pixels.rows.len() as f64;
        for (way, (photos, reason)) in lacking {
            pixels.ways.remove(&way);
            pixels.not_measured.push(NotMeasured {
                tensor: way.to_string(),
                reason: format!("{photos} photos cannot travel so; the first: {reason}"),
            });
        }
        pixels.seconds /= count;
        for cost in pixels.ways.values_mut() {
            *cost = WayCost { bytes: cost.bytes / count, server: cost.server / count, tuner: cost.tuner / count };
        }
        Ok(pixels)
    }

    /// Adds a photo by every way; `lacking` counts those that it cannot go.
    fn add(&mut self, photo: &Photo<'_>, lacking: &mut BTreeMap<Way, (u64, String)>) -> Result<(), ImageError> {
        let mut scratch = Scratch::default();
        let (row, seconds) = photo.finish(&Payload::Encoded(photo.bytes.clone()), &mut scratch)?;
        for way in Way::all().filter(|way| !way.is_features()) {
            match photo.by(way, &mut scratch) {
                Ok(cost) => {
                    let sum = self.ways.entry(way).or_default();
                    sum.bytes += cost.bytes;
                    sum.server += cost.server;
                    sum.tuner += cost.tuner;
                }
                Err(reason) => lacking.entry(way).or_insert((0, reason)).0 += 1,
            }
        }
        self.rows.push(row);
        self.seconds += seconds;
        Ok(())
    }
}

/// A photo on its way.
struct Photo<'a> {
    recipe: &'a Recipe,
    key: SampleKey,
    bytes: &'a Bytes,
    limits: ImageLimits,
}

// === impl Photo ===

impl Photo<'_> {
    /// What this photo costs by a way: what a server does to it, and what the tuner does to what arrives.
    fn by(&self, way: Way, scratch: &mut Scratch) -> Result<WayCost, String> {
        let words = |error: ImageError| error.to_string();
        // Servers keep photos re-written for cropping: that work is not done with each sample.
        let stored = match way.cut() {
            Cut::JpegCrop => {
                let indexed = IndexedJpeg::rewrite(self.bytes, &self.limits).map_err(|reason| reason.to_string())?;
                Payload::Indexed(indexed)
            }
            _ => Payload::Encoded(self.bytes.clone()),
        };
        let mut cost = WayCost { bytes: 0.0, server: f64::INFINITY, tuner: f64::INFINITY };
        for _ in 0..REPEATS {
            let draws = draws(&self.key);
            let stored = stored.clone();
            let (parts, server) = timed(|| {
                let payload = advance(self.recipe, stored, way.cut(), &draws, &self.limits, scratch)?;
                Ok::<_, ImageError>(payload.into_parts(way.pixels(), None))
            });
            let parts = parts.map_err(words)?;
            cost.bytes = parts.bytes.len() as f64;
            let (payload, opening) = timed(|| Payload::from_parts(self.recipe, parts, &self.limits));
            let (_, finishing) = self.finish(&payload.map_err(words)?, scratch).map_err(words)?;
            // A stored photo is sent as it lies.
            cost.server = cost.server.min(if way == Way::ENCODED { 0.0 } else { server });
            cost.tuner = cost.tuner.min(opening + finishing);
        }
        Ok(cost)
    }

    /// The network's input, and the CPU seconds of the fastest time that it was made.
    fn finish(&self, payload: &Payload, scratch: &mut Scratch) -> Result<(Vec<f32>, f64), ImageError> {
        let size = self.recipe.output_size();
        let mut row = vec![0.0; 3 * size.height as usize * size.width as usize];
        let mut fastest = f64::INFINITY;
        for _ in 0..REPEATS {
            let draws = draws(&self.key);
            let (done, seconds) = timed(|| finish_into(self.recipe, payload, &draws, &self.limits, scratch, &mut row));
            done?;
            fastest = fastest.min(seconds);
        }
        Ok((row, fastest))
    }
}
