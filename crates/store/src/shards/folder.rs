//! The shards of a folder: it is walked, and each file that is named or has a shard's name is looked at.

use std::io;

use headwater_types::key;

use super::names::Names;
use super::shelf::Shelf;
use crate::extent::Extent;
use crate::local::{Root, version_of};
use crate::skip::Skip;

/// Looks at what is named, and into folders that are.
pub(super) fn list(root: &Root, names: &Names, is_shard: fn(&str) -> bool) -> io::Result<Shelf> {
    let mut walk = Walk { root, names, is_shard, shelf: Shelf::default() };
    for name in names.iter() {
        walk.named(name)?;
    }
    Ok(walk.shelf)
}

struct Walk<'a> {
    root: &'a Root,
    names: &'a Names,
    is_shard: fn(&str) -> bool,
    shelf: Shelf,
}

// === impl Walk ===

impl Walk<'_> {
    fn named(&mut self, name: &str) -> io::Result<()> {
        let is_folder = name.is_empty() || self.root.metadata(name).is_ok_and(|found| found.is_dir());
        if is_folder {
            return self.folder(name);
        }
        self.file(name);
        // An index of a shard lies beside it.
        let stem = name.strip_suffix(".tar").unwrap_or(name);
        for beside in [format!("{name}.idx"), format!("{stem}.idx")] {
            if self.root.metadata(&beside).is_ok_and(|found| found.is_file()) && !self.names.names(&beside) {
                self.file(&beside);
            }
        }
        Ok(())
    }

    /// Folders wait in a list: their depth is bounded by the length of a key.
    fn folder(&mut self, first: &str) -> io::Result<()> {
        let mut folders = vec![first.to_owned()];
        while let Some(folder) = folders.pop() {
            for item in self.root.items(&folder)? {
                let item = item?;
                let name = item.name();
                let name = key::from_bytes(name.as_encoded_bytes());
                let path = if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
                let kind = item.file_type()?;
                match () {
                    () if name.starts_with('.') && name != ".nv-meta" => self.leave_out(Skip::Hidden, &path),
                    () if kind.is_dir() => folders.push(path),
                    () if kind.is_symlink() => self.link(&path),
                    () if kind.is_file() => self.file(&path),
                    () => self.leave_out(Skip::Special, &path),
                }
            }
        }
        Ok(())
    }

    fn link(&mut self, path: &str) {
        match self.root.metadata(path) {
            Ok(found) if found.is_dir() => self.leave_out(Skip::FolderLink, path),
            Ok(_) => self.file(path),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => self.leave_out(Skip::LinkOut, path),
            Err(_) => self.leave_out(Skip::BrokenLink, path),
        }
    }

    fn file(&mut self, path: &str) {
        let is_shard = self.names.names(path) || (self.is_shard)(path);
        let found = match self.root.metadata(path) {
            Ok(found) if found.is_file() => found,
            Ok(_) => return self.leave_out(Skip::Special, path),
            // What was named and is not there is missed by name.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.leave_out(Skip::Unreadable, &format!("{path} ({error})")),
        };
        let Ok(key) = path.parse() else { return self.leave_out(Skip::Key, path) };
        let extents = if is_shard { &mut self.shelf.shards } else { &mut self.shelf.others };
        extents.push(Extent::whole(key, version_of(&found)));
    }

    fn leave_out(&mut self, reason: Skip, path: &str) {
        self.shelf.left_out.push((reason, path.to_owned()));
    }
}
