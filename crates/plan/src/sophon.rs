//! The numbers that SOPHON (HotStorage'24) gives to the ways that it has.

use headwater_types::{Cut, Way};

/// The ways that SOPHON has, in the order of its numbers: not offloaded, then a way for each of its stages.
const STAGES: [Way; 6] = [
    Way::ENCODED,
    Way::raw(Cut::Decoded),
    Way::raw(Cut::Cropped),
    Way::raw(Cut::Flipped),
    Way::raw(Cut::Tensor),
    Way::raw(Cut::Normalized),
];

/// SOPHON's number of a way: -1 not offloaded, 0 decoded ... 4 normalised; `None` for a way that SOPHON does not have.
pub fn number(way: Way) -> Option<i8> {
    (-1..).zip(STAGES).find(|(_, stage)| *stage == way).map(|(number, _)| number)
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
