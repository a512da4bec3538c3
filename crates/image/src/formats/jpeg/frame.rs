//! What decoding a JPEG will cost, and how much of it must be read: told by its markers before it is begun.
//!
//! One pass over the bytes. Allocates nothing but for EXIF of several segments.

use headwater_types::{Format, PixelBox, Scale, Size};

use super::frame_header::{Coding, Components, FrameHeader};
use super::grid::Grid;
use super::markers::{APP1, DAC, DHT, EOI, JPG, RST0, RST7, SOF0, SOF15, SOI, SOS, TEM, next_marker, segment};
use super::metadata::Metadata;
use crate::error::ImageError;

/// What the markers of a JPEG say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) size: Size,
    pub(crate) scans: u32,
    /// Whether the photo has an end-of-image marker.
    pub(crate) complete: bool,
    pub(crate) orientation: u8,
    coding: Coding,
    components: Components,
    /// Components in the first scan. Where the photo has more, the whole picture is held as coefficients.
    first_scan: u8,
    /// Where the data of the first scan end: at the next marker, or at the end of the file.
    pub(crate) first_scan_end: usize,
    /// Whether nothing but the end of the image follows the first scan.
    ends_after_first_scan: bool,
    /// Whether the photo is left to libjpeg, for want of memory.
    left: bool,
}

/// What has been read of a JPEG so far.
#[derive(Default)]
struct Walk<'a> {
    header: Option<FrameHeader>,
    metadata: Metadata<'a>,
    scans: u32,
    /// Components in the first scan.
    first_scan: u8,
    first_scan_end: Option<usize>,
    /// Whether anything but the end of the image follows the first scan.
    goes_on: bool,
    complete: bool,
}

/// Side of a block of coefficients, in samples.
const BLOCK: u64 = 8;
/// Bytes of a block of coefficients.
const BLOCK_BYTES: u64 = 64 * 2;
/// Pixels left and right of a box that the box's own are made from. Fancy upsampling reads one sample of chroma to each
/// side, which is two pixels; and a row of only two samples would be upsampled otherwise.
const NEIGHBORS: u32 = 4;
/// Blocks to the left from which libjpeg guesses the coefficients that a progressive photo has not sent.
const SMOOTHED_BLOCKS: u32 = 2;
/// How many times as long arithmetic decoding takes for a pixel as a pass of Huffman decoding.
const ARITHMETIC_COST: u32 = 4;

// === impl Frame ===

