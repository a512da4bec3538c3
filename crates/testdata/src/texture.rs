//! The classes of generated photos: what is seen, whatever its colours, place, size and turn.

use std::f64::consts::{PI, TAU};

use crate::dice::Dice;

/// A class of photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Texture {
    /// Squares of two colours in turn.
    Checker,
    /// One disc.
    Circle,
    /// One colour fading into the other.
    Gradient,
    /// Circles around a point.
    Rings,
    /// Parallel bands.
    Stripes,
    /// A grid of small discs.
    Dots,
    /// Bands from one point outwards.
    Rays,
    /// Wavy bands.
    Waves,
}

/// A texture with its place, size and turn.
pub(crate) struct Mask {
    texture: Texture,
    centre: [f64; 2],
    cos: f64,
    sin: f64,
    /// Length of a period, or a radius, in units of the picture's shorter side.
    size: f64,
    phase: f64,
}

// === impl Texture ===

impl Texture {
    /// Every class, in the order in which sets take them.
    pub const ALL: [Self; 8] =
        [Self::Checker, Self::Circle, Self::Gradient, Self::Rings, Self::Stripes, Self::Dots, Self::Rays, Self::Waves];

    /// The name of the class's folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checker => "checker",
            Self::Circle => "circle",
            Self::Gradient => "gradient",
            Self::Rings => "rings",
            Self::Stripes => "stripes",
            Self::Dots => "dots",
            Self::Rays => "rays",
            Self::Waves => "waves",
        }
    }

    pub(crate) fn mask(self, dice: &mut Dice) -> Mask {
        let angle = dice.range(0.0, TAU);
        let size = match self {
            Self::Circle => dice.range(0.18, 0.40),
            Self::Gradient => dice.range(0.9, 1.6),
            Self::Rays => dice.range(8.0, 14.0).round(),
            Self::Checker | Self::Dots => dice.range(0.16, 0.30),
            Self::Rings | Self::Stripes | Self::Waves => dice.range(0.12, 0.25),
        };
        Mask {
            texture: self,
            centre: [dice.range(-0.2, 0.2), dice.range(-0.2, 0.2)],
            cos: libm::cos(angle),
            sin: libm::sin(angle),
            size,
            phase: dice.range(0.0, TAU),
        }
    }
}

// === impl Mask ===

impl Mask {
    /// Share of the second colour, 0 to 1, at a point in units of the shorter side from the middle.
    pub(crate) fn at(&self, u: f64, v: f64) -> f64 {
        let (x, y) = (u - self.centre[0], v - self.centre[1]);
        let (x, y) = (x * self.cos + y * self.sin, y * self.cos - x * self.sin);
        let wave = |distance: f64| libm::sin(TAU * distance / self.size + self.phase);
        let radius = libm::sqrt(x * x + y * y);
        match self.texture {
            Texture::Checker => edge(wave(x) * wave(y) * 3.0),
            Texture::Circle => edge((self.size - radius) * 40.0),
            Texture::Gradient => (0.5 + x / self.size).clamp(0.0, 1.0),
            Texture::Rings => edge(wave(radius) * 3.0),
            Texture::Stripes => edge(wave(x) * 3.0),
            Texture::Dots => edge((wave(x) + wave(y) - 0.9) * 3.0),
            Texture::Rays => edge(libm::sin(libm::atan2(y, x) * self.size + self.phase) * radius * 20.0),
            Texture::Waves => edge(wave(x + 0.5 * self.size * libm::sin(PI * y / self.size)) * 3.0),
        }
    }
}

/// A border about a pixel wide instead of stairs.
fn edge(value: f64) -> f64 {
    (0.5 + value).clamp(0.0, 1.0)
}
