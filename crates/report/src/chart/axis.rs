//! A number's axis: from values to pixels, and which numbers stand along it.

use super::svg::{Anchor, Svg, width};

/// A number's axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis<'a> {
    /// What the axis shows, with its unit.
    pub(crate) label: &'a str,
    /// Whether equal distances are equal ratios: then nothing may be 0.
    pub(crate) logarithmic: bool,
    /// How its numbers are written, without their unit.
    pub(crate) format: fn(f64) -> String,
}

/// A scale from values to pixels.
pub(super) struct Scale {
    low: f64,
    high: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    logarithmic: bool,
}

/// Least distance between two labels.
const BETWEEN: f64 = 8.0;

// === impl Scale ===

impl Scale {
    pub(super) fn new(values: impl Iterator<Item = f64>, from: f64, to: f64, logarithmic: bool) -> Self {
        let values = values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = match (low.is_finite(), logarithmic) {
            (false, _) => (0.1, 1.0),
            (true, true) => (low / 1.15, high * 1.15),
            (true, false) => (0.0, if high > 0.0 { high * 1.05 } else { 1.0 }),
        };
        Self { low, high, from, to, logarithmic }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round numbers along it: 1, 2 and 5 times powers of ten.
    fn ticks(&self) -> Vec<f64> {
        let steps = |power: i32| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power));
        if self.logarithmic {
            let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let all: Vec<_> = powers.flat_map(steps).filter(|tick| (self.low..=self.high).contains(tick)).collect();
            let whole = |tick: &f64| (tick.log10() - tick.log10().round()).abs() < 1e-9;
            return if all.len() > 10 { all.into_iter().filter(whole).collect() } else { all };
        }
        let rough = (self.high - self.low) / 6.0;
        let power = rough.log10().floor() as i32;
        let step = steps(power).into_iter().chain(steps(power + 1)).find(|step| *step >= rough).unwrap_or(rough);
        (0..).map(|i| f64::from(i) * step).take_while(|tick| *tick <= self.high).collect()
    }

    /// Lines upwards from `bottom` to `top`, and numbers below them, as many as have room.
    pub(super) fn across(&self, svg: &mut Svg, axis: Axis<'_>, top: f64, bottom: f64) {
        let mut free = f64::NEG_INFINITY;
        for tick in self.ticks() {
            let (at, text) = (self.at(tick), (axis.format)(tick));
            let half = width(&text) / 2.0;
            if at - half < free {
                continue;
            }
            free = at + half + BETWEEN;
            svg.grid((at, top), (at, bottom));
            svg.text(at, bottom + 18.0, Anchor::Middle, &text);
        }
        svg.below(self.from.midpoint(self.to), bottom + 42.0, axis.label);
    }

    /// Lines across, and numbers beside them.
    pub(super) fn up(&self, svg: &mut Svg, axis: Axis<'_>, left: f64, right: f64) {
        let mut free = f64::INFINITY;
        for tick in self.ticks() {
            let at = self.at(tick);
            if at > free {
                continue;
            }
            free = at - super::svg::LINE;
            svg.grid((left, at), (right, at));
            svg.text(left - 8.0, at + 4.0, Anchor::End, &(axis.format)(tick));
        }
        svg.beside(self.from.midpoint(self.to), axis.label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let scale = Scale::new([0.3, 170.0].into_iter(), 0.0, 100.0, true);
        assert_eq!(scale.ticks(), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        let scale = Scale::new([3.0, 17.0].into_iter(), 0.0, 100.0, false);
        assert_eq!(scale.ticks(), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!((scale.at(0.0), scale.at(1e9)), (0.0, 100.0));
        assert!(!Scale::new(std::iter::empty(), 0.0, 1.0, true).ticks().is_empty());
    }
}
