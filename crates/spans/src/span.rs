//! A span: a piece of work, from when it began to when it ended.

use std::sync::Arc;
use std::time::Instant;

use crate::context::SpanContext;
use crate::record::{Event, Kind, MOST_EVENTS, Parent, Record};
use crate::recorder::Recorder;
use crate::value::Value;

/// A piece of work. It ends when it is dropped. One that is not recorded takes no attribute and costs a comparison.
#[derive(Debug, Default)]
#[must_use = "a span ends when it is dropped"]
pub struct Span(State);

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    /// It is not recorded here, and whom it calls should know whose they are.
    Passing(SpanContext),
    Open(Box<Open>),
}

#[derive(Debug)]
struct Open {
    recorder: Arc<Recorder>,
    record: Record,
    /// When it ended, where that was before it is dropped.
    ended: Option<Instant>,
}

// === impl Span ===

impl Span {
    /// No span, whose children are none.
    pub const NONE: Self = Self(State::Off);

    pub(crate) fn passing(context: SpanContext) -> Self {
        Self(State::Passing(context))
    }

    /// A span that is recorded: the first of its trace, where it has no parent.
    pub(crate) fn open(
        recorder: &Arc<Recorder>,
        name: &'static str,
        kind: Kind,
        (context, parent): (SpanContext, Option<Parent>),
    ) -> Self {
        let now = Instant::now();
        let (attributes, events) = (Vec::new(), Vec::new());
        let record = Record {
            context,
            parent,
            name,
            kind,
            began: now,
            ended: now,
            attributes,
            events,
            events_left_out: 0,
            failure: None,
        };
        Self(State::Open(Box::new(Open { recorder: Arc::clone(recorder), record, ended: None })))
    }

    /// A part of what stands there.
    pub(crate) fn part(recorder: &Arc<Recorder>, of: &SpanContext, name: &'static str, kind: Kind) -> Self {
        let parent = Parent { span: of.span, remote: of.remote };
        let context = SpanContext { span: recorder.ids.span(), remote: false, ..of.clone() };
        Self::open(recorder, name, kind, (context, Some(parent)))
    }

    /// Whether it is recorded.
    pub fn is_recorded(&self) -> bool {
        matches!(self.0, State::Open(_))
    }

    /// Where it stands, for those who are called; `None` where nobody is to know.
    pub fn context(&self) -> Option<SpanContext> {
        match &self.0 {
            State::Off => None,
            State::Passing(context) => Some(context.clone()),
            State::Open(open) => open.recorder.propagates.then(|| open.record.context.clone()),
        }
    }

    /// A part of this, which begins now.
    pub fn child(&self, name: &'static str, kind: Kind) -> Self {
        match &self.0 {
            State::Off => Self::NONE,
            State::Passing(context) => Self(State::Passing(context.clone())),
            State::Open(open) => Self::part(&open.recorder, &open.record.context, name, kind),
        }
    }

    /// Where it stands, for those who are called and are not to record what they do: there is enough of it.
    pub fn unrecorded(&self) -> Self {
        match self.context() {
            Some(context) => Self::passing(SpanContext { sampled: false, ..context }),
            None => Self::NONE,
        }
    }

    /// A part of this that is over.
    pub fn past(&self, name: &'static str, (began, ended): (Instant, Instant)) -> Self {
        let mut past = if self.is_recorded() { self.child(name, Kind::Internal) } else { Self::NONE };
        if let State::Open(open) = &mut past.0 {
            (open.record.began, open.ended) = (began, Some(ended));
        }
        past
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let State::Open(open) = &mut self.0 {
            open.record.attributes.push((key, value.into()));
        }
    }

    /// Something that happens now, with an attribute.
    pub fn event(&mut self, name: &'static str, (key, value): (&'static str, impl Into<Value>)) {
        if let State::Open(open) = &mut self.0 {
            let Record { events, events_left_out, .. } = &mut open.record;
            match events.len() < MOST_EVENTS {
                true => events.push(Event { at: Instant::now(), name, attributes: vec![(key, value.into())] }),
                false => *events_left_out = events_left_out.saturating_add(1),
            }
        }
    }

    /// It failed, for this reason.
    pub fn fail(&mut self, why: impl Into<String>) {
        if let State::Open(open) = &mut self.0
            && let Value::Text(why) = Value::from(why.into())
        {
            open.record.failure = Some(why.into_owned());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Open(open) = std::mem::take(&mut self.0) {
            let Open { recorder, mut record, ended } = *open;
            record.ended = ended.unwrap_or_else(Instant::now);
            recorder.take(record);
        }
    }
}
