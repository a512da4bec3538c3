//! Which float each byte becomes: `to-tensor` and `normalize`, rounded as torchvision rounds.
//!
//! `to-tensor` divides by 255 in f32; `normalize` subtracts, then divides, each in f32. A byte has 256 values, so that
//! a table of 256 floats a channel gives the very same bits, faster than the arithmetic.
//!
//! Vectors are faster still, but neither with tables nor with divisions: they multiply by inverses of twice the
//! precision ([`Steps`]). Their rounding could differ from a division's in rare cases, which is why they are tried on
//! all 256 bytes of each channel before they are used.

use headwater_types::recipe::{Normalize, Stages, TensorScale};

use crate::level::Level;

/// The float that each byte becomes, per channel. It is kept from sample to sample while the recipe stays the same.
pub(crate) struct Floats {
    pub(crate) level: Level,
    made_for: Option<(TensorScale, Option<Normalize>)>,
    table: Box<[[f32; 256]; 3]>,
    /// The arithmetic that gives the table's values, where there is one.
    steps: Option<[Steps; 3]>,
}

/// The arithmetic of one channel: a byte times `scale`, less `mean`, times `spread`.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) scale: Factor,
    pub(crate) mean: f32,
    pub(crate) spread: Factor,
}

/// The inverse of a divisor in twice the precision of an f32: `high + low`.
#[derive(Clone, Copy)]
pub(crate) struct Factor {
    pub(crate) high: f32,
    pub(crate) low: f32,
}

/// The float that `to-tensor` makes of a byte.
fn scaled(scale: TensorScale, byte: u8) -> f32 {
    f32::from(byte) / divisor(scale)
}

fn divisor(scale: TensorScale) -> f32 {
    match scale {
        TensorScale::Unit => 255.0,
        TensorScale::Byte => 1.0,
    }
}

/// The float that `normalize` makes of a float in channel 0, 1 or 2.
pub(crate) fn normalized(normalize: &Normalize, channel: usize, value: f32) -> f32 {
    (value - normalize.mean[channel]) / normalize.std[channel]
}

// === impl Floats ===

impl Floats {
    /// Floats that are written with the instructions of a level.
    pub(crate) fn at(level: Level) -> Self {
        Self { level, made_for: None, table: Box::new([[0.0; 256]; 3]), steps: None }
    }

    /// The floats of a recipe's stages: up to `to-tensor`, or with `normalize` too.
    pub(crate) fn of(&mut self, stages: &Stages, normalize: bool) -> &Self {
        let wanted = (stages.scale, stages.normalize.filter(|_| normalize));
        if self.made_for != Some(wanted) {
            for (channel, values) in self.table.iter_mut().enumerate() {
                for (byte, value) in (0..=u8::MAX).zip(values) {
                    let plain = scaled(wanted.0, byte);
                    *value = wanted.1.as_ref().map_or(plain, |n| normalized(n, channel, plain));
                }
            }
            let steps = [0, 1, 2].map(|channel| Steps::new(wanted.0, wanted.1.as_ref(), channel));
            let same = steps.iter().zip(self.table.iter()).all(|(steps, table)| steps.give(table));
            self.steps = same.then_some(steps);
            self.made_for = Some(wanted);
        }
        self
    }

    /// The float of each byte, per channel.
    pub(crate) fn table(&self) -> &[[f32; 256]; 3] {
        &self.table
    }

    /// The arithmetic that gives the values of [`Self::table`] to the bit, where there is one.
    pub(crate) fn steps(&self) -> Option<&[Steps; 3]> {
        self.steps.as_ref()
    }
}

impl Default for Floats {
    fn default() -> Self {
        Self::at(Level::default())
    }
}

// === impl Steps ===

impl Steps {
    fn new(scale: TensorScale, normalize: Option<&Normalize>, channel: usize) -> Self {
        let (mean, std) = normalize.map_or((0.0, 1.0), |n| (n.mean[channel], n.std[channel]));
        Self { scale: Factor::inverse_of(divisor(scale)), mean, spread: Factor::inverse_of(std) }
    }

    /// Whether the steps give the bits of this table for all bytes.
    fn give(&self, table: &[f32; 256]) -> bool {
        let value = |byte: u8| self.spread.times(self.scale.times(f32::from(byte)) - self.mean);
        (0..=u8::MAX).zip(table).all(|(byte, expected)| value(byte).to_bits() == expected.to_bits())
    }
}

// === impl Factor ===

impl Factor {
    fn inverse_of(divisor: f32) -> Self {
        let exact = 1.0 / f64::from(divisor);
        let high = exact as f32;
        Self { high, low: (exact - f64::from(high)) as f32 }
    }

    /// A product, rounded twice: the small part, and the sum. Vectors do the same.
    fn times(self, value: f32) -> f32 {
        value.mul_add(self.high, value * self.low)
    }
}
