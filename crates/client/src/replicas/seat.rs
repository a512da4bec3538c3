//! The servers of one partition: who of them is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_discovery::ServerAddress;
use headwater_types::caps::CALLS_HEDGED;
use headwater_types::{ByteCount, Hedging};
use tokio::sync::Notify;

use crate::connection::Server;
use crate::description::INSTANCE_BYTES;
use crate::error::ClientError;
use crate::replicas::answers::Asked;
use crate::replicas::member::{Member, Standing};
use crate::replicas::replica::Replica;
use crate::trouble::Trouble;

/// The servers of one partition. The first of them is the one by which the partition is called.
#[derive(Debug)]
pub(crate) struct Seat {
    address: ServerAddress,
    /// What all of them serve.
    pub(crate) asked: Asked,
    members: Mutex<Vec<Arc<Member>>>,
    /// Told when a server is doubted.
    pub(crate) doubts: Arc<Notify>,
    /// What is known of how long calls wait; `None` where hedging is off.
    hedging: Option<Mutex<Hedging>>,
}

/// How long one answer to a small question is waited for where others could give it.
const ANSWER: Duration = Duration::from_secs(5);

// === impl Seat ===

impl Seat {
    /// These servers, of which there is one at least.
    pub(crate) fn new(
        replicas: &[Replica],
        asked: Asked,
        doubts: Arc<Notify>,
        hedge: bool,
    ) -> Result<Self, ClientError> {
        let address = replicas[0].server.address().clone();
        let member = |Replica { server, description }: &Replica| Member::new(Arc::clone(server), description.instance);
        let members = replicas.iter().map(|replica| member(replica).map(Arc::new)).collect::<Result<_, _>>()?;
        let hedging = hedge.then(|| Mutex::new(Hedging::new(CALLS_HEDGED)));
        Ok(Self { address, asked, members: Mutex::new(members), doubts, hedging })
    }

    /// The address by which the partition is called.
    pub(crate) fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// The servers that there are now.
    pub(crate) fn members(&self) -> Vec<Arc<Member>> {
        self.lock().clone()
    }

    /// Whether servers stand in for each other here.
    pub(crate) fn is_shared(&self) -> bool {
        self.lock().len() > 1
    }

    /// How many calls may run at once, where one server takes so many.
    pub(crate) fn streams(&self, of_one: usize) -> usize {
        of_one * self.lock().len()
    }

    /// Where they are.
    pub(crate) fn addresses(&self) -> Vec<ServerAddress> {
        self.lock().iter().map(|member| member.server.address().clone()).collect()
    }

    /// Whether all of them are up, as far as is known; those that nobody names any more aside.
    pub(crate) fn is_well(&self) -> bool {
        self.lock().iter().all(|member| matches!(member.standing(), Standing::Up | Standing::Gone))
    }

    /// Takes up another server that serves the same.
    pub(crate) fn add(&self, server: Arc<Server>, instance: [u8; INSTANCE_BYTES]) -> Result<(), ClientError> {
        let member = Arc::new(Member::new(server, instance)?);
        self.lock().push(member);
        Ok(())
    }

    /// Whoever is best, and of those whoever is least busy.
    pub(crate) fn best(&self) -> Arc<Member> {
        let members = self.lock();
        let best = members.iter().min_by_key(|member| (member.standing(), member.busy()));
        Arc::clone(best.unwrap_or(&members[0]))
    }

    /// Whether another server would be asked rather than this one.
    pub(crate) fn has_better_than(&self, member: &Member) -> bool {
        let chosen = self.best();
        let (one, other) = (chosen.standing(), member.standing());
        one < other || (one == other && chosen.busy() < member.busy())
    }

    /// Another server of the partition that is up: whichever is least busy.
    pub(crate) fn another(&self, member: &Member) -> Option<Arc<Member>> {
        let members = self.lock();
        let is_other = |other: &&Arc<Member>| !std::ptr::eq(Arc::as_ptr(other), member);
        let up = members.iter().filter(is_other).filter(|other| other.standing() == Standing::Up);
        up.min_by_key(|other| other.busy()).map(Arc::clone)
    }

    /// What is known of how long calls wait; `None` where hedging is off.
    pub(crate) fn hedging(&self) -> Option<MutexGuard<'_, Hedging>> {
        self.hedging.as_ref().map(|hedging| hedging.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks this server no more while others answer; the keeper asks it whether it is there again.
    pub(crate) fn give_up(&self, member: &Member, trouble: &Trouble) {
        if !self.is_shared() {
            return;
        }
        member.server.forget_idle();
        member.goes(trouble);
        self.doubts.notify_one();
    }

    /// Has the keeper ask a server whose call has ended badly.
    pub(crate) fn doubt(&self, member: &Member) {
        if self.is_shared() {
            member.server.forget_idle();
            member.doubt();
            self.doubts.notify_one();
        }
    }

    /// How long one answer to a small question is waited for.
    pub(crate) fn answer_within(&self, stall: Duration) -> Duration {
        if self.is_shared() { stall.min(ANSWER) } else { stall }
    }

    /// From here on the servers may send payloads of so many bytes.
    pub(crate) fn allow_payload(&self, payload: ByteCount) {
        self.lock().iter().for_each(|member| member.server.allow_payload(payload));
    }

    /// Drops the idle connections of a server that is alone; where there are others, it is doubted instead.
    pub(crate) fn forget_idle(&self) {
        if let [alone] = &self.lock()[..] {
            alone.server.forget_idle();
        }
    }

    /// A server broke the protocol.
    pub(crate) fn protocol(&self, message: impl Into<String>) -> ClientError {
        ClientError::Protocol { server: self.address.clone(), message: message.into() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
