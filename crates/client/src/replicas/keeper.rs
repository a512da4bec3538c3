//! Looks after the servers of a dataset: asks those that are doubted or gone whether they are there, and those that are
//! new what they have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use headwater_discovery::{Follower, ServerAddress};
use headwater_types::ByteCount;
use headwater_wire::proto;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::connection::Server;
use crate::description::Description;
use crate::error::ClientError;
use crate::replicas::alike::is_same;
use crate::replicas::means::Means;
use crate::replicas::member::Standing;
use crate::replicas::seat::Seat;
use crate::trouble::Trouble;

/// Looks after the servers of a dataset.
pub(crate) struct Keeper {
    pub(crate) seats: Vec<Kept>,
    pub(crate) means: Means,
    pub(crate) doubts: Arc<Notify>,
    /// The servers that there are to be.
    pub(crate) follower: Follower,
    /// Servers that serve something else, of which the log has told.
    pub(crate) strangers: BTreeSet<ServerAddress>,
}

/// The servers of a partition, and what another has to have too that is to stand in for them.
pub(crate) struct Kept {
    pub(crate) seat: Arc<Seat>,
    pub(crate) classes: Vec<String>,
    pub(crate) models: Vec<proto::ModelDescription>,
    pub(crate) max_payload: ByteCount,
}

/// How often a server that is gone is asked.
const AGAIN: Duration = Duration::from_secs(1);
/// How often servers are looked up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// How long one answer is waited for.
const ANSWER: Duration = Duration::from_secs(1);

// === impl Keeper ===

impl Keeper {
    /// Looks after the servers until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut looked_up = Instant::now();
        let mut there = self.follower.look().await;
        loop {
            if looked_up.elapsed() >= LOOK_UP {
                there = self.follower.look().await;
                looked_up = Instant::now();
            }
            let is_all_well = self.look(&there).await;
            let next =
                if is_all_well { looked_up + LOOK_UP } else { (looked_up + LOOK_UP).min(Instant::now() + AGAIN) };
            tokio::select! {
                () = self.doubts.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Asks whoever has to be asked. Whether all servers are up.
    async fn look(&mut self, there: &[ServerAddress]) -> bool {
        join_all(self.seats.iter().map(|kept| ask_doubted(&kept.seat, there))).await;
        let placed: BTreeSet<_> = self.seats.iter().flat_map(|kept| kept.seat.addresses()).collect();
        let new: Vec<_> = there.iter().filter(|address| !placed.contains(*address)).collect();
        let asked = join_all(new.iter().map(|address| self.newcomer(address))).await;
        for (address, found) in new.iter().zip(asked) {
            match found {
                Ok(()) => {
                    self.strangers.remove(*address);
                }
                Err(problem) if self.strangers.insert((*address).clone()) => {
                    tracing::warn!(server = %address, "a server is not asked for samples: {problem}");
                }
                Err(_) => {}
            }
        }
        self.seats.iter().all(|kept| kept.seat.is_well()) && there.iter().all(|address| placed.contains(address))
    }

    /// Finds a server that is new its place, or says why it has none.
    async fn newcomer(&self, address: &ServerAddress) -> Result<(), String> {
        let server = self.means.server(address).map_err(|error| error.to_string())?;
        let (kept, description) = self.placed(&server).await?;
        if kept.seat.members().iter().any(|member| member.instance == description.instance) {
            return Err("it is a server that is known by another address".to_owned());
        }
        kept.fits(&description)?;
        server.allow_payload(kept.max_payload);
        kept.seat.add(Arc::new(server), description.instance).map_err(|error| error.to_string())?;
        tracing::info!(server = %address, partition = %kept.seat.address(), "a server stands in for others now");
        Ok(())
    }

    /// The partition that a server has, as it has now or keeps of before.
    async fn placed(&self, server: &Server) -> Result<(&Kept, Description), String> {
        let mut last = "there is no partition".to_owned();
        for kept in &self.seats {
            match kept.seat.asked.of(server, ANSWER).await {
                Ok(description) => return Ok((kept, description)),
                Err(Trouble::Lasting(ClientError::DatasetChanged { .. })) => {
                    last = "it has no partition of this generation of the dataset".to_owned();
                }
                Err(trouble) => return Err(trouble.to_string()),
            }
        }
        Err(last)
    }
}

// === impl Kept ===

impl Kept {
    /// Whether a server that has the partition's samples also has their classes and the models that are used.
    fn fits(&self, description: &Description) -> Result<(), String> {
        if description.classes != self.classes {
            return Err("it has the photos of others, and other classes".to_owned());
        }
        match self.models.iter().find(|model| !description.models.iter().any(|other| is_same(model, other))) {
            Some(model) => Err(format!("it has the photos of others, and not the same model {}", model.name)),
            None => Ok(()),
        }
    }
}

/// Asks the servers of a partition that are doubted or gone whether they are there, with what they had.
async fn ask_doubted(seat: &Seat, there: &[ServerAddress]) {
    let is_named = |address: &ServerAddress| there.contains(address);
    let ask = seat.members().into_iter().map(async |member| {
        let address = member.server.address();
        let before = member.standing();
        if !is_named(address) {
            member.stands(Standing::Gone);
        } else if before != Standing::Up {
            match seat.asked.of(&member.aside, ANSWER).await {
                Err(trouble) => member.goes(&trouble),
                Ok(_) if member.stands(Standing::Up) >= Standing::Down => {
                    tracing::info!(server = %address, "a server is back");
                }
                Ok(_) => {}
            }
        }
    });
    join_all(ask).await;
}
