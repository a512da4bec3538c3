//! Plots as SVG: lines, ranges, stacked bars, and a map of categories. Each is a string that stands in a page by itself.

use std::fmt::Write as _;

/// A number's axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis<'a> {
    pub(crate) label: &'a str,
    /// Whether equal distances are equal ratios: then nothing may be 0.
    pub(crate) logarithmic: bool,
    /// How its numbers are written.
    pub(crate) format: fn(f64) -> String,
}

/// A named row of values; `None` where there is none.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) values: Vec<Option<f64>>,
    /// Drawn thicker, and last.
    pub(crate) chosen: bool,
}

/// A named range with its middle.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    pub(crate) name: String,
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

/// Colours that people with any colour vision can tell apart (Okabe and Ito 2008), and some greys.
const COLOURS: [&str; 14] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a100", "#7f7f7f", "#5d3a9b", "#994f00",
    "#40b0a6", "#dc267f", "#004d40", "#8fa3bf",
];
/// Of what was chosen.
const CHOSEN: &str = "#111111";
/// Least distance between the numbers of an axis, in pixels.
const APART: f64 = 72.0;
const WIDTH: f64 = 1040.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 52.0;
const ROW: f64 = 26.0;

/// A scale from values to pixels.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

// === impl Scale ===

impl Scale {
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64, logarithmic: bool) -> Self {
        let values = values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = match (low.is_finite(), logarithmic) {
            (false, _) => (0.1, 1.0),
            (true, true) => (low / 1.15, high * 1.15),
            (true, false) => (0.0, if high > 0.0 { high * 1.05 } else { 1.0 }),
        };
        Self { low, high, from, to, logarithmic }
    }

    fn at(&self, value: f64) -> f64 {
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
}

/// Lines over a shared axis.
pub(crate) fn lines(x: Axis<'_>, y: Axis<'_>, places: &[f64], series: &[Series]) -> String {
    let across = Scale::new(places.iter().copied(), LEFT, WIDTH - RIGHT, x.logarithmic);
    let values = series.iter().flat_map(|series| series.values.iter().flatten().copied());
    let up = Scale::new(values, HEIGHT - BOTTOM, TOP, y.logarithmic);
    let mut svg = begin(HEIGHT);
    axes(&mut svg, HEIGHT, (&across, x), Some((&up, y)));
    let mut order: Vec<_> = series.iter().enumerate().collect();
    order.sort_by_key(|(_, series)| series.chosen);
    for (place, series) in &order {
        let (colour, width) = if series.chosen { (CHOSEN, 4) } else { (colour(*place), 2) };
        let dash = if series.chosen { "" } else { " stroke-dasharray=\"7 4\"" };
        let points: Vec<_> = places.iter().zip(&series.values).filter_map(|(x, y)| Some((*x, (*y)?))).collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.at(*x), up.at(*y))).collect();
        put(
            &mut svg,
            format_args!(
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash} points=\"{}\"/>",
                path.join(" "),
            ),
        );
        for (x_value, y_value) in points {
            put(
                &mut svg,
                format_args!(
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{}\" fill=\"{colour}\"><title>{}: {} at {}</title></circle>",
                    across.at(x_value),
                    up.at(y_value),
                    width + 1,
                    escape(&series.name),
                    (y.format)(y_value),
                    (x.format)(x_value),
                ),
            );
        }
    }
    let colour_of = |(place, series): (usize, &Series)| if series.chosen { CHOSEN } else { colour(place) };
    legend(
        &mut svg,
        series.iter().enumerate().map(|(place, series)| (colour_of((place, series)), series.name.as_str())),
    );
    svg + "</svg>"
}

/// A range for each name.
pub(crate) fn spreads(x: Axis<'_>, spreads: &[Spread]) -> String {
    let height = TOP + ROW * spreads.len() as f64 + BOTTOM;
    let left = LEFT + 110.0;
    let across = Scale::new(spreads.iter().flat_map(|s| [s.low, s.high]), left, WIDTH - 120.0, x.logarithmic);
    let mut svg = begin(height);
    axes(&mut svg, height, (&across, x), None);
    for (place, Spread { name, low, middle, high }) in spreads.iter().enumerate() {
        let (y, colour) = (TOP + ROW * (place as f64 + 0.5), colour(place));
        let (from, to) = (across.at(*low), across.at(*high));
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"3\" fill=\"{colour}\" opacity=\"0.45\"/>\
             <circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 10.0,
                y + 4.5,
                escape(name),
                y - 7.0,
                (to - from).max(2.0),
                across.at(*middle),
                to + 12.0,
                y + 4.5,
                (x.format)(*middle),
            ),
        );
    }
    svg + "</svg>"
}

/// For each name a bar of shares that add up to 1, in the order of `parts`: each a colour's number and a name.
pub(crate) fn shares(names: &[String], parts: &[(usize, String)], of: &[Vec<f64>]) -> String {
    let height = TOP + ROW * names.len() as f64 + 16.0;
    let (left, right) = (LEFT + 110.0, WIDTH - RIGHT);
    let mut svg = begin(height.max(TOP + 20.0 * parts.len() as f64 + 16.0));
    for ((place, name), bar) in names.iter().enumerate().zip(of) {
        let (y, mut x) = (TOP + ROW * place as f64, left);
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 10.0,
                y + 16.0,
                escape(name)
            ),
        );
        for ((part, label), share) in parts.iter().zip(bar).filter(|(_, share)| **share > 0.0) {
            let width = share * (right - left);
            put(
                &mut svg,
                format_args!(
                    "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{}: {:.1} %</title></rect>",
                    y + 2.0,
                    ROW - 6.0,
                    colour(*part),
                    escape(label),
                    share * 100.0,
                ),
            );
            x += width;
        }
    }
    legend(&mut svg, parts.iter().map(|(part, label)| (colour(*part), label.as_str())));
    svg + "</svg>"
}

