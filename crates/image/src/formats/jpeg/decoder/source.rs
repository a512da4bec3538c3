//! A JPEG's header: all that coefficients and pixels are made from, where our own decoder takes the photo.
//!
//! Invariant: reading is stricter than libjpeg's, never laxer. A header of which libjpeg would warn, that it would
//! refuse, or that it reads by a rule of its own gives no [`Source`].

use std::ops::Range;

use headwater_types::Size;

use super::huffman::{Class, Huffman};
use crate::formats::jpeg::markers::{APP0, APP14, APP15, COM, DHT, DQT, DRI, SOF0, SOF1, SOS, Segment, segments};

/// A Huffman-coded sequential JPEG of 8 bits, of one scan.
pub(super) struct Source {
    pub(super) size: Size,
    pub(super) color: Color,
    pub(super) components: Vec<Component>,
    pub(super) tables: Tables,
    /// MCUs between two restart markers; 0 where there are none.
    pub(super) interval: usize,
    /// The place of the scan's data.
    pub(super) data: Range<usize>,
}

/// The meaning of a photo's planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    Grey,
    YCbCr,
    Rgb,
}

/// A plane of samples.
pub(super) struct Component {
    /// Blocks of an MCU across and down.
    pub(super) blocks: (usize, usize),
    /// Quantisation, in rows from the top. libjpeg-turbo's vector code computes with the low 16 bits.
    pub(super) quantisation: [i16; COEFFICIENTS],
    /// The component's Huffman tables, by their places in [`Tables`].
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// The Huffman tables, by their numbers.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Box<Huffman>>; 4],
    pub(super) ac: [Option<Box<Huffman>>; 4],
}

/// Read while walking the segments.
#[derive(Default)]
struct Walk {
    quantisation: [Option<[i16; COEFFICIENTS]>; 4],
    tables: Tables,
    interval: usize,
    jfif: bool,
    adobe: Option<u8>,
    frame: Option<(Size, Vec<Specified>)>,
}

/// A component as the frame header has it.
struct Specified {
    id: u8,
    sampling: (u8, u8),
    table: u8,
}

/// Coefficients of a block.
pub(super) const COEFFICIENTS: usize = 64;

/// The places of a block's coefficients in its rows, in the order in which they are coded.
pub(crate) const ZIGZAG: [u8; COEFFICIENTS] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// The layouts of three components that are decoded here: luma's sampling factors, where chroma's are 1.
const LAYOUTS: [(u8, u8); 8] = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (2, 4)];

// === impl Source ===

impl Source {
    /// Reads the header of a JPEG whose only scan's data end at `end`; `None` where it is left to libjpeg.
    pub(super) fn read(bytes: &[u8], end: usize) -> Option<Self> {
        let mut walk = Walk::default();
        for Segment { marker, end: start, contents, .. } in segments(bytes, 2) {
            match marker {
                APP0 if contents.len() >= 14 && contents.starts_with(b"JFIF\0") => walk.jfif = true,
                APP14 if contents.len() >= 12 && contents.starts_with(b"Adobe") => walk.adobe = Some(contents[11]),
                APP0..=APP15 | COM => {}
                DQT => walk.quantisation(contents)?,
                DHT => walk.huffman(contents)?,
                DRI => walk.interval = u16::from_be_bytes(contents.try_into().ok()?).into(),
                SOF0 | SOF1 => walk.frame(contents)?,
                SOS => return walk.finish(contents, start..end),
                _ => return None,
            }
        }
        None
    }

    /// MCUs of a row, and rows.
    pub(super) fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.sampling();
        let Size { width, height } = self.size;
        ((width as usize).div_ceil(across * 8), (height as usize).div_ceil(down * 8))
    }

    /// Blocks of an MCU's luma across and down, of which there are the most.
    pub(super) fn sampling(&self) -> (usize, usize) {
        self.components.first().map_or((1, 1), |luma| luma.blocks)
    }

    /// The number of segments between restart markers.
    pub(super) fn segments(&self) -> usize {
        let (across, down) = self.mcus();
        if self.interval == 0 { 1 } else { (across * down).div_ceil(self.interval) }
    }
}

// === impl Walk ===

