//! A JPEG's markers, walked from start to end as libjpeg walks them, to know what decoding will cost before it is begun.
//!
//! ```text
//! SOI | APP1 (EXIF) ... | SOF (size, components) | ... | SOS data | [ ... SOS data ]* | EOI
//! ```
//!
//! Every marker but SOI, EOI, RST and TEM is followed by a length of 2 bytes, which counts itself. Inside the data of a
//! scan 0xff is followed by 0, by a restart marker, or by the next marker. Allocates nothing but for EXIF of several segments; one pass over the bytes.

use std::borrow::Cow;
use std::iter;

use headwater_types::{Format, PixelBox, Scale, Size};
use memchr::memchr;

use super::grid::Grid;
use crate::error::ImageError;
use crate::upright;

/// What the markers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) size: Size,
    pub(crate) scans: u32,
    /// Has an end-of-image marker.
    pub(crate) complete: bool,
    pub(crate) orientation: u8,
    coding: Coding,
    components: Components,
    /// Components in the first scan; fewer than there are means that the whole picture is held as coefficients.
    first_scan: u8,
    /// Where the data of the first scan end: at the next marker, or at the end of the file.
    pub(crate) first_scan_end: usize,
    /// Nothing but the end of the image follows the first scan.
    ends_after_first_scan: bool,
    /// Left to libjpeg, for want of memory.
    left: bool,
}

/// How coefficients are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) progressive: bool,
    pub(super) arithmetic: bool,
}

/// The planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Components {
    count: u8,
    /// Horizontal and vertical sampling factor, 1 to 4.
    sampling: [(u8, u8); 4],
}

/// A marker and the offset behind it.
pub(super) type Marker = (u8, usize);

/// A marker and what belongs to it.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    /// Where the marker stands.
    pub(super) at: usize,
    /// Where the contents end.
    pub(super) end: usize,
    pub(super) contents: &'a [u8],
}

const TEM: u8 = 0x01;
pub(super) const SOF0: u8 = 0xc0;
pub(super) const SOF1: u8 = 0xc1;
pub(super) const DHT: u8 = 0xc4;
const JPG: u8 = 0xc8;
const DAC: u8 = 0xcc;
const SOF15: u8 = 0xcf;
const RST0: u8 = 0xd0;
const RST7: u8 = 0xd7;
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

/// Side of a block of coefficients, in samples.
const BLOCK: u64 = 8;
/// Bytes of a block of coefficients.
const BLOCK_BYTES: u64 = 64 * 2;
/// Pixels left and right of a box that its own are made from: fancy upsampling looks one sample of chroma to each side,
/// which is two pixels, and is given up for another kind where a row has but two of them.
const NEIGHBORS: u32 = 4;
/// Blocks to the left from which libjpeg guesses what a progressive photo has not sent.
const SMOOTHED_BLOCKS: u32 = 2;
/// How many times dearer a pixel is to arithmetic decoding than a pass of Huffman decoding.
const ARITHMETIC_COST: u32 = 4;

/// How segments of metadata begin.
const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// A photo's EXIF, which goes on in a further segment where one is too short for it.
#[derive(Default)]
struct Exif<'a> {
    first: Option<&'a [u8]>,
    more: Vec<&'a [u8]>,
}

// === impl Exif ===

impl<'a> Exif<'a> {
    fn see(&mut self, segment: &'a [u8]) {
        match self.first {
            None => self.first = Some(segment),
            Some(_) => self.more.push(segment.strip_prefix(EXIF).unwrap_or(segment)),
        }
    }

    /// All of it as one.
    fn block(&self) -> Option<Cow<'a, [u8]>> {
        let first = self.first?;
        Some(match self.more.is_empty() {
            true => Cow::Borrowed(first),
            false => Cow::Owned([&[first], &self.more[..]].concat().concat()),
        })
    }
}

// === impl Frame ===

