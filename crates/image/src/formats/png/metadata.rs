//! Where a PNG states its orientation: in an `eXIf` chunk, in a text of EXIF in hexadecimal digits, as ImageMagick
//! writes it, or in XMP. They may stand before the pixels or behind them. The last one of each kind counts, as for
//! Pillow.

use std::borrow::Cow;

use crate::exif::UPRIGHT;
use crate::upright;

/// The chunks that may state the orientation. They are kept by their place, and not copied.
#[derive(Default)]
pub(crate) struct Metadata<'a> {
    exif: Option<&'a [u8]>,
    profile: Option<Text<'a>>,
    xmp: Option<Text<'a>>,
    /// XMP whose text is no UTF-8. It counts where there is no other XMP.
    raw_xmp: Option<Text<'a>>,
}

/// A text, packed by zlib or plain.
#[derive(Clone, Copy)]
enum Text<'a> {
    Plain(&'a [u8]),
    Zlib(&'a [u8]),
}

const PROFILE: &[u8] = b"Raw profile type exif";
const XMP: &[u8] = b"XML:com.adobe.xmp";
/// The longest text that is unpacked, which is the longest that Pillow takes.
pub(crate) const MOST_TEXT: usize = 1 << 20;
/// Lines of a profile before its digits: an empty one, `exif`, and the number of bytes.
const PROFILE_HEAD: usize = 3;

// === impl Metadata ===

impl<'a> Metadata<'a> {
    /// Takes a chunk in.
    pub(crate) fn see(&mut self, kind: &[u8; 4], data: &'a [u8]) {
        match kind {
            b"eXIf" => self.exif = Some(data),
            b"tEXt" => {
                let (key, text) = split(data).unwrap_or((data, &[]));
                match key {
                    b"exif" => self.exif = Some(text),
                    _ => self.keep(key, Text::Plain(text)),
                }
            }
            b"zTXt" => {
                if let Some((key, [0, text @ ..])) = split(data) {
                    self.keep(key, Text::Zlib(text));
                }
            }
            b"iTXt" => {
                if let Some((key, text)) = international(data) {
                    if key == XMP {
                        self.raw_xmp = Some(text);
                    }
                    if text.read().is_some_and(|text| std::str::from_utf8(&text).is_ok()) {
                        self.keep(key, text);
                    }
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, key: &[u8], text: Text<'a>) {
        match key {
            PROFILE => self.profile = Some(text),
            XMP => self.xmp = Some(text),
            _ => {}
        }
    }

    /// The orientation, 1 to 8.
    pub(crate) fn orientation(&self) -> u8 {
        let profile = match (self.exif, self.profile) {
            (None, Some(profile)) => match profile.read().and_then(|text| digits(&text)) {
                Some(block) => Some(block),
                // A photo whose EXIF is broken counts as upright.
                None => return UPRIGHT,
            },
            _ => None,
        };
        let xmp = [self.xmp, self.raw_xmp].into_iter().flatten().find_map(|text| text.read().filter(|t| !t.is_empty()));
        upright::orientation(self.exif.or(profile.as_deref()), xmp.as_deref())
    }
}

// === impl Text ===

impl<'a> Text<'a> {
    /// The text, unpacked; `None` where it cannot be unpacked, or becomes too long.
    fn read(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Plain(text) => Some(Cow::Borrowed(text)),
            Self::Zlib(packed) => fdeflate::decompress_to_vec_bounded(packed, MOST_TEXT).ok().map(Cow::Owned),
        }
    }
}

/// The bytes before and behind the first NUL.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(0, data)?;
    Some((&data[..at], &data[at + 1..]))
}

/// Key and text of an `iTXt` chunk: `key 0 | packed? | method | language 0 | translated key 0 | text`.
fn international(data: &[u8]) -> Option<(&[u8], Text<'_>)> {
    let (key, rest) = split(data)?;
    // Other keys are left packed, because unpacking takes time.
    if key != PROFILE && key != XMP {
        return None;
    }
    let &[packed, method, ref rest @ ..] = rest else { return None };
    let (_language, rest) = split(rest)?;
    let (_translated, text) = split(rest)?;
    match (packed, method) {
        (0, _) => Some((key, Text::Plain(text))),
        (_, 0) => Some((key, Text::Zlib(text))),
        _ => None,
    }
}

/// The bytes of a profile, which has two digits for each, in lines of any length.
fn digits(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.split(|&byte| byte == b'\n').skip(PROFILE_HEAD);
    let (mut bytes, mut high) = (Vec::new(), None);
    for &byte in lines.by_ref().flatten() {
        match (char::from(byte).to_digit(16), high) {
            (Some(digit), None) => high = Some(digit as u8),
            (Some(digit), Some(first)) => {
                bytes.push(first << 4 | digit as u8);
                high = None;
            }
            (None, None) if byte.is_ascii_whitespace() || byte == 0x0b => {}
            (None, _) => return None,
        }
    }
    high.is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exif;

    fn profile(block: &[u8]) -> Vec<u8> {
        let hex: Vec<String> = block.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<String> = hex.chunks(36).map(|line| line.concat()).collect();
        format!("\nexif\n{:8}\n{}\n", block.len(), lines.join("\n")).into_bytes()
    }

    fn orientation(chunks: &[(&[u8; 4], Vec<u8>)]) -> u8 {
        let mut metadata = Metadata::default();
        chunks.iter().for_each(|(kind, data)| metadata.see(kind, data));
        metadata.orientation()
    }

    fn text(key: &[u8], text: &[u8]) -> Vec<u8> {
        [key, b"\0", text].concat()
    }

    #[test]
    fn a_profile_in_digits_is_exif_packed_or_not() {
        let profile = profile(&exif::block(6));
        let packed = [PROFILE, b"\0\0", &fdeflate::compress_to_vec(&profile)].concat();
        let international = [PROFILE, b"\0\x01\0\0\0", &fdeflate::compress_to_vec(&profile)].concat();
        assert_eq!(orientation(&[(b"tEXt", text(PROFILE, &profile))]), 6);
        assert_eq!(orientation(&[(b"zTXt", packed.clone())]), 6);
        assert_eq!(orientation(&[(b"iTXt", international)]), 6);
        assert_eq!(orientation(&[(b"eXIf", exif::block(3)[6..].to_vec()), (b"zTXt", packed)]), 3, "a chunk goes first");
        assert_eq!(orientation(&[(b"tEXt", text(PROFILE, b"\nexif\n 4\nzz\n"))]), UPRIGHT);
    }

    #[test]
    fn xmp_says_it_where_exif_does_not() {
        let xmp = br#"<x tiff:Orientation="8"/>"#;
        let international = [XMP, b"\0\0\0\0\0", &xmp[..]].concat();
        assert_eq!(orientation(&[(b"iTXt", international.clone())]), 8);
        assert_eq!(orientation(&[(b"tEXt", text(XMP, xmp))]), 8);
        assert_eq!(orientation(&[(b"iTXt", international.clone()), (b"eXIf", exif::block(6).to_vec())]), 6);
        let no_entry = b"MM\0*\0\0\0\x08\0\0\0\0\0\0".to_vec();
        assert_eq!(orientation(&[(b"eXIf", no_entry), (b"iTXt", international)]), 8);
        let not_utf8 = [XMP, b"\0\0\0\0\0\xff", &xmp[..]].concat();
        assert_eq!(orientation(&[(b"iTXt", not_utf8)]), 8);
    }

    #[test]
    fn a_text_that_unpacks_to_too_much_says_nothing() {
        let packed = fdeflate::compress_to_vec(&vec![b' '; MOST_TEXT + 1]);
        assert_eq!(orientation(&[(b"zTXt", [XMP, b"\0\0", &packed].concat())]), UPRIGHT);
    }
}
