//! What a photo's metadata say of its orientation: EXIF and XMP in APP1 segments.

use std::borrow::Cow;

use crate::upright;

/// How segments of metadata begin.
const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The metadata that were seen. They are kept by their place; only EXIF of several segments is copied.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    exif: Exif<'a>,
    xmp: Option<&'a [u8]>,
}

/// A photo's EXIF, which goes on in further segments where it does not fit into one.
#[derive(Default)]
struct Exif<'a> {
    first: Option<&'a [u8]>,
    more: Vec<&'a [u8]>,
}

// === impl Metadata ===

impl<'a> Metadata<'a> {
    /// Takes the contents of an APP1 segment.
    pub(super) fn see(&mut self, segment: &'a [u8]) {
        if segment.starts_with(EXIF) {
            self.exif.see(segment);
        } else {
            self.xmp = segment.strip_prefix(XMP).or(self.xmp);
        }
    }

    /// The orientation, 1 to 8.
    pub(super) fn orientation(&self) -> u8 {
        upright::orientation(self.exif.block().as_deref(), self.xmp)
    }
}

// === impl Exif ===

impl<'a> Exif<'a> {
    fn see(&mut self, segment: &'a [u8]) {
        match self.first {
            None => self.first = Some(segment),
            Some(_) => self.more.push(segment.strip_prefix(EXIF).unwrap_or(segment)),
        }
    }

    /// The EXIF of all segments as one block.
    fn block(&self) -> Option<Cow<'a, [u8]>> {
        let first = self.first?;
        Some(match self.more.is_empty() {
            true => Cow::Borrowed(first),
            false => Cow::Owned([&[first], &self.more[..]].concat().concat()),
        })
    }
}