impl Frame {
    /// Walks the markers.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut header = None;
        let (mut exif, mut xmp) = (Exif::default(), None);
        let mut scans = 0;
        let mut first_scan = 0;
        let mut first_scan_end = bytes.len();
        let mut ends_after_first_scan = true;
        let mut complete = false;
        let mut at = 2;
        while let Some((marker, behind)) = next_marker(bytes, at) {
            at = behind;
            if matches!(marker, RST0..=RST7 | TEM) {
                continue;
            }
            if scans == 1 {
                first_scan_end = first_scan_end.min(behind - 2);
            }
            if marker == SOI {
                return Err(malformed("it has two start markers"));
            }
            if marker == EOI {
                complete = true;
                break;
            }
            let Some(segment) = segment(bytes, behind) else { break };
            // libjpeg reads on behind a length that is too short to count itself.
            at = behind + 2 + segment.len();
            match marker {
                SOS => {
                    if scans == 0 {
                        first_scan = segment.first().copied().unwrap_or(0);
                    } else {
                        ends_after_first_scan = false;
                    }
                    scans += 1;
                }
                _ if scans > 0 => ends_after_first_scan = false,
                SOF0..=SOF15 if !matches!(marker, DHT | JPG | DAC) => {
                    if header.is_some() {
                        return Err(malformed("it has two frame headers"));
                    }
                    header = Some(frame_header(marker, segment)?);
                }
                APP1 if segment.starts_with(EXIF) => exif.see(segment),
                APP1 => xmp = segment.strip_prefix(XMP).or(xmp),
                _ => {}
            }
        }
        let (size, coding, components) = header.ok_or_else(|| malformed("it has no frame header"))?;
        if scans == 0 {
            return Err(malformed("it has no scan"));
        }
        let orientation = upright::orientation(exif.block().as_deref(), xmp);
        Ok(Self {
            size,
            scans,
            complete,
            orientation,
            coding,
            components,
            first_scan,
            first_scan_end,
            ends_after_first_scan,
            left: false,
        })
    }

    /// Stored as cyan, magenta, yellow, black (or as YCCK, which libjpeg turns into that).
    pub(crate) fn is_cmyk(&self) -> bool {
        self.components.count == 4
    }

    pub(super) fn coding(&self) -> Coding {
        self.coding
    }

    /// Its MCUs, where it is or will be coded in one scan.
    pub(super) fn grid(&self) -> Option<Grid> {
        Grid::new(self.size, self.sampling())
    }

    /// How often decoding goes over every pixel, in passes of Huffman decoding.
    pub(crate) fn passes(&self) -> u32 {
        if self.coding.arithmetic { self.scans.saturating_mul(ARITHMETIC_COST) } else { self.scans }
    }

    /// Whether the rows below those that are wanted can be left undecoded and the outcome, picture or error, is the same:
    /// libjpeg reads all scans before it makes the first row, or there is one, Huffman coded, and right behind it the end.
    pub(crate) fn may_stop_early(&self) -> bool {
        let one_scan = !self.holds_coefficients() && !self.coding.arithmetic && self.ends_after_first_scan;
        self.complete && (self.scans_come_first() || one_scan)
    }

    /// One scan, Huffman coded, sequential, and right behind it the end: all that the decoder here takes.
    pub(super) fn is_plain(&self) -> bool {
        self.may_stop_early() && !self.holds_coefficients() && !self.is_cmyk() && !self.left
    }

    /// The same, left to libjpeg.
    pub(crate) fn left_to_libjpeg(self) -> Self {
        Self { left: true, ..self }
    }

    /// The box to be decoded, in the photo at a scale, so that the pixels of `wanted` are those of the whole photo: from an edge of blocks on, and
    /// with the neighbours that they are made from. Everything left, right and above it is read all the same, so that the
    /// outcome, picture or error, does not depend on what is wanted.
    pub(crate) fn window(&self, scale: Scale, wanted: PixelBox) -> PixelBox {
        let size = scale.size(self.size);
        let block = u32::from(self.widest()) * u32::from(scale.eighths());
        let reach = NEIGHBORS + if self.holds_coefficients() { SMOOTHED_BLOCKS * block } else { 0 };
        let left = wanted.x.saturating_sub(reach) / block * block;
        let right = (wanted.x + wanted.width + NEIGHBORS).min(size.width);
        let bottom = if self.may_stop_early() { wanted.y + wanted.height } else { size.height };
        PixelBox { x: left, y: wanted.y, width: right - left, height: bottom - wanted.y }
    }

    /// Bytes of coefficients that are held at once: all, where a row of pixels needs more than one scan.
    pub(crate) fn coefficient_bytes(&self) -> u64 {
        if self.holds_coefficients() { self.all_coefficient_bytes() } else { 0 }
    }

    /// Bytes of all coefficients.
    pub(super) fn all_coefficient_bytes(&self) -> u64 {
        let sampling = self.sampling();
        let widest = u64::from(self.widest());
        let tallest = sampling.iter().map(|s| u64::from(s.1)).max().unwrap_or(1);
        let mcus_across = u64::from(self.size.width).div_ceil(widest * BLOCK);
        let mcus_down = u64::from(self.size.height).div_ceil(tallest * BLOCK);
        let blocks: u64 = sampling.iter().map(|&(h, v)| u64::from(h) * u64::from(v)).sum();
        mcus_across * mcus_down * blocks * BLOCK_BYTES
    }

    fn holds_coefficients(&self) -> bool {
        self.scans_come_first() || self.scans > 1
    }

    /// libjpeg's `has_multiple_scans`.
    fn scans_come_first(&self) -> bool {
        self.coding.progressive || self.first_scan < self.components.count
    }

    /// Highest horizontal sampling factor.
    fn widest(&self) -> u8 {
        self.sampling().iter().map(|s| s.0).max().unwrap_or(1)
    }

    fn sampling(&self) -> &[(u8, u8)] {
        self.components.sampling()
    }
}

