//! Reading a log.

use super::error::{LogError, LogFault};
use super::event::Event;
use super::limits::{MOST_BYTES, MOST_LINE_BYTES};
use super::parts::Log;

/// What a line is.
enum Line {
    Whole(Event),
    /// JSON that ends before it is whole.
    Cut(LogFault),
}

/// Reads a log whole. A line that is cut is counted and left out: the last of the file, and one whose run went on in
/// the next line. Empty lines are passed over.
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
        let parsed = parse(line).map_err(wrong)?;
        if let Some(before) = cut.take() {
            if !goes_on(&parsed, line) {
                return Err(before);
            }
            log.cut += 1;
        }
        match parsed {
            Line::Whole(event) => log.push(event).map_err(wrong)?,
            Line::Cut(fault) => cut = Some(wrong(fault)),
        }
    }
    log.cut += u64::from(cut.is_some());
    if log.parts.is_empty() { Err(LogError { line: 1, fault: LogFault::Empty }) } else { Ok(log) }
}

/// Whether a run goes on with this line, which may be cut itself where its writer was killed again.
fn goes_on(parsed: &Line, line: &[u8]) -> bool {
    const HEAD: &[u8] = br#"{"event":"run","#;
    match parsed {
        Line::Whole(event) => matches!(event, Event::Run(run) if run.resumed_from.is_some()),
        Line::Cut(_) => HEAD.starts_with(line) || line.starts_with(HEAD),
    }
}

fn parse(line: &[u8]) -> Result<Line, LogFault> {
    if line.len() > MOST_LINE_BYTES {
        return Err(LogFault::TooMany { what: "bytes in the line", most: MOST_LINE_BYTES as u64 });
    }
    match serde_json::from_slice(line) {
        Ok(event) => Ok(Line::Whole(event)),
        Err(error) if error.is_eof() => Ok(Line::Cut(LogFault::NoEvent(error.to_string()))),
        Err(error) => Err(LogFault::NoEvent(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
