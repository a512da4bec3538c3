//! In which order the blocks of a photo are coded.

use super::huffman::Huffman;
use super::source::Source;

/// How the blocks of an MCU follow each other, and where their coefficients go.
pub(super) struct Order<'a> {
    pub(super) blocks: Vec<Place<'a>>,
}

/// A block of an MCU.
pub(super) struct Place<'a> {
    pub(super) component: usize,
    pub(super) dc: &'a Huffman,
    pub(super) ac: &'a Huffman,
    /// The block's number within a row of MCUs, for the first MCU.
    pub(super) first: usize,
    /// By how much the number grows from MCU to MCU.
    pub(super) step: usize,
}

// === impl Order ===

impl<'a> Order<'a> {
    /// The order of a photo. The blocks of a row of MCUs are kept component after component, and row after row.
    pub(super) fn new(source: &'a Source) -> Option<Self> {
        let (across, _) = source.mcus();
        let mut blocks = Vec::with_capacity(10);
        let mut base = 0;
        for (number, component) in source.components.iter().enumerate() {
            let (width, height) = component.blocks;
            let dc = source.tables.dc.get(component.dc)?.as_deref()?;
            let ac = source.tables.ac.get(component.ac)?.as_deref()?;
            for y in 0..height {
                for x in 0..width {
                    let first = base + y * width * across + x;
                    blocks.push(Place { component: number, dc, ac, first, step: width });
                }
            }
            base += width * height * across;
        }
        Some(Self { blocks })
    }
}