impl Walk {
    fn quantisation(&mut self, mut contents: &[u8]) -> Option<()> {
        while let [spec, rest @ ..] = contents {
            let wide = usize::from(spec >> 4 != 0) + 1;
            let (values, rest) = rest.split_at_checked(COEFFICIENTS * wide)?;
            let mut table = [0; COEFFICIENTS];
            for (place, value) in ZIGZAG.iter().zip(values.chunks_exact(wide)) {
                let value = value.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
                table[usize::from(*place)] = value.cast_signed();
            }
            *self.quantisation.get_mut(usize::from(spec & 15))? = Some(table);
            contents = rest;
        }
        Some(())
    }

    fn huffman(&mut self, mut contents: &[u8]) -> Option<()> {
        while let [spec, rest @ ..] = contents {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(symbols)?;
            let (class, tables) = match spec >> 4 {
                0 => (Class::Dc, &mut self.tables.dc),
                1 => (Class::Ac, &mut self.tables.ac),
                _ => return None,
            };
            let slot = tables.get_mut(usize::from(spec & 15))?;
            *slot = Some(Box::new(Huffman::new(class, counts, symbols)?));
            contents = rest;
        }
        Some(())
    }

    fn frame(&mut self, contents: &[u8]) -> Option<()> {
        let &[8, h1, h0, w1, w0, count, ref specs @ ..] = contents else { return None };
        let (specs, []) = specs.as_chunks::<3>() else { return None };
        if self.frame.is_some() || specs.len() != usize::from(count) {
            return None;
        }
        let size = Size { width: u16::from_be_bytes([w1, w0]).into(), height: u16::from_be_bytes([h1, h0]).into() };
        let specified =
            |&[id, factors, table]: &[u8; 3]| Specified { id, sampling: (factors >> 4, factors & 15), table };
        self.frame = Some((size, specs.iter().map(specified).collect()));
        Some(())
    }

    /// Makes a source of what has been read, at the header of the scan.
    fn finish(self, contents: &[u8], data: Range<usize>) -> Option<Source> {
        let color = self.color()?;
        let (size, specified) = self.frame?;
        let (&count, rest) = contents.split_first()?;
        let (selectors, [0, 63, 0]) = rest.split_at_checked(2 * usize::from(count))? else { return None };
        let selectors = selectors.as_chunks::<2>().0;
        if size.pixels() == 0 || specified.len() != selectors.len() || data.is_empty() {
            return None;
        }
        let alone = specified.len() == 1;
        let mut components = Vec::with_capacity(specified.len());
        for (part, &[id, tables]) in specified.iter().zip(selectors) {
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            let present = self.tables.dc.get(dc)?.is_some() && self.tables.ac.get(ac)?.is_some();
            if part.id != id || !present || specified.iter().filter(|other| other.id == id).count() > 1 {
                return None;
            }
            let quantisation = (*self.quantisation.get(usize::from(part.table))?)?;
            // The factors of a component that is alone are relative to nothing.
            let (across, down) = if alone { (1, 1) } else { part.sampling };
            components.push(Component { blocks: (across.into(), down.into()), quantisation, dc, ac });
        }
        let chroma_is_single = components.iter().skip(1).all(|chroma| chroma.blocks == (1, 1));
        let taken = alone && (1..=4).contains(&specified[0].sampling.0) && (1..=4).contains(&specified[0].sampling.1)
            || LAYOUTS.contains(&specified[0].sampling) && chroma_is_single;
        if !taken || color == Color::Rgb && components[0].blocks != (1, 1) {
            return None;
        }
        Some(Source { size, color, components, tables: self.tables, interval: self.interval, data })
    }

    /// `default_decompress_parms`.
    fn color(&self) -> Option<Color> {
        let (_, specified) = self.frame.as_ref()?;
        let [first, second, third] = match specified.as_slice() {
            [_] => return Some(Color::Grey),
            [first, second, third] => [first.id, second.id, third.id],
            _ => return None,
        };
        match (self.jfif, self.adobe) {
            (true, _) | (false, Some(1)) => Some(Color::YCbCr),
            (false, Some(0)) => Some(Color::Rgb),
            (false, Some(_)) => None,
            (false, None) if [first, second, third] == *b"RGB" => Some(Color::Rgb),
            (false, None) => Some(Color::YCbCr),
        }
    }
}
