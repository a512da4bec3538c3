//! Training jobs tell a server what they read next: each by itself, and one that dies takes only its own with it.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use headwater_tests::{Data, Server, ServerOptions, eventually, get_json};
use headwater_wire::proto::announce_request::Statement;
use headwater_wire::proto::datasets_client::DatasetsClient;
use headwater_wire::proto::jobs_client::JobsClient;
use headwater_wire::proto::losses_client::LossesClient;
use headwater_wire::proto::{self, Announced};
use tonic::Code;
use tonic::transport::Channel;

const DATASET: &str = "photos";

async fn channel(server: &Server) -> Channel {
    tonic::transport::Endpoint::from_shared(format!("http://{}", server.address())).unwrap().connect().await.unwrap()
}

async fn describe(channel: &Channel) -> proto::DatasetDescription {
    let request = proto::DescribeRequest { dataset: DATASET.into(), digest: Vec::new().into() };
    DatasetsClient::new(channel.clone()).describe(request).await.unwrap().into_inner()
}

/// A statement of rank 0 of a job, which counts for so many milliseconds.
async fn announce(
    channel: &Channel,
    (job, lease): (&str, u64),
    digest: &[u8],
    statement: Statement,
) -> Result<Announced, tonic::Status> {
    let request = proto::AnnounceRequest {
        dataset: DATASET.into(),
        dataset_digest: digest.to_vec().into(),
        job: job.into(),
        rank: 0,
        lease_milliseconds: lease,
        statement: Some(statement),
    };
    Ok(JobsClient::new(channel.clone()).announce(request).await?.into_inner().outcome())
}

fn order(samples: u64, seed: u64) -> proto::EpochOrder {
    proto::EpochOrder { seed, shuffle: true, samples, repeats: true, ..proto::EpochOrder::default() }
}

fn jobs(server: &Server, order: &str) -> Option<f64> {
    let name = format!("headwater_jobs{{dataset=\"{DATASET}\",order=\"{order}\"}}");
    server.metric(&name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_dies_takes_only_its_own_statements_with_it() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).arg("--no-index").metrics().start().unwrap();
    let channel = channel(&server).await;
    let proto::DatasetDescription { samples, digest, .. } = describe(&channel).await;
    let say = async |who, statement| announce(&channel, who, &digest, statement).await.unwrap();
    let begins = |seed| Statement::Begins(order(samples, seed));
    let reached =
        |seed, position| Statement::Reached(proto::EpochProgress { seed, position, ..proto::EpochProgress::default() });

    assert_eq!(say(("a", 60_000), reached(1, 3)).await, Announced::Unheard, "its beginning was never said");
    assert_eq!(say(("a", 60_000), begins(1)).await, Announced::Counts);
    assert_eq!(say(("b", 50), begins(2)).await, Announced::Counts);
    assert_eq!(say(("c", 60_000), Statement::Unknown(proto::UnknownOrder {})).await, Announced::Counts);
    let report = |job: &str, lease_milliseconds, losses: Vec<f32>| {
        let (dataset, indices) = (DATASET.to_owned(), vec![0, 1]);
        let job = job.to_owned();
        proto::ReportRequest { dataset, indices, losses, job, lease_milliseconds, ..proto::ReportRequest::default() }
    };
    let mut losses = LossesClient::new(channel.clone());
    for report in [report("a", 60_000, vec![1.0, 3.0]), report("b", 50, vec![30.0, 10.0])] {
        assert_eq!(losses.report(report).await.unwrap().into_inner().kept, 2);
    }
    // b says nothing any more.
    let gone = format!("headwater_jobs_lapsed_total{{dataset=\"{DATASET}\"}}");
    eventually("the lease of b to run out", || server.metric(&gone).unwrap().filter(|lapsed| *lapsed == 1.0));
    assert_eq!([jobs(&server, "known"), jobs(&server, "unknown")], [Some(1.0), Some(1.0)]);
    let mean = format!("headwater_loss_mean{{dataset=\"{DATASET}\"}}");
    assert_eq!(server.metric(&mean).unwrap(), Some(2.0), "the losses of b are gone, and those of a are not");
    assert_eq!(say(("a", 60_000), reached(1, 3)).await, Announced::Counts);
    let status = get_json(&server.metrics_address().unwrap(), "/status.json").unwrap();
    let known = serde_json::json!({
        "job": "a", "dataset": DATASET, "ranks": 1, "order": "known", "epoch": 0, "done": 3, "of": samples, "losses": 2,
    });
    assert_eq!((&status["jobs"][0], &status["jobs"][1]["order"]), (&known, &"unknown".into()));
    assert_eq!(say(("a", 60_000), Statement::Ends(proto::JobEnd {})).await, Announced::Counts);
    assert_eq!([jobs(&server, "known"), server.metric(&gone).unwrap()], [Some(0.0), Some(1.0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_order_of_this_dataset_is_refused() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).arg("--no-index").start().unwrap();
    let channel = channel(&server).await;
    let proto::DatasetDescription { samples, digest, .. } = describe(&channel).await;
    let refused = async |order| {
        let refused = announce(&channel, ("a", 1_000), &digest, Statement::Begins(order)).await.unwrap_err();
        (refused.code(), refused.message().to_owned())
    };
    let (code, message) = refused(order(samples - 1, 1)).await;
    assert_eq!((code, message.contains("not within")), (Code::InvalidArgument, true), "{message}");
    let twice = proto::EpochOrder { is_chosen: true, choice: vec![1, 0], ..order(samples, 1) };
    let (code, message) = refused(twice).await;
    assert_eq!((code, message.contains("twice")), (Code::InvalidArgument, true), "{message}");
    let other = announce(&channel, ("a", 1_000), &[7; 32], Statement::Unknown(proto::UnknownOrder {})).await;
    assert_eq!(other.unwrap_err().code(), Code::FailedPrecondition);
}
