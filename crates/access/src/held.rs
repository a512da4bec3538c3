//! Roles that somebody has, each for some datasets, and what they come to for one call.

use std::collections::BTreeSet;

use headwater_types::DatasetName;

use crate::grant::{Grant, Role};

/// A role, and the datasets that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// The datasets; `None`: all.
    pub datasets: Option<BTreeSet<DatasetName>>,
}

// === impl Held ===

impl Held {
    /// What somebody of this name with these roles may do in a call that needs this one: each role that suffices
    /// counts, with its datasets.
    ///
    /// # Errors
    /// The highest role there is, where it does not suffice; `None` without any.
    pub fn grant(held: &[Self], name: &str, needed: Role) -> Result<Grant, Option<Role>> {
        let highest = held.iter().map(|each| each.role).max();
        let role = highest.filter(|role| *role >= needed).ok_or(highest)?;
        let mut datasets = Some(BTreeSet::new());
        for each in held.iter().filter(|each| each.role >= needed) {
            datasets = datasets.zip(each.datasets.clone()).map(|(mut all, named)| {
                all.extend(named);
                all
            });
        }
        Ok(Grant { name: name.to_owned(), role, datasets })
    }
}

impl From<&Grant> for Held {
    fn from(grant: &Grant) -> Self {
        Self { role: grant.role, datasets: grant.datasets.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_counts_for_its_own_datasets_and_a_higher_one_for_what_needs_less() {
        let held = |role, names: &[&str]| Held {
            role,
            datasets: (!names.is_empty()).then(|| names.iter().map(|name| name.parse().unwrap()).collect()),
        };
        let some = [held(Role::Read, &["cars"]), held(Role::Write, &["photos"])];
        let reads = Held::grant(&some, "a", Role::Read).unwrap();
        assert!(reads.covers("cars") && reads.covers("photos") && !reads.covers("others"));
        let writes = Held::grant(&some, "a", Role::Write).unwrap();
        assert!(writes.covers("photos") && !writes.covers("cars"));
        assert_eq!(Held::grant(&some, "a", Role::Admin), Err(Some(Role::Write)));
        assert_eq!(Held::grant(&[], "a", Role::Read), Err(None));
        let all = [held(Role::Read, &[]), held(Role::Write, &["photos"])];
        assert!(Held::grant(&all, "a", Role::Read).unwrap().covers("anything"));
        assert!(!Held::grant(&all, "a", Role::Write).unwrap().covers("anything"));
    }
}
