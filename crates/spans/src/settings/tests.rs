//! Variables that are right, and variables that are refused by name.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::context::SpanContext;
use crate::ids::TraceId;
use crate::settings::sampler::Root;

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    Settings::read("storage-server", &|name| variables.get(name).map(OsString::from))
}

fn on(more: &[(&str, &str)]) -> Settings {
    read(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")], more].concat()).unwrap().unwrap()
}

fn refused(more: &[(&str, &str)]) -> String {
    let result = read(&[&[("OTEL_TRACES_EXPORTER", "otlp")], more].concat());
    result.expect_err(&format!("{more:?}")).to_string()
}

#[test]
fn there_are_no_traces_unless_a_variable_asks_for_them() {
    for off in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        &[("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")],
        &[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")],
        &[("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_SERVICE_NAME", "photos")],
    ] {
        assert!(read(off).unwrap().is_none(), "{off:?}");
    }
    let Settings { sampler, propagates, batching, destination, .. } = on(&[]);
    assert_eq!((sampler, propagates), (Sampler { by_parent: true, root: Root::All }, true));
    assert_eq!((batching.queue, batching.batch, batching.delay), (2048, 512, Duration::from_secs(5)));
    assert_eq!((destination.timeout, destination.headers.len()), (Duration::from_secs(10), 0));
}

#[test]
fn endpoints_are_those_of_the_specification() {
    let endpoint = |more: &[(&str, &str)]| read(more).unwrap().unwrap().destination.endpoint.uri.to_string();
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    let all = |url| ("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    let traces = |url| ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url);
    let asked = ("OTEL_TRACES_EXPORTER", "otlp");
    assert_eq!(endpoint(&[asked]), "http://localhost:4317/");
    assert_eq!(endpoint(&[asked, http]), "http://localhost:4318/v1/traces");
    assert_eq!(endpoint(&[all("http://c:1/"), traces("http://[::1]:2")]), "http://[::1]:2/");
    assert_eq!(endpoint(&[all("http://c:1/otel/"), http]), "http://c:1/otel/v1/traces");
    assert_eq!(endpoint(&[traces("http://c:1/here"), http]), "http://c:1/here");
    assert_eq!(endpoint(&[all("http://c")]), "http://c:80/");
}

#[test]
fn samplers_take_the_share_that_they_say() {
    let takes = |sampler: &Sampler, lot: u64, parent: Option<bool>| {
        let trace = TraceId((u128::from(lot) | 7 << 64).to_be_bytes());
        let context = |sampled| SpanContext { trace, span: crate::SpanId([1; 8]), sampled, state: None, remote: true };
        sampler.takes(trace, parent.map(context).as_ref())
    };
    let ratio = |name, share| on(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", share)]).sampler;
    for (share, taken) in [("0", 0), ("0.25", 25), ("1", 100), ("1e-2", 1)] {
        for name in ["traceidratio", "parentbased_traceidratio"] {
            let sampler = ratio(name, share);
            let lots = (0..100).map(|percent| u64::MAX / 100 * percent + u64::MAX / 200);
            assert_eq!(lots.filter(|lot| takes(&sampler, *lot, None)).count(), taken, "{name} {share}");
        }
    }
    assert!(takes(&ratio("parentbased_traceidratio", "0"), 9, Some(true)), "the caller has decided");
    assert!(!takes(&ratio("parentbased_traceidratio", "1"), 9, Some(false)));
    assert!(!takes(&ratio("traceidratio", "0"), 9, Some(true)), "it decides for itself");
    assert!(!takes(&on(&[("OTEL_TRACES_SAMPLER", "always_off")]).sampler, 0, None));
    assert!(takes(&on(&[("OTEL_TRACES_SAMPLER", "traceidratio")]).sampler, u64::MAX, None));
}

#[test]
fn whose_spans_they_are_is_said_by_the_nearest_variable() {
    let name = |more: &[(&str, &str)]| {
        let Resource(pairs) = on(more).resource;
        let names: Vec<_> = pairs.iter().filter(|(key, _)| key == "service.name").collect();
        assert_eq!(names.len(), 1);
        names[0].1.clone()
    };
    let among = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=my%20photos, deployment.environment=test");
    assert_eq!(name(&[]), "storage-server");
    assert_eq!(name(&[among]), "my photos");
    assert_eq!(name(&[among, ("OTEL_SERVICE_NAME", "others")]), "others");
    let Resource(pairs) = on(&[among]).resource;
    assert!(pairs.contains(&("deployment.environment".to_owned(), "test".to_owned())));
}

#[test]
fn what_cannot_be_right_is_refused_by_name_and_with_the_fix() {
    for (name, value, fix) in [
        ("OTEL_SDK_DISABLED", "yes", "true nor false"),
        ("OTEL_TRACES_EXPORTER", "console", "write otlp"),
        ("OTEL_TRACES_EXPORTER", "otlp,console", "write otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "grpc or http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "http://HOST:PORT"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector", "http://HOST:PORT"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "no URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317/v1/traces", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317?a=b", "no question mark"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", "unset either"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "write none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "whole number"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5", "takes none"),
        ("OTEL_PROPAGATORS", "b3", "tracecontext"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "pair 1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c=%2", "pair 2"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "from 1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000000", "at most"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "OTEL_BSP_MAX_QUEUE_SIZE"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "whole number"),
    ] {
        let words = refused(&[(name, value)]);
        assert!(words.starts_with(name) && words.contains(fix), "{words}");
    }
    for share in ["much", "-0.1", "1.1", "NaN"] {
        let words = refused(&[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", share)]);
        assert!(words.starts_with("OTEL_TRACES_SAMPLER_ARG") && words.contains("0.01"), "{words}");
    }
    let secure = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317");
    assert!(refused(&[secure]).starts_with("OTEL_EXPORTER_OTLP_CERTIFICATE"));
    let missing = refused(&[secure, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/ca.pem")]);
    assert!(missing.contains("/no/such/ca.pem") && !missing.contains("--tls-ca"), "{missing}");
}

#[test]
fn what_a_collector_is_shown_is_in_no_message() {
    let shown = on(&[("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20hush-hush,x-team=photos")]);
    let headers = &shown.destination.headers;
    assert_eq!(headers.get("authorization").unwrap(), "Bearer hush-hush");
    assert!(!format!("{shown:?}").contains("hush"), "{shown:?}");
    for wrong in ["hush-hush", "a b=hush-hush", "a=hush-hush%0a", "a-bin=hush-hush"] {
        assert!(!refused(&[("OTEL_EXPORTER_OTLP_HEADERS", wrong)]).contains("hush"), "{wrong}");
    }
    for url in ["http://user:hush-hush@collector:4317", "hush-hush"] {
        assert!(!refused(&[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]).contains("hush"));
    }
}

#[test]
fn others_may_travel_beside_ours() {
    let propagates = |text| on(&[("OTEL_PROPAGATORS", text)]).propagates;
    assert!(propagates("tracecontext,baggage") && propagates("b3, tracecontext") && !propagates("none"));
}
