//! What a payload's bytes mean: element type and shape.

use std::fmt;

/// Type of a payload's elements. Numbers are little endian on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// Unsigned 8-bit.
    U8,
    /// IEEE 754 binary32.
    F32,
}

/// A payload's shape, outermost axis first: at most 3 axes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    axes: [u32; 3],
    rank: u8,
}

// === impl DType ===

impl DType {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F32 => 4,
        }
    }

    /// NumPy's name of the type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::F32 => "float32",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === impl Shape ===

impl Shape {
    /// One axis.
    pub const fn vector(n: u32) -> Self {
        Self { axes: [n, 0, 0], rank: 1 }
    }

    /// Three axes.
    pub const fn cube(a: u32, b: u32, c: u32) -> Self {
        Self { axes: [a, b, c], rank: 3 }
    }

    /// From axes; `None` for more than three.
    pub fn new(axes: &[u32]) -> Option<Self> {
        let mut shape = Self { axes: [0; 3], rank: u8::try_from(axes.len()).ok()? };
        shape.axes.get_mut(..axes.len())?.copy_from_slice(axes);
        Some(shape)
    }

    /// The axes.
    pub fn axes(&self) -> &[u32] {
        &self.axes[..usize::from(self.rank)]
    }

    /// Number of elements; `None` where that is more than memory can address.
    pub fn elements(&self) -> Option<usize> {
        self.axes().iter().try_fold(1_usize, |count, &axis| count.checked_mul(usize::try_from(axis).ok()?))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.axes(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_shape_does_not_overflow() {
        assert_eq!(Shape::cube(2, 3, 4).elements(), Some(24));
        assert_eq!(Shape::cube(u32::MAX, u32::MAX, u32::MAX).elements(), None);
        assert_eq!(Shape::new(&[1, 2, 3, 4]), None);
        assert_eq!(Shape::new(&[7]), Some(Shape::vector(7)));
    }
}
