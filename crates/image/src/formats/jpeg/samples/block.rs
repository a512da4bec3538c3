//! A row of blocks of coefficients, to be transformed.

/// Coefficients of a block, and samples of one that is not scaled down.
pub(crate) const BLOCK: usize = 64;

/// Dequantised coefficients of the first row above which libjpeg-turbo's short cut for blocks without others comes out
/// differently from its long way: a group with a larger one is transformed block by block, each by the way that
/// libjpeg-turbo takes.
#[cfg(target_arch = "x86_64")]
pub(super) const WILD: i16 = 8192;

/// A row of blocks.
#[derive(Clone, Copy)]
pub(crate) struct Coefficients<'a> {
    /// The coefficients of each block, in rows from the top.
    pub(crate) values: &'a [i16],
    /// The last place of each block, in the order in which they are coded, whose coefficient may not be 0.
    pub(crate) last: &'a [u8],
    /// The factors of quantisation, by which coefficients are multiplied.
    pub(crate) quantisation: &'a [i16; BLOCK],
}
