//! The digests of a catalog: one over all of it, and one over its names.

use headwater_types::Digest;
use headwater_types::digest::Digester;

use super::Catalog;

/// The first digest is over
///
/// ```text
/// "headwater catalog v1"
/// number of classes u64 | each class name
/// number of samples u64 | each: key, version (size u64, stamp u64), class name or nothing
/// ```
///
/// where text is preceded by its length (u64), and numbers are little endian. The class names come first since two
/// partitions with the same samples could still number them differently. The second digest is over the same without the versions,
/// and begins with "headwater names v1".
pub(super) fn digests(catalog: &Catalog) -> (Digest, Digest) {
    let mut all = headed(b"headwater catalog v1", catalog);
    let mut names = headed(b"headwater names v1", catalog);
    for (_, entry) in catalog.iter() {
        let class = entry.label.and_then(|label| catalog.classes().get(label.0 as usize)).map_or("", String::as_str);
        all.field(entry.key.as_bytes()).update(&entry.version.to_bytes()).field(class.as_bytes());
        names.field(entry.key.as_bytes()).field(class.as_bytes());
    }
    (all.finish(), names.finish())
}

/// A digest that has taken in what it is of, the class names, and the number of samples.
fn headed(kind: &[u8], catalog: &Catalog) -> Digester {
    let mut digester = Digester::default();
    digester.update(kind).update(&(catalog.classes().len() as u64).to_le_bytes());
    for class in catalog.classes() {
        digester.field(class.as_bytes());
    }
    digester.update(&(catalog.len() as u64).to_le_bytes());
    digester
}
