//! The formats of photos that are decoded: their names, on the wire and for people, and the suffixes of their files.
//!
//! What a file really is, its content says; suffixes only tell which files of a dataset are taken for photos.

use std::fmt;
use std::str::FromStr;

use crate::shown;

/// A format of photos that is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG: 8 bits, Huffman or arithmetic coded, sequential or progressive, 1, 3 or 4 components.
    Jpeg,
    /// PNG: every colour type and depth; the first frame of an animation.
    Png,
    /// WebP: lossy and lossless; the first frame of an animation.
    WebP,
    /// PNM: bitmaps, grey maps and pixel maps, plain and binary, to 16 bits; grey floats.
    Pnm,
    /// BMP and DIB: palettes, also run-length coded, and colours of 16, 24 and 32 bits.
    Bmp,
    /// GIF: the first frame of an animation.
    Gif,
    /// TIFF and BigTIFF: the first page; strips and tiles, plain or by LZW, deflate, PackBits, JPEG or fax.
    Tiff,
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no photo format {0:?}: photos are {all}", all = Format::listed("or"))]
pub struct FormatError(String);

// === impl Format ===

impl Format {
    /// Every format.
    pub const ALL: [Self; Self::Tiff as usize + 1] =
        [Self::Jpeg, Self::Png, Self::WebP, Self::Pnm, Self::Bmp, Self::Gif, Self::Tiff];

    /// The table of formats: the name, and the suffixes of files without their dot, in lower case.
    const fn row(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Jpeg => ("JPEG", &["jpg", "jpeg"]),
            Self::Png => ("PNG", &["png"]),
            Self::WebP => ("WebP", &["webp"]),
            Self::Pnm => ("PNM", &["ppm", "pgm", "pbm", "pnm"]),
            Self::Bmp => ("BMP", &["bmp", "dib"]),
            Self::Gif => ("GIF", &["gif"]),
            Self::Tiff => ("TIFF", &["tif", "tiff"]),
        }
    }

    /// The format's name, which is also its name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The suffix that files of the format have most, without its dot.
    pub const fn suffix(self) -> &'static str {
        self.row().1[0]
    }

    /// The suffixes of the files of every format, without their dot, in lower case.
    pub fn suffixes() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().flat_map(|format| format.row().1).copied()
    }

    /// The names of all formats, for a sentence: `JPEG, PNG and WebP`, where `last` is "and".
    pub fn listed(last: &str) -> String {
        shown::listed(Self::ALL, last)
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| FormatError(name.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_names_and_no_others() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "SVG".parse::<Format>().unwrap_err().to_string();
        assert_eq!(error, "there is no photo format \"SVG\": photos are JPEG, PNG, WebP, PNM, BMP, GIF or TIFF");
    }

    #[test]
    fn no_two_formats_share_a_suffix() {
        let mut suffixes: Vec<_> = Format::suffixes().collect();
        let all = suffixes.len();
        suffixes.sort_unstable();
        suffixes.dedup();
        assert_eq!(suffixes.len(), all);
    }
}
