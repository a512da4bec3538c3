//! The codings of a TIFF's chunks.

use fdeflate::Decompressor;
use headwater_types::Size;
use weezl::{BitOrder, LzwStatus, decode};

use super::directory::{malformed, unsupported};
use super::jpeg::{Common, MOST_TABLES};
use super::{fax, packbits};
use crate::error::ImageError;
use crate::formats::jpeg;

/// How chunks are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    None,
    Fax3,
    Fax4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

/// Tables and windows of LZW and deflate.
const TABLES: u64 = 256 << 10;
/// Bytes that a decoder of faxes may hold for each coded byte: places of 4 bytes, for codes of one bit.
const FAX_BYTES: u64 = 2 * 8 * 4;
/// Bytes for each pixel of a chunk that is a JPEG: the pixels, and those of its colour space.
const JPEG_BYTES: u64 = 3 + 4;
/// Bytes for each column of a JPEG: rows of our own decoder, and of libjpeg.
const JPEG_COLUMN: u64 = 1024;

// === impl Coding ===

impl Coding {
    /// The coding of a number in the directory.
    pub(super) fn of(number: u64) -> Result<Self, ImageError> {
        let other = match number {
            1 => return Ok(Self::None),
            3 => return Ok(Self::Fax3),
            4 => return Ok(Self::Fax4),
            5 => return Ok(Self::Lzw),
            7 => return Ok(Self::Jpeg),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            2 => "Huffman-coded runs",
            6 => "JPEG of the old style",
            34925 => "LZMA",
            50000 => "Zstandard",
            50001 => "WebP",
            _ => return Err(unsupported(format!("compression {number}"))),
        };
        Err(unsupported(other))
    }

    /// Whether samples may be differences.
    pub(super) fn predicts(self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate)
    }

    /// Bytes that decoding a chunk of this size takes beside its samples, in a file of so many bytes.
    pub(super) fn memory(self, chunk: Size, file: u64) -> u64 {
        match self {
            Self::None | Self::PackBits => 0,
            Self::Lzw | Self::Deflate => TABLES,
            Self::Fax3 | Self::Fax4 => file * FAX_BYTES,
            Self::Jpeg => {
                chunk.pixels() * JPEG_BYTES + u64::from(chunk.width) * JPEG_COLUMN + 3 * file + MOST_TABLES as u64
            }
        }
    }
}

/// Fills `out` with the samples of a chunk.
pub(super) fn expand(
    coding: Coding,
    coded: &[u8],
    common: &Common<'_>,
    buffers: &mut jpeg::Buffers,
    samples: usize,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let width = common.chunk.width;
    let done = match coding {
        Coding::Jpeg => return common.decode(coded, buffers, samples, out),
        Coding::None => coded.get(..out.len()).map(|stored| out.copy_from_slice(stored)),
        Coding::Fax3 => fax::group3(coded, width, out),
        Coding::Fax4 => fax::group4(coded, width, out),
        Coding::Lzw => lzw(coded, out),
        Coding::Deflate => inflate(coded, out),
        Coding::PackBits => packbits::unpack(coded, out),
    };
    done.ok_or_else(|| malformed("a strip or tile of it is damaged, or too short"))
}

/// `None` where the codes are damaged, or end before `out` is full.
fn lzw(mut coded: &[u8], out: &mut [u8]) -> Option<()> {
    let mut codes = decode::Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build();
    let mut done = 0;
    while done < out.len() {
        let read = codes.decode_bytes(coded, &mut out[done..]);
        done += read.consumed_out;
        coded = &coded[read.consumed_in..];
        match read.status.ok()? {
            LzwStatus::Ok if read.consumed_in + read.consumed_out > 0 => {}
            _ => break,
        }
    }
    (done == out.len()).then_some(())
}

/// `None` where the stream is damaged, or ends before `out` is full. What it has beyond that is not looked at.
fn inflate(mut coded: &[u8], out: &mut [u8]) -> Option<()> {
    let mut stream = Decompressor::new();
    stream.ignore_adler32();
    let mut done = 0;
    while done < out.len() && !stream.is_done() {
        let (read, written) = stream.read(coded, out, done, false).ok()?;
        coded = &coded[read..];
        done += written;
        if read + written == 0 {
            break;
        }
    }
    (done == out.len()).then_some(())
}
