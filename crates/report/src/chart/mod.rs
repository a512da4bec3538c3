//! Plots as SVG: lines, ranges, bars, stacked bars, and a map of categories. Each is a string that stands in a page by
//! itself.
//!
//! Text is placed by boxes: a label that would run into another is left out or moved, never drawn over it.

mod amounts;
mod axis;
mod bars;
mod colour;
mod lines;
mod map;
mod svg;

pub(crate) use amounts::amounts;
pub(crate) use axis::Axis;
pub(crate) use bars::{Mark, Spread, marked_shares, shares, spreads};
pub(crate) use lines::{Series, lines};
pub(crate) use map::map;
pub(crate) use svg::escape;
