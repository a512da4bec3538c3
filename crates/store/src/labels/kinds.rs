//! What kind a column is of, from all of its values.

use headwater_types::{FieldKind, FieldValue};

/// How a file writes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Everything is text, and a column of numbers is one whose every text is a number: CSV.
    Texts,
    /// Values have types: JSON and Parquet.
    Typed,
}

/// The kinds that a column may still be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    may_be: [bool; FieldKind::ALL.len()],
    /// Whether some row has no value.
    has_absent: bool,
}

// === impl Kinds ===

impl Kinds {
    /// Of a column without a value.
    pub(super) const ANY: Self = Self { may_be: [true; FieldKind::ALL.len()], has_absent: false };

    /// Takes in one more value.
    pub(super) fn narrow(&mut self, value: &FieldValue, writing: Writing) {
        if *value == FieldValue::Absent {
            self.has_absent = true;
            return;
        }
        for kind in FieldKind::ALL {
            let may_be = &mut self.may_be[kind as usize];
            *may_be = *may_be && as_kind(value, kind, writing).is_some();
        }
    }

    /// The kind of the column: the narrowest that all values are of. Whole numbers of which some are absent are
    /// numbers, as in a data frame of pandas, because there is no whole number that says so; and a column without any
    /// value is one of numbers. `None` where the values are of no common kind.
    pub(super) fn kind(self) -> Option<FieldKind> {
        let may_be = |kind: FieldKind| self.may_be[kind as usize];
        match FieldKind::ALL.into_iter().find(|kind| may_be(*kind)) {
            Some(FieldKind::Integer) if self.has_absent && may_be(FieldKind::Number) => Some(FieldKind::Number),
            kind => kind,
        }
    }
}

/// The value as one of this kind; `None` where it cannot be.
pub(super) fn as_kind(value: &FieldValue, kind: FieldKind, writing: Writing) -> Option<FieldValue> {
    match (value, kind, writing) {
        (FieldValue::Text(text), FieldKind::Integer, Writing::Texts) => whole(text).map(FieldValue::Integer),
        (FieldValue::Text(text), FieldKind::Number, Writing::Texts) => number(text).map(FieldValue::Number),
        (FieldValue::Text(_), FieldKind::Text, _) => Some(value.clone()),
        (FieldValue::Text(_), ..) => None,
        _ => value.clone().widened(kind),
    }
}

/// A whole number as people write it. `007` is text: it names something.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" || !digits.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leads = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    text.parse().ok().filter(|_| !leads)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(values: &[FieldValue], writing: Writing) -> Option<FieldKind> {
        let mut kinds = Kinds::ANY;
        values.iter().for_each(|value| kinds.narrow(value, writing));
        kinds.kind()
    }

    #[test]
    fn a_column_of_texts_is_of_the_narrowest_kind_that_all_of_them_are() {
        for (texts, kind) in [
            (&["1", "-2"][..], FieldKind::Integer),
            (&["1", "-2", ""], FieldKind::Number),
            (&["1", "0.5", "nan"], FieldKind::Number),
            (&["1", "0.5", "x"], FieldKind::Text),
            (&["007", "008"], FieldKind::Text),
            (&["", ""], FieldKind::Number),
            (&["9223372036854775808"], FieldKind::Number),
        ] {
            let text = |text: &&str| match *text {
                "" => FieldValue::Absent,
                text => FieldValue::Text(text.to_owned()),
            };
            assert_eq!(kind_of(&texts.iter().map(text).collect::<Vec<_>>(), Writing::Texts), Some(kind), "{texts:?}");
        }
    }

    #[test]
    fn typed_values_are_of_their_kind_and_whole_numbers_join_others() {
        let text = FieldValue::Text("1".into());
        let (whole, number) = (FieldValue::Integer(1), FieldValue::Number(0.5));
        assert_eq!(kind_of(std::slice::from_ref(&text), Writing::Typed), Some(FieldKind::Text));
        assert_eq!(kind_of(&[whole.clone(), number], Writing::Typed), Some(FieldKind::Number));
        assert_eq!(kind_of(&[whole.clone(), text], Writing::Typed), None);
        assert_eq!(kind_of(&[whole, FieldValue::Integers(vec![1])], Writing::Typed), None);
        let lists = [FieldValue::Integers(vec![]), FieldValue::Numbers(vec![0.5])];
        assert_eq!(kind_of(&lists, Writing::Typed), Some(FieldKind::Numbers));
    }
}
