//! A span that has ended, on its way to the exporter.

use std::time::Instant;

use crate::context::SpanContext;
use crate::ids::SpanId;
use crate::value::Value;

/// On which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On neither.
    Internal,
    /// It answers.
    Server,
    /// It asks.
    Client,
}

/// An attribute.
pub(crate) type Attribute = (&'static str, Value);

/// A span as it is recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) context: SpanContext,
    pub(crate) parent: Option<Parent>,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) events: Vec<Event>,
    /// Events that came when there were enough.
    pub(crate) events_left_out: u32,
    /// Why it failed, where it did.
    pub(crate) failure: Option<String>,
}

/// Whose child a span is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) span: SpanId,
    /// Whether it is another process's.
    pub(crate) remote: bool,
}

/// Something that happened at one moment.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) name: &'static str,
    pub(crate) attributes: Vec<Attribute>,
}

/// Most events of a span: a call that is tried for minutes has as many as tries, and the first of them tell the story.
pub(crate) const MOST_EVENTS: usize = 32;
