//! Collectors that are away, silent or talk nonsense keep nobody waiting, and every span that is lost is counted.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use prost::Message as _;

use super::*;
use crate::proto::ExportTraceServiceRequest;
use crate::record::Kind;
use crate::span::Span;
use crate::tracer::Tracer;

fn tracer(endpoint: &str, more: &[(&str, &str)]) -> Tracer {
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let variables = [&endpoint[..], more].concat();
    let find = |name: &str| variables.iter().find(|(each, _)| *each == name).map(|(_, value)| value.into());
    Tracer::new(Settings::read("test", &find).unwrap().unwrap())
}

fn nobody() -> String {
    // Nobody listens there once it is dropped.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn spans(tracer: &Tracer, many: usize) {
    for _ in 0..many {
        drop(tracer.begin("work", Kind::Internal, None));
    }
}

#[test]
fn a_collector_that_is_away_costs_spans_and_a_moment_at_the_end() {
    for protocol in ["grpc", "http/protobuf"] {
        let tracer = tracer(&nobody(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        let began = Instant::now();
        spans(&tracer, 100);
        assert!(began.elapsed() < Duration::from_millis(500), "whoever ends a span does not wait");
        let flushed = tracer.flush(FLUSH);
        assert!(began.elapsed() < FLUSH + Duration::from_millis(500));
        assert_eq!(flushed, Flushed { in_time: true, lost: 100 }, "{protocol}");
    }
}

#[test]
fn a_collector_that_says_nothing_is_left_before_the_time_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tracer = tracer(&format!("http://{}", listener.local_addr().unwrap()), &[]);
    spans(&tracer, 7);
    assert_eq!(tracer.flush(FLUSH), Flushed { in_time: true, lost: 7 });
}

#[test]
fn what_finds_no_room_in_the_queue_is_dropped_and_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let few = [("OTEL_BSP_MAX_QUEUE_SIZE", "8"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")];
    let tracer = tracer(&format!("http://{}", listener.local_addr().unwrap()), &few);
    let began = Instant::now();
    spans(&tracer, 1000);
    assert!(began.elapsed() < Duration::from_secs(1));
    let at_once = tracer.flush(Duration::ZERO).lost;
    assert!((900..=1000).contains(&at_once), "{at_once} of 1,000 were dropped before any was sent");
    assert_eq!(tracer.flush(FLUSH).lost, 1000);
}

#[test]
fn over_http_a_message_is_posted_with_its_headers_and_a_refusal_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hush"),
        ("OTEL_SERVICE_NAME", "photos"),
    ];
    let tracer = tracer(&format!("http://{}", listener.local_addr().unwrap()), &more);
    let mut work = tracer.begin("work", Kind::Client, None);
    work.set("headwater.samples", 7_usize);
    drop(work.past("part", (Instant::now(), Instant::now())));
    work.fail("broken");
    drop(work);
    let (mut connection, _) = listener.accept().unwrap();
    let (head, body) = request(&mut connection);
    assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
    assert!(head.contains("application/x-protobuf") && head.contains("authorization: Bearer hush"), "{head}");
    let message = ExportTraceServiceRequest::decode(&*body).unwrap();
    let spans = &message.resource_spans[0].scope_spans[0].spans;
    let [part, work] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((part.name.as_str(), work.name.as_str(), work.kind), ("part", "work", 3));
    assert_eq!((&part.trace_id, &part.parent_span_id), (&work.trace_id, &work.span_id));
    assert_eq!((work.status.as_ref().unwrap().code, work.attributes[0].key.as_str()), (2, "headwater.samples"));
    connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
    assert_eq!(tracer.flush(FLUSH), Flushed { in_time: true, lost: 2 });
}

/// The head and the body of a request.
fn request(connection: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = connection.read(&mut piece).unwrap();
        assert!(read > 0, "the request ended early");
        bytes.extend_from_slice(&piece[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if bytes.len() >= end + 4 + length.unwrap() {
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

#[test]
fn a_span_that_is_not_recorded_takes_nothing_and_hands_its_trace_on() {
    let never = [("OTEL_TRACES_SAMPLER", "always_off")];
    let off = tracer(&nobody(), &never);
    let mut span = off.begin("work", Kind::Internal, None);
    assert!(!span.is_recorded() && !span.context().unwrap().sampled);
    span.set("key", "value");
    let child = span.child("part", Kind::Client);
    assert_eq!(child.context(), span.context(), "whom it calls begins no trace of its own");
    drop((child, span));
    assert_eq!(off.flush(FLUSH), Flushed { in_time: true, lost: 0 });
    let none = Tracer::default();
    assert!(none.begin("work", Kind::Internal, None).context().is_none() && !none.is_on());
    let caller = tracer(&nobody(), &[]).begin("caller", Kind::Client, None).context();
    assert_eq!(none.begin("work", Kind::Server, caller.as_ref()).context(), caller, "without traces of its own");
    let alone = tracer(&nobody(), &[("OTEL_PROPAGATORS", "none")]);
    let of_its_own = alone.begin("work", Kind::Server, caller.as_ref());
    assert!(of_its_own.is_recorded() && of_its_own.context().is_none());
    assert!(!Span::default().is_recorded());
}
