//! What the elements of a tensor are, as far as their bits matter.

use headwater_onnx::ElementType;

/// What stands side by side in a stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    /// Anything: text, whole numbers of 8 bits, numbers of which several share a byte.
    Byte,
    Int16,
    Float16,
    BFloat16,
    Int32,
    Float32,
    /// 64 bits.
    Wide,
}

// === impl Element ===

impl Element {
    /// Every element, at the place of its number in a delta.
    pub(crate) const ALL: [Self; 7] =
        [Self::Byte, Self::Int16, Self::Float16, Self::BFloat16, Self::Int32, Self::Float32, Self::Wide];

    /// The element of a type, where so many bytes are a whole number of them.
    pub(crate) fn of(element: ElementType, bytes: usize) -> Self {
        let found = match element.0 {
            4 | 5 => Self::Int16,
            6 | 12 => Self::Int32,
            7 | 11 | 13 | 14 => Self::Wide,
            _ if element == ElementType::FLOAT16 => Self::Float16,
            _ if element == ElementType::BFLOAT16 => Self::BFloat16,
            _ if element == ElementType::FLOAT32 => Self::Float32,
            _ => Self::Byte,
        };
        if bytes.is_multiple_of(found.width()) { found } else { Self::Byte }
    }

    /// Bytes of an element.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Int16 | Self::Float16 | Self::BFloat16 => 2,
            Self::Int32 | Self::Float32 => 4,
            Self::Wide => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_those_of_their_type_where_their_bytes_fit() {
        assert_eq!(Element::of(ElementType::FLOAT32, 8), Element::Float32);
        assert_eq!(Element::of(ElementType::FLOAT32, 7), Element::Byte);
        assert_eq!(Element::of(ElementType::FLOAT16, 2), Element::Float16);
        assert_eq!(Element::of(ElementType::BFLOAT16, 2), Element::BFloat16);
        assert_eq!(Element::of(ElementType(3), 4), Element::Byte, "int8");
        assert_eq!(Element::of(ElementType::FLOAT64, 16), Element::Wide);
        assert!(Element::ALL.is_sorted());
    }
}
