//! Which versions of a name a server has.

use headwater_types::Digest;
use headwater_types::caps::MAX_HELD_MODELS;

use super::{bytes, optional};
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// What a server says of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelStanding {
    /// Whether the server has a place for versions (`--state`).
    pub keeps: bool,
    /// Grows with each activation; 0 before the first.
    pub revision: u64,
    /// The version that serves; `None` where none of that name does.
    pub active: Option<Digest>,
    /// The version that a rollback leads to.
    pub before: Option<Digest>,
    /// Versions that are there, the one that serves among them.
    pub held: Vec<Digest>,
    /// Whether it makes scores of another model's features.
    pub is_head: bool,
}

impl From<ModelStanding> for proto::ModelVersions {
    fn from(standing: ModelStanding) -> Self {
        let ModelStanding { keeps, revision, active, before, held, is_head: head } = standing;
        let held = held.into_iter().map(bytes).collect();
        Self { keeps, revision, active: optional(active), before: optional(before), held, head }
    }
}

impl TryFrom<proto::ModelVersions> for ModelStanding {
    type Error = Invalid;

    fn try_from(versions: proto::ModelVersions) -> Result<Self, Invalid> {
        let proto::ModelVersions { keeps, revision, active, before, held, head: is_head } = versions;
        if held.len() > MAX_HELD_MODELS {
            return Err(Invalid::new(format!("{} versions are more than {MAX_HELD_MODELS}", held.len())));
        }
        let held = held.iter().map(|bytes| super::digest(bytes, "a version")).collect::<Result<_, _>>()?;
        let (active, before) = (digest_from(&active)?, digest_from(&before)?);
        Ok(Self { keeps, revision, active, before, held, is_head })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_reads_back_as_it_was_written() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let held = vec![digest("a"), digest("b")];
        let (active, before) = (Some(digest("b")), None);
        let standing = ModelStanding { keeps: true, revision: 7, active, before, held, is_head: true };
        let written = proto::ModelVersions::from(standing.clone());
        assert_eq!(ModelStanding::try_from(written.clone()), Ok(standing));
        let many = vec![written.active.clone(); MAX_HELD_MODELS + 1];
        assert!(ModelStanding::try_from(proto::ModelVersions { held: many, ..written.clone() }).is_err());
        assert!(ModelStanding::try_from(proto::ModelVersions { active: vec![1].into(), ..written }).is_err());
    }
}
