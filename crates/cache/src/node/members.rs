//! The processes that share a cache, each with a number and a locked file: whoever dies gives its lock back.
//!
//! A member that leaves in order removes its file. A file that nobody has locked is of one that died, and what that one
//! had begun is put right before its number is given out again.

use std::fs::File;
use std::io;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::layout::MEMBERS;

/// The folder of members, in that of the cache.
pub(super) const FOLDER: &str = "members";

#[derive(Debug)]
pub(super) struct Members {
    folder: File,
}

/// This process as a member.
#[derive(Debug)]
pub(super) struct Member {
    /// From 1 on.
    pub(super) number: u16,
    file: File,
}

// === impl Members ===

impl Members {
    pub(super) fn open(cache: &File) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
        match rustix::fs::mkdirat(cache, FOLDER, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self { folder: rustix::fs::openat(cache, FOLDER, flags, Mode::empty())?.into() })
    }

    /// The lowest number that nobody alive has, and whether one that died had it before; `None` where all are taken.
    pub(super) fn join(&self) -> io::Result<Option<(Member, bool)>> {
        for number in 1..=MEMBERS {
            let (file, is_new) = match self.file(number, OFlags::CREATE | OFlags::EXCL) {
                Ok(file) => (file, true),
                Err(Errno::EXIST) => (self.file(number, OFlags::CREATE)?, false),
                Err(error) => return Err(error.into()),
            };
            match file.try_lock() {
                Ok(()) => return Ok(Some((Member { number, file }, !is_new))),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether this member lives.
    pub(super) fn is_alive(&self, number: u16) -> io::Result<bool> {
        match self.file(number, OFlags::empty()) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Ok(false),
                Err(std::fs::TryLockError::WouldBlock) => Ok(true),
                Err(std::fs::TryLockError::Error(error)) => Err(error),
            },
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether any live, but for this one.
    pub(super) fn alive(&self, but: Option<u16>) -> io::Result<bool> {
        for number in self.numbers()? {
            if but != Some(number) && self.is_alive(number)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those that died, and whose number nobody has taken since.
    pub(super) fn dead(&self) -> io::Result<Vec<u16>> {
        let mut dead = Vec::new();
        for number in self.numbers()? {
            if !self.is_alive(number)? {
                dead.push(number);
            }
        }
        Ok(dead)
    }

    /// Forgets these dead, after whom everything was put right. With the table locked: nobody joins meanwhile.
    pub(super) fn forget(&self, dead: &[u16]) {
        for number in dead {
            // Where that fails, the next one finds them dead again, and nothing to put right.
            let _ = rustix::fs::unlinkat(&self.folder, number.to_string(), AtFlags::empty());
        }
    }

    fn numbers(&self) -> io::Result<Vec<u16>> {
        let mut numbers = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            numbers.extend(entry?.file_name().to_str().ok().and_then(|name| name.parse::<u16>().ok()));
        }
        Ok(numbers)
    }

    /// Gives a number back, in order.
    pub(super) fn leave(&self, member: &Member) {
        // Where that fails, the next one finds a dead member, and nothing to put right.
        let _ = rustix::fs::unlinkat(&self.folder, member.number.to_string(), AtFlags::empty());
        let _ = member.file.unlock();
    }

    /// Forgets the dead: nobody lives.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in Dir::read_from(&self.folder)? {
            let entry = entry?;
            match rustix::fs::unlinkat(&self.folder, entry.file_name(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT | Errno::ISDIR | Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn file(&self, number: u16, flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(&self.folder, number.to_string(), flags, Mode::from_raw_mode(0o600)).map(File::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_dead_are_given_out_again_and_said() {
        let folder = tempfile::TempDir::new().unwrap();
        let members = Members::open(&File::open(folder.path()).unwrap()).unwrap();
        let (first, was_dead) = members.join().unwrap().unwrap();
        assert_eq!((first.number, was_dead), (1, false));
        let (second, _) = members.join().unwrap().unwrap();
        assert_eq!(second.number, 2);
        assert!(members.alive(Some(1)).unwrap() && members.is_alive(2).unwrap());
        // As if it were killed: its file stays.
        drop(second);
        assert!(!members.is_alive(2).unwrap() && !members.alive(Some(1)).unwrap());
        let (again, was_dead) = members.join().unwrap().unwrap();
        assert_eq!((again.number, was_dead), (2, true));
        members.leave(&again);
        drop(again);
        let (new, was_dead) = members.join().unwrap().unwrap();
        assert_eq!((new.number, was_dead), (2, false));
    }
}
