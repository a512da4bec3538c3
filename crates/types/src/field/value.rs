//! The value of one field for one sample.

use super::kind::FieldKind;

/// A value, or its absence.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FieldValue {
    /// The dataset does not say the value for this sample.
    #[default]
    Absent,
    /// A whole number.
    Integer(i64),
    /// A floating-point number, which may be NaN.
    Number(f64),
    /// UTF-8.
    Text(String),
    /// A list of whole numbers.
    Integers(Vec<i64>),
    /// A list of floating-point numbers.
    Numbers(Vec<f64>),
}

/// Whole numbers up to here have each a floating-point number of their own.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

// === impl FieldValue ===

impl FieldValue {
    /// The value's kind; `None` for an absent one.
    pub fn kind(&self) -> Option<FieldKind> {
        match self {
            Self::Absent => None,
            Self::Integer(_) => Some(FieldKind::Integer),
            Self::Number(_) => Some(FieldKind::Number),
            Self::Text(_) => Some(FieldKind::Text),
            Self::Integers(_) => Some(FieldKind::Integers),
            Self::Numbers(_) => Some(FieldKind::Numbers),
        }
    }

    /// Whether the value may stand in a field of this kind.
    pub fn fits(&self, kind: FieldKind) -> bool {
        self.kind().is_none_or(|own| own == kind)
    }

    /// The value as one of this kind: whole numbers become floating-point numbers where that loses nothing, and no
    /// other kind becomes another. `None` where the value cannot be of this kind.
    pub fn widened(self, kind: FieldKind) -> Option<Self> {
        match (self, kind) {
            (Self::Integer(whole), FieldKind::Number) => exact(whole).map(Self::Number),
            (Self::Integers(list), FieldKind::Numbers) => {
                list.into_iter().map(exact).collect::<Option<_>>().map(Self::Numbers)
            }
            (value, kind) => value.fits(kind).then_some(value),
        }
    }
}

fn exact(whole: i64) -> Option<f64> {
    (whole.unsigned_abs() <= EXACT).then_some(whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_widen_where_nothing_is_lost_and_nothing_else_changes_its_kind() {
        let number = FieldKind::Number;
        assert_eq!(FieldValue::Integer(-3).widened(number), Some(FieldValue::Number(-3.0)));
        assert_eq!(FieldValue::Integer(1 << 53).widened(number), Some(FieldValue::Number(9_007_199_254_740_992.0)));
        assert_eq!(FieldValue::Integer((1 << 53) + 1).widened(number), None);
        assert_eq!(FieldValue::Integer(i64::MIN).widened(number), None);
        let lists = FieldValue::Integers(vec![1, 2]).widened(FieldKind::Numbers);
        assert_eq!(lists, Some(FieldValue::Numbers(vec![1.0, 2.0])));
        assert_eq!(FieldValue::Number(1.0).widened(FieldKind::Integer), None);
        assert_eq!(FieldValue::Text("1".into()).widened(number), None);
        for kind in FieldKind::ALL {
            assert_eq!(FieldValue::Absent.widened(kind), Some(FieldValue::Absent));
        }
    }
}
