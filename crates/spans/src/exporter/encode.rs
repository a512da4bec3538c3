//! Spans as OTLP has them.

use crate::clock::Clock;
use crate::proto;
use crate::record::{Attribute, Event, Kind, Record};
use crate::settings::Resource;
use crate::value::Value;

/// Bits of a span's flags: it is recorded, it is known whether its parent is another process's, and that is so.
const FLAGS: [u32; 3] = [0x1, 0x100, 0x200];
/// A span that failed.
const FAILED: i32 = 2;

/// A message of spans.
pub(super) fn message(resource: &Resource, records: Vec<Record>, clock: &Clock) -> proto::ExportTraceServiceRequest {
    let text = |(key, value): &(String, String)| proto::KeyValue {
        key: key.clone(),
        value: Some(proto::AnyValue { value: Some(proto::any_value::Value::StringValue(value.clone())) }),
    };
    let scope =
        proto::InstrumentationScope { name: "headwater".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let spans = records.into_iter().map(|record| span(record, clock)).collect();
    proto::ExportTraceServiceRequest {
        resource_spans: vec![proto::ResourceSpans {
            resource: Some(proto::Resource { attributes: resource.0.iter().map(text).collect() }),
            scope_spans: vec![proto::ScopeSpans { scope: Some(scope), spans }],
        }],
    }
}

fn span(record: Record, clock: &Clock) -> proto::Span {
    let Record { context, parent, name, kind, began, ended, attributes, events, events_left_out, failure } = record;
    let [sampled, known, remote] = FLAGS;
    let is_remote = parent.is_some_and(|parent| parent.remote);
    let event = |Event { at, name, attributes }| proto::span::Event {
        time_unix_nano: clock.nanoseconds(at),
        name: name.to_owned(),
        attributes: attributes.into_iter().map(attribute).collect(),
    };
    proto::Span {
        trace_id: context.trace.0.to_vec(),
        span_id: context.span.0.to_vec(),
        trace_state: context.state.map(|state| state.to_string()).unwrap_or_default(),
        parent_span_id: parent.map(|parent| parent.span.0.to_vec()).unwrap_or_default(),
        name: name.to_owned(),
        kind: match kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        },
        start_time_unix_nano: clock.nanoseconds(began),
        end_time_unix_nano: clock.nanoseconds(ended.max(began)),
        attributes: attributes.into_iter().map(attribute).collect(),
        events: events.into_iter().map(event).collect(),
        dropped_events_count: events_left_out,
        status: failure.map(|message| proto::Status { message, code: FAILED }),
        flags: sampled | known | if is_remote { remote } else { 0 },
    }
}

fn attribute((key, value): Attribute) -> proto::KeyValue {
    use proto::any_value::Value as Any;
    let value = match value {
        Value::Text(text) => Any::StringValue(text.into_owned()),
        Value::Switch(switch) => Any::BoolValue(switch),
        Value::Number(number) => Any::IntValue(number),
        Value::Quantity(quantity) => Any::DoubleValue(quantity),
    };
    proto::KeyValue { key: key.to_owned(), value: Some(proto::AnyValue { value: Some(value) }) }
}
