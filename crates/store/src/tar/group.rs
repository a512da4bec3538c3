//! From the members of one shard to its samples: photos, each with its companions.
//!
//! Companions are found by their stem wherever in the shard they stand. Of members of one name the last counts, as it
//! is the one that unpacking leaves.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::companion::{Role, Value, Wanted, split};
use super::index::{Entry, Index};
use super::scan::MemberKind;
use crate::files::Files;
use crate::skip::Skip;

/// What has become of a member.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// A photo, where its bytes lie, and what belongs to it.
    Sample(Range<u64>, Option<&'a Companions>),
    /// It belongs to a photo.
    Companion,
    LeftOut(Skip),
}

/// What the companions of one stem say.
#[derive(Debug, Default)]
pub(super) struct Companions {
    has_photo: bool,
    class: Said,
    json: Said,
    /// Texts by their suffixes.
    texts: Vec<(Box<str>, Said)>,
}

/// What a companion says, in memory of its own.
#[derive(Debug, Default)]
enum Said {
    #[default]
    Nothing,
    Unreadable,
    Text(Box<str>),
}

/// The members of a shard as a whole.
pub(super) struct Group<'a> {
    index: &'a Index,
    files: Files,
    wanted: &'a Wanted,
    stems: HashMap<Box<str>, Companions>,
    /// Of each name that is there more than once the last position.
    last: HashMap<Box<str>, u64>,
    /// Where members lie to which links may lead.
    linked: HashMap<Box<str>, Range<u64>>,
}

// === impl Said ===

impl Said {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::None => Self::Nothing,
            Value::Unreadable => Self::Unreadable,
            Value::Text(text) => Self::Text((*text).into()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Nothing => Value::None,
            Self::Unreadable => Value::Unreadable,
            Self::Text(text) => Value::Text(text),
        }
    }
}

// === impl Companions ===

impl Companions {
    /// As a test has them.
    #[cfg(test)]
    pub(super) fn saying(class: Value<'_>, json: Value<'_>) -> Self {
        Self { class: Said::of(&class), json: Said::of(&json), ..Self::default() }
    }

    /// What the companion of this role says; of texts see [`Self::text`].
    pub(super) fn value(&self, role: Role) -> Value<'_> {
        match role {
            Role::Class => self.class.value(),
            Role::Json => self.json.value(),
            Role::Text => Value::None,
        }
    }

    /// What the text with this suffix says.
    pub(super) fn text(&self, suffix: &str) -> Value<'_> {
        self.texts.iter().find(|(own, _)| **own == *suffix).map_or(Value::None, |(_, said)| said.value())
    }
}

// === impl Group ===

impl<'a> Group<'a> {
    pub(super) fn of(index: &'a Index, files: Files, wanted: &'a Wanted) -> Self {
        let (stems, last, linked) = Default::default();
        let mut group = Self { index, files, wanted, stems, last, linked };
        let (has_others, has_links) = group.look();
        if has_others {
            group.gather();
        }
        if has_links {
            group.link();
        }
        group
    }

    /// Tells of every member what it is, in the order of the shard.
    ///
    /// # Errors
    /// The first error of `each`.
    pub(super) fn each<E>(&self, mut each: impl FnMut(&Entry<'_>, Verdict<'_>) -> Result<(), E>) -> Result<(), E> {
        let (mut entries, mut at) = (self.index.entries(), 0);
        while let Some(entry) = entries.next() {
            each(&entry, self.verdict(&entry, at))?;
            at += 1;
        }
        Ok(())
    }

