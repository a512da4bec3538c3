//! All that a JPEG's pixels are made from beside its coefficients: size, sampling, quantisation, and the transform of
//! colours; and whether libjpeg will smooth blocks that it takes for unfinished.
//!
//! Reads what libjpeg reads, where it reads it (`jdmarker.c`, `jdapimin.c`, `jdcoefct.c`). It serves JPEGs that
//! libjpeg has read without a complaint, and gives nothing sensible for others.

use headwater_types::Size;

use super::frame_header::FrameHeader;
use super::markers::{APP0, APP14, DQT, EOI, SOI, SOS, next_marker, segment};

/// The properties that two JPEGs of the same coefficients must share to have the same pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    size: Size,
    color: Color,
    planes: Vec<Plane>,
}

/// How coefficients become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Color {
    Grey,
    YCbCr,
    Rgb,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Plane {
    sampling: (u8, u8),
    /// The quantisation table that holds when its first scan begins.
    table: Option<Table>,
}

/// A quantisation table in zigzag order.
type Table = [u16; COEFFICIENTS];

/// Bits of each coefficient that are still to come; negative where none has come at all.
type Missing = [i8; COEFFICIENTS];

/// Read while walking the markers.
#[derive(Default)]
struct Walk {
    size: Option<Size>,
    progressive: bool,
    jfif: bool,
    adobe: Option<u8>,
    tables: [Option<Table>; 4],
    parts: Vec<Part>,
}

struct Part {
    id: u8,
    sampling: (u8, u8),
    slot: usize,
    table: Option<Table>,
    missing: Missing,
}

/// Coefficients of a block.
const COEFFICIENTS: usize = 64;
/// Coefficients that libjpeg looks at to decide whether a progressive picture is smoothed.
const SMOOTHED: usize = 10;

// === impl Picture ===

impl Picture {
    /// Reads the markers; `None` where libjpeg could not have read them, or where it smooths the picture.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut walk = Walk::default();
        let mut at = 2;
        while let Some((marker, behind)) = next_marker(bytes, at) {
            at = behind;
            match marker {
                EOI => break,
                0x01 | 0xd0..=SOI => continue,
                _ => {}
            }
            let contents = segment(bytes, behind)?;
            at = behind + 2 + contents.len();
            walk.take(marker, contents)?;
        }
        walk.finish()
    }
}

// === impl Walk ===

impl Walk {
    fn take(&mut self, marker: u8, contents: &[u8]) -> Option<()> {
        match marker {
            APP0 if contents.len() >= 14 && contents.starts_with(b"JFIF\0") => self.jfif = true,
            APP14 if contents.starts_with(b"Adobe") => self.adobe = contents.get(11).copied().or(self.adobe),
            DQT => self.tables(contents)?,
            SOS => self.scan(contents)?,
            0xc0..=0xc2 => self.frame(marker, contents)?,
            _ => {}
        }
        Some(())
    }

    fn frame(&mut self, marker: u8, contents: &[u8]) -> Option<()> {
        let FrameHeader { size, coding, components } = FrameHeader::read(marker, contents).ok()?;
        self.size = Some(size);
        self.progressive = coding.progressive;
        let (specs, _) = contents.get(6..)?.as_chunks::<3>();
        let part = |(&[id, _, slot], &sampling): (&[u8; 3], &(u8, u8))| Part {
            id,
            sampling,
            slot: slot.into(),
            table: None,
            missing: [-1; COEFFICIENTS],
        };
        self.parts = specs.iter().zip(components.sampling()).map(part).collect();
        Some(())
    }

    fn tables(&mut self, mut contents: &[u8]) -> Option<()> {
        while let [spec, rest @ ..] = contents {
            let wide = usize::from(spec >> 4 != 0) + 1;
            let (values, rest) = rest.split_at_checked(COEFFICIENTS * wide)?;
            let value = |bytes: &[u8]| bytes.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            let mut table = [0; COEFFICIENTS];
            table.iter_mut().zip(values.chunks_exact(wide)).for_each(|(entry, bytes)| *entry = value(bytes));
            *self.tables.get_mut(usize::from(spec & 15))? = Some(table);
            contents = rest;
        }
        Some(())
    }

    fn scan(&mut self, contents: &[u8]) -> Option<()> {
        let (&count, rest) = contents.split_first()?;
        let (selectors, rest) = rest.split_at_checked(usize::from(count) * 2)?;
        let &[first, last, bits, ..] = rest else { return None };
        for selector in selectors.as_chunks::<2>().0 {
            let part = self.parts.iter_mut().find(|part| part.id == selector[0])?;
            if part.table.is_none() {
                part.table = *self.tables.get(part.slot)?;
            }
            part.missing.get_mut(first.into()..=last.into())?.fill((bits & 15) as i8);
        }
        Some(())
    }

    /// `default_decompress_parms`, and `smoothing_ok`.
    fn finish(self) -> Option<Picture> {
        let accurate = |part: &Part| part.missing[..SMOOTHED].iter().all(|&missing| missing == 0);
        if self.progressive && !self.parts.iter().all(accurate) {
            return None;
        }
        let ids: Vec<u8> = self.parts.iter().map(|part| part.id).collect();
        let color = match (ids.len(), self.jfif, self.adobe) {
            (1, ..) => Color::Grey,
            (3, true, _) | (3, false, Some(1)) => Color::YCbCr,
            (3, false, Some(0)) => Color::Rgb,
            (3, false, None) if ids == *b"RGB" => Color::Rgb,
            (3, false, None) => Color::YCbCr,
            _ => Color::Other,
        };
        let alone = ids.len() == 1;
        // The factors of a component that is alone are relative to nothing.
        let plane = |part: Part| Plane { sampling: if alone { (1, 1) } else { part.sampling }, table: part.table };
        Some(Picture { size: self.size?, color, planes: self.parts.into_iter().map(plane).collect() })
    }
}
