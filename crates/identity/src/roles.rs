//! The roles that a claim gives: `headwater:read`, `headwater:write:photos,cars`, `headwater:admin`.
//!
//! They begin with a word of ours, since a provider's claim of roles is for all its programs: what does not begin so is
//! for others. A list, or text with blanks between roles, as the claim `scope` has them.

use std::collections::BTreeSet;

use headwater_access::{Held, Role};
use headwater_types::DatasetName;
use serde_json::Value;

use crate::escaped::escaped;

/// What every role of ours begins with.
const OURS: &str = "headwater:";
/// Most characters of a role that are shown.
const SHOWN: usize = 64;

/// The roles of a claim; none where it is missing.
///
/// # Errors
/// What begins like a role of ours and is none, escaped.
pub(crate) fn roles(claim: Option<&Value>) -> Result<Vec<Held>, String> {
    let words: Vec<&str> = match claim {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let ours = words.into_iter().filter(|word| word.starts_with(OURS));
    ours.map(|word| role(word).ok_or_else(|| escaped(word, SHOWN))).collect()
}

fn role(word: &str) -> Option<Held> {
    let word = word.strip_prefix(OURS)?;
    let (role, names) = word.split_once(':').map_or((word, None), |(role, names)| (role, Some(names)));
    let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
    let datasets = match names {
        None => None,
        Some(names) => {
            let named = names.split(',').map(|name| name.parse::<DatasetName>().ok());
            Some(named.collect::<Option<BTreeSet<_>>>()?)
        }
    };
    Some(Held { role, datasets })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_a_list_or_words_and_others_are_not_ours() {
        let all = json!(["offline_access", "headwater:read", "headwater:write:photos,cars", 7, "headwaters:admin"]);
        let held = roles(Some(&all)).unwrap();
        assert_eq!(held.iter().map(|held| held.role).collect::<Vec<_>>(), [Role::Read, Role::Write]);
        assert_eq!(held[0].datasets, None);
        assert_eq!(held[1].datasets.as_ref().unwrap().len(), 2);
        let scope = roles(Some(&json!("openid headwater:admin profile"))).unwrap();
        assert_eq!(scope, [Held { role: Role::Admin, datasets: None }]);
        for none in [None, Some(json!(null)), Some(json!({"headwater:read": true})), Some(json!([["headwater:read"]]))]
        {
            assert_eq!(roles(none.as_ref()), Ok(Vec::new()), "{none:?}");
        }
    }

    #[test]
    fn what_begins_like_a_role_and_is_none_is_named() {
        for bad in [
            "headwater:",
            "headwater:owner",
            "headwater:read:",
            "headwater:read:../x",
            "headwater:read:a,,b",
            "headwater:READ",
            "headwater::photos",
        ] {
            assert_eq!(roles(Some(&json!(["headwater:read", bad]))), Err(escaped(bad, 64)), "{bad}");
        }
    }
}
