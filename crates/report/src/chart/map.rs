//! A map of categories: a colour at each (column, row), and a word in it.

use super::colour::{colour, ink_on};
use super::svg::{Anchor, Svg, WIDTH, escape, legend, width};

const LEFT: f64 = 70.0;
const TOP: f64 = 4.0;
const TALL: f64 = 30.0;
const BOTTOM: f64 = 52.0;

/// The places of an axis: what it is of, and their names.
pub(crate) type Places<'a> = (&'a str, &'a [String]);

/// A category at each (column, row), and a word in it. Rows go up. The list of colours has those that are there.
pub(crate) fn map(x: Places<'_>, y: Places<'_>, parts: &[String], cells: &[Vec<(usize, String)>]) -> String {
    let (columns, rows) = (x.1.len().max(1) as f64, y.1.len().max(1) as f64);
    let wide = (WIDTH - LEFT) / columns;
    let bottom = TOP + TALL * rows;
    let mut svg = Svg::new(bottom + BOTTOM);
    for (row, cells) in cells.iter().enumerate() {
        let top = TOP + TALL * (rows - 1.0 - row as f64);
        svg.text(LEFT - 8.0, top + 19.0, Anchor::End, &y.1[row]);
        for (column, (part, word)) in cells.iter().enumerate() {
            let (left, fill) = (LEFT + wide * column as f64, colour(*part));
            let (at, by) = (escape(&x.1[column]), escape(&y.1[row]));
            let (name, shown) = (escape(parts.get(*part).map_or("", String::as_str)), escape(word));
            svg.put(format_args!(
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
                 fill=\"{fill}\"><title>{shown}, {at} by {by}: \
                 {name}</title></rect>",
                wide - 2.0,
                TALL - 2.0,
            ));
            if width(word) <= wide {
                svg.inked(left + wide / 2.0, top + 19.0, ink_on(fill), word);
            }
        }
    }
    // As many of the columns have their name as there is room for, evenly.
    let room = x.1.iter().map(|name| width(name) + 6.0).fold(0.0, f64::max);
    let every = ((room / wide).ceil() as usize).max(1);
    for (column, name) in x.1.iter().enumerate().step_by(every) {
        svg.text(LEFT + wide * (column as f64 + 0.5), bottom + 18.0, Anchor::Middle, name);
    }
    svg.below(LEFT + wide * columns / 2.0, bottom + 42.0, x.0);
    svg.beside(TOP + TALL * rows / 2.0, y.0);
    let there = |part: &usize| cells.iter().flatten().any(|(of, _)| of == part);
    let named = (0..parts.len()).filter(there).map(|part| (colour(part), parts[part].as_str()));
    legend(named) + &svg.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_as_many_names_as_there_is_room_for() {
        let names: Vec<_> = (0..30).map(|column| format!("column {column}")).collect();
        let cells = vec![names.iter().map(|name| (0, name.clone())).collect::<Vec<_>>()];
        let svg = map(("x", &names), ("y", &["row".to_owned()]), &["part".to_owned(), "other".to_owned()], &cells);
        let drawn = names.iter().filter(|name| svg.contains(&format!(">{name}</text>"))).count();
        assert!((5..=10).contains(&drawn), "{drawn}");
        assert_eq!(svg.matches("<title>").count(), 30);
        assert!(svg.contains("part</li>") && !svg.contains("other"), "only what is there is named");
    }
}