/// A category at each (column, row), and a word in it. Rows go up.
pub(crate) fn map(
    x: (&str, &[String]),
    y: (&str, &[String]),
    parts: &[String],
    cells: &[Vec<(usize, String)>],
) -> String {
    let (columns, rows) = (x.1.len().max(1) as f64, y.1.len().max(1) as f64);
    let (wide, tall) = ((WIDTH - LEFT - RIGHT) / columns, 30.0);
    let height = TOP + tall * rows + BOTTOM;
    let mut svg = begin(height);
    for (row, cells) in cells.iter().enumerate() {
        let top = TOP + tall * (rows - 1.0 - row as f64);
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                top + 20.0,
                escape(&y.1[row])
            ),
        );
        for (column, (part, word)) in cells.iter().enumerate() {
            let left = LEFT + wide * column as f64;
            put(
                &mut svg,
                format_args!(
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" opacity=\"0.75\"><title>{}, {} by {}: {}</title></rect>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" class=\"cell\">{}</text>",
                    wide - 2.0,
                    tall - 2.0,
                    colour(*part),
                    escape(word),
                    escape(&x.1[column]),
                    escape(&y.1[row]),
                    escape(parts.get(*part).map_or("", String::as_str)),
                    left + wide / 2.0,
                    top + 19.0,
                    escape(word),
                ),
            );
        }
    }
    for (column, name) in x.1.iter().enumerate() {
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                LEFT + wide * (column as f64 + 0.5),
                height - BOTTOM + 18.0,
                escape(name),
            ),
        );
    }
    put(
        &mut svg,
        format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" class=\"label\">{}</text>\
         <text transform=\"translate(22 {:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"label\">{}</text>",
            LEFT + wide * columns / 2.0,
            height - 10.0,
            escape(x.0),
            TOP + tall * rows / 2.0,
            escape(y.0),
        ),
    );
    legend(&mut svg, parts.iter().enumerate().map(|(part, label)| (colour(part), label.as_str())));
    svg + "</svg>"
}

/// Text as it may stand in a page.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn begin(height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">")
}

fn axes(svg: &mut String, height: f64, (across, x): (&Scale, Axis<'_>), up: Option<(&Scale, Axis<'_>)>) {
    let (bottom, middle) = (height - BOTTOM, (across.from + across.to) / 2.0);
    let mut last = f64::NEG_INFINITY;
    for tick in across.ticks() {
        let at = across.at(tick);
        if at - last < APART {
            continue;
        }
        last = at;
        put(
            svg,
            format_args!(
                "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom:.1}\" class=\"grid\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                (x.format)(tick),
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" class=\"label\">{}</text>",
            height - 10.0,
            escape(x.label)
        ),
    );
    let Some((up, y)) = up else { return };
    for tick in up.ticks() {
        let at = up.at(tick);
        put(
            svg,
            format_args!(
                "<line x1=\"{:.1}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" class=\"grid\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                across.from,
                across.to,
                across.from - 8.0,
                at + 4.0,
                (y.format)(tick),
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<text transform=\"translate(22 {:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"label\">{}</text>",
            (up.from + up.to) / 2.0,
            escape(y.label),
        ),
    );
}

fn legend<'a>(svg: &mut String, names: impl Iterator<Item = (&'static str, &'a str)>) {
    for (place, (colour, name)) in names.enumerate() {
        let y = TOP + 20.0 * place as f64;
        put(
            svg,
            format_args!(
                "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"14\" height=\"14\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT + 24.0,
                colour,
                WIDTH - RIGHT + 44.0,
                y + 12.0,
                escape(name),
            ),
        );
    }
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

fn put(svg: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = svg.write_fmt(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: f64) -> String {
        format!("{value}")
    }

    #[test]
    fn ticks_are_round_and_within() {
        let scale = Scale::new([0.3, 170.0].into_iter(), 0.0, 100.0, true);
        assert_eq!(scale.ticks(), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        let scale = Scale::new([3.0, 17.0].into_iter(), 0.0, 100.0, false);
        assert_eq!(scale.ticks(), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!((scale.at(0.0), scale.at(1e9)), (0.0, 100.0));
        assert!(!Scale::new(std::iter::empty(), 0.0, 1.0, true).ticks().is_empty());
    }

    #[test]
    fn what_has_no_value_is_not_drawn_and_names_are_escaped() {
        let axis = Axis { label: "a < b", logarithmic: true, format: plain };
        let series = Series { name: "x&y".into(), values: vec![Some(1.0), None, Some(4.0)], chosen: true };
        let svg = lines(axis, axis, &[1.0, 10.0, 100.0], &[series]);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("x&amp;y") && svg.contains("a &lt; b") && !svg.contains("NaN") && svg.ends_with("</svg>"));
    }
}
