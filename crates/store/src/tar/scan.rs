//! Goes through a tar file member by member, over whatever part of it is in memory: it asks for bytes, and reads none
//! itself.
//!
//! Why not the `tar` crate: it wants a blocking reader of the whole, takes long names and extended headers of any size
//! into memory, and cannot skip a content without a seek of its own. Here every length is limited before memory is
//! taken, and the same code runs over `pread` of a local file and over ranged requests to a bucket.

use std::ops::Range;

use super::compressed::Compressed;
use super::damage::Damage;
use super::header::{BLOCK, Header, Kind};
use super::pax::Pax;
use super::window::Window;

/// A place in a tar file, and what is known there.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// Where the next block begins.
    at: u64,
    /// Where the scan is over: the file's end, or where another scan began.
    end: u64,
    /// Whether the file ends where the scan does, so that the zeros of an archive's end must have come.
    is_last: bool,
    /// Where the last member ended; the blocks since then are zeros.
    zeros_since: Option<u64>,
    global: Pax,
    next: Pax,
    /// Whether the blocks that come first are more of the map of a sparse file, and what follows them.
    sparse: Option<Member>,
}

/// A member of a tar file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The path, as bytes.
    pub(super) name: Vec<u8>,
    /// What a link leads to; of what is no link nothing.
    pub(super) link: Vec<u8>,
    pub(super) kind: MemberKind,
    /// Where its content lies.
    pub(super) content: Range<u64>,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum MemberKind {
    File,
    Sparse,
    HardLink,
    Symlink,
    Special,
    Folder,
}

/// What a scan has come upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes must be in memory first.
    Needs(Range<u64>),
    Member(Member),
    /// There is no more; behind the end lie so many bytes that are no part of the archive.
    End {
        behind: u64,
    },
}

/// Most bytes of a long name: more than any system has, so that one that is too long for a key is still passed.
const MOST_NAME: u64 = 64 * 1024;
/// Most bytes of an extended header: attributes of a file may be there, of 64 KiB each.
const MOST_EXTENDED: u64 = 1024 * 1024;
/// Zeros behind an archive's end that are looked through for another archive: more than any program pads with.
const MOST_ZEROS: u64 = 1024 * 1024;

// === impl Scan ===

impl Scan {
    /// A scan of a whole file of this size.
    pub(super) fn whole(size: u64) -> Self {
        Self::part(0..size, true)
    }

    /// A scan from one header to another, or to the end.
    pub(super) fn part(range: Range<u64>, is_last: bool) -> Self {
        let (global, next) = (Pax::default(), Pax::default());
        Self { at: range.start, end: range.end, is_last, zeros_since: None, global, next, sparse: None }
    }

    /// Where the next block begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Goes on as far as the window allows.
    ///
    /// # Errors
    /// What is wrong with the file at this place. What came before is as it was said.
    pub(super) fn next(&mut self, window: &Window) -> Result<Step, Damage> {
        loop {
            if self.at >= self.end {
                return self.end();
            }
            if self.end - self.at < BLOCK {
                return self.tail(window);
            }
            let Some(block) = window.block(self.at) else { return Ok(Step::Needs(self.at..self.at + BLOCK)) };
            if let Some(member) = self.sparse.take() {
                match self.map(member, block[504] != 0)? {
                    Some(member) => return Ok(self.pass(member)),
                    None => continue,
                }
            }
            let Some(header) = self.header(block)? else { if self.zeros() { continue } else { return self.end() } };
            let Some(header) = header else { return self.end() };
            let body = self.body(&header)?;
            match header.kind {
                Kind::LongName | Kind::LongLink | Kind::Extended | Kind::Global => {
                    let Some(content) = window.get(&body) else { return Ok(Step::Needs(self.at..body.end)) };
                    self.extend(header.kind, content)?;
                    self.at = padded(body.end);
                }
                _ if header.is_extended => {
                    let member = self.member(header)?;
                    self.at += BLOCK;
                    self.sparse = Some(member);
                }
                _ => return self.member(header).map(|member| self.pass(member)),
            }
        }
    }

    /// The header at this place: none for zeros, and none within where something else follows an archive's end.
    fn header(&self, block: &[u8; BLOCK as usize]) -> Result<Option<Option<Header>>, Damage> {
        match Header::read(block) {
            Ok(header) => Ok(header.map(Some)),
            Err(Damage::NoHeader) if self.at == 0 => {
                Err(Compressed::of(block).map_or(Damage::NoHeader, Damage::Compressed))
            }
            Err(_) if self.zeros_since.is_some() => Ok(Some(None)),
            Err(damage) => Err(damage),
        }
    }

