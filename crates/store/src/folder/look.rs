//! Whether a file still is what was listed, without opening it.

use cap_std::fs::Dir;
use headwater_types::{SampleFailure, SampleKey};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::read::{compare, failure};
use crate::version::Version;

/// May wait for a disk.
pub(super) fn check(root: &Dir, key: &SampleKey, version: Version) -> Result<(), SampleFailure> {
    let metadata = root.metadata(key.as_str()).map_err(|error| failure(&error))?;
    compare(&metadata, version)
}

/// Only where the system has the path in memory. A kernel that cannot tell (before Linux 5.12) is asked as usual: there a path that is
/// not in memory is waited for.
pub(super) fn check_now(root: &Dir, key: &SampleKey, version: Version) -> bool {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, key.as_str(), flags, Mode::empty(), beneath | ResolveFlags::CACHED) {
        Ok(file) => {
            let file = cap_std::fs::File::from_std(file.into());
            file.metadata().is_ok_and(|metadata| compare(&metadata, version).is_ok())
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => check(root, key, version).is_ok(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cap_std::ambient_authority;
    use headwater_types::FailureKind;

    use super::super::version_of;
    use super::*;

    fn checked(root: &Dir, key: &str, version: Version) -> Option<FailureKind> {
        let key = key.parse().unwrap();
        let checked = check(root, &key, version);
        assert!(
            checked.is_ok() || !check_now(root, &key, version),
            "what is another now is none without waiting either"
        );
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
        let root = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let version = |name: &str| version_of(&root.metadata(name).unwrap());
        let listed = ["cat/same.jpg", "cat/gone.jpg", "cat/longer.jpg", "cat/folder.jpg", "cat/link.jpg"]
            .map(|name| (name, version(name)));
        for (name, version) in listed {
            assert_eq!(checked(&root, name, version), None, "{name}");
            assert!(check_now(&root, &name.parse().unwrap(), version), "its path is in memory by now");
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
