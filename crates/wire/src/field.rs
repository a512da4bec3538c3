//! Fields and their values as they travel.

use headwater_types::caps::{MAX_FIELDS, MAX_RECORD_BYTES};
use headwater_types::{Field, FieldValue, Fields};

use crate::proto;
use crate::proto::field_value::Value;
use crate::status::Invalid;

/// What a server says of its fields.
///
/// # Errors
/// Kinds that there are not, and fields that no dataset may have.
pub fn fields_from(fields: Vec<proto::Field>) -> Result<Fields, Invalid> {
    let field = |field: proto::Field| Ok(Field { name: field.name, kind: field.kind.parse().map_err(invalid)? });
    Fields::new(fields.into_iter().map(field).collect::<Result<_, Invalid>>()?).map_err(invalid)
}

/// What a server says of its fields, for the wire.
pub fn fields_to(fields: &Fields) -> Vec<proto::Field> {
    fields.iter().map(|field| proto::Field { name: field.name.clone(), kind: field.kind.to_string() }).collect()
}

/// A sample's values, for the wire.
pub fn values_to(values: Vec<FieldValue>) -> Vec<proto::FieldValue> {
    values.into_iter().map(value_to).collect()
}

/// A sample's values, at most as many and as long as a record may have.
pub(crate) fn values_from(values: Vec<proto::FieldValue>) -> Result<Vec<FieldValue>, Invalid> {
    let values: Vec<_> = values.into_iter().map(value_from).collect();
    let length: usize = values.iter().map(bytes_of).sum();
    if values.len() > MAX_FIELDS || length > MAX_RECORD_BYTES {
        return Err(Invalid::new(format!("{} fields of {length} bytes are more than a sample may have", values.len())));
    }
    Ok(values)
}

/// About the bytes of a value.
pub fn bytes_of(value: &FieldValue) -> usize {
    match value {
        FieldValue::Absent => 0,
        FieldValue::Integer(_) | FieldValue::Number(_) => 8,
        FieldValue::Text(text) => text.len(),
        FieldValue::Integers(list) => size_of_val(&**list),
        FieldValue::Numbers(list) => size_of_val(&**list),
    }
}

fn value_to(value: FieldValue) -> proto::FieldValue {
    let value = match value {
        FieldValue::Absent => None,
        FieldValue::Integer(whole) => Some(Value::Integer(whole)),
        FieldValue::Number(number) => Some(Value::Number(number)),
        FieldValue::Text(text) => Some(Value::Text(text)),
        FieldValue::Integers(values) => Some(Value::Integers(proto::IntegerList { values })),
        FieldValue::Numbers(values) => Some(Value::Numbers(proto::NumberList { values })),
    };
    proto::FieldValue { value }
}

fn value_from(value: proto::FieldValue) -> FieldValue {
    match value.value {
        None => FieldValue::Absent,
        Some(Value::Integer(whole)) => FieldValue::Integer(whole),
        Some(Value::Number(number)) => FieldValue::Number(number),
        Some(Value::Text(text)) => FieldValue::Text(text),
        Some(Value::Integers(list)) => FieldValue::Integers(list.values),
        Some(Value::Numbers(list)) => FieldValue::Numbers(list.values),
    }
}

fn invalid(error: impl std::fmt::Display) -> Invalid {
    Invalid::new(error.to_string())
}

#[cfg(test)]
mod tests {
    use headwater_types::FieldKind;

    use super::*;

    #[test]
    fn fields_and_values_survive_the_wire() {
        let named = |(name, kind): (&str, FieldKind)| Field { name: name.to_owned(), kind };
        let fields = Fields::new([("caption", FieldKind::Text), ("x", FieldKind::Numbers)].map(named).into()).unwrap();
        assert_eq!(fields_from(fields_to(&fields)).unwrap(), fields);
        let values = vec![
            FieldValue::Absent,
            FieldValue::Integer(i64::MIN),
            FieldValue::Number(-0.5),
            FieldValue::Text("ä".to_owned()),
            FieldValue::Integers(vec![1, -2]),
            FieldValue::Numbers(vec![]),
        ];
        assert_eq!(values_from(values_to(values.clone())).unwrap(), values);
    }

    #[test]
    fn what_no_dataset_may_have_is_refused() {
        let field = |name: &str, kind: &str| proto::Field { name: name.to_owned(), kind: kind.to_owned() };
        assert!(fields_from(vec![field("a", "bytes")]).is_err());
        assert!(fields_from(vec![field("a", "text"), field("a", "text")]).is_err());
        let values = |each: FieldValue, count| values_from(values_to(vec![each; count]));
        assert!(values(FieldValue::Absent, MAX_FIELDS + 1).is_err());
        assert!(values(FieldValue::Text("x".repeat(MAX_RECORD_BYTES / 2)), 2).is_ok());
        assert!(values(FieldValue::Text("x".repeat(MAX_RECORD_BYTES / 2 + 1)), 2).is_err());
    }
}
