//! Reading a log.

use super::error::{LogError, LogFault};
use super::event::Event;
use super::limits::{MOST_BYTES, MOST_LINE_BYTES};
use super::parts::Log;

/// Reads a log whole. A line that is cut is counted and left out: the last of the file, where it has no end, and one
/// whose run went on in the next line. Empty lines are passed over.
///
/// # Errors
/// [`LogError`]: a line is wrong, or none is whole ([`LogFault::Empty`]); there is more than the limits allow.
pub fn read(bytes: &[u8]) -> Result<Log, LogError> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(LogError { line: 1, fault: LogFault::TooMany { what: "bytes", most: MOST_BYTES } });
    }
    let (mut log, mut cut): (Log, Option<LogError>) = (Log::default(), None);
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
        let wrong = |fault| LogError { line: number, fault };
        match (parse(line), cut.take()) {
            // A run that goes on behind a line that is none: its writer was killed within that.
            (Ok(event), Some(before)) if !goes_on(&event) => return Err(before),
            (Ok(event), before) => {
                log.cut += u64::from(before.is_some());
                log.push(event).map_err(wrong)?;
            }
            // The run that went on was killed at once, within its first line, which is the last one then.
            (Err(_), Some(_)) if begins_a_run(line) && is_last(line, bytes) => log.cut += 2,
            (Err(_), Some(before)) => return Err(before),
            (Err(fault), None) if log.parts.is_empty() => {
                let cut = begins_a_run(line) && !bytes.ends_with(b"\n");
                return Err(wrong(if cut { LogFault::Empty } else { fault }));
            }
            (Err(fault), None) => cut = Some(wrong(fault)),
        }
    }
    match cut {
        Some(error) if bytes.ends_with(b"\n") => return Err(error),
        last => log.cut += u64::from(last.is_some()),
    }
    if log.parts.is_empty() { Err(LogError { line: 1, fault: LogFault::Empty }) } else { Ok(log) }
}

/// Whether a line has no end, as only the last can.
fn is_last(line: &[u8], bytes: &[u8]) -> bool {
    line.as_ptr_range().end == bytes.as_ptr_range().end
}

/// Whether a line that was cut was that of a run.
fn begins_a_run(line: &[u8]) -> bool {
    const HEAD: &[u8] = br#"{"event":"run","#;
    HEAD.starts_with(line) || line.starts_with(HEAD)
}

fn goes_on(event: &Event) -> bool {
    matches!(event, Event::Run(run) if run.resumed_from.is_some())
}

fn parse(line: &[u8]) -> Result<Event, LogFault> {
    if line.len() > MOST_LINE_BYTES {
        return Err(LogFault::TooMany { what: "bytes in the line", most: MOST_LINE_BYTES as u64 });
    }
    serde_json::from_slice(line).map_err(|error| LogFault::NoEvent(error.to_string()))
}

#[cfg(test)]
mod tests;
