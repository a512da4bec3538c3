//! Standard error, for logs and errors: what cannot be written is lost and counted, and is never anybody's failure.
//!
//! The disk behind it may be full, a pipe's reader may have left, or may have stopped reading. The last is waited for
//! once and for a moment: after that a line is written where there is room, and lost where there is none, until there
//! is room again. Nobody waits for a lock that a writer without a reader holds.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How long the first line waits for a reader who does not read.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes for which a pipe has room once it says that it has room (`PIPE_BUF` of Linux): more could wait for its reader.
const AT_ONCE: usize = 4096;

/// What is known of where lines go.
#[derive(Debug)]
struct Lines {
    /// Whether nobody read in time. No line waits then, until one is taken.
    stuck: bool,
    /// The last line was cut off in the middle.
    torn: bool,
    /// The number of lines that were lost, and of which no line says so yet.
    unreported: u64,
}

static LINES: Mutex<Lines> = Mutex::new(Lines::new());
static LOST: AtomicU64 = AtomicU64::new(0);

/// Lines that could not be written since the start.
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Writes a whole line, its end included, or loses it. Where it is the first after others that were lost: how many.
pub(crate) fn say(line: &[u8]) -> Option<u64> {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.say(&mut io::stderr().lock(), line)
}

// === impl Lines ===

impl Lines {
    const fn new() -> Self {
        Self { stuck: false, torn: false, unreported: 0 }
    }

    fn say(&mut self, out: &mut (impl Write + AsFd), line: &[u8]) -> Option<u64> {
        let end: &[u8] = if self.torn { b"\n" } else { b"" };
        let begun = end.iter().chain(line).copied().collect::<Vec<_>>();
        if !self.write(out, &begun) {
            self.unreported += 1;
            LOST.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.torn = false;
        Some(std::mem::take(&mut self.unreported)).filter(|&lost| lost > 0)
    }

    /// Whether all of it was written.
    fn write(&mut self, out: &mut (impl Write + AsFd), mut rest: &[u8]) -> bool {
        while !rest.is_empty() {
            let within = if self.stuck { Duration::ZERO } else { PATIENCE };
            self.stuck = !has_room(out, within);
            if self.stuck {
                return false;
            }
            match out.write(&rest[..rest.len().min(AT_ONCE)]) {
                Ok(0) => return false,
                Ok(written) => {
                    rest = &rest[written..];
                    self.torn = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

/// Whether the file takes [`AT_ONCE`] bytes without waiting, within this time. A reader that has left has room: writing
/// then says that it has.
fn has_room(out: &impl AsFd, within: Duration) -> bool {
    let within = Timespec::try_from(within).ok();
    loop {
        match poll(&mut [PollFd::new(out, PollFlags::OUT)], within.as_ref()) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_full_disk_and_a_reader_that_left_lose_lines_and_nothing_else() {
        let (mut near, far) = UnixStream::pair().unwrap();
        drop(far);
        let mut full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let (mut lines, before) = (Lines::new(), lost());
        assert_eq!([lines.say(&mut near, b"one\n"), lines.say(&mut full, b"two\n")], [None, None]);
        assert!(lost() >= before + 2);
        let (mut near, mut far) = UnixStream::pair().unwrap();
        assert_eq!([(); 2].map(|()| lines.say(&mut near, b"three\n")), [Some(2), None]);
        let mut said = [0; 12];
        far.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"three\nthree\n");
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_gets_whole_lines_once_it_does() {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let (mut lines, line) = (Lines::new(), [&[b'x'; 9_999][..], b"\n"].concat());
        let mut written = 0;
        while {
            lines.say(&mut near, &line);
            lines.unreported == 0
        } {
            written += 1;
        }
        assert!((0..1000).all(|_| lines.say(&mut near, &line).is_none()));
        assert_eq!(lines.unreported, 1001);
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            far.read_to_string(&mut text).map(|_| text)
        });
        let lost = std::iter::repeat_with(|| lines.say(&mut near, b"whole\n")).find_map(|lost| lost);
        assert!(lost.is_some_and(|lost| lost >= 1001));
        drop(near);
        let text = reading.join().unwrap().unwrap();
        assert_eq!(text.lines().filter(|line| line.len() == 9_999).count(), written);
        assert_eq!(text.lines().last(), Some("whole"));
        assert!(text.lines().filter(|line| line.len() < 9_999).count() <= 2, "one line was torn at most");
    }
}
