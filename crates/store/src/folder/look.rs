//! Whether a file still is what was listed, without opening it.

use headwater_types::SampleFailure;

use super::read::{compare, failure};
use crate::extent::Extent;
use crate::local::Root;

/// Whether the object is of the version that was listed. The look may wait for a disk.
pub(super) fn check(root: &Root, extent: &Extent) -> Result<(), SampleFailure> {
    let metadata = root.metadata(extent.object().as_str()).map_err(|error| failure(&error))?;
    compare(&metadata, extent.listed())
}

/// Whether the object is of the version that was listed, as far as the system has its path in memory; else `false`.
pub(super) fn check_now(root: &Root, extent: &Extent) -> bool {
    root.metadata_now(extent.object().as_str()).is_ok_and(|metadata| compare(&metadata, extent.listed()).is_ok())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headwater_types::FailureKind;

    use super::*;
    use crate::local::version_of;
    use crate::version::Version;

    fn checked(root: &Root, key: &str, version: Version) -> Option<FailureKind> {
        let extent = Extent::whole(key.parse().unwrap(), version);
        let checked = check(root, &extent);
        assert!(checked.is_ok() || !check_now(root, &extent), "what is another now is none without waiting either");
        checked.err().map(|failure| failure.kind)
    }

    #[test]
    fn what_was_deleted_changed_or_lies_outside_is_told_as_by_a_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str| std::fs::write(path(name), b"photo").unwrap();
        std::fs::create_dir(path("cat")).unwrap();
        ["cat/same.jpg", "cat/gone.jpg", "cat/longer.jpg", "cat/folder.jpg"].into_iter().for_each(write);
        std::os::unix::fs::symlink("same.jpg", path("cat/link.jpg")).unwrap();
        std::os::unix::fs::symlink(Path::new("/etc/hostname"), path("cat/out.jpg")).unwrap();
        let root = Root::open(folder.path()).unwrap().0;
        let version = |name: &str| version_of(&root.metadata(name).unwrap());
        let listed = ["cat/same.jpg", "cat/gone.jpg", "cat/longer.jpg", "cat/folder.jpg", "cat/link.jpg"]
            .map(|name| (name, version(name)));
        for (name, version) in listed {
            assert_eq!(checked(&root, name, version), None, "{name}");
            let extent = Extent::whole(name.parse().unwrap(), version);
            assert!(check_now(&root, &extent), "its path is in memory by now");
        }
        std::fs::remove_file(path("cat/gone.jpg")).unwrap();
        std::fs::write(path("cat/longer.jpg"), b"another photo").unwrap();
        std::fs::remove_file(path("cat/folder.jpg")).unwrap();
        std::fs::create_dir(path("cat/folder.jpg")).unwrap();
        let expected =
            [None, Some(FailureKind::NotFound), Some(FailureKind::Changed), Some(FailureKind::Changed), None];
        for ((name, version), expected) in listed.into_iter().zip(expected) {
            assert_eq!(checked(&root, name, version), expected, "{name}");
        }
        assert_eq!(checked(&root, "cat/out.jpg", listed[0].1), Some(FailureKind::Forbidden));
    }
}
