//! Bars from nothing to an amount, with the amount behind them.

use super::axis::{Axis, Scale};
use super::colour::colour;
use super::svg::{Anchor, Svg, WIDTH, escape, width};

const TOP: f64 = 8.0;
const ROW: f64 = 26.0;
const BOTTOM: f64 = 52.0;
/// From names to bars, and from bars to amounts.
const GAP: f64 = 10.0;

/// A bar for each name.
pub(crate) fn amounts(x: Axis<'_>, amounts: &[(String, f64)]) -> String {
    let bottom = TOP + ROW * amounts.len() as f64;
    let left = GAP + amounts.iter().map(|(name, _)| width(name)).fold(0.0, f64::max);
    let numbers = amounts.iter().map(|(_, amount)| width(&(x.format)(*amount))).fold(0.0, f64::max);
    let across = Scale::new(amounts.iter().map(|(_, amount)| *amount), left, WIDTH - numbers - 2.0 * GAP, false);
    let mut svg = Svg::new(bottom + BOTTOM);
    across.across(&mut svg, x, TOP, bottom);
    for (place, (name, amount)) in amounts.iter().enumerate() {
        let (top, fill) = (TOP + ROW * place as f64 + 3.0, colour(place));
        let (long, shown) = ((across.at(*amount) - left).max(1.0), (x.format)(*amount));
        svg.text(left - GAP, top + 14.5, Anchor::End, name);
        svg.put(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{long:.1}\" height=\"{:.1}\" fill=\"{fill}\">\
             <title>{}: {}</title></rect>",
            ROW - 6.0,
            escape(name),
            escape(&shown),
        ));
        svg.text(left + long + GAP, top + 14.5, Anchor::Start, &shown);
    }
    svg.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_amount() {
        let axis = Axis { label: "samples/s", logarithmic: false, format: |value| format!("{value:.0}") };
        let svg = amounts(axis, &[("a<b".into(), 100.0), ("none".into(), 0.0), ("half".into(), 50.0)]);
        let wide: Vec<f64> = svg
            .split("<rect")
            .skip(1)
            .filter_map(|rect| rect.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!((wide[0] - 2.0 * wide[2]).abs() < 0.2 && wide[1] == 1.0, "{wide:?}");
        assert!(svg.contains("a&lt;b: 100</title>") && svg.contains(">samples/s</text>"), "{svg}");
    }
}
