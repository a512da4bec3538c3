//! The fields of photos: keys of their `.json`, or the text of a companion with the field's name as its suffix.

use headwater_types::field::{Field, FieldKind, FieldValue, Fields, Record, RecordError};
use serde_json::{Map, Value as Json};

use super::companion::{Role, Value, Wanted, split};
use super::group::Companions;
use super::index::{Entry, Index};

/// The kinds of the fields that are wanted, as the companions of all shards have them.
#[derive(Debug)]
pub(super) struct Kinds<'a> {
    wanted: &'a Wanted,
    kinds: Vec<Option<FieldKind>>,
}

// === impl Kinds ===

impl<'a> Kinds<'a> {
    pub(super) fn of(wanted: &'a Wanted) -> Self {
        Self { wanted, kinds: vec![None; wanted.fields.len()] }
    }

    /// Looks at the companions of a shard.
    ///
    /// # Errors
    /// In words, a field that has values of kinds that do not go together.
    pub(super) fn see(&mut self, index: &Index) -> Result<(), String> {
        let mut entries = index.entries();
        while let Some(entry) = entries.next() {
            self.entry(&entry).map_err(|why| format!("{}: {why}", entry.name))?;
        }
        Ok(())
    }

    /// The fields.
    ///
    /// # Errors
    /// In words, a field that no photo has.
    pub(super) fn fields(self) -> Result<Fields, String> {
        let field = |(name, kind): (&String, Option<FieldKind>)| {
            let absent = || format!("no photo has a field {name}: it is neither a key of a .json nor a .{name} file");
            Ok(Field { name: name.clone(), kind: kind.ok_or_else(absent)? })
        };
        let fields = self.wanted.fields.iter().zip(self.kinds).map(field).collect::<Result<_, String>>()?;
        Fields::new(fields).map_err(|error| error.to_string())
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let Value::Text(text) = entry.value else { return Ok(()) };
        match self.wanted.role(entry.name) {
            Some(Role::Text) => {
                let at = split(entry.name).and_then(|(_, suffix)| self.place(suffix));
                at.map_or(Ok(()), |at| self.add(at, Some(FieldKind::Text)))
            }
            Some(Role::Json) => {
                let object = object(text);
                (0..self.kinds.len()).try_for_each(|at| {
                    let value = value(object.get(&self.wanted.fields[at]));
                    let value = value.ok_or_else(|| format!("{} is no field's value", self.wanted.fields[at]))?;
                    self.add(at, value.kind())
                })
            }
            _ => Ok(()),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.wanted.fields.iter().position(|field| field == name)
    }

    fn add(&mut self, at: usize, more: Option<FieldKind>) -> Result<(), String> {
        use FieldKind::{Integer, Integers, Number, Numbers};
        self.kinds[at] = match (self.kinds[at], more) {
            (known, None) => known,
            (None, more) => more,
            (Some(Integer | Number), Some(Number)) | (Some(Number), Some(Integer)) => Some(Number),
            (Some(Integers | Numbers), Some(Numbers)) | (Some(Numbers), Some(Integers)) => Some(Numbers),
            (Some(known), Some(more)) if known == more => Some(known),
            (Some(known), Some(more)) => {
                return Err(format!("{} is {more} here and {known} elsewhere", self.wanted.fields[at]));
            }
        };
        Ok(())
    }
}

/// What the companions of a photo say of its fields.
///
/// # Errors
/// More than a record holds.
pub(super) fn record(companions: &Companions, fields: &Fields) -> Result<Record, RecordError> {
    let object = match companions.value(Role::Json) {
        Value::Text(text) => object(text),
        _ => Map::new(),
    };
    let said = |field: &Field| match companions.text(&field.name) {
        Value::Text(text) => FieldValue::Text(text.to_owned()),
        _ => value(object.get(&field.name)).and_then(|value| value.widened(field.kind)).unwrap_or_default(),
    };
    Record::encode(&fields.iter().map(said).collect::<Vec<_>>(), fields)
}

fn object(text: &str) -> Map<String, Json> {
    serde_json::from_str(text).unwrap_or_default()
}

/// A key's value as that of a field; `None` for what is none.
fn value(json: Option<&Json>) -> Option<FieldValue> {
    Some(match json {
        None | Some(Json::Null) => FieldValue::Absent,
        Some(Json::Bool(is)) => FieldValue::Integer(i64::from(*is)),
        Some(Json::String(text)) => FieldValue::Text(text.clone()),
        Some(Json::Number(number)) => match number.as_i64() {
            Some(whole) => FieldValue::Integer(whole),
            None => FieldValue::Number(number.as_f64().filter(|_| !number.is_u64())?),
        },
        Some(Json::Array(list)) => match list.iter().map(Json::as_i64).collect() {
            Some(whole) => FieldValue::Integers(whole),
            None => FieldValue::Numbers(list.iter().map(Json::as_f64).collect::<Option<_>>()?),
        },
        Some(Json::Object(_)) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::index::Making;
    use super::super::scan::MemberKind;
    use super::*;

    fn kinds(fields: &[&str], objects: &[&str]) -> Result<Fields, String> {
        let wanted = Wanted { fields: fields.iter().map(|name| (*name).to_owned()).collect() };
        let mut making = Making::default();
        for text in objects {
            making.push("a.json", MemberKind::File, &(0..0), &Value::Text(text));
        }
        making.push("a.txt", MemberKind::File, &(0..0), &Value::Text("a text"));
        let mut kinds = Kinds::of(&wanted);
        kinds.see(&making.finish(0, 0, None))?;
        kinds.fields()
    }

    #[test]
    fn kinds_are_those_of_all_values() {
        let fields = kinds(&["n", "l", "txt"], &[r#"{"n":1,"l":[]}"#, r#"{"n":1.5}"#, r#"{"n":null,"l":[0.5]}"#]);
        let fields = fields.unwrap();
        let found: Vec<_> = fields.iter().map(|field| field.kind).collect();
        assert_eq!(found, [FieldKind::Number, FieldKind::Numbers, FieldKind::Text]);
        let said = Companions::saying(Value::None, Value::Text(r#"{"n":2,"l":[1]}"#));
        let record = record(&said, &fields).unwrap();
        let values = Record::decode(record.as_bytes(), &fields).unwrap();
        assert_eq!(values, [FieldValue::Number(2.0), FieldValue::Numbers(vec![1.0]), FieldValue::Absent]);
    }

    #[test]
    fn what_is_of_several_kinds_or_nowhere_is_refused_by_name() {
        for (objects, why) in [
            (&[r#"{"n":1}"#, r#"{"n":"x"}"#][..], "a.json: n is text here and integer elsewhere"),
            (&["{}"], "no photo has a field n"),
            (&[r#"{"n":{}}"#], "a.json: n is no field's value"),
            (&[r#"{"n":["x"]}"#], "a.json: n is no field's value"),
        ] {
            let error = kinds(&["n"], objects).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
