//! A page about the size of a cache: hit rates of several policies, as lines and as a table.

use std::fmt;

use crate::chart::{Axis, Series, escape, lines};
use crate::html::{head, section};
use crate::number::{Unit, number};

/// Hit rates over the size of a cache.
pub struct Curves<'a> {
    /// What was replayed.
    pub title: &'a str,
    /// What the page is about, in a sentence or two.
    pub words: &'a str,
    /// What the sizes are of.
    pub label: &'a str,
    /// Sizes, in bytes.
    pub bytes: &'a [f64],
    /// A line for each policy.
    pub lines: &'a [Line],
}

/// One policy.
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its hit rate at each size, from 0 to 1.
    pub values: Vec<f64>,
    /// Whether it is drawn before all others.
    pub chosen: bool,
}

// === impl Curves ===

impl fmt::Display for Curves<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("Headwater: {}", escape(self.title));
        head(f, &title)?;
        writeln!(f, "<h1>{title}</h1><p>{}</p>", escape(self.words))?;
        let unit = Unit::bytes(self.bytes.iter().copied().fold(0.0, f64::max));
        let words = "Lines that are the same everywhere are one, with the names of all.";
        section(f, "Hit rate over size", words, &self.plot(unit))?;
        self.table(f, unit)?;
        writeln!(f, "</body></html>")
    }
}

impl Curves<'_> {
    fn plot(&self, unit: Unit) -> String {
        let series: Vec<_> = self.lines.iter().map(Line::series).collect();
        let places: Vec<_> = self.bytes.iter().map(|bytes| bytes / unit.size).collect();
        let label = format!("{}, {}", self.label, unit.name);
        let x = Axis { label: &label, logarithmic: true, format: number };
        lines(x, Axis { label: "hit rate", logarithmic: false, format: number }, &places, &series)
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, unit: Unit) -> fmt::Result {
        let heads: String = self.lines.iter().map(|line| format!("<th>{}</th>", escape(&line.name))).collect();
        writeln!(f, "<div class=\"wide\"><table><tr><th>{}, {}</th>{heads}</tr>", escape(self.label), unit.name)?;
        for (place, bytes) in self.bytes.iter().enumerate() {
            let of = |line: &Line| line.values.get(place).map_or_else(String::new, |rate| format!("{rate:.4}"));
            let cells: String = self.lines.iter().map(|line| format!("<td>{}</td>", of(line))).collect();
            writeln!(f, "<tr><td>{}</td>{cells}</tr>", unit.of(*bytes))?;
        }
        writeln!(f, "</table></div>")
    }
}

// === impl Line ===

impl Line {
    fn series(&self) -> Series {
        let values = self.values.iter().copied().map(Some).collect();
        Series { name: self.name.clone(), values, chosen: self.chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_a_line_and_every_size_a_row() {
        let line =
            |name: &str, values: [f64; 2]| Line { name: name.into(), values: values.into(), chosen: name == "lru" };
        let lines = [line("lru", [0.25, 0.5]), line("static", [0.3, 1.0])];
        let curves = Curves { title: "a<b", words: "few", label: "memory", bytes: &[1e6, 2e9], lines: &lines };
        let page = curves.to_string();
        assert_eq!((page.matches("<polyline").count(), page.matches("<circle").count()), (2, 4));
        assert!(page.contains("a&lt;b") && page.contains("<td>0.2500</td><td>0.3000</td>"), "{page}");
        assert!(page.contains("memory, GB") && page.ends_with("</html>\n"));
    }
}
