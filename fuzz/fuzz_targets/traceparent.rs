//! Where a caller says that it stands: read, or nobody's.

#![no_main]

use headwater_spans::SpanContext;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (parent, state) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(context) = SpanContext::read(parent, Some(state)) {
        let written = context.parent();
        let again = SpanContext::read(&written, context.state.as_ref().map(ToString::to_string).as_deref());
        assert_eq!(again, Some(context));
    }
});