    fn verdict(&self, entry: &Entry<'_>, at: u64) -> Verdict<'_> {
        let content = match entry.kind {
            MemberKind::File => Some(entry.content.clone()),
            MemberKind::HardLink => match &entry.value {
                Value::Text(target) => self.linked.get(*target).cloned(),
                _ => None,
            },
            MemberKind::Folder => return Verdict::LeftOut(Skip::FolderMarker),
            MemberKind::Sparse => return Verdict::LeftOut(Skip::Sparse),
            MemberKind::Symlink => None,
            MemberKind::Special => return Verdict::LeftOut(Skip::Special),
        };
        let Some(content) = content else { return Verdict::LeftOut(Skip::ArchiveLink) };
        if self.last.get(entry.name).is_some_and(|last| *last != at) {
            return Verdict::LeftOut(Skip::Duplicate);
        }
        let own = split(entry.name).and_then(|(stem, _)| self.stems.get(stem));
        let has_photo = own.is_some_and(|own| own.has_photo);
        let is_alone = self.files == Files::All && !has_photo;
        match self.files.leave_out(entry.name) {
            _ if self.is_photo(entry.name) || is_alone => match content.is_empty() {
                true => Verdict::LeftOut(Skip::Empty),
                false => Verdict::Sample(content, own),
            },
            _ if has_photo => Verdict::Companion,
            reason => Verdict::LeftOut(reason.unwrap_or(Skip::NoPhoto)),
        }
    }

    /// Whether a member is a photo by its name: where all files are taken, whatever is not read as a companion.
    fn is_photo(&self, name: &str) -> bool {
        match self.files {
            Files::Photos => self.files.takes(name),
            Files::All => self.wanted.role(name).is_none(),
        }
    }

    /// Whether there are members that are no photos, and whether there are links. Notes names that are there again.
    fn look(&mut self) -> (bool, bool) {
        let hasher = RandomState::new();
        let (mut seen, mut again) = (HashSet::new(), HashSet::new());
        let (mut has_others, mut has_links) = (false, false);
        let mut entries = self.index.entries();
        while let Some(entry) = entries.next() {
            let is_file = matches!(entry.kind, MemberKind::File | MemberKind::HardLink);
            has_links |= entry.kind == MemberKind::HardLink;
            has_others |= is_file && !self.is_photo(entry.name);
            let hash = hasher.hash_one(entry.name);
            if is_file && !seen.insert(hash) {
                again.insert(hash);
            }
        }
        // Two names may have one hash: those that are there again are told apart by themselves.
        if !again.is_empty() {
            let (mut entries, mut at) = (self.index.entries(), 0);
            while let Some(entry) = entries.next() {
                let is_file = matches!(entry.kind, MemberKind::File | MemberKind::HardLink);
                if is_file && again.contains(&hasher.hash_one(entry.name)) {
                    self.last.insert(entry.name.into(), at);
                }
                at += 1;
            }
        }
        (has_others, has_links)
    }

    fn gather(&mut self) {
        let mut entries = self.index.entries();
        while let Some(entry) = entries.next() {
            let is_file = matches!(entry.kind, MemberKind::File | MemberKind::HardLink);
            let Some((stem, suffix)) = split(entry.name).filter(|_| is_file) else { continue };
            let is_photo = self.is_photo(entry.name);
            let own = match self.stems.get_mut(stem) {
                Some(own) => own,
                None => self.stems.entry(stem.into()).or_default(),
            };
            own.has_photo |= is_photo;
            match self.wanted.role(entry.name).filter(|_| entry.kind == MemberKind::File) {
                Some(Role::Class) => own.class = Said::of(&entry.value),
                Some(Role::Json) => own.json = Said::of(&entry.value),
                Some(Role::Text) => own.texts.push((suffix.into(), Said::of(&entry.value))),
                None => {}
            }
        }
    }

    fn link(&mut self) {
        let mut entries = self.index.entries();
        while let Some(entry) = entries.next() {
            let content = match (&entry.kind, &entry.value) {
                (MemberKind::File, _) => Some(entry.content.clone()),
                // A link may lead to a link.
                (MemberKind::HardLink, Value::Text(target)) => self.linked.get(*target).cloned(),
                _ => None,
            };
            if let Some(content) = content {
                self.linked.insert(entry.name.into(), content);
            }
        }
    }
}

/// The top folder of a member, by which it is labelled where no companion does.
pub(super) fn folder(name: &str) -> Option<&str> {
    name.split_once('/').map(|(folder, _)| folder)
}
