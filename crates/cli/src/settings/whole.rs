//! The whole numbers that a setting takes, by the type that clap parses it to.

use std::any::TypeId;
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use clap::builder::ValueParser;

/// The least and the most that a setting of a whole type can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    least: i128,
    most: i128,
}

// === impl Whole ===

impl Whole {
    /// The range of the type that a parser gives; `None` for a type that is no whole number.
    pub(super) fn of(parser: &ValueParser) -> Option<Self> {
        let parsed = parser.type_id();
        let wholes = [
            (TypeId::of::<u8>(), 0, u8::MAX.into()),
            (TypeId::of::<u16>(), 0, u16::MAX.into()),
            (TypeId::of::<u32>(), 0, u32::MAX.into()),
            (TypeId::of::<u64>(), 0, u64::MAX.into()),
            (TypeId::of::<usize>(), 0, usize::MAX as i128),
            (TypeId::of::<NonZeroU8>(), 1, u8::MAX.into()),
            (TypeId::of::<NonZeroU16>(), 1, u16::MAX.into()),
            (TypeId::of::<NonZeroU32>(), 1, u32::MAX.into()),
            (TypeId::of::<NonZeroU64>(), 1, u64::MAX.into()),
            (TypeId::of::<NonZeroUsize>(), 1, usize::MAX as i128),
            (TypeId::of::<i8>(), i8::MIN.into(), i8::MAX.into()),
            (TypeId::of::<i16>(), i16::MIN.into(), i16::MAX.into()),
            (TypeId::of::<i32>(), i32::MIN.into(), i32::MAX.into()),
            (TypeId::of::<i64>(), i64::MIN.into(), i64::MAX.into()),
            (TypeId::of::<isize>(), isize::MIN as i128, isize::MAX as i128),
        ];
        wholes.into_iter().find(|(id, ..)| parsed == *id).map(|(_, least, most)| Self { least, most })
    }

    /// Whether the type takes it: where it was refused all the same, the setting's own parser knows why.
    pub(super) fn takes(self, value: &str) -> bool {
        value.parse().is_ok_and(|number: i128| (self.least..=self.most).contains(&number))
    }

    /// What is wrong with a value that the type does not take, as ` must be ...`.
    pub(super) fn refuse(self, value: &str) -> String {
        let Self { least, most } = self;
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let is_whole = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        match value.parse::<i128>() {
            Ok(number) if number < least => format!(" must be {least} or more, not {value}"),
            _ if is_whole => format!(" must be at most {most}, not {value}"),
            _ => format!(" must be a whole number, {least} or more, not {value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words_of_numbers() {
        let runs = Whole::of(&clap::value_parser!(NonZeroU32).into()).unwrap();
        for (value, words) in [
            ("0", " must be 1 or more, not 0"),
            ("-5", " must be 1 or more, not -5"),
            ("4294967296", " must be at most 4294967295, not 4294967296"),
            ("999999999999999999999999999999999999999999", "at most 4294967295"),
            ("four", " must be a whole number, 1 or more, not \"four\""),
            ("2.5", " must be a whole number, 1 or more, not \"2.5\""),
            ("", " must be a whole number, 1 or more, not \"\""),
        ] {
            assert!(runs.refuse(value).contains(words), "{value}: {}", runs.refuse(value));
        }
        assert!(runs.takes("1") && runs.takes("4294967295") && !runs.takes("0") && !runs.takes("four"));
        assert_eq!(Whole::of(&clap::value_parser!(String)), None);
    }
}
