//! A JPEG's markers, found as libjpeg finds them.
//!
//! ```text
//! SOI | APP1 (EXIF) ... | SOF (size, components) | ... | SOS data | [ ... SOS data ]* | EOI
//! ```
//!
//! Every marker but SOI, EOI, RST and TEM is followed by a length of 2 bytes, which counts itself. Inside the data of a
//! scan 0xff is followed by 0, by a restart marker, or by the next marker.

use std::iter;

use memchr::memchr;

/// A marker and the offset behind it.
pub(super) type Marker = (u8, usize);

/// A marker and its segment.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    /// Offset of the marker.
    pub(super) at: usize,
    /// Offset of the end of the contents.
    pub(super) end: usize,
    pub(super) contents: &'a [u8],
}

pub(super) const TEM: u8 = 0x01;
pub(super) const SOF0: u8 = 0xc0;
pub(super) const SOF1: u8 = 0xc1;
pub(super) const DHT: u8 = 0xc4;
pub(super) const JPG: u8 = 0xc8;
pub(super) const DAC: u8 = 0xcc;
pub(super) const SOF15: u8 = 0xcf;
/// First of the eight restart markers.
pub(super) const RST0: u8 = 0xd0;
pub(super) const RST7: u8 = 0xd7;
pub(super) const SOI: u8 = 0xd8;
pub(super) const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;
pub(super) const DQT: u8 = 0xdb;
pub(super) const DRI: u8 = 0xdd;
pub(super) const APP0: u8 = 0xe0;
pub(super) const APP1: u8 = 0xe1;
pub(super) const APP14: u8 = 0xee;
pub(super) const APP15: u8 = 0xef;
pub(super) const COM: u8 = 0xfe;

/// How content begins: a start marker, and the first byte of the next one.
pub(crate) const SIGNATURE: &[u8] = &[0xff, SOI, 0xff];
pub(crate) const END_OF_IMAGE: [u8; 2] = [0xff, EOI];

/// The next marker at or behind `at`, past stuffing, fill bytes and anything that is no marker.
pub(super) fn next_marker(bytes: &[u8], mut at: usize) -> Option<Marker> {
    loop {
        at += memchr(0xff, bytes.get(at..)?)? + 1;
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at)?;
        at += 1;
        if marker != 0 {
            return Some((marker, at));
        }
    }
}

/// The contents of the segment whose length stands at `at`; `None` where the file ends before it does.
pub(super) fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    let length = usize::from(u16::from_be_bytes(length)).saturating_sub(2);
    bytes.get(at + 2..at + 2 + length)
}

/// The segments of a sound header, from the marker at `at` on: each has a length and stands right behind the one
/// before.
pub(super) fn segments(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Segment<'_>> {
    iter::from_fn(move || {
        let Some(&[0xff, marker]) = bytes.get(at..at + 2) else { return None };
        let contents = segment(bytes, at + 2)?;
        let segment = Segment { marker, at, end: at + 4 + contents.len(), contents };
        at = segment.end;
        Some(segment)
    })
}
