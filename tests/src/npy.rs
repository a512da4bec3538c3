//! Reading `.npy` files (NumPy's format, version 1.0) of little-endian f32.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// An array in C order.
#[derive(Clone, PartialEq)]
pub struct Array {
    /// Axes, outermost first.
    pub shape: Vec<usize>,
    /// Elements, bit for bit.
    pub bits: Vec<u32>,
}

// === impl Array ===

impl Array {
    /// The elements as numbers.
    pub fn values(&self) -> impl Iterator<Item = f32> + '_ {
        self.bits.iter().map(|bits| f32::from_bits(*bits))
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start: Vec<_> = self.values().take(4).collect();
        write!(f, "{:?} {start:?}…", self.shape)
    }
}

/// Reads a file.
///
/// # Errors
/// If it is not such an array.
pub fn read_npy(file: &Path) -> Result<Array> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    if bytes.get(..8) != Some(b"\x93NUMPY\x01\x00") {
        bail!("{} is not NumPy's format 1.0", file.display());
    }
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(bytes.get(10..10 + length).context("header cut short")?)?;
    if !header.contains("'descr': '<f4'") || !header.contains("'fortran_order': False") {
        bail!("not f32 in C order: {header}");
    }
    let (_, shape) = header.split_once("'shape': (").context("no shape")?;
    let (shape, _) = shape.split_once(')').context("no shape")?;
    let shape: Vec<usize> =
        shape.split(',').map(str::trim).filter(|axis| !axis.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
    let bits: Vec<u32> =
        bytes[10 + length..].as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    if bits.len() != shape.iter().product::<usize>() || !(bytes.len() - 10 - length).is_multiple_of(4) {
        bail!("{} elements for shape {shape:?}", bits.len());
    }
    Ok(Array { shape, bits })
}
