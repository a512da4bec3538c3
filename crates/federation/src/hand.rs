//! The hand of a worker: prepares it, brings it what it is told, and prepares it again when it has been away.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use headwater_client::TrainingError;
use headwater_client::training_calls::PrepareTraining;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::event::{Command, Event, Told, What};
use crate::place::Place;

/// The pause before a worker that is away is asked again: it is to count again within seconds of its return.
const PAUSE: Duration = Duration::from_millis(500);

/// A worker's hand.
pub(crate) struct Hand {
    pub(crate) worker: usize,
    pub(crate) place: Place,
    pub(crate) prepare: PrepareTraining,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) life: u64,
}

/// Why a life of a worker ended.
enum Ended {
    /// It is away.
    Away(String),
    /// It refuses.
    Refused(String),
    /// Nobody wants anything of it any more.
    Over,
}

// === impl Hand ===

impl Hand {
    /// Serves until nobody wants anything of the worker any more.
    pub(crate) async fn run(mut self) {
        loop {
            self.life += 1;
            let told = |done, of| self.tell(What::Preparing(done, of));
            let ended = match self.place.prepare(&self.prepare, &told).await {
                Ok(features) => {
                    self.tell(What::Prepared(Box::new(features)));
                    self.serve().await
                }
                Err(error) => error.into(),
            };
            match ended {
                Ended::Over => return,
                Ended::Refused(why) => return self.tell(What::Refused(why)),
                Ended::Away(why) => self.tell(What::Away(why)),
            }
            if self.events.is_closed() {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    fn tell(&self, what: What) {
        // A coordinator that is gone wants to hear nothing.
        let _ = self.events.send(Event { worker: self.worker, life: self.life, at: Instant::now(), what });
    }

    /// Brings the worker what it is told, until it is away.
    async fn serve(&mut self) -> Ended {
        let place = self.place.clone();
        let mut steps = FuturesOrdered::new();
        loop {
            let command = tokio::select! {
                // Orders whose answers come first have been given first.
                Some(came) = steps.next() => match came {
                    Ok(came) => {
                        self.tell(What::Came(Box::new(came)));
                        continue;
                    }
                    Err(error) => return Ended::from(error),
                },
                command = self.commands.recv() => command,
            };
            match command {
                None => return Ended::Over,
                Some(Command { life, .. }) if life != self.life => {}
                Some(Command { what: Told::Begin(begin), .. }) => match place.begin(&begin).await {
                    Ok(begun) => self.tell(What::Begun(begun)),
                    Err(error) => return error.into(),
                },
                Some(Command { what: Told::Train(order), .. }) => {
                    let place = place.clone();
                    steps.push_back(async move { place.train(&order, &|_| ()).await });
                }
            }
        }
    }
}

impl From<TrainingError> for Ended {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Away(why) => Self::Away(why),
            TrainingError::Refused(error) => Self::Refused(error.to_string()),
        }
    }
}