// === impl Components ===

impl Components {
    /// Sampling factors of those that there are.
    pub(super) fn sampling(&self) -> &[(u8, u8)] {
        &self.sampling[..usize::from(self.count)]
    }
}

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

/// The segments of a header that is as it should be, from the marker at `at` on: one behind the other, with a length each.
pub(super) fn segments(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Segment<'_>> {
    iter::from_fn(move || {
        let Some(&[0xff, marker]) = bytes.get(at..at + 2) else { return None };
        let contents = segment(bytes, at + 2)?;
        let segment = Segment { marker, at, end: at + 4 + contents.len(), contents };
        at = segment.end;
        Some(segment)
    })
}

/// What a frame header's contents say.
pub(super) fn frame_header(marker: u8, segment: &[u8]) -> Result<(Size, Coding, Components), ImageError> {
    let (progressive, arithmetic) = match marker {
        0xc0 | 0xc1 => (false, false),
        0xc2 => (true, false),
        0xc9 => (false, true),
        0xca => (true, true),
        0xc3 | 0xcb => return Err(unsupported("lossless coding")),
        _ => return Err(unsupported("hierarchical coding")),
    };
    let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = segment else {
        return Err(malformed("its frame header is too short"));
    };
    if precision != 8 {
        return Err(unsupported(&format!("{precision} bits a sample")));
    }
    let size = Size { width: u16::from_be_bytes([w1, w0]).into(), height: u16::from_be_bytes([h1, h0]).into() };
    if size.pixels() == 0 {
        return Err(malformed("it is empty"));
    }
    if !matches!(count, 1 | 3 | 4) {
        return Err(unsupported(&format!("{count} components")));
    }
    let mut components = Components { count, sampling: [(1, 1); 4] };
    let (specs, _) = rest.as_chunks::<3>();
    if specs.len() < usize::from(count) {
        return Err(malformed("its frame header is too short"));
    }
    for (&[_, factors, _], sampling) in specs.iter().zip(&mut components.sampling).take(usize::from(count)) {
        *sampling = (factors >> 4, factors & 15);
        if !(1..=4).contains(&sampling.0) || !(1..=4).contains(&sampling.1) {
            return Err(malformed("its sampling factors are out of range"));
        }
    }
    Ok((size, Coding { progressive, arithmetic }, components))
}

fn malformed(reason: &str) -> ImageError {
    ImageError::malformed(Format::Jpeg, reason)
}

