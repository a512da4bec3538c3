//! From the bytes of a shard to its index: what to fetch next, and what becomes of it. Nothing is read here, so that
//! one walk serves local files and buckets.

use std::ops::Range;

use bytes::Bytes;
use headwater_types::caps::MAX_SAMPLES;

use super::companion::{Role, Value, Wanted};
use super::damage::Damage;
use super::index::{Index, Making};
use super::name;
use super::scan::{Member, MemberKind, Scan, Step};
use super::window::{Pieces, Window};

/// A walk through one shard, or a part of one.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    scan: Scan,
    window: Window,
    pieces: Pieces,
    wanted: &'a Wanted,
    size: u64,
    /// The content that was passed last.
    passed: u64,
    /// A companion whose content is not in memory yet.
    waiting: Option<(Member, Role)>,
    made: Making,
    over: Option<Over>,
}

/// How a walk ended.
#[derive(Debug)]
struct Over {
    behind: u64,
    damage: Option<String>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    /// A walk through a whole shard of this size.
    pub(super) fn whole(size: u64, pieces: Pieces, wanted: &'a Wanted) -> Self {
        Self {
            scan: Scan::whole(size),
            window: Window::default(),
            pieces,
            wanted,
            size,
            passed: 0,
            waiting: None,
            made: Making::default(),
            over: None,
        }
    }

    /// Goes on as far as the bytes in memory allow, and says which are needed next; `None` once the walk is over.
    pub(super) fn needs(&mut self) -> Option<Range<u64>> {
        while self.over.is_none() {
            if let Some(needed) = self.step() {
                return Some(self.pieces.next(&needed, self.passed, self.size));
            }
        }
        None
    }

    /// Takes the bytes from `start` on.
    pub(super) fn take(&mut self, start: u64, bytes: Bytes) {
        self.window = Window::new(start, bytes);
    }

    /// The index of what was walked through.
    pub(super) fn finish(self) -> Index {
        let Over { behind, damage } = self.over.unwrap_or(Over { behind: 0, damage: None });
        self.made.finish(self.size, behind, damage.as_deref())
    }

    fn step(&mut self) -> Option<Range<u64>> {
        if let Some((member, role)) = self.waiting.take() {
            return self.companion(member, role);
        }
        let at = self.scan.at();
        match self.scan.next(&self.window) {
            Ok(Step::Needs(range)) => return Some(range),
            Ok(Step::Member(member)) => return self.member(member),
            Ok(Step::End { behind }) => self.over = Some(Over { behind, damage: None }),
            Err(damage) => self.damaged(at, &damage),
        }
        None
    }

    fn member(&mut self, member: Member) -> Option<Range<u64>> {
        if self.made.members() >= MAX_SAMPLES {
            self.damaged(member.content.start, &Damage::TooMany);
            return None;
        }
        self.passed = member.content.end - member.content.start;
        let name = name::text(&member.name);
        match member.kind {
            MemberKind::HardLink => {
                let link = name::text(&member.link);
                self.made.push(&name, member.kind, &member.content, &Value::Text(&link));
            }
            MemberKind::File => match self.wanted.role(&name) {
                Some(role) if self.passed > role.most() => {
                    self.made.push(&name, member.kind, &member.content, &Value::Unreadable);
                }
                Some(role) => return self.companion(member, role),
                None => self.made.push(&name, member.kind, &member.content, &Value::None),
            },
            _ => self.made.push(&name, member.kind, &member.content, &Value::None),
        }
        None
    }

    fn companion(&mut self, member: Member, role: Role) -> Option<Range<u64>> {
        let Some(content) = self.window.get(&member.content) else {
            let needed = member.content.clone();
            self.waiting = Some((member, role));
            return Some(needed);
        };
        let value = self.wanted.read(role, content);
        let value = value.as_deref().map_or(Value::Unreadable, Value::Text);
        self.made.push(&name::text(&member.name), member.kind, &member.content, &value);
        None
    }

    fn damaged(&mut self, at: u64, damage: &Damage) {
        let place = if at > 0 { format!(" (at byte {at} of {})", self.size) } else { String::new() };
        self.over = Some(Over { behind: 0, damage: Some(format!("{damage}{place}")) });
    }
}
