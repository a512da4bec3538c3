//! Why something in a dataset's place is no sample.

use std::sync::LazyLock;

use headwater_types::Format;

/// Why something in the dataset's root is no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// The file's suffix is no image's, or the file has none.
    NoPhoto,
    /// The file's suffix is that of an image format that is not decoded here.
    UnsupportedFormat,
    /// A shard of an archive or an array, beside photos.
    Shard,
    /// The name of the file or of a folder above it begins with a dot. A hidden folder counts once, whatever it holds.
    Hidden,
    /// A folder right under the root has no sample in it, and so is no class.
    EmptyFolder,
    /// A symbolic link leads out of the root, and not into a folder that `--follow-links` names. A link with an
    /// absolute target always counts as leading out.
    LinkOut,
    /// A symbolic link leads to a folder, and not into one that `--follow-links` names.
    FolderLink,
    /// A symbolic link to a folder leads back to one above it.
    LinkLoop,
    /// A symbolic link leads to nothing.
    BrokenLink,
    /// A pipe, socket or device.
    Special,
    /// A name that no sample key may have: too long, or in a bucket `..`, empty parts and control characters.
    Key,
    /// The file or folder could not be seen: this user may not read it, or its disk or store failed.
    Unreadable,
    /// The file went away while the listing ran.
    Vanished,
    /// An S3 object of no bytes: what consoles create to show a folder.
    FolderMarker,
    /// Another object has the same key.
    Duplicate,
    /// A file with holes within an archive, of which only the parts between them are stored.
    Sparse,
    /// A link within an archive that leads to nothing in it, or a symbolic one.
    ArchiveLink,
    /// A member of an archive that has no bytes.
    Empty,
    /// The sample is of another partition.
    OtherPartition,
    /// The sample is of a class that is not among the pinned ones.
    UnknownClass,
    /// A pinned class has no sample in the whole dataset. It keeps its place.
    EmptyClass,
}

// === impl Skip ===

impl Skip {
    /// Every reason.
    pub const ALL: [Self; 21] = [
        Self::NoPhoto,
        Self::UnsupportedFormat,
        Self::Shard,
        Self::Hidden,
        Self::EmptyFolder,
        Self::LinkOut,
        Self::FolderLink,
        Self::LinkLoop,
        Self::BrokenLink,
        Self::Special,
        Self::Key,
        Self::Unreadable,
        Self::Vanished,
        Self::FolderMarker,
        Self::Duplicate,
        Self::Sparse,
        Self::ArchiveLink,
        Self::Empty,
        Self::OtherPartition,
        Self::UnknownClass,
        Self::EmptyClass,
    ];

    /// The reason's name in logs, metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPhoto => "no-photo",
            Self::UnsupportedFormat => "unsupported-format",
            Self::Shard => "shard",
            Self::Hidden => "hidden",
            Self::EmptyFolder => "empty-folder",
            Self::LinkOut => "link-out",
            Self::FolderLink => "folder-link",
            Self::LinkLoop => "link-loop",
            Self::BrokenLink => "broken-link",
            Self::Special => "special",
            Self::Key => "key",
            Self::Unreadable => "unreadable",
            Self::Vanished => "vanished",
            Self::FolderMarker => "folder-marker",
            Self::Duplicate => "duplicate",
            Self::Sparse => "sparse",
            Self::ArchiveLink => "archive-link",
            Self::Empty => "empty",
            Self::OtherPartition => "other-partition",
            Self::UnknownClass => "unknown-class",
            Self::EmptyClass => "empty-class",
        }
    }

    /// What was left out and what can be done about it, for people; `None` where it was meant to be.
    pub fn warning(self) -> Option<&'static str> {
        static NO_PHOTO: LazyLock<String> = LazyLock::new(|| {
            let suffixes: Vec<_> = Format::suffixes().map(|suffix| format!(".{suffix}")).collect();
            let suffixes = suffixes.join(" ");
            format!("files without the suffix of a photo ({suffixes}) are left out: --all-files takes every file")
        });
        static UNSUPPORTED_FORMAT: LazyLock<String> = LazyLock::new(|| {
            let formats = Format::listed("or");
            format!("images of formats that are not decoded here are left out: convert them to {formats}")
        });
        Some(match self {
            Self::NoPhoto => &NO_PHOTO,
            Self::UnsupportedFormat => &UNSUPPORTED_FORMAT,
            Self::Shard => {
                "shards beside photos are left out: to serve them instead, say their kind before the place, as in \
                 tar:PLACE, parquet:PLACE, idx:PLACE or npy:PLACE"
            }
            Self::Hidden => "files and folders whose names begin with a dot are left out",
            Self::EmptyFolder => "folders without a photo are no classes",
            Self::LinkOut => {
                "symbolic links that lead out of the dataset's folder are left out: name the folder in which their \
                 targets lie with --follow-links"
            }
            Self::FolderLink => {
                "symbolic links to folders are left out: name the folder in which their targets lie with --follow-links"
            }
            Self::LinkLoop => "symbolic links that lead back to a folder above them are left out",
            Self::BrokenLink => "symbolic links that lead nowhere are left out",
            Self::Special => "pipes, sockets and devices are left out",
            Self::Key => {
                "files with names that no sample can have, as longer than 1024 bytes, are left out: rename them"
            }
            Self::Unreadable => "folders or files could not be read and are left out, as --skip-unreadable says",
            Self::Vanished => "files went away while they were listed",
            Self::Duplicate => "objects with the same key are left out, but for one",
            Self::UnknownClass => "samples are of classes that are not among the pinned ones",
            Self::EmptyClass => "pinned classes without a sample keep their places",
            Self::Sparse => "files with holes are left out: pack them without tar's --sparse",
            Self::ArchiveLink => "links within archives are left out: pack what they lead to, with tar's --dereference",
            Self::Empty => "files without a byte are left out",
            Self::FolderMarker | Self::OtherPartition => return None,
        })
    }
}
