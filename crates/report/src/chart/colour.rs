//! Colours that people with any colour vision can tell apart (Okabe and Ito 2008), and further ones where those do not
//! suffice.

const COLOURS: [&str; 14] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c8c8c", "#7b5fc7", "#a5682a",
    "#40b0a6", "#dc267f", "#2f7d6b", "#8fa3bf",
];
/// Of what was chosen: as text is.
pub(super) const CHOSEN: &str = "var(--ink)";

pub(super) fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// Black or white: what can be read on a colour (WCAG 2.1, relative luminance).
pub(super) fn ink_on(colour: &str) -> &'static str {
    // Above this black has more contrast than white.
    if luminance(colour) > 0.179 { "#000" } else { "#fff" }
}

/// 0 of black, 1 of white.
fn luminance(colour: &str) -> f64 {
    let channel = |from: usize| {
        let value = colour.get(from..from + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or_default();
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_a_colour_has_the_contrast_that_text_needs() {
        assert_eq!((luminance("#000000"), luminance("#ffffff")), (0.0, 1.0));
        for colour in COLOURS {
            let (under, ink) = (luminance(colour), if ink_on(colour) == "#000" { 0.0 } else { 1.0 });
            let contrast = (f64::max(under, ink) + 0.05) / (f64::min(under, ink) + 0.05);
            assert!(contrast >= 4.5, "{colour}: {contrast}");
        }
    }
}
