//! A person can see what a server does: health, reflection, metrics.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use std::io::{Read, Write};
use std::net::TcpStream;

use headwater_tests::{Data, ServerOptions, fetch};
use tempfile::TempDir;
use tonic::transport::Channel;

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn value(metrics: &str, line: &str) -> f64 {
    let found = metrics.lines().find_map(|l| l.strip_prefix(line));
    found.unwrap_or_else(|| panic!("no {line} in {metrics}")).trim().parse().unwrap()
}

#[test]
fn metrics_tell_of_every_stage_and_byte() {
    let data = Data::photos().unwrap();
    let options = ServerOptions::new(&data.photos).metrics().arg("--max-batch").arg("4");
    let server = options.model("model", &data.model, &data.recipe).start().unwrap();
    let address = server.metrics_address().unwrap();
    let out = TempDir::new().unwrap();
    let further = ["--cut", "features", "--model", "model", "--indices", "0-31"];
    fetch(&[server.address()], out.path(), &further).unwrap();
    let metrics = get(&address, "/metrics");
    for stage in ["fetch", "decode", "transform", "infer", "queue"] {
        assert_eq!(value(&metrics, &format!("headwater_stage_seconds_count{{stage=\"{stage}\"}}")), 32.0, "{stage}");
    }
    assert!(value(&metrics, "headwater_stage_seconds_count{stage=\"send\"}") >= 1.0);
    assert_eq!(value(&metrics, "headwater_samples_delivered_total{cut=\"features\"}"), 32.0);
    assert!(value(&metrics, "headwater_stored_read_bytes_total") > 32.0 * 100.0);
    let payload = value(&metrics, "headwater_payload_sent_bytes_total");
    assert!(value(&metrics, "headwater_network_out_bytes_total") > payload && payload > 0.0);
    assert!(value(&metrics, "headwater_network_in_bytes_total") > 0.0);
    assert_eq!(value(&metrics, "headwater_streams"), 0.0);
    assert_eq!(value(&metrics, "headwater_memory_granted_bytes"), 0.0);
    assert!(get(&address, "/readyz").contains("200 OK") && get(&address, "/livez").contains("200 OK"));
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let data = Data::photos().unwrap();
    let server = tokio::task::spawn_blocking(move || ServerOptions::new(&data.photos).start().unwrap()).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap().connect().await.unwrap();
    for service in ["", "headwater.v1.Storage"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is not serving");
    }
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("not a list of services");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"headwater.v1.Storage".to_owned()), "{names:?}");
}
