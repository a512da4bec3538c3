//! Where a worker is: on a server, or here.

use std::sync::Arc;

use bytes::Bytes;
use headwater_client::training_calls::{
    BeginTraining, PrepareTraining, PreparedFeatures, TrainingBegun, TrainingId, WeightScores,
};
use headwater_client::{Came, Order, TrainingError, TrainingServer};

use crate::here::Here;

/// Where a worker is.
#[derive(Clone, Debug)]
pub enum Place {
    /// On a storage server.
    Server(TrainingServer),
    /// In this process.
    Here(Arc<Here>),
}

// === impl Place ===

impl Place {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Server(server) => server.address().to_string(),
            Self::Here(_) => "tuner".to_owned(),
        }
    }

    pub(crate) async fn prepare(
        &self,
        prepare: &PrepareTraining,
        told: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<PreparedFeatures, TrainingError> {
        match self {
            Self::Server(server) => server.prepare(prepare, told).await,
            Self::Here(here) => Ok(here.features()),
        }
    }

    pub(crate) async fn begin(&self, begin: &BeginTraining) -> Result<TrainingBegun, TrainingError> {
        match self {
            Self::Server(server) => server.begin(begin).await,
            Self::Here(here) => here.begin(begin),
        }
    }

    pub(crate) async fn train(&self, order: &Order, told: &(dyn Fn(u32) + Sync)) -> Result<Came, TrainingError> {
        match self {
            Self::Server(server) => server.train(order, told).await,
            Self::Here(here) => Arc::clone(here).train(order.clone()).await,
        }
    }

    pub(crate) async fn score(
        &self,
        training: TrainingId,
        weights: &Bytes,
        most: Option<u64>,
    ) -> Result<WeightScores, TrainingError> {
        match self {
            Self::Server(server) => server.score(training, weights, most).await,
            Self::Here(here) => Arc::clone(here).score(weights.clone(), most).await,
        }
    }

    pub(crate) async fn end(&self, training: TrainingId) {
        if let Self::Server(server) = self {
            server.end(training).await;
        }
    }
}
