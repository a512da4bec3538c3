//! Ranges with their middle, and bars of shares.

use super::axis::{Axis, Scale};
use super::colour::{colour, ink_on};
use super::svg::{Anchor, Svg, WIDTH, escape, legend, width};

/// A named range with its middle.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    pub(crate) name: String,
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

/// A line upwards through bars of shares.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Where, from 0 to 1.
    pub(crate) at: f64,
    /// What it means.
    pub(crate) name: String,
}

const TOP: f64 = 8.0;
const ROW: f64 = 26.0;
const BOTTOM: f64 = 52.0;
/// From names to bars.
const GAP: f64 = 10.0;

// === impl Mark ===

impl Mark {
    fn across(&self, left: f64) -> f64 {
        left + self.at.clamp(0.0, 1.0) * (WIDTH - left)
    }
}

/// A range for each name.
pub(crate) fn spreads(x: Axis<'_>, spreads: &[Spread]) -> String {
    let bottom = TOP + ROW * spreads.len() as f64;
    let left = GAP + widest(spreads.iter().map(|spread| spread.name.as_str()));
    let values = widest(spreads.iter().map(|spread| (x.format)(spread.middle)));
    let right = WIDTH - values - 16.0;
    let across = Scale::new(spreads.iter().flat_map(|s| [s.low, s.high]), left, right, x.logarithmic);
    let mut svg = Svg::new(bottom + BOTTOM);
    across.across(&mut svg, x, TOP, bottom);
    for (place, Spread { name, low, middle, high }) in spreads.iter().enumerate() {
        let (y, colour) = (TOP + ROW * (place as f64 + 0.5), colour(place));
        let (from, middle_at) = (across.at(*low), across.at(*middle));
        let long = (across.at(*high) - from).max(2.0);
        svg.text(left - GAP, y + 4.5, Anchor::End, name);
        svg.put(format_args!(
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{long:.1}\" height=\"14\" rx=\"3\" fill=\"{colour}\" \
             opacity=\"0.45\"/>\
             <circle cx=\"{middle_at:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{colour}\"/>",
            y - 7.0,
        ));
        svg.text(from + long + 10.0, y + 4.5, Anchor::Start, &(x.format)(*middle));
    }
    svg.end()
}

/// For each name a bar of shares that add up to 1, in the order of `parts`: each a colour's number and a name. `of`:
/// what the names are.
pub(crate) fn shares(of: &str, names: &[String], parts: &[(usize, String)], shares: &[Vec<f64>]) -> String {
    marked_shares(of, names, parts, shares, None)
}

/// The same, with a mark.
pub(crate) fn marked_shares(
    of: &str,
    names: &[String],
    parts: &[(usize, String)],
    shares: &[Vec<f64>],
    mark: Option<&Mark>,
) -> String {
    let left = (GAP + widest(names.iter().map(String::as_str))).max(width(of) + GAP);
    let mut svg = Svg::new(TOP + ROW * (names.len() + 1) as f64);
    svg.text(left - GAP, TOP + 16.0, Anchor::End, of);
    for ((place, name), bar) in names.iter().enumerate().zip(shares) {
        let (y, mut x) = (TOP + ROW * (place + 1) as f64, left);
        svg.text(left - GAP, y + 15.0, Anchor::End, name);
        for ((part, label), share) in parts.iter().zip(bar).filter(|(_, share)| **share > 0.0) {
            let (wide, fill) = (share * (WIDTH - left), colour(*part));
            let (label, percent) = (escape(label), format!("{:.0} %", share * 100.0));
            svg.put(format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{fill}\"><title>{label}: \
                 {percent}\
                 </title></rect>",
                ROW - 4.0,
            ));
            let line = mark.map(|mark| mark.across(left));
            if let Some(middle) = clear(x, wide, width(&percent), line) {
                svg.inked(middle, y + 15.0, ink_on(fill), &percent);
            }
            x += wide;
        }
    }
    if let Some(mark) = mark {
        draw_mark(&mut svg, mark, left, TOP + ROW * (names.len() + 1) as f64);
    }
    legend(parts.iter().map(|(part, label)| (colour(*part), label.as_str()))) + &svg.end()
}

/// The middle of a text of this width within a part, beside a line upwards; `None` where there is no room.
fn clear(from: f64, wide: f64, text: f64, line: Option<f64>) -> Option<f64> {
    let half = text / 2.0;
    let fits = |middle: &f64| middle - half - 2.0 >= from && middle + half + 2.0 <= from + wide;
    let beside = |middle: &f64| line.is_none_or(|line| (line - middle).abs() >= half + 3.0);
    let around = line.map_or([0.0; 2], |line| [line - half - 3.0, line + half + 3.0]);
    [from + wide / 2.0, around[0], around[1]].into_iter().find(|middle| fits(middle) && beside(middle))
}

/// A dashed line over the bars, and its name above them, within the plot.
fn draw_mark(svg: &mut Svg, mark: &Mark, left: f64, bottom: f64) {
    let (x, half) = (mark.across(left), width(&mark.name) / 2.0);
    svg.text(x.clamp(left + half, (WIDTH - half).max(left + half)), TOP + 12.0, Anchor::Middle, &mark.name);
    svg.put(format_args!(
        "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" class=\"mark\" \
         style=\"stroke:var(--ink);stroke-width:2;stroke-dasharray:5 3\"/>",
        TOP + 16.0,
    ));
}

fn widest(names: impl Iterator<Item = impl AsRef<str>>) -> f64 {
    names.map(|name| width(name.as_ref())).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_beside_the_mark_or_not_at_all() {
        assert_eq!(clear(100.0, 80.0, 30.0, None), Some(140.0));
        assert_eq!(clear(100.0, 80.0, 30.0, Some(170.0)), Some(140.0), "far enough");
        assert_eq!(clear(100.0, 80.0, 30.0, Some(142.0)), Some(124.0), "left of it");
        assert_eq!(clear(100.0, 80.0, 30.0, Some(120.0)), Some(140.0), "where it stands");
        assert_eq!(clear(100.0, 80.0, 30.0, Some(125.0)), Some(143.0), "right of it");
        assert_eq!(clear(100.0, 40.0, 30.0, Some(120.0)), None);
        assert_eq!(clear(100.0, 30.0, 30.0, None), None);
    }
}
