//! Shapes and text, and how wide text is.

use std::fmt::Write as _;

/// All plots are so wide; a page shows them smaller or larger, but never so small that text cannot be read.
pub(super) const WIDTH: f64 = 760.0;
/// Pixels of a character: of the fonts that pages are shown in, the widest's average.
const CHARACTER: f64 = 7.4;
/// Pixels from one line of text to the next.
pub(super) const LINE: f64 = 15.0;

/// A plot that is being drawn.
pub(super) struct Svg(String);

/// Where text stands to its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

// === impl Svg ===

impl Svg {
    pub(super) fn new(height: f64) -> Self {
        Self(format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">"))
    }

    pub(super) fn put(&mut self, part: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(part);
    }

    /// Text, on a line at this height.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        let (anchor, text) = (anchor.name(), escape(text));
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// Text in a colour of its own.
    pub(super) fn inked(&mut self, x: f64, y: f64, ink: &str, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" style=\"fill:{ink}\">{text}</text>"
        ));
    }

    /// What an axis across is of.
    pub(super) fn below(&mut self, x: f64, y: f64, text: &str) {
        let text = escape(text);
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" class=\"label\">{text}</text>"));
    }

    /// What an axis upwards is of.
    pub(super) fn beside(&mut self, y: f64, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            "<text transform=\"translate(16 {y:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"label\">{text}</text>"
        ));
    }

    pub(super) fn grid(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(format_args!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"grid\"/>"));
    }

    pub(super) fn end(self) -> String {
        self.0 + "</svg>"
    }
}

// === impl Anchor ===

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// About so wide, and rather more than less.
pub(super) fn width(text: &str) -> f64 {
    CHARACTER * text.chars().count() as f64
}

/// Text as it may stand in a page.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Colours and their names, as a list that wraps where a page is narrow.
pub(super) fn legend<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let item = |(colour, name): (&str, &str)| format!("<li><i style=\"background:{colour}\"></i>{}</li>", escape(name));
    format!("<ul class=\"legend\">{}</ul>", names.map(item).collect::<String>())
}
