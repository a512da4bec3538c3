//! A connection to one of several servers, for one call.

use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use headwater_discovery::ServerAddress;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Status;

use crate::connection::Client;
use crate::error::ClientError;
use crate::replicas::member::Member;
use crate::replicas::seat::Seat;
use crate::trouble::Trouble;

/// A connection for one call. One that is dropped, and neither put back nor abandoned, has ended badly: where others
/// stand in for its server, that is asked whether it is there.
#[derive(Debug)]
pub(crate) struct Seated {
    client: Client,
    hold: Hold,
}

/// What a call holds of a server while it runs.
#[derive(Debug)]
struct Hold {
    member: Arc<Member>,
    seat: Arc<Seat>,
    /// Whether nothing went wrong.
    is_in_order: bool,
}

/// Silence after which a server is asked whether it is there, where others could answer in its place,
const QUIET: Duration = Duration::from_millis(400);
/// and how long that answer is waited for. A server that is stopped is left after both.
const LOOK: Duration = Duration::from_millis(600);

/// How long a connection to one server is waited for where there are others.
const CONNECT: Duration = Duration::from_secs(1);

// === impl Seat ===

impl Seat {
    /// A connection for one call, to whichever server is up and least busy.
    ///
    /// # Errors
    /// The trouble of the last server that was tried, where none takes a connection.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Seated, Trouble> {
        let mut left = self.members().len();
        loop {
            let member = self.best();
            left = left.saturating_sub(1);
            let connected = match self.is_shared() {
                false => member.server.connect().await,
                true => connect_soon(&member).await,
            };
            match connected {
                Ok(client) => return Ok(Seated::new(client, member, Arc::clone(self))),
                Err(trouble) if left == 0 || !self.is_shared() => {
                    self.give_up(&member, &trouble);
                    return Err(trouble);
                }
                Err(trouble) => self.give_up(&member, &trouble),
            }
        }
    }

    /// A connection to this server for a call that is made beside another, and may be dropped at any time.
    ///
    /// # Errors
    /// The server takes no connection.
    pub(crate) async fn connect_beside(self: &Arc<Self>, member: Arc<Member>) -> Result<Seated, Trouble> {
        let client = connect_soon(&member).await?;
        let mut seated = Seated::new(client, member, Arc::clone(self));
        seated.hold.is_in_order = true;
        Ok(seated)
    }
}

async fn connect_soon(member: &Member) -> Result<Client, Trouble> {
    let late = Trouble::Silent("it takes no connection in time");
    timeout(CONNECT, member.server.connect()).await.unwrap_or(Err(late))
}

// === impl Seated ===

impl Seated {
    pub(crate) fn new(client: Client, member: Arc<Member>, seat: Arc<Seat>) -> Self {
        member.take_up();
        Self { client, hold: Hold { member, seat, is_in_order: false } }
    }

    /// Which server it is to.
    pub(crate) fn member(&self) -> Arc<Member> {
        Arc::clone(&self.hold.member)
    }

    /// Another server of the partition that could be asked.
    pub(crate) fn another(&self) -> Option<Arc<Member>> {
        self.hold.seat.another(&self.hold.member)
    }

    /// From here on a drop of the connection says something of the server.
    pub(crate) fn chosen(mut self) -> Self {
        self.hold.is_in_order = false;
        self
    }

    /// Leaves a connection that is in order to the next call.
    pub(crate) fn put_back(self) {
        let Self { client, mut hold } = self;
        hold.is_in_order = true;
        hold.member.server.put_back(client);
    }

    /// Drops a connection that is in order, but of no use.
    pub(crate) fn abandon(mut self) {
        self.hold.is_in_order = true;
    }

    /// Whether another server would be asked now rather than this one.
    pub(crate) fn is_second_best(&self) -> bool {
        self.hold.seat.has_better_than(&self.hold.member)
    }

    /// What this gives, within a stall. Where others could give it, a silent server is asked meanwhile whether it is
    /// there; one that is not is left.
    ///
    /// # Errors
    /// The server is silent.
    pub(crate) async fn wait<T>(
        &self,
        stall: Duration,
        silent: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        let Hold { seat, member, .. } = &self.hold;
        if !seat.is_shared() {
            return timeout(stall, work).await.map_err(|_elapsed| Trouble::Silent(silent));
        }
        let mut work = pin!(work);
        let end = Instant::now() + stall;
        let mut received = self.client.line.received();
        while Instant::now() < end {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = sleep_until(end.min(Instant::now() + QUIET)) => {}
            }
            let now = self.client.line.received();
            if std::mem::replace(&mut received, now) != now {
                continue;
            }
            let is_there = tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                is_there = seat.asked.is_there(&member.aside, LOOK) => is_there,
            };
            if !is_there {
                seat.give_up(member, &Trouble::Silent(silent));
                break;
            }
        }
        Err(Trouble::Silent(silent))
    }

    /// What a status means. What is only this server's fault is passing, where others are there.
    pub(crate) fn judge(&self, status: &Status) -> Trouble {
        let Hold { seat, member, .. } = &self.hold;
        let trouble = member.server.judge(status);
        let is_its_own = matches!(
            &trouble,
            Trouble::Lasting(ClientError::DatasetChanged { .. } | ClientError::DatasetNotReady { .. })
        );
        if is_its_own && seat.another(member).is_some() {
            seat.give_up(member, &trouble);
            return Trouble::Passing(trouble.to_string());
        }
        trouble
    }

    /// Where the server is.
    pub(crate) fn address(&self) -> &ServerAddress {
        self.hold.member.server.address()
    }

    /// The server broke the protocol.
    pub(crate) fn protocol(&self, message: impl Into<String>) -> ClientError {
        self.hold.member.server.protocol(message)
    }
}

impl Deref for Seated {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

// === impl Hold ===

impl Drop for Hold {
    fn drop(&mut self) {
        self.member.let_go();
        if !self.is_in_order {
            self.seat.doubt(&self.member);
        }
    }
}
