//! A server of a training that lies: it has a real one do the work, and changes what comes of it on the way.

use std::thread;

use anyhow::{Context, Result};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use headwater_wire::proto::trainings_client::TrainingsClient;
use headwater_wire::proto::trainings_server::{Trainings, TrainingsServer};
use headwater_wire::proto::{self, TrainedPart};
use headwater_wire::training::{Announced, Trained};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status, Streaming};

/// What it changes of each way that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The first weight is no number.
    NotANumber,
    /// A weight is missing.
    Shorter,
    /// It is of the round before.
    Stale,
    /// It is said to have come of more steps than were asked for.
    MoreSteps,
    /// Its bytes are not those that its digest announces.
    Damaged,
}

/// A server that lies, until it is dropped.
pub struct Liar {
    address: String,
    _stop: oneshot::Sender<()>,
}

#[derive(Clone)]
struct Between {
    server: TrainingsClient<Channel>,
    lie: Lie,
}

type Answers<T> = BoxStream<'static, Result<T, Status>>;

// === impl Liar ===

impl Liar {
    /// Stands before the server at this address.
    ///
    /// # Errors
    /// No port.
    pub fn before(server: &str, lie: Lie) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        let channel = {
            let _inside = runtime.enter();
            Channel::from_shared(format!("http://{server}")).context("no address")?.connect_lazy()
        };
        let (_stop, stopped) = oneshot::channel::<()>();
        let between = Between { server: TrainingsClient::new(channel), lie };
        thread::spawn(move || {
            let connections = stream::unfold(listener, async |listener| {
                Some((listener.accept().await.map(|(connection, _)| connection), listener))
            });
            let router = Server::builder().add_service(TrainingsServer::new(between));
            let stopped = async { drop(stopped.await) };
            drop(runtime.block_on(router.serve_with_incoming_shutdown(connections, stopped)));
        });
        Ok(Self { address, _stop })
    }

    /// Where tuners find it.
    pub fn address(&self) -> String {
        self.address.clone()
    }
}

// === impl Lie ===

impl Lie {
    /// The answer that is sent instead of this one.
    fn tell(self, mut trained: Trained, mut way: Vec<u8>) -> Vec<TrainedPart> {
        match self {
            Self::NotANumber => way[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
            Self::Shorter => way.truncate(way.len() - 4),
            Self::Stale => trained.round -= 1,
            Self::MoreSteps => trained.steps += 1,
            Self::Damaged => {}
        }
        trained.way = Announced::of(&way);
        if self == Self::Damaged {
            way[0] ^= 1;
        }
        let head = TrainedPart { done: trained.steps, head: Some(trained.into()), way: Vec::new().into() };
        vec![head, TrainedPart { done: 0, head: None, way: way.into() }]
    }
}

/// The parts of a call, as a caller sends them.
async fn parts<T: Send + 'static>(
    request: Request<Streaming<T>>,
) -> Result<stream::Iter<std::vec::IntoIter<T>>, Status> {
    let parts: Vec<T> = request.into_inner().try_collect().await?;
    Ok(stream::iter(parts))
}

#[tonic::async_trait]
impl Trainings for Between {
    type PrepareTrainingStream = Answers<proto::TrainingPrepared>;

    async fn prepare_training(
        &self,
        request: Request<proto::PrepareTrainingRequest>,
    ) -> Result<Response<Self::PrepareTrainingStream>, Status> {
        let answers = self.server.clone().prepare_training(request.into_inner()).await?;
        Ok(Response::new(answers.into_inner().boxed()))
    }

    async fn begin_training(
        &self,
        request: Request<proto::BeginTrainingRequest>,
    ) -> Result<Response<proto::TrainingBegun>, Status> {
        self.server.clone().begin_training(request.into_inner()).await
    }

    type TrainStream = Answers<TrainedPart>;

    async fn train(
        &self,
        request: Request<Streaming<proto::TrainPart>>,
    ) -> Result<Response<Self::TrainStream>, Status> {
        let answers = self.server.clone().train(parts(request).await?).await?;
        let answers: Vec<TrainedPart> = answers.into_inner().try_collect().await?;
        let head = answers.iter().find_map(|answer| answer.head.clone());
        let head = head.ok_or_else(|| Status::internal("nothing came of the steps"))?;
        let trained = Trained::try_from(head).map_err(|invalid| Status::internal(invalid.to_string()))?;
        let way = answers.iter().flat_map(|answer| answer.way.to_vec()).collect();
        let lies = self.lie.tell(trained, way).into_iter().map(Ok);
        Ok(Response::new(stream::iter(lies).boxed()))
    }

    type ScoreWeightsStream = Answers<proto::WeightScores>;

    async fn score_weights(
        &self,
        request: Request<Streaming<proto::ScorePart>>,
    ) -> Result<Response<Self::ScoreWeightsStream>, Status> {
        let answers = self.server.clone().score_weights(parts(request).await?).await?;
        Ok(Response::new(answers.into_inner().boxed()))
    }

    async fn end_training(
        &self,
        request: Request<proto::EndTrainingRequest>,
    ) -> Result<Response<proto::TrainingEnded>, Status> {
        self.server.clone().end_training(request.into_inner()).await
    }
}