    /// Passes a block of zeros; `false` where enough of them were looked through.
    fn zeros(&mut self) -> bool {
        let since = *self.zeros_since.get_or_insert(self.at);
        self.at += BLOCK;
        self.at - since <= MOST_ZEROS
    }

    /// Where the content of a header that is read by itself lies, which is not long.
    fn body(&self, header: &Header) -> Result<Range<u64>, Damage> {
        let most = match header.kind {
            Kind::LongName | Kind::LongLink => MOST_NAME,
            Kind::Extended | Kind::Global => MOST_EXTENDED,
            _ => return Ok(self.at..self.at),
        };
        if header.size > most {
            return Err(Damage::TooLong(header.size));
        }
        self.content(header.size)
    }

    fn content(&self, size: u64) -> Result<Range<u64>, Damage> {
        let start = self.at + BLOCK;
        let end = start.checked_add(size).ok_or(Damage::Number)?;
        if end > self.end { Err(Damage::Truncated) } else { Ok(start..end) }
    }

    fn extend(&mut self, kind: Kind, content: &[u8]) -> Result<(), Damage> {
        let name = || Some(content.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
        match kind {
            Kind::LongName => self.next.path = name(),
            Kind::LongLink => self.next.link = name(),
            Kind::Global => self.global = std::mem::take(&mut self.global).read(content)?,
            _ => self.next = std::mem::take(&mut self.next).read(content)?,
        }
        Ok(())
    }

    /// The member of a header, with what came before it.
    fn member(&mut self, header: Header) -> Result<Member, Damage> {
        let Pax { path, link, size, is_sparse } = std::mem::take(&mut self.next);
        self.zeros_since = None;
        let name = path.or_else(|| self.global.path.clone()).unwrap_or(header.name);
        let link = link.or_else(|| self.global.link.clone()).unwrap_or(header.link);
        let kind = match header.kind {
            Kind::File if is_sparse => MemberKind::Sparse,
            Kind::File => MemberKind::File,
            Kind::Sparse => MemberKind::Sparse,
            Kind::HardLink => MemberKind::HardLink,
            Kind::Symlink => MemberKind::Symlink,
            Kind::Folder => MemberKind::Folder,
            _ => MemberKind::Special,
        };
        let has_content = matches!(kind, MemberKind::File | MemberKind::Sparse);
        let size = size.or(self.global.size).filter(|_| has_content).unwrap_or(header.size);
        Ok(Member { name, link, kind, content: self.content(size)? })
    }

    /// Passes a block of the map of a sparse file, whose content then begins a block later. The member is known once
    /// its map is over.
    fn map(&mut self, mut member: Member, goes_on: bool) -> Result<Option<Member>, Damage> {
        let more = |place: u64| place.checked_add(BLOCK).filter(|place| *place <= self.end).ok_or(Damage::Truncated);
        member.content = more(member.content.start)?..more(member.content.end)?;
        self.at += BLOCK;
        if goes_on {
            self.sparse = Some(member);
            return Ok(None);
        }
        Ok(Some(member))
    }

    fn pass(&mut self, member: Member) -> Step {
        self.at = padded(member.content.end);
        Step::Member(member)
    }

    /// What is left is less than a block.
    fn tail(&self, window: &Window) -> Result<Step, Damage> {
        if self.at > 0 {
            return self.end();
        }
        let Some(bytes) = window.get(&(0..self.end)) else { return Ok(Step::Needs(0..self.end)) };
        Err(Compressed::of(bytes).map_or(Damage::NoHeader, Damage::Compressed))
    }

    fn end(&self) -> Result<Step, Damage> {
        let is_between = self.next == Pax::default() && self.sparse.is_none();
        match self.zeros_since {
            _ if self.end == 0 => Err(Damage::Empty),
            Some(_) if self.is_last && is_between => Ok(Step::End { behind: self.end.saturating_sub(self.at) }),
            None if !self.is_last && is_between && self.at == self.end => Ok(Step::End { behind: 0 }),
            _ => Err(Damage::Truncated),
        }
    }
}

/// The end of the block in which this place is.
fn padded(place: u64) -> u64 {
    place.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX)
}
