//! How many samples are wanted at each way.

use super::bytes;
use super::campaign::Campaign;
use super::options::{FIRST_SAMPLES, Samples};
use super::quantity::Quantity;
use crate::model::Model;
use crate::rounds::Stand;
use crate::statistics::{deviation, mean};

/// Most samples that a precision asks for: at ten ways and three times each, some minutes.
const MOST: usize = 4096;
/// Of a normal distribution, 95 % lie within so many standard deviations.
const CONFIDENCE: f64 = 1.96;

// === impl Campaign ===

impl Campaign<'_> {
    /// Samples of the order that each way begins with. With `caution` these are only as many as show what more would
    /// take.
    pub(super) fn first(&self, caution: bool) -> Vec<usize> {
        let asked = match self.options.samples {
            Samples::Within(_) => FIRST_SAMPLES,
            Samples::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Samples::All => usize::MAX,
        };
        vec![if caution { asked.min(FIRST_SAMPLES) } else { asked }; self.options.ways.len()]
    }

    /// What each way has of the samples that are wanted of it.
    pub(super) fn stands(&self) -> Vec<Stand> {
        let most = self.order.len();
        let goals = match self.options.samples {
            Samples::Within(precision) => self.enough(precision),
            Samples::Count(count) => vec![usize::try_from(count).unwrap_or(usize::MAX); self.tried.len()],
            Samples::All => vec![usize::MAX; self.tried.len()],
        };
        let stand = |(&(have, seconds), goal): (&(usize, f64), usize)| {
            let seconds = if have > 0 { seconds / have as f64 } else { 0.0 };
            Stand { have, most: if have > 0 { most } else { 0 }, goal, seconds }
        };
        self.tried.iter().zip(goals).map(stand).collect()
    }

    /// For each way, samples that must be measured for its totals to be known within `precision`. They follow from how
    /// far predictions are off.
    fn enough(&self, precision: f64) -> Vec<usize> {
        let mut most = vec![0.0_f64; self.tried.len()];
        for quantity in Quantity::ALL {
            let mut spreads = Vec::new();
            for (position, way) in self.ways() {
                let observations = self.observations(position, quantity);
                let values: Vec<_> = observations.iter().map(|(_, value)| *value).collect();
                let (_, error) = Model::fit(&observations);
                let level = mean(&values);
                let exact =
                    quantity == Quantity::Bytes && bytes::exact(self.making.target(), &self.photos[0], way).is_some();
                let spread = error.relative.map_or_else(|| deviation(&values), |relative| relative * level);
                spreads.push((position, if exact { 0.0 } else { spread }, level));
            }
            // A way's bytes are held against themselves. Its CPU time is held against the average of all ways:
            // microseconds beside milliseconds may be off by half.
            let average = mean(&spreads.iter().map(|(_, _, level)| *level).collect::<Vec<_>>());
            for (position, spread, level) in spreads {
                let level = if quantity == Quantity::Bytes { level } else { average };
                if level > 0.0 {
                    most[position] = most[position].max((CONFIDENCE * spread / level / precision).powi(2));
                }
            }
        }
        // Of a small dataset few are left to be wrong about.
        let all = self.photos.len() as f64;
        most.into_iter().map(|most| ((most / (1.0 + most / all)).ceil() as usize).min(MOST)).collect()
    }
}
