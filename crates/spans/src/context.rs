//! Where a span stands: its trace, its name, and whether it is recorded. As the W3C's Trace Context has it.
//!
//! ```text
//! traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//!              │  └ trace                          └ span           └ flags: the lowest bit says that it is recorded
//!              └ version
//! ```

use std::fmt;
use std::sync::Arc;

use crate::ids::{SpanId, TraceId};

/// Most bytes of a `tracestate` that are passed on. The specification asks for this many.
const MOST_STATE: usize = 512;

/// What other systems have noted beside a trace. It is passed on as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

/// Where a span stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// What other systems have noted beside it.
    pub state: Option<TraceState>,
    /// Whether it came from another process.
    pub remote: bool,
}

// === impl SpanContext ===

impl SpanContext {
    /// The header of calls that has it.
    pub const PARENT: &str = "traceparent";
    /// The header of calls that has [`TraceState`].
    pub const STATE: &str = "tracestate";

    /// Reads what a caller says of itself. `None` for what is no context: as the specification has it, the call is then
    /// one of nobody's.
    pub fn read(parent: &str, state: Option<&str>) -> Option<Self> {
        let mut parts = parent.trim().split('-');
        let version = byte(parts.next()?)?;
        let (trace, span, flags) = (hex(parts.next()?)?, hex(parts.next()?)?, byte(parts.next()?)?);
        let is_whole = version != 0xff && (version > 0 || parts.next().is_none());
        let is_named = trace != [0; 16] && span != [0; 8];
        (is_whole && is_named).then(|| Self {
            trace: TraceId(trace),
            span: SpanId(span),
            sampled: flags & 1 == 1,
            state: state.and_then(TraceState::read),
            remote: true,
        })
    }

    /// As it stands in the header.
    pub fn parent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

// === impl TraceState ===

impl TraceState {
    /// Reads one that can be passed on.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_whole = !text.is_empty() && text.len() <= MOST_STATE;
        (is_whole && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())).then(|| Self(text.into()))
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn byte(text: &str) -> Option<u8> {
    hex::<1>(text).map(|[byte]| byte)
}

/// Bytes in lower case, as the specification insists.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_THE_W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_was_written_is_read() {
        let context = SpanContext::read(OF_THE_W3C, Some("congo=t61rcWkgMzE")).unwrap();
        assert!(context.sampled && context.remote);
        assert_eq!(context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.state.as_ref().unwrap().to_string(), "congo=t61rcWkgMzE");
        assert_eq!(context.parent(), OF_THE_W3C);
        assert!(!SpanContext::read(&OF_THE_W3C.replace("-01", "-02"), None).unwrap().sampled);
        let later = OF_THE_W3C.replacen("00-", "01-", 1) + "-more";
        assert!(SpanContext::read(&later, None).is_some(), "a later version may have more behind it");
    }

    #[test]
    fn what_is_no_context_is_none() {
        for text in [
            "",
            "00",
            &OF_THE_W3C.to_uppercase(),
            &OF_THE_W3C.replacen("00-", "ff-", 1),
            &format!("{OF_THE_W3C}-more"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-\u{e9}bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert_eq!(SpanContext::read(text, None), None, "{text}");
        }
        for state in ["", "a=\u{e9}", &"x".repeat(513)] {
            assert_eq!(SpanContext::read(OF_THE_W3C, Some(state)).unwrap().state, None);
        }
    }
}
