//! The digests of a catalog: one over all of it, and one over its names.

use headwater_types::Digest;
use headwater_types::digest::Digester;

use super::columns::Columns;

/// The first digest is over
///
/// ```text
/// "headwater catalog v1"
/// number of classes u64 | each class name
/// number of samples u64 | each: key, version (size u64, stamp u64), class name or nothing
/// ```
///
/// where text is preceded by its length (u64), and numbers are little endian. The class names come first since two
/// partitions with the same samples could still number them differently. Where samples have records, behind each class
/// name comes the record, preceded by its length. The second digest is over the same without versions and records, and
/// begins with "headwater names v1".
pub(super) fn digests(columns: &Columns, classes: &[String]) -> (Digest, Digest) {
    let mut all = headed(b"headwater catalog v1", columns, classes);
    let mut names = headed(b"headwater names v1", columns, classes);
    for (at, key) in columns.keys().enumerate() {
        let class = classes.get(columns.label(at) as usize).map_or("", String::as_str);
        let version = columns.spot(at).map(|spot| spot.version().to_bytes()).unwrap_or_default();
        all.field(key.as_bytes()).update(&version).field(class.as_bytes());
        if !columns.records.is_empty() {
            all.field(columns.records.get(at));
        }
        names.field(key.as_bytes()).field(class.as_bytes());
    }
    (all.finish(), names.finish())
}

/// A digest that has taken in what it is of, the class names, and the number of samples.
fn headed(kind: &[u8], columns: &Columns, classes: &[String]) -> Digester {
    let mut digester = Digester::default();
    digester.update(kind).update(&(classes.len() as u64).to_le_bytes());
    for class in classes {
        digester.field(class.as_bytes());
    }
    digester.update(&(columns.len() as u64).to_le_bytes());
    digester
}
