//! One list of classes for several servers, whose labels are positions in lists of their own.
//!
//! Lists that agree as far as they go keep their order, which is that of a labels file or of `--classes`. Lists that
//! differ are united by name where all of them are sorted, as class folders are. Others cannot be put in any one order:
//! a label would mean another class than at the server that gave it its number.

use std::collections::{BTreeSet, HashMap};

use headwater_types::ClassId;

use crate::error::ClientError;
use headwater_discovery::ServerAddress;

/// The classes of these servers together.
///
/// # Errors
/// Lists that differ and are not all sorted.
pub(crate) fn unite<'a>(
    servers: impl Iterator<Item = (&'a ServerAddress, &'a [String])> + Clone,
) -> Result<Vec<String>, ClientError> {
    let longest = servers.clone().max_by_key(|(_, classes)| classes.len());
    let Some((address, longest)) = longest else { return Ok(Vec::new()) };
    let Some((other, _)) = servers.clone().find(|(_, classes)| !longest.starts_with(classes)) else {
        return Ok(longest.to_vec());
    };
    if servers.clone().any(|(_, classes)| !classes.is_sorted()) {
        return Err(ClientError::ClassesDiffer { first: address.clone(), second: other.clone() });
    }
    let names: BTreeSet<_> = servers.flat_map(|(_, classes)| classes).collect();
    Ok(names.into_iter().cloned().collect())
}

/// The place in `united` of each of a server's classes.
pub(crate) fn places(classes: &[String], united: &[String]) -> Vec<ClassId> {
    if united.starts_with(classes) {
        return (0..).map(ClassId).take(classes.len()).collect();
    }
    let place: HashMap<_, _> = united.iter().zip(0..).collect();
    classes.iter().filter_map(|class| place.get(class)).map(|&place| ClassId(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn united(lists: &[&[&str]]) -> Result<Vec<String>, ClientError> {
        let addresses: Vec<ServerAddress> = (0..lists.len()).map(|n| format!("node{n}").parse().unwrap()).collect();
        let lists: Vec<Vec<String>> = lists.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect();
        let classes = unite(addresses.iter().zip(lists.iter().map(Vec::as_slice)))?;
        for list in &lists {
            let found: Vec<_> = places(list, &classes).iter().map(|class| classes[class.0 as usize].clone()).collect();
            assert_eq!(found, *list);
        }
        Ok(classes)
    }

    #[test]
    fn lists_that_agree_keep_their_order_and_sorted_ones_are_united_by_name() {
        for (lists, expected) in [
            (&[&["b", "a"][..], &["b", "a"]][..], &["b", "a"][..]),
            (&[&["9", "10"], &["9", "10", "8"], &[]], &["9", "10", "8"]),
            (&[&["cat"], &["ant", "dog"]], &["ant", "cat", "dog"]),
            (&[&["a", "c"], &["a", "b", "c"]], &["a", "b", "c"]),
            (&[], &[]),
        ] {
            assert_eq!(united(lists).unwrap(), expected, "{lists:?}");
        }
    }

    #[test]
    fn lists_that_differ_in_an_order_of_their_own_are_refused_with_the_fix() {
        for lists in [&[&["b", "a"][..], &["a", "b"]][..], &[&["a", "b"], &["c", "a", "b"]]] {
            let error = united(lists).unwrap_err();
            assert!(matches!(error, ClientError::ClassesDiffer { .. }), "{error}");
            assert!(error.to_string().contains("classes"), "{error}");
        }
    }
}
