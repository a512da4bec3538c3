//! What format content is, told by its first bytes and never by its name.

use headwater_types::Format;

use crate::error::ImageError;

/// (offset, bytes there, name) of formats that are known and not decoded, most specific first.
const OTHERS: [(usize, &[u8], &str); 24] = [
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"II+\0", "a BigTIFF"),
    (0, b"MM\0+", "a BigTIFF"),
    (0, b"\0\0\x01\0", "an icon (ICO)"),
    (0, b"\0\0\x02\0", "a cursor (CUR)"),
    (4, b"ftypavif", "an AVIF"),
    (4, b"ftypavis", "an AVIF sequence"),
    (4, b"ftyphei", "a HEIC"),
    (4, b"ftyphev", "a HEIC sequence"),
    (4, b"ftypmif1", "a HEIF"),
    (4, b"ftyp", "an ISO media file"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (0, b"qoif", "a QOI"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"DDS ", "a DDS"),
    (0, b"v/1\x01", "an OpenEXR"),
    (0, b"%PDF", "a PDF"),
    (0, b"<svg", "an SVG"),
];

/// Tells the format by content.
///
/// # Errors
/// `UnsupportedFormat`, naming the format where it is a known one.
pub fn sniff(bytes: &[u8]) -> Result<Format, ImageError> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let found = match OTHERS.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        Some((_, _, name)) => name,
        None if bytes.is_empty() => "empty",
        None if matches!(bytes, [b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..]) => "a PNM",
        None => "of no known image format",
    };
    Err(ImageError::UnsupportedFormat { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_known_others_are_named() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0rest"), Ok(Format::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\nrest"), Ok(Format::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(Format::WebP));
        for (bytes, name) in [
            (&b"GIF89a"[..], "a GIF"),
            (b"BMxxxx", "a BMP"),
            (b"\0\0\0\x20ftypavif", "an AVIF"),
            (b"P6\n1 1\n", "a PNM"),
            (b"", "empty"),
            (b"RIFF\0\0\0\0WAVE", "of no known image format"),
            (b"\xff\xd8", "of no known image format"),
        ] {
            let error = sniff(bytes).unwrap_err();
            assert_eq!(error, ImageError::UnsupportedFormat { found: name });
            assert!(error.to_string().contains(name));
        }
    }
}