fn unsupported(feature: &str) -> ImageError {
    ImageError::UnsupportedFeature { format: Format::Jpeg, feature: feature.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG of markers only: what the walker reads and nothing else.
    fn jpeg(sof: u8, components: &[(u8, u8)], scans: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, sof, 0, 8 + 3 * components.len() as u8, 8, 0, 30, 0, 50];
        bytes.push(components.len() as u8);
        for (id, (h, v)) in components.iter().enumerate() {
            bytes.extend([id as u8, h << 4 | v, 0]);
        }
        for &count in scans {
            bytes.extend([0xff, SOS, 0, 3, count, 1, 2, 0xff, 0, 3, 0xff, RST0, 4]);
        }
        bytes.extend(tail);
        bytes
    }

    const YCC_420: [(u8, u8); 3] = [(2, 2), (1, 1), (1, 1)];
    const END: [u8; 2] = [0xff, EOI];

    #[test]
    fn a_baseline_photo_holds_no_coefficients_and_may_stop_early() {
        let frame = Frame::read(&jpeg(SOF0, &YCC_420, &[3], &END)).unwrap();
        assert_eq!((frame.size, frame.scans), (Size { width: 50, height: 30 }, 1));
        assert!(frame.complete && frame.may_stop_early());
        assert_eq!(frame.coefficient_bytes(), 0);
    }

    #[test]
    fn scans_are_counted_and_their_coefficients_weighed() {
        for (sof, scans) in [(0xc2, &[3, 1, 1][..]), (SOF0, &[1, 1, 1])] {
            let frame = Frame::read(&jpeg(sof, &YCC_420, scans, &END)).unwrap();
            assert_eq!(frame.scans, 3);
            assert!(frame.may_stop_early(), "libjpeg reads all of them before the first row");
            // 4 x 2 MCUs of 6 blocks of 128 bytes.
            assert_eq!(frame.coefficient_bytes(), 4 * 2 * 6 * 128);
        }
        let again = Frame::read(&jpeg(SOF0, &YCC_420, &[3, 1], &END)).unwrap();
        assert!(!again.may_stop_early(), "the second is read behind the last row");
    }

    #[test]
    fn a_file_that_stops_is_incomplete() {
        let whole = jpeg(SOF0, &YCC_420, &[3], &END);
        for length in 0..whole.len() {
            match Frame::read(&whole[..length]) {
                Ok(frame) => assert!(!frame.complete, "at {length}"),
                Err(error) => assert!(matches!(error, ImageError::Malformed { .. }), "at {length}: {error}"),
            }
        }
    }

    #[test]
    fn anything_behind_the_scan_forbids_stopping_early() {
        let frame = Frame::read(&jpeg(SOF0, &YCC_420, &[3], &[0xff, DHT, 0, 2, 0xff, EOI])).unwrap();
        assert!(frame.complete && !frame.may_stop_early());
    }

    #[test]
    fn a_second_start_is_an_error_wherever_it_stands() {
        for at in [2, jpeg(SOF0, &YCC_420, &[3], &[]).len()] {
            let mut bytes = jpeg(SOF0, &YCC_420, &[3], &END);
            bytes.splice(at..at, [0xff, SOI]);
            assert!(Frame::read(&bytes).is_err(), "at {at}");
        }
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        for (sof, name) in [(0xc3, "lossless"), (0xc5, "hierarchical"), (0xcb, "lossless")] {
            let error = Frame::read(&jpeg(sof, &YCC_420, &[3], &END)).unwrap_err();
            assert!(matches!(&error, ImageError::UnsupportedFeature { feature, .. } if feature.contains(name)));
        }
        let error = Frame::read(&jpeg(SOF0, &[(1, 1); 2], &[2], &END)).unwrap_err();
        assert!(error.to_string().contains("2 components"), "{error}");
        let mut deep = jpeg(SOF0, &YCC_420, &[3], &END);
        deep[6] = 12;
        assert!(Frame::read(&deep).unwrap_err().to_string().contains("12 bits"));
    }
}
