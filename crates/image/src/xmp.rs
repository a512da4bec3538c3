//! The orientation that XMP states, found by a search in the text, as Pillow does it. It counts where EXIF has none.

use memchr::memmem;

const PROPERTY: &[u8] = b"tiff:Orientation";

/// The digit behind the first `tiff:Orientation="` or `tiff:Orientation>` that has one. It may be no valid orientation.
pub(crate) fn orientation(packet: &[u8]) -> Option<u8> {
    memmem::find_iter(packet, PROPERTY).find_map(|at| {
        let rest = &packet[at + PROPERTY.len()..];
        let value = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"))?;
        value.first().filter(|digit| digit.is_ascii_digit()).map(|digit| digit - b'0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_elements_are_read_and_the_first_that_has_a_digit() {
        assert_eq!(orientation(br#"<rdf:Description tiff:Orientation="6"/>"#), Some(6));
        assert_eq!(orientation(b"<tiff:Orientation>3</tiff:Orientation>"), Some(3));
        assert_eq!(orientation(br#"tiff:Orientation='6' tiff:Orientation="" tiff:Orientation="8""#), Some(8));
        assert_eq!(orientation(br#"tiff:Orientation="9""#), Some(9));
        assert_eq!(orientation(b"<tiff:Orientation> 6"), None);
        assert_eq!(orientation(b"tiff:Orientation=\""), None);
        assert_eq!(orientation(b""), None);
    }
}
