//! What belongs to a photo in a tar file: files with its stem, as WebDataset groups them.
//!
//! ```text
//! cat/0001.jpg   cat/0001.cls   cat/0001.json   cat/0001.txt     the stem is cat/0001: up to the name's first dot
//! ```

use serde_json::{Map, Value as Json};

/// What a companion says, as far as it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Nothing is wanted of it.
    None,
    /// It is no text or no JSON, or too long for what it is.
    Unreadable,
    Text(&'a str),
}

/// What a companion is, by what stands behind the first dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `.cls`: a class, by number or by name.
    Class,
    /// `.json`: an object with keys, of which one may be the label.
    Json,
    /// A text that is asked for as a field.
    Text,
}

/// What is read of companions.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The names of fields: keys of `.json`, or suffixes of text files.
    pub(super) fields: Vec<String>,
}

/// The keys of a JSON object that are a label, the first before the second.
pub(super) const LABEL_KEYS: [&str; 2] = ["label", "cls"];
/// Most bytes of a class's name or number.
const MOST_CLASS: u64 = 1024;
/// Most bytes of a JSON object, which is taken into memory whole.
const MOST_JSON: u64 = 1024 * 1024;
/// Most bytes of a text, so that it fits into a record.
const MOST_TEXT: u64 = 60 * 1024;

// === impl Role ===

impl Role {
    /// Most bytes that are read of a companion.
    pub(super) fn most(self) -> u64 {
        match self {
            Self::Class => MOST_CLASS,
            Self::Json => MOST_JSON,
            Self::Text => MOST_TEXT,
        }
    }
}

// === impl Wanted ===

impl Wanted {
    /// What of a member of this name is wanted; `None` for a photo, and for what nobody asked for.
    pub(super) fn role(&self, name: &str) -> Option<Role> {
        let (_, suffix) = split(name)?;
        match suffix {
            _ if suffix.eq_ignore_ascii_case("cls") => Some(Role::Class),
            _ if suffix.eq_ignore_ascii_case("json") => Some(Role::Json),
            _ => self.fields.iter().any(|field| field == suffix).then_some(Role::Text),
        }
    }

    /// What is kept of a companion's content; `None` for one that cannot be read.
    pub(super) fn read(&self, role: Role, content: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(content).ok()?;
        match role {
            Role::Class => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
            Role::Text => Some(text.to_owned()),
            Role::Json => self.keys(text),
        }
    }

    /// The object with those of its keys that are wanted.
    fn keys(&self, text: &str) -> Option<String> {
        let mut object: Map<String, Json> = serde_json::from_str(text).ok()?;
        object.retain(|key, _| LABEL_KEYS.contains(&key.as_str()) || self.fields.iter().any(|field| field == key));
        serde_json::to_string(&object).ok()
    }
}

/// The stem of a name, and what stands behind its first dot; `None` for a name without either.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = last + name[last..].find('.')?;
    (dot > last).then(|| (&name[..dot], &name[dot + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_ends_at_the_first_dot_of_the_name() {
        for (name, expected) in [
            ("cat.d/0001.jpg", Some(("cat.d/0001", "jpg"))),
            ("0001.seg.png", Some(("0001", "seg.png"))),
            ("0001.", Some(("0001", ""))),
            ("0001", None),
            ("a/.hidden", None),
            ("a.b/c", None),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
    }

    #[test]
    fn of_an_object_only_the_keys_that_are_wanted_are_kept() {
        let wanted = Wanted { fields: vec!["caption".to_owned(), "txt".to_owned()] };
        let text = r#"{"label": 3, "caption": "a cat", "url": "x", "cls": "cat"}"#;
        let kept = wanted.read(Role::Json, text.as_bytes()).unwrap();
        assert_eq!(kept, r#"{"caption":"a cat","cls":"cat","label":3}"#);
        for bad in [&b"[1]"[..], b"{", b"\xff", b""] {
            assert_eq!(wanted.read(Role::Json, bad), None);
        }
        assert_eq!(wanted.read(Role::Class, b" 7\n").as_deref(), Some("7"));
        assert_eq!(wanted.read(Role::Class, b" \n"), None);
        let roles = ["a.cls", "a.JSON", "a.txt", "a.jpg", "a.caption", "cls"].map(|name| wanted.role(name));
        assert_eq!(roles, [Some(Role::Class), Some(Role::Json), Some(Role::Text), None, Some(Role::Text), None]);
    }
}
