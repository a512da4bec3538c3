//! What companions say of a photo's class: `.cls` says it, or where there is none `.json` with a key that is a label.

use serde_json::{Map, Value as Json};

use super::companion::{LABEL_KEYS, Role, Value, Wanted};
use super::group::Companions;
use super::index::Index;

/// The class of a photo, as a companion says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Number(u32),
    Name(String),
}

struct NoLabel;

/// The label that the companions of a photo give; `None` where they give none.
///
/// # Errors
/// The companion that should say it, and says something that is no label.
pub(super) fn label(companions: &Companions) -> Result<Option<Label>, Role> {
    match (companions.value(Role::Class), companions.value(Role::Json)) {
        (Value::Text(text), _) => Ok(Some(of_text(text))),
        (Value::Unreadable, _) => Err(Role::Class),
        (Value::None, Value::Text(text)) => of_object(text).map_err(|NoLabel| Role::Json),
        (Value::None, Value::Unreadable) => Err(Role::Json),
        (Value::None, Value::None) => Ok(None),
    }
}

/// Whether a shard has a companion that says a label.
pub(super) fn has_labels(index: &Index, wanted: &Wanted) -> bool {
    let mut entries = index.entries();
    while let Some(entry) = entries.next() {
        let says = match (wanted.role(entry.name), entry.value) {
            (Some(Role::Class), Value::Text(_)) => true,
            (Some(Role::Json), Value::Text(text)) => matches!(of_object(text), Ok(Some(_))),
            _ => false,
        };
        if says {
            return true;
        }
    }
    false
}

fn of_text(text: &str) -> Label {
    text.parse().map_or_else(|_| Label::Name(text.to_owned()), Label::Number)
}

fn of_object(text: &str) -> Result<Option<Label>, NoLabel> {
    let object: Map<String, Json> = serde_json::from_str(text).map_err(|_| NoLabel)?;
    match LABEL_KEYS.iter().find_map(|key| object.get(*key)) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(name)) if !name.is_empty() => Ok(Some(of_text(name))),
        Some(Json::Number(number)) => {
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            number.map(|number| Some(Label::Number(number))).ok_or(NoLabel)
        }
        Some(_) => Err(NoLabel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(class: Value<'_>, json: Value<'_>) -> Result<Option<Label>, Role> {
        label(&Companions::saying(class, json))
    }

    #[test]
    fn a_class_file_goes_before_an_object() {
        let object = Value::Text(r#"{"label":3,"cls":"x"}"#);
        assert_eq!(said(Value::Text("7"), object), Ok(Some(Label::Number(7))));
        assert_eq!(said(Value::None, object), Ok(Some(Label::Number(3))));
        assert_eq!(said(Value::Text("cat"), Value::None), Ok(Some(Label::Name("cat".to_owned()))));
        assert_eq!(said(Value::None, Value::Text(r#"{"cls":"x"}"#)), Ok(Some(Label::Name("x".to_owned()))));
        for nothing in [r#"{}"#, r#"{"label":null}"#] {
            assert_eq!(said(Value::None, Value::Text(nothing)), Ok(None));
        }
    }

    #[test]
    fn what_is_no_label_is_not_guessed() {
        for bad in [r#"{"label":-1}"#, r#"{"label":1.5}"#, r#"{"label":[1]}"#, r#"{"label":""}"#] {
            assert_eq!(said(Value::None, Value::Text(bad)), Err(Role::Json), "{bad}");
        }
        assert_eq!(said(Value::Unreadable, Value::Text(r#"{"label":1}"#)), Err(Role::Class));
    }
}
