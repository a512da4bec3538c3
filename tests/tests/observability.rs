//! A person can see what a server does: health, reflection, metrics.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use headwater_tests::{Data, ServerOptions, fetch, get, run};
use tempfile::TempDir;
use tonic::transport::Channel;

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
    let metrics = get(&address, "/metrics").unwrap();
    for stage in ["fetch", "decode", "transform", "infer", "queue"] {
        assert_eq!(value(&metrics, &format!("headwater_stage_seconds_count{{stage=\"{stage}\"}}")), 32.0, "{stage}");
    }
    assert!(value(&metrics, "headwater_stage_seconds_count{stage=\"send\"}") >= 1.0);
    assert_eq!(value(&metrics, "headwater_samples_delivered_total{dataset=\"photos\",cut=\"features\"}"), 32.0);
    assert!(value(&metrics, "headwater_stored_read_bytes_total{dataset=\"photos\"}") > 32.0 * 100.0);
    let payload = value(&metrics, "headwater_payload_sent_bytes_total{dataset=\"photos\"}");
    assert!(value(&metrics, "headwater_network_out_bytes_total") > payload && payload > 0.0);
    assert!(value(&metrics, "headwater_network_in_bytes_total") > 0.0);
    assert_eq!(value(&metrics, "headwater_streams"), 0.0);
    assert_eq!(value(&metrics, "headwater_memory_granted_bytes"), 0.0);
    assert_eq!(value(&metrics, "headwater_inference_samples_total{model=\"model\",outcome=\"done\"}"), 32.0);
    assert_eq!(value(&metrics, "headwater_inference_batch_samples_sum{model=\"model\"}"), 32.0);
    assert!(value(&metrics, "headwater_inference_batch_samples_count{model=\"model\"}") >= 8.0);
    assert_eq!(value(&metrics, "headwater_inference_queue_samples{model=\"model\"}"), 0.0);
    assert!(metrics.lines().any(|line| line.starts_with("headwater_model_info{model=\"model\",digest=")), "{metrics}");
    assert!(value(&metrics, "headwater_dataset_samples{dataset=\"photos\"}") >= 32.0);
    assert!(value(&metrics, "process_cpu_seconds_total") > 0.0);
    assert!(value(&metrics, "process_resident_memory_bytes") > 1e6);
    assert!(value(&metrics, "process_open_fds") > 3.0);
    // Later than 2020.
    assert!(value(&metrics, "process_start_time_seconds") > 1.577e9);
    assert!(
        get(&address, "/readyz").unwrap().contains("200 OK") && get(&address, "/livez").unwrap().contains("200 OK")
    );
}

#[test]
fn refused_calls_are_counted_by_reason() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).metrics().start().unwrap();
    let (address, out) = (server.address(), TempDir::new().unwrap());
    let out = out.path().join("out").display().to_string();
    let mut of_another = vec!["fetch", "--servers", &address, "--dataset", "others", "--out", &out];
    of_another.extend(["--recipe", "imagenet-train", "--cut", "encoded", "--seed", "1", "--epoch", "0"]);
    assert_eq!(run("profiler", of_another).unwrap().code, Some(1));
    let metrics = server.metrics().unwrap();
    assert!(value(&metrics, "headwater_calls_refused_total{reason=\"unknown-dataset\"}") >= 1.0);
    assert_eq!(value(&metrics, "headwater_calls_refused_total{reason=\"busy\"}"), 0.0);
}

#[test]
fn a_runtime_that_is_newer_than_its_interface_is_no_news() {
    let data = Data::photos().unwrap();
    let model = data.model.display().to_string();
    let said = run("profiler", ["machine", "--model", &model, "--recipe", &data.recipe, "--log", "info"]).unwrap();
    assert!(said.stderr.contains("loaded ONNX Runtime"), "{}", said.stderr);
    assert!(!said.stderr.contains("was designed for"), "{}", said.stderr);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    use tonic_reflection::pb::v1alpha as alpha;
    let data = Data::photos().unwrap();
    let server = tokio::task::spawn_blocking(move || ServerOptions::new(&data.photos).start().unwrap()).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap().connect().await.unwrap();
    let services = ["headwater.v1.Datasets", "headwater.v1.Samples", "headwater.v1.Losses", "headwater.v1.Reloads"];
    for service in std::iter::once("").chain(services) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is not serving");
    }
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut answers = ServerReflectionClient::new(channel.clone())
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("not a list of services");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(services.iter().all(|service| names.iter().any(|name| name == service)), "{names:?}");
    let request = alpha::ServerReflectionRequest {
        message_request: Some(alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
        ..alpha::ServerReflectionRequest::default()
    };
    let mut answers = alpha::server_reflection_client::ServerReflectionClient::new(channel)
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap().unwrap().message_response);
    assert!(services.iter().all(|service| answer.contains(service)), "{answer}");
}
