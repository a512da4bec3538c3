//! One server of a training: what it is asked, and what its silence means.
//!
//! Nothing is tried again here: whoever trains with several servers goes on without one that is away, and asks it again
//! when it has prepared anew.

mod trouble;

mod line;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use headwater_wire::proto;
use headwater_wire::status::{Invalid, is_unknown_training};
use headwater_wire::training::{
    Announced, BeginTraining, PIECE, PrepareTraining, PreparedFeatures, Scores, TrainingBegun, TrainingId, WeightScores,
};
use tokio::time::timeout;
use tonic::Status;

use crate::connection::Server;
use crate::error::ClientError;
use crate::options::ClientOptions;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

use trouble::away;

pub use steps::{Came, Order};
pub use trouble::{SILENCE, TrainingError};

/// A server of a training.
#[derive(Clone, Debug)]
pub struct TrainingServer(Arc<Server>);

/// The longest time for an answer that takes work, of which nothing is heard meanwhile.
const ANSWER: Duration = Duration::from_secs(60);

// === impl TrainingServer ===

impl TrainingServer {
    /// Connects to nothing yet. Of the options it takes how servers are reached.
    ///
    /// # Errors
    /// An address that cannot be one.
    pub fn new(address: ServerAddress, options: &ClientOptions) -> Result<Self, ClientError> {
        // One connection for steps, one for those behind, and one for what is judged beside.
        Ok(Self(Arc::new(Server::new(address, options.access.clone(), None, Arc::default(), 3)?)))
    }

    /// Its address.
    pub fn address(&self) -> &ServerAddress {
        self.0.address()
    }

    /// Has it prepare, and waits until it has. `told` hears how many samples have had their turn, of how many.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub async fn prepare(
        &self,
        prepare: &PrepareTraining,
        told: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<PreparedFeatures, TrainingError> {
        let client = line::connect(&self.0).await?;
        let request = proto::PrepareTrainingRequest::from(prepare.clone());
        let mut trainings = client.trainings();
        let messages = line::within(SILENCE, "preparing", trainings.prepare_training(request)).await?;
        let mut messages = messages.map_err(|status| self.judge(&status))?.into_inner();
        loop {
            let message = line::within(SILENCE, "preparing", messages.message()).await?;
            let message = message.map_err(|status| self.judge(&status))?;
            let message = message.ok_or_else(|| away("it ended the call before it had prepared"))?;
            if let Some(features) = message.features {
                self.0.put_back(client);
                return PreparedFeatures::try_from(features).map_err(|invalid| self.broke(&invalid));
            }
            told(message.done, message.samples);
        }
    }

    /// Says by what to train.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub async fn begin(&self, begin: &BeginTraining) -> Result<TrainingBegun, TrainingError> {
        let client = line::connect(&self.0).await?;
        let request = proto::BeginTrainingRequest::from(begin.clone());
        let begun = line::within(ANSWER, "beginning", client.trainings().begin_training(request)).await?;
        let begun = begun.map_err(|status| self.judge(&status))?.into_inner();
        self.0.put_back(client);
        Ok(begun.into())
    }

    /// Has weights judged by what the server keeps from training, or by so many samples of that.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub async fn score(
        &self,
        training: TrainingId,
        weights: &bytes::Bytes,
        most: Option<u64>,
    ) -> Result<WeightScores, TrainingError> {
        let client = line::connect(&self.0).await?;
        let scores = Scores { training, weights: Announced::of(weights), most };
        let head = proto::ScorePart { head: Some(scores.into()), weights: bytes::Bytes::new() };
        let piece = |piece| proto::ScorePart { head: None, weights: piece };
        let parts: Vec<_> = std::iter::once(head).chain(pieces(weights).map(piece)).collect();
        let mut trainings = client.trainings();
        let answers = line::within(ANSWER, "judging", trainings.score_weights(stream::iter(parts))).await?;
        let mut answers = answers.map_err(|status| self.judge(&status))?.into_inner();
        let answer = line::within(ANSWER, "judging", answers.message()).await?.map_err(|status| self.judge(&status))?;
        let answer = answer.ok_or_else(|| away("it ended the call without an answer"))?;
        self.0.put_back(client);
        WeightScores::try_from(answer).map_err(|invalid| self.broke(&invalid))
    }

    /// Lets go of the training, where the server can be reached.
    pub async fn end(&self, training: TrainingId) {
        let Ok(client) = line::connect(&self.0).await else { return };
        let request = proto::EndTrainingRequest { training: training.to_bytes() };
        // A server that does not hear of it lets go of it by itself.
        drop(timeout(SILENCE, client.trainings().end_training(request)).await);
    }

    fn judge(&self, status: &Status) -> TrainingError {
        if is_unknown_training(status) {
            return away(status.message());
        }
        match self.0.judge(status) {
            Trouble::Lasting(error) => TrainingError::Refused(error),
            passing => away(passing.to_string()),
        }
    }

    fn broke(&self, invalid: &Invalid) -> TrainingError {
        TrainingError::Refused(self.0.protocol(invalid.to_string()))
    }
}

/// The pieces in which weights travel.
fn pieces(weights: &bytes::Bytes) -> impl Iterator<Item = bytes::Bytes> + use<> {
    let weights = weights.clone();
    (0..weights.len()).step_by(PIECE).map(move |at| weights.slice(at..weights.len().min(at + PIECE)))
}
