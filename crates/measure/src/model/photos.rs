//! The photos of a folder, as many as are asked for, from all over it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use headwater_cli::input::read_at_most;
use headwater_dissection::{Origin, Photos};
use headwater_types::Format;
use headwater_types::caps::MAX_OBJECT;

/// Most files of a folder that are looked at. Photos are taken from all over these.
const MOST_FILES: usize = 100_000;
/// Most folders within folders.
const MOST_DEPTH: usize = 8;

/// So many photos of a folder, spread over its files by their names, or the generated one. Files that are too long for
/// a photo are counted too.
pub(super) fn photos(folder: Option<&Path>, count: usize) -> anyhow::Result<(Photos, u64)> {
    let Some(folder) = folder else {
        let generated = ("the generated photo".to_owned(), headwater_pilot::PHOTO.into());
        return Ok((Photos { files: vec![generated], origin: Origin::Generated }, 0));
    };
    let shown = folder.display();
    let mut found = Found::default();
    found.list(folder, 0).with_context(|| format!("--photos {shown}"))?;
    found.say(folder);
    let mut paths = found.paths;
    if paths.is_empty() {
        bail!("--photos {shown}: there is no photo in it: give a folder of {}", Format::listed("or"));
    }
    paths.sort();
    let step = (paths.len() as f64 / count as f64).max(1.0);
    let chosen = (0..count.min(paths.len())).map(|place| &paths[(place as f64 * step) as usize]);
    let (mut files, mut too_long) = (Vec::new(), 0);
    for path in chosen {
        let bytes = read_at_most(path, MAX_OBJECT.get()).with_context(|| format!("--photos: {}", path.display()))?;
        if bytes.len() as u64 > MAX_OBJECT.get() {
            too_long += 1;
        } else {
            files.push((path.display().to_string(), bytes.into()));
        }
    }
    Ok((Photos { files, origin: Origin::Folder }, too_long))
}

/// What was found in a folder.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    /// Photos that were found when there were enough of them.
    past: u64,
    /// Folders that lie too deep to be looked into.
    too_deep: u64,
    /// Links, which are not followed.
    links: u64,
}

// === impl Found ===

impl Found {
    /// Adds the photos of a folder, by their suffixes, and those of its folders. Names that begin with a dot are left
    /// out.
    fn list(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                match depth < MOST_DEPTH {
                    true => self.list(&path, depth + 1)?,
                    false => self.too_deep += 1,
                }
            } else if kind.is_symlink() {
                self.links += 1;
            } else if kind.is_file() && is_photo(&path) {
                match self.paths.len() < MOST_FILES {
                    true => self.paths.push(path),
                    false => self.past += 1,
                }
            }
        }
        Ok(())
    }

    /// Says what was left out.
    fn say(&self, folder: &Path) {
        let Self { past, too_deep, links, .. } = self;
        if past + too_deep + links > 0 {
            let folder = folder.display();
            tracing::warn!(
                %folder, past, too_deep, links,
                "not all of the folder is measured: photos past the first 100,000, in folders more than 8 deep and \
                 behind links are no choice"
            );
        }
    }
}

fn is_photo(path: &Path) -> bool {
    let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
    suffix.is_some_and(|suffix| Format::suffixes().any(|known| known == suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_come_from_all_over_a_folder_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in ["a/1.jpg", "a/2.JPEG", "b/3.png", "b/4.jpg", "b/notes.txt", ".hidden/5.jpg", "c/d/6.webp"] {
            write(name);
        }
        let names = |count: usize| -> Vec<String> {
            let (photos, too_long) = photos(Some(folder.path()), count).unwrap();
            assert_eq!((photos.origin, too_long), (Origin::Folder, 0));
            photos.files.into_iter().map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect()
        };
        assert_eq!(names(2), ["a/1.jpg", "b/3.png"]);
        assert_eq!(names(9), ["a/1.jpg", "a/2.JPEG", "b/3.png", "b/4.jpg", "c/d/6.webp"]);
        let deep: PathBuf = (0..=MOST_DEPTH).map(|level| level.to_string()).collect();
        write(&format!("{}/7.jpg", deep.display()));
        std::os::unix::fs::symlink(folder.path().join("a/1.jpg"), folder.path().join("link.jpg")).unwrap();
        let mut found = Found::default();
        found.list(folder.path(), 0).unwrap();
        assert_eq!((found.paths.len(), found.past, found.too_deep, found.links), (5, 0, 1, 1));
        let error = photos(Some(&folder.path().join(".hidden/none")), 1).unwrap_err();
        assert!(format!("{error:#}").contains("--photos"), "{error:#}");
        assert_eq!(photos(None, 3).unwrap().0.files.len(), 1);
    }
}