impl Frame {
    /// Walks the markers.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut walk = Walk::default();
        let mut at = 2;
        while let Some((marker, behind)) = next_marker(bytes, at) {
            at = behind;
            match marker {
                RST0..=RST7 | TEM => continue,
                SOI => return Err(malformed("it has two start markers")),
                _ => walk.end_first_scan(behind - 2),
            }
            if marker == EOI {
                walk.complete = true;
                break;
            }
            let Some(segment) = segment(bytes, behind) else { break };
            // libjpeg reads on behind a length that is too short to count itself.
            at = behind + 2 + segment.len();
            walk.take(marker, segment)?;
        }
        walk.finish(bytes.len())
    }

    /// Whether the photo is stored as cyan, magenta, yellow, black (or as YCCK, which libjpeg turns into that).
    pub(crate) fn is_cmyk(&self) -> bool {
        self.components.count() == 4
    }

    pub(super) fn coding(&self) -> Coding {
        self.coding
    }

    /// The photo's MCUs, as they are in a single scan.
    pub(super) fn grid(&self) -> Option<Grid> {
        Grid::new(self.size, self.sampling())
    }

    /// How often decoding goes over every pixel, in passes of Huffman decoding.
    pub(crate) fn passes(&self) -> u32 {
        if self.coding.arithmetic { self.scans.saturating_mul(ARITHMETIC_COST) } else { self.scans }
    }

    /// Whether decoding may stop below the wanted rows with the same outcome, picture or error. It may where libjpeg
    /// reads all scans before it makes the first row, and where a single Huffman-coded scan is followed by the end of
    /// the image.
    pub(crate) fn may_stop_early(&self) -> bool {
        let one_scan = !self.holds_coefficients() && !self.coding.arithmetic && self.ends_after_first_scan;
        self.complete && (self.scans_come_first() || one_scan)
    }

    /// Whether our own decoder takes the photo: a single Huffman-coded sequential scan, followed by the end of the
    /// image.
    pub(super) fn is_plain(&self) -> bool {
        self.may_stop_early() && !self.holds_coefficients() && !self.is_cmyk() && !self.left
    }

    /// The same frame, with the photo left to libjpeg.
    pub(crate) fn left_to_libjpeg(self) -> Self {
        Self { left: true, ..self }
    }

    /// The box that libjpeg must decode, in the photo at a scale, so that the pixels of `wanted` are those of the whole
    /// photo. It begins at an edge of blocks, and includes the neighbours that the pixels are made from. The data of
    /// all that lies left, right and above are read too, so that the outcome, picture or error, does not depend on
    /// `wanted`.
    pub(crate) fn window(&self, scale: Scale, wanted: PixelBox) -> PixelBox {
        let size = scale.size(self.size);
        let block = u32::from(self.widest()) * u32::from(scale.eighths());
        let reach = NEIGHBORS + if self.holds_coefficients() { SMOOTHED_BLOCKS * block } else { 0 };
        let left = wanted.x.saturating_sub(reach) / block * block;
        let right = (wanted.x + wanted.width + NEIGHBORS).min(size.width);
        let bottom = if self.may_stop_early() { wanted.y + wanted.height } else { size.height };
        PixelBox { x: left, y: wanted.y, width: right - left, height: bottom - wanted.y }
    }

    /// Bytes of coefficients that are held at once: all of them where a row of pixels needs more than one scan, and
    /// none elsewhere.
    pub(crate) fn coefficient_bytes(&self) -> u64 {
        if self.holds_coefficients() { self.all_coefficient_bytes() } else { 0 }
    }

    /// Bytes of all the photo's coefficients.
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
        self.coding.progressive || self.first_scan < self.components.count()
    }

    /// The highest horizontal sampling factor of a component.
    fn widest(&self) -> u8 {
        self.sampling().iter().map(|s| s.0).max().unwrap_or(1)
    }

    fn sampling(&self) -> &[(u8, u8)] {
        self.components.sampling()
    }
}

// === impl Walk ===

impl<'a> Walk<'a> {
    /// The data of the first scan end where the first marker behind it stands.
    fn end_first_scan(&mut self, at: usize) {
        if self.scans == 1 {
            self.first_scan_end.get_or_insert(at);
        }
    }

    /// Takes a segment in.
    fn take(&mut self, marker: u8, segment: &'a [u8]) -> Result<(), ImageError> {
        self.goes_on |= self.scans > 0;
        match marker {
            SOS => {
                if self.scans == 0 {
                    self.first_scan = segment.first().copied().unwrap_or(0);
                }
                self.scans += 1;
            }
            _ if self.scans > 0 => {}
            SOF0..=SOF15 if !matches!(marker, DHT | JPG | DAC) => {
                if self.header.is_some() {
                    return Err(malformed("it has two frame headers"));
                }
                self.header = Some(FrameHeader::read(marker, segment)?);
            }
            APP1 => self.metadata.see(segment),
            _ => {}
        }
        Ok(())
    }

    /// At the end of the markers of a file of so many bytes.
    fn finish(self, length: usize) -> Result<Frame, ImageError> {
        let header = self.header.ok_or_else(|| malformed("it has no frame header"))?;
        if self.scans == 0 {
            return Err(malformed("it has no scan"));
        }
        let FrameHeader { size, coding, components } = header;
        Ok(Frame {
            size,
            scans: self.scans,
            complete: self.complete,
            orientation: self.metadata.orientation(),
            coding,
            components,
            first_scan: self.first_scan,
            first_scan_end: self.first_scan_end.unwrap_or(length),
            ends_after_first_scan: !self.goes_on,
            left: false,
        })
    }
}

fn malformed(reason: &str) -> ImageError {
    ImageError::malformed(Format::Jpeg, reason)
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
