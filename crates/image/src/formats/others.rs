//! Formats that are known by how they begin, and are not decoded: a message can name them.

/// Where a format has its signature, the signature, and the format's name; the most specific ones first.
const OTHERS: [(usize, &[u8], &str); 20] = [
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
    (0, b"P7\n", "a PAM"),
    (0, b"PF\n", "a colour PFM"),
    (0, b"%PDF", "a PDF"),
    (0, b"<svg", "an SVG"),
];

/// What content looks like that is of no format which is decoded.
pub(super) fn name(bytes: &[u8]) -> &'static str {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    match OTHERS.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        Some((_, _, name)) => name,
        None if bytes.is_empty() => "empty",
        None => "of no known image format",
    }
}
