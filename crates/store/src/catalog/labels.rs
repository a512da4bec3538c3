//! The labels of a catalog's samples: the class of each key, which is its first folder.

/// A sample right under the root has no label. No class has this number, since there are at most `MAX_CLASSES`.
pub(super) const UNLABELLED: u32 = u32::MAX;

/// The number of each key's class among the sorted `classes`. The keys are sorted too, so that they come class by
/// class.
pub(super) fn labels<'a>(keys: impl Iterator<Item = &'a str>, classes: &[String]) -> Box<[u32]> {
    let mut last: Option<(&str, u32)> = None;
    let label = |key: &'a str| {
        let Some((class, _)) = key.split_once('/') else { return UNLABELLED };
        match last {
            Some((name, label)) if name == class => label,
            _ => {
                let Ok(at) = classes.binary_search_by(|name| name.as_str().cmp(class)) else { return UNLABELLED };
                // There are at most MAX_CLASSES.
                let label = at as u32;
                last = Some((class, label));
                label
            }
        }
    };
    keys.map(label).collect()
}
