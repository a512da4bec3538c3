//! What the coordinator knows of its workers, and how it reaches them.

use std::sync::Arc;

use headwater_client::Order;
use headwater_client::training_calls::{
    BeginTraining, PrepareTraining, PreparedFeatures, Split, TrainingId, TrainingSplit,
};
use headwater_plan::sync::log::WorkerState;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::event::{Command, Event, Told, What};
use crate::hand::Hand;
use crate::journal::{Journal, WorkerNews};
use crate::options::FederationOptions;
use crate::place::Place;

/// A worker, as the coordinator knows it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) place: Place,
    commands: mpsc::UnboundedSender<Command>,
    pub(crate) life: u64,
    pub(crate) state: State,
    /// What it has; `None` before it has prepared for the first time.
    pub(crate) features: Option<PreparedFeatures>,
    /// Steps of its own that are in the weights.
    pub(crate) done: u64,
    /// Steps that it was told to take and that have not come.
    pub(crate) ahead: u64,
    /// Contributions in a row that were refused.
    pub(crate) refused: u32,
    /// Whether it has been in the training before.
    was_here: bool,
}

/// What a worker can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is away, or prepares.
    Away(String),
    /// It has prepared, and is to be told by what to train.
    Prepared,
    /// It was told.
    Beginning,
    /// It takes steps.
    Ready,
    /// It is out, for good.
    Out(String),
}

/// All workers.
pub(crate) struct Crew {
    pub(crate) members: Vec<Member>,
    events: mpsc::UnboundedReceiver<Event>,
    hands: Vec<JoinHandle<()>>,
    pub(crate) training: TrainingId,
}

/// Contributions in a row that are refused of a worker before it is out.
const MOST_REFUSED: u32 = 3;

// === impl Crew ===

impl Crew {
    /// Gives each worker its hand, which begins to prepare it.
    pub(crate) fn new(places: Vec<Place>, training: TrainingId, options: &FederationOptions) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let parts = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let (mut members, mut hands) = (Vec::new(), Vec::new());
        for (worker, (place, part)) in places.into_iter().zip(0..).enumerate() {
            let split = match options.split {
                Split::Held => None,
                Split::Dealt(rule) => Some(TrainingSplit { rule, part, parts }),
            };
            let prepare = PrepareTraining {
                training,
                dataset: options.dataset.clone(),
                model: options.model.clone(),
                model_digest: None,
                held_out: options.held_out,
                seed: options.seed,
                split,
            };
            let (commands, told) = mpsc::unbounded_channel();
            let hand = Hand { worker, place: place.clone(), prepare, commands: told, events: sender.clone(), life: 0 };
            hands.push(tokio::spawn(hand.run()));
            members.push(Member {
                name: place.name(),
                place,
                commands,
                life: 0,
                state: State::Away("it is preparing".to_owned()),
                features: None,
                done: 0,
                ahead: 0,
                refused: 0,
                was_here: false,
            });
        }
        Self { members, events, hands, training }
    }

    /// The next event; `None` where every hand has let go.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// An event that is there already.
    pub(crate) fn waiting(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The workers that take steps, in their order.
    pub(crate) fn ready(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|worker| self.members[*worker].state == State::Ready).collect()
    }

    /// Those that may still come, and what is the matter with each that is not ready.
    pub(crate) fn matters(&self) -> String {
        let why = |member: &Member| match &member.state {
            State::Away(why) | State::Out(why) => Some(format!("{}: {why}", member.name)),
            State::Prepared | State::Beginning | State::Ready => None,
        };
        self.members.iter().filter_map(why).collect::<Vec<_>>().join("; ")
    }

    /// Whether no worker is left that may take steps.
    pub(crate) fn is_lost(&self) -> bool {
        self.members.iter().all(|member| matches!(member.state, State::Out(_)))
    }

    /// Takes in what has happened to a worker's life. Whether it was of the life that is known.
    pub(crate) fn note(&mut self, event: &Event, journal: &mut Journal) -> bool {
        let member = &mut self.members[event.worker];
        if event.life < member.life {
            return false;
        }
        member.life = event.life;
        match &event.what {
            What::Preparing(done, of) => {
                journal.tell(event.worker, WorkerNews::Preparing { done: *done, of: *of });
            }
            What::Prepared(features) => {
                member.features = Some((**features).clone());
                member.state = State::Prepared;
            }
            What::Begun(_) => {
                member.state = State::Ready;
                if std::mem::replace(&mut member.was_here, true) {
                    journal.change(event.worker, WorkerState::Back, "it takes steps again");
                }
                journal.tell(event.worker, WorkerNews::Ready);
            }
            What::Came(_) => {}
            What::Away(why) => self.lose(event.worker, why, journal),
            What::Refused(why) => self.put_out(event.worker, why, journal),
        }
        true
    }

    /// A worker is away.
    fn lose(&mut self, worker: usize, why: &str, journal: &mut Journal) {
        let member = &mut self.members[worker];
        if member.state == State::Ready {
            tracing::warn!(worker = %member.name, why, "a worker is lost: the others go on until it is back");
            journal.change(worker, WorkerState::Lost, why);
        }
        member.ahead = 0;
        member.state = State::Away(why.to_owned());
        journal.tell(worker, WorkerNews::Away { why: why.to_owned() });
    }

    /// A worker is out, for good.
    pub(crate) fn put_out(&mut self, worker: usize, why: &str, journal: &mut Journal) {
        let member = &mut self.members[worker];
        tracing::error!(worker = %member.name, why, "a worker is refused: it takes no further part");
        member.ahead = 0;
        member.state = State::Out(why.to_owned());
        journal.change(worker, WorkerState::Refused, why);
        journal.tell(worker, WorkerNews::Away { why: why.to_owned() });
    }

    /// What a worker sent was refused, for this reason. One that goes on so is out.
    pub(crate) fn refuse(&mut self, worker: usize, why: &str, journal: &mut Journal) {
        let member = &mut self.members[worker];
        member.refused += 1;
        if member.refused >= MOST_REFUSED {
            return self.put_out(worker, why, journal);
        }
        tracing::error!(worker = %member.name, why, "what a worker sent is refused, and counts for nothing");
        journal.change(worker, WorkerState::Refused, why);
    }

    /// Tells a worker that has prepared by what to train.
    pub(crate) fn begin(&mut self, worker: usize, begin: &Arc<BeginTraining>) {
        let member = &mut self.members[worker];
        member.state = State::Beginning;
        member.tell(Told::Begin(Arc::clone(begin)));
    }

    /// Tells a worker to take steps.
    pub(crate) fn order(&mut self, worker: usize, order: Order) {
        let member = &mut self.members[worker];
        member.ahead += u64::from(order.steps);
        member.tell(Told::Train(order));
    }

    /// Lets go of all workers, which let go of the training.
    pub(crate) async fn end(self) {
        let Self { members, hands, training, events } = self;
        drop(events);
        let end = members.iter().map(|member| member.place.end(training));
        futures::future::join_all(end).await;
        hands.iter().for_each(JoinHandle::abort);
    }
}

// === impl Member ===

impl Member {
    /// The steps before the next that it is told to take.
    pub(crate) fn first(&self) -> u64 {
        self.done + self.ahead
    }

    /// The samples that it trains on.
    pub(crate) fn holds(&self) -> u64 {
        self.features.as_ref().map_or(0, |features| features.labels.iter().sum())
    }

    fn tell(&self, what: Told) {
        // A hand that has let go hears nothing, and has said why.
        let _ = self.commands.send(Command { life: self.life, what });
    }
}
