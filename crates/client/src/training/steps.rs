//! Steps that a server is asked for, and the way that they led.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use headwater_wire::proto;
use headwater_wire::training::{Announced, Gathering, Steps, Trained, TrainingId};

use super::trouble::{SILENCE, TrainingError, away};
use super::{TrainingServer, line, pieces};

/// Steps that a server is to take.
#[derive(Clone, Debug)]
pub struct Order {
    /// The training's name.
    pub training: TrainingId,
    /// The round that they belong to.
    pub round: u64,
    /// The server's steps before these.
    pub first: u64,
    /// How many.
    pub steps: u32,
    /// Whether they begin where the last ones led, seen from the weights.
    pub onward: bool,
    /// From where.
    pub weights: Bytes,
    /// What is added to the gradient of each step, where something is: as many numbers as there are weights.
    pub correction: Option<Bytes>,
}

/// What came of them.
#[derive(Clone, Debug)]
pub struct Came {
    /// What the server says of the steps.
    pub trained: Trained,
    /// The way that they led: as many bytes as the weights have.
    pub way: Bytes,
    /// Time from the first byte that was sent to the last that came, less the time of the steps and of waiting for
    /// earlier ones: what the exchange took.
    pub exchange: Duration,
}

// === impl Order ===

impl Order {
    /// The weights, and behind them their correction.
    fn sent(&self) -> Bytes {
        match &self.correction {
            Some(correction) => [&self.weights[..], correction].concat().into(),
            None => self.weights.clone(),
        }
    }
}

// === impl TrainingServer ===

impl TrainingServer {
    /// Has steps taken. `told` hears how many are done. Dropping the future ends them.
    ///
    /// # Errors
    /// [`TrainingError`]. A server that says nothing for [`SILENCE`] is away.
    pub async fn train(&self, order: &Order, told: &(dyn Fn(u32) + Sync)) -> Result<Came, TrainingError> {
        let client = line::connect(&self.0).await?;
        let begin = Instant::now();
        let sent = order.sent();
        let Order { training, round, first, steps, onward, .. } = *order;
        let (corrected, weights) = (order.correction.is_some(), Announced::of(&sent));
        let head = Steps { training, round, first, steps, onward, corrected, weights };
        let head = proto::TrainPart { head: Some(head.into()), weights: Bytes::new() };
        let piece = |piece| proto::TrainPart { head: None, weights: piece };
        let parts: Vec<_> = std::iter::once(head).chain(pieces(&sent).map(piece)).collect();
        let mut trainings = client.trainings();
        let messages = line::within(SILENCE, "sending weights", trainings.train(stream::iter(parts))).await?;
        let mut messages = messages.map_err(|status| self.judge(&status))?.into_inner();
        let mut coming: Option<(Trained, Gathering)> = None;
        loop {
            if let Some((trained, gathering)) = coming.take_if(|(_, gathering)| gathering.is_whole()) {
                let way = gathering.finish().map_err(|invalid| self.broke(&invalid))?;
                let exchange = begin.elapsed().saturating_sub(trained.compute).saturating_sub(trained.queued);
                self.0.put_back(client);
                return Ok(Came { trained, way, exchange });
            }
            let message = line::within(SILENCE, "training", messages.message()).await?;
            let message = message.map_err(|status| self.judge(&status))?;
            let message = message.ok_or_else(|| away("it ended the call before its steps had led anywhere"))?;
            told(message.done);
            if let Some(head) = message.head {
                let trained = Trained::try_from(head).map_err(|invalid| self.broke(&invalid))?;
                coming = Some((trained, Gathering::new(trained.way)));
            }
            if let (false, Some((_, gathering))) = (message.way.is_empty(), &mut coming) {
                gathering.take(&message.way).map_err(|invalid| self.broke(&invalid))?;
            }
        }
    }
}
