//! Lines over a shared axis, each with its name at its end. Lines that are the same everywhere are one, with the names
//! of all.

use super::axis::{Axis, Scale};
use super::colour::{CHOSEN, colour};
use super::svg::{Anchor, LINE, Svg, WIDTH, escape, width};

/// A named row of values; `None` where there is none.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) values: Vec<Option<f64>>,
    /// Drawn thicker, and last.
    pub(crate) chosen: bool,
}

const LEFT: f64 = 70.0;
const TOP: f64 = 12.0;
const TALL: f64 = 320.0;
const BOTTOM: f64 = 52.0;
/// From a line's end to its name.
const LEADER: f64 = 22.0;
/// What nobody sees: parts of a value by which lines may differ and still be one.
const SAME: f64 = 0.002;

/// Lines over a shared axis.
pub(crate) fn lines(x: Axis<'_>, y: Axis<'_>, places: &[f64], series: &[Series]) -> String {
    let merged = merge(series);
    let tall = TALL.max(LINE * (merged.len() + 1) as f64);
    let right = merged.iter().map(|series| width(&series.name)).fold(0.0, f64::max) + LEADER + 8.0;
    let (bottom, right) = (TOP + tall, WIDTH - right.min(WIDTH / 2.0));
    let across = Scale::new(places.iter().copied(), LEFT, right, x.logarithmic);
    let values = merged.iter().flat_map(|series| series.values.iter().flatten().copied());
    let up = Scale::new(values, bottom, TOP, y.logarithmic);
    let mut svg = Svg::new(bottom + BOTTOM);
    across.across(&mut svg, x, TOP, bottom);
    up.up(&mut svg, y, LEFT, right);
    let ends =
        merged.iter().map(|series| series.values.iter().rev().find_map(|value| *value).map(|value| up.at(value)));
    let names = apart(&ends.clone().map(|end| end.unwrap_or(bottom)).collect::<Vec<_>>(), TOP, bottom);
    let mut order: Vec<_> = merged.iter().enumerate().collect();
    order.sort_by_key(|(_, series)| series.chosen);
    for (place, series) in order {
        let (colour, thick) = if series.chosen { (CHOSEN, 4) } else { (colour(place), 2) };
        let points: Vec<_> = places.iter().zip(&series.values).filter_map(|(x, y)| Some((*x, (*y)?))).collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.at(*x), up.at(*y))).collect();
        let path = path.join(" ");
        svg.put(format_args!(
            "<polyline fill=\"none\" style=\"stroke:{colour}\" stroke-width=\"{thick}\" points=\"{path}\"/>"
        ));
        let name = escape(&series.name);
        for (x_value, y_value) in &points {
            let (cx, cy, radius) = (across.at(*x_value), up.at(*y_value), thick + 1);
            let (value, place) = ((y.format)(*y_value), (x.format)(*x_value));
            svg.put(format_args!(
                "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{radius}\" style=\"fill:{colour}\"><title>{name}: {value} \
                 at \
                 {place}</title></circle>"
            ));
        }
        let Some((last_x, last_y)) = points.last() else { continue };
        let (x1, y1, x2, y2) = (across.at(*last_x), up.at(*last_y), right + LEADER - 4.0, names[place]);
        svg.put(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" style=\"stroke:{colour}\"/>"
        ));
        svg.text(right + LEADER, names[place] + 4.0, Anchor::Start, &series.name);
    }
    svg.end()
}

/// Series that are the same everywhere as one, with the names of all; the chosen one's first.
fn merge(series: &[Series]) -> Vec<Series> {
    let mut merged: Vec<Series> = Vec::new();
    let mut order: Vec<_> = series.iter().filter(|series| series.values.iter().any(Option::is_some)).collect();
    order.sort_by_key(|series| !series.chosen);
    for series in order {
        match merged.iter_mut().find(|known| same(&known.values, &series.values)) {
            Some(known) => known.name = format!("{}, {}", known.name, series.name),
            None => merged.push(series.clone()),
        }
    }
    merged
}

fn same(one: &[Option<f64>], other: &[Option<f64>]) -> bool {
    one.iter().zip(other).all(|pair| match pair {
        (Some(one), Some(other)) => (one - other).abs() <= SAME * one.abs().max(other.abs()),
        (one, other) => one.is_none() && other.is_none(),
    })
}

/// Heights near these at which lines of text do not run into each other, in the same order; within bounds where there
/// is room.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<_> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut placed = wanted.to_vec();
    let mut free = top;
    for &place in &order {
        placed[place] = wanted[place].max(free);
        free = placed[place] + LINE;
    }
    let mut free = bottom;
    for &place in order.iter().rev() {
        placed[place] = placed[place].min(free);
        free = placed[place] - LINE;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(label: &str) -> Axis<'_> {
        Axis { label, logarithmic: true, format: |value| format!("{value}") }
    }

    fn series(name: &str, values: &[Option<f64>]) -> Series {
        Series { name: name.into(), values: values.to_vec(), chosen: name == "optimal" }
    }

    #[test]
    fn what_has_no_value_is_not_drawn_and_names_are_escaped() {
        let values = [Some(1.0), None, Some(4.0)];
        let all = [series("x&y", &values), series("nowhere", &[None; 3])];
        let svg = lines(axis("a < b"), axis("y"), &[1.0, 10.0, 100.0], &all);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("x&amp;y") && svg.contains("a &lt; b") && !svg.contains("NaN") && svg.ends_with("</svg>"));
        assert!(!svg.contains("nowhere"));
    }

    #[test]
    fn lines_that_hide_each_other_are_one_with_both_names() {
        let values = [Some(1.0), Some(2.0)];
        let all = [series("cropped", &values), series("flipped", &values), series("encoded", &[None, Some(2.0)])];
        let names = |all: &[Series]| merge(all).into_iter().map(|series| series.name).collect::<Vec<_>>();
        assert_eq!(names(&all), ["cropped, flipped", "encoded"]);
        let with_optimal = [all.as_slice(), &[series("optimal", &values)]].concat();
        assert_eq!(names(&with_optimal), ["optimal, cropped, flipped", "encoded"]);
        assert!(merge(&with_optimal)[0].chosen);
    }

    #[test]
    fn names_stand_apart_in_the_order_of_their_lines_and_within_the_plot() {
        let placed = apart(&[300.0, 10.0, 12.0, 299.0, 150.0, 11.0], 0.0, 300.0);
        let mut sorted = placed.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= LINE - 1e-9), "{placed:?}");
        assert!(placed[1] < placed[5] && placed[5] < placed[2] && placed[3] < placed[0]);
        assert!(sorted[0] >= 0.0 && sorted[5] <= 300.0 && placed[4] == 150.0);
    }
}
