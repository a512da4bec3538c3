//! Which files are samples, by their names alone: one rule for every kind of dataset.
//!
//! The suffixes are those of torchvision's `ImageFolder`, so that both have the same samples, and the others of the
//! formats that are decoded here (GIF, `.dib`, `.pbm`, `.pnm`). Images of other formats would only fail one by one, in
//! every epoch: they are left out too, and counted apart. What a file that is taken really is, its content says.

use headwater_types::Format;

use crate::kind::Kind;
use crate::skip::Skip;

/// Which files of a dataset are samples. Setting: `--all-files`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Files {
    /// The files with the suffix of a photo that can be decoded: [`Format::suffixes`], in any case.
    #[default]
    Photos,
    /// Every file, whatever its name.
    All,
}

/// The folder right under a dataset's root in which photos are written that are on their way in: no part of it.
pub(crate) const INCOMING: &str = ".headwater-incoming";

/// Suffixes of images that are not decoded here, but that cameras and programs write.
const IMAGE_SUFFIXES: [&str; 15] =
    ["heic", "heif", "avif", "jp2", "j2k", "jxl", "ico", "tga", "qoi", "psd", "dng", "cr2", "nef", "arw", "exr"];

// === impl Files ===

impl Files {
    /// Whether a file of this name or key is a sample, by its name.
    pub fn takes(self, name: &str) -> bool {
        self.leave_out(name).is_none()
    }

    /// Why the file of this name or key is no sample; `None` for one that is.
    pub(crate) fn leave_out(self, name: &str) -> Option<Skip> {
        let suffix = suffix(name).unwrap_or_default();
        let has = |known: &str| known.eq_ignore_ascii_case(suffix);
        match self {
            Self::All => None,
            Self::Photos if Format::suffixes().any(has) => None,
            Self::Photos if IMAGE_SUFFIXES.into_iter().any(has) => Some(Skip::UnsupportedFormat),
            Self::Photos if Kind::of_shard(name).is_some() => Some(Skip::Shard),
            Self::Photos => Some(Skip::NoPhoto),
        }
    }
}

/// What stands behind the last dot of a name, where there is one.
pub(crate) fn suffix(name: &str) -> Option<&str> {
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    name.rsplit_once('.').map(|(_, suffix)| suffix).filter(|suffix| !suffix.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_those_of_image_folder_and_a_few_more() {
        // `torchvision.datasets.folder.IMG_EXTENSIONS` of torchvision 0.30.
        let image_folder = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];
        let more = [".gif", ".dib", ".pbm", ".pnm"];
        for suffix in image_folder.into_iter().chain(more) {
            for name in [format!("cat/1{suffix}"), format!("cat.d/a.b{}", suffix.to_uppercase())] {
                assert_eq!(Files::Photos.leave_out(&name), None, "{name}");
            }
        }
        assert_eq!(Format::suffixes().count(), image_folder.len() + more.len());
        for suffix in IMAGE_SUFFIXES {
            assert_eq!(Files::Photos.leave_out(&format!("1.{suffix}")), Some(Skip::UnsupportedFormat), "{suffix}");
            assert_eq!(Files::All.leave_out(suffix), None);
        }
    }

    #[test]
    fn what_only_looks_like_a_photo_by_its_folder_or_by_half_its_suffix_is_none() {
        for name in
            ["README", "cat.jpg/readme", "jpg", "1.jpg~", "1.jpg.part", "1.", "a/labels.csv", "1.jpgx", "Thumbs.db"]
        {
            assert_eq!(Files::Photos.leave_out(name), Some(Skip::NoPhoto), "{name}");
        }
    }
}
