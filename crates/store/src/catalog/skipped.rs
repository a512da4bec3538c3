//! What a listing found and left out, and why: counted, so that nothing is missing in silence.

use std::fmt;

/// Why something in the dataset's root is no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Its name, or that of a folder above it, begins with a dot. A hidden folder counts once, whatever it holds.
    Hidden,
    /// A symbolic link that leads out of the root; one with an absolute target always counts as such.
    LinkOut,
    /// A symbolic link to a folder: following those would go round in circles.
    FolderLink,
    /// A symbolic link to nothing.
    BrokenLink,
    /// A pipe, socket or device.
    Special,
    /// A name that is not UTF-8.
    NotUtf8,
    /// A name that no sample key may have: too long, a backslash, or in a bucket `..` and empty parts.
    Key,
    /// The system forbids this user to see it.
    Unreadable,
    /// It went away while the listing ran.
    Vanished,
    /// An S3 object of no bytes: what consoles create to show a folder.
    FolderMarker,
    /// The same key again.
    Duplicate,
    /// A sample of another partition.
    OtherPartition,
}

/// How many things were left out, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped([u64; Skip::ALL.len()]);

// === impl Skip ===

impl Skip {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Hidden,
        Self::LinkOut,
        Self::FolderLink,
        Self::BrokenLink,
        Self::Special,
        Self::NotUtf8,
        Self::Key,
        Self::Unreadable,
        Self::Vanished,
        Self::FolderMarker,
        Self::Duplicate,
        Self::OtherPartition,
    ];

    /// The reason's name in logs, metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::LinkOut => "link-out",
            Self::FolderLink => "folder-link",
            Self::BrokenLink => "broken-link",
            Self::Special => "special",
            Self::NotUtf8 => "not-utf8",
            Self::Key => "key",
            Self::Unreadable => "unreadable",
            Self::Vanished => "vanished",
            Self::FolderMarker => "folder-marker",
            Self::Duplicate => "duplicate",
            Self::OtherPartition => "other-partition",
        }
    }
}

// === impl Skipped ===

impl Skipped {
    /// How many were left out for this reason.
    pub fn count(&self, reason: Skip) -> u64 {
        self.0[reason as usize]
    }

    /// The reasons that occurred, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Skip, u64)> {
        Skip::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }

    pub(crate) fn add(&mut self, reason: Skip, count: u64) {
        self.0[reason as usize] += count;
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.iter().next().is_none() {
            return f.write_str("nothing");
        }
        for (at, (reason, count)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", reason.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_counted_by_itself() {
        let mut skipped = Skipped::default();
        assert_eq!(skipped.to_string(), "nothing");
        for (count, reason) in (1..).zip(Skip::ALL) {
            skipped.add(reason, count);
        }
        let counted: Vec<_> = skipped.iter().map(|(reason, count)| (count, reason)).collect();
        assert_eq!(counted, (1..).zip(Skip::ALL).collect::<Vec<_>>());
        assert!(skipped.to_string().starts_with("1 hidden, 2 link-out, "));
    }
}
