//! Where a span stands, in the metadata of a call.

use tonic::metadata::{MetadataMap, MetadataValue};

use crate::context::SpanContext;
use crate::span::Span;

// === impl SpanContext ===

impl SpanContext {
    /// Where the caller of a call stands; `None` where it does not say.
    pub fn of_caller(metadata: &MetadataMap) -> Option<Self> {
        let text = |name| metadata.get(name)?.to_str().ok();
        Self::read(text(Self::PARENT)?, text(Self::STATE))
    }
}

// === impl Span ===

impl Span {
    /// Says in a call's metadata where its caller stands.
    pub fn enter(&self, metadata: &mut MetadataMap) {
        let Some(context) = self.context() else { return };
        // What was read can be written: both are ASCII.
        if let Ok(parent) = MetadataValue::try_from(context.parent()) {
            metadata.insert(SpanContext::PARENT, parent);
        }
        if let Some(state) = &context.state
            && let Ok(state) = MetadataValue::try_from(state.to_string())
        {
            metadata.insert(SpanContext::STATE, state);
        }
    }
}
