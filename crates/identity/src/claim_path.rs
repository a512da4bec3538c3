//! Which claim has the roles.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

/// The name of a claim, or the way to one within others: `roles`, `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(String);

/// Most characters of a name.
const MOST: usize = 256;

// === impl ClaimPath ===

impl ClaimPath {
    /// The claim's value. A claim whose name is the whole text comes first, since names such as
    /// `https://example.com/roles` have dots.
    pub(crate) fn of<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        claims.get(&self.0).or_else(|| {
            let mut parts = self.0.split('.');
            let first = claims.get(parts.next()?)?;
            parts.try_fold(first, |within, part| within.as_object()?.get(part))
        })
    }
}

impl FromStr for ClaimPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = |c: char| c.is_ascii_graphic();
        match (1..=MOST).contains(&text.len()) && text.chars().all(is_good) && text.split('.').all(|p| !p.is_empty()) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!("{text:?} is no claim: give a name such as roles, or a.b for claim b within claim a")),
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_found_by_its_name_or_within_others() {
        let claims = json!({
            "roles": ["a"], "realm_access": {"roles": ["b"]}, "https://x.org/roles": "c", "deep": {"x": 1}
        });
        let claims = claims.as_object().unwrap();
        let of = |path: &str| path.parse::<ClaimPath>().unwrap().of(claims).cloned();
        assert_eq!(of("roles"), Some(json!(["a"])));
        assert_eq!(of("realm_access.roles"), Some(json!(["b"])));
        assert_eq!(of("https://x.org/roles"), Some(json!("c")));
        for missing in ["other", "realm_access.other", "roles.a", "deep.x.y"] {
            assert_eq!(of(missing), None, "{missing}");
        }
        for bad in ["", ".", "a..b", "a b", "a.", &"x".repeat(300)] {
            assert!(bad.parse::<ClaimPath>().is_err(), "{bad:?}");
        }
    }
}
