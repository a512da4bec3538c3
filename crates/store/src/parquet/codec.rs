//! How pages are packed. What a page gives has exactly the size that its header says, and no more memory is taken,
//! whatever its bytes would unpack to.

use std::io::Read;

use super::fault::Fault;

/// A way of packing pages, by its number in the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Plain,
    Snappy,
    Gzip,
    Zstd,
    Lz4,
    Other(i64),
}

const BROKEN: Fault = Fault::Broken("a page does not unpack to what its header says");

// === impl Codec ===

impl Codec {
    pub(super) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Plain,
            1 => Self::Snappy,
            2 => Self::Gzip,
            6 => Self::Zstd,
            7 => Self::Lz4,
            other => Self::Other(other),
        }
    }

    /// Unpacks into memory of exactly this size.
    pub(super) fn unpack(self, packed: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        // A page of nulls alone has no values to unpack.
        if size == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        match self {
            Self::Plain => bytes.extend_from_slice(packed),
            Self::Snappy => {
                if snap::raw::decompress_len(packed) != Ok(size) {
                    return Err(BROKEN);
                }
                bytes = vec![0; size];
                snap::raw::Decoder::new().decompress(packed, &mut bytes).map_err(|_| BROKEN)?;
            }
            Self::Gzip => {
                bytes = vec![0; size];
                let mut members = flate2::read::MultiGzDecoder::new(packed);
                members.read_exact(&mut bytes).map_err(|_| BROKEN)?;
                // A byte more than there should be tells of a page that would unpack to more.
                if members.read(&mut [0]).map_err(|_| BROKEN)? > 0 {
                    return Err(BROKEN);
                }
            }
            Self::Zstd => bytes = zstd::bulk::decompress(packed, size).map_err(|_| BROKEN)?,
            Self::Lz4 => {
                bytes = vec![0; size];
                let given = lz4_flex::block::decompress_into(packed, &mut bytes).map_err(|_| BROKEN)?;
                bytes.truncate(given);
            }
            Self::Other(number) => return Err(unsupported(number)),
        }
        if bytes.len() == size { Ok(bytes) } else { Err(BROKEN) }
    }

    /// Whether pages of this codec can be read.
    pub(super) fn check(self) -> Result<(), Fault> {
        if let Self::Other(number) = self { Err(unsupported(number)) } else { Ok(()) }
    }
}

fn unsupported(number: i64) -> Fault {
    let name = match number {
        3 => "LZO",
        4 => "BROTLI",
        5 => "LZ4 as Hadoop frames it",
        _ => "a codec that the format does not have",
    };
    Fault::Unsupported(format!(
        "its photos are packed with {name}: write it with compression none, snappy, gzip, zstd or lz4_raw; photos are \
         packed already, so none is as small and the fastest"
    ))
}
