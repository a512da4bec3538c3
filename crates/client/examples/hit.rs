//! How long one sample takes to come from a server's memory, against a call over the same protocol that does nothing
//! and gives as many bytes: `cargo run --release -p headwater-client --example hit -- 127.0.0.1:7440 NAME INDEX 2000`
//! calls both in turn, so often, and prints a line of JSON with the medians in microseconds.

use std::error::Error;
use std::time::{Duration, Instant};

use futures::stream;
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::proto::samples_server::{Samples, SamplesServer};
use headwater_wire::proto::{self, fetch_request};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

/// Gives the same answer to every call.
struct Idle(proto::FetchBatch);

/// Calls before those that are timed.
const WARM_UP: usize = 200;

#[tonic::async_trait]
impl Samples for Idle {
    type FetchStream = stream::Iter<std::array::IntoIter<Result<proto::FetchBatch, Status>, 1>>;

    async fn fetch(&self, _request: Request<proto::FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        Ok(Response::new(stream::iter([Ok(self.0.clone())])))
    }

    type SurveyStream = stream::Empty<Result<proto::SurveyBatch, Status>>;

    async fn survey(&self, _request: Request<proto::SurveyRequest>) -> Result<Response<Self::SurveyStream>, Status> {
        Err(Status::unimplemented("only samples"))
    }
}

async fn call(client: &mut SamplesClient<Channel>, request: &proto::FetchRequest) -> Result<proto::FetchBatch, Status> {
    let mut messages = client.fetch(request.clone()).await?.into_inner();
    let mut last = None;
    while let Some(batch) = messages.message().await? {
        last = Some(batch);
    }
    last.ok_or_else(|| Status::internal("no sample came"))
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |median| median.as_secs_f64() * 1e6)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, dataset, index, times] = arguments.as_slice() else {
        return Err("give SERVER DATASET INDEX TIMES".into());
    };
    let times: usize = times.parse()?;
    let list = proto::SampleList { indices: vec![index.parse()?] };
    let request = proto::FetchRequest {
        dataset: dataset.clone(),
        samples: Some(fetch_request::Samples::List(list)),
        ways: Some(fetch_request::Ways::Way(proto::Way::Encoded.into())),
        ..proto::FetchRequest::default()
    };
    let mut ours = SamplesClient::connect(format!("http://{server}")).await?;
    let batch = call(&mut ours, &request).await?;
    let bytes: usize = batch.samples.iter().map(|sample| sample.payload.len()).sum();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // A thread of its own, as the server has.
    std::thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = listener.into_std()?;
        runtime.block_on(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener)?);
            Server::builder().add_service(SamplesServer::new(Idle(batch))).serve_with_incoming(incoming).await?;
            Ok(())
        })
    });
    let mut idle = SamplesClient::connect(format!("http://{address}")).await?;
    let (mut hits, mut empty) = (Vec::with_capacity(times), Vec::with_capacity(times));
    for round in 0..WARM_UP + times {
        for (client, took) in [(&mut ours, &mut hits), (&mut idle, &mut empty)] {
            let began = Instant::now();
            call(client, &request).await?;
            if round >= WARM_UP {
                took.push(began.elapsed());
            }
        }
    }
    let (hit, empty) = (median(&mut hits), median(&mut empty));
    println!("{{\"bytes\":{bytes},\"hit_p50_us\":{hit:.1},\"empty_p50_us\":{empty:.1},\"ratio\":{:.2}}}", hit / empty);
    Ok(())
}
