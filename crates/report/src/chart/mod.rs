//! Plots as SVG: lines, ranges, stacked bars, and a map of categories. Each is a string that stands in a page by
//! itself.
//!
//! Text is placed by boxes: a label that would run into another is left out or moved, never drawn over it.

mod axis;
mod bars;
mod colour;
mod lines;
mod map;
mod svg;

pub(crate) use axis::Axis;
pub(crate) use bars::{Spread, shares, spreads};
pub(crate) use lines::{Series, lines};
pub(crate) use map::map;
pub(crate) use svg::escape;
