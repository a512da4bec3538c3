//! The numbers that SOPHON (HotStorage'24) gives to the ways that it has.

use headwater_types::{Cut, PixelCoding, Way};

/// SOPHON's number of a way: -1 not offloaded, 0 decoded ... 4 normalised; `None` for a way that SOPHON does not have.
pub fn number(way: Way) -> Option<i8> {
    if way.pixels() == PixelCoding::Lossless {
        return None;
    }
    match way.cut() {
        Cut::Encoded => Some(-1),
        Cut::Decoded => Some(0),
        Cut::Cropped => Some(1),
        Cut::Flipped => Some(2),
        Cut::Tensor => Some(3),
        Cut::Normalized => Some(4),
        Cut::JpegCrop | Cut::Features => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sophons_numbers_are_those_of_its_stages() {
        let numbers: Vec<_> = Way::all().filter_map(number).collect();
        assert_eq!(numbers, [-1, 0, 1, 2, 3, 4]);
    }
}
