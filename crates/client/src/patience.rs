//! How long a server is waited for, and what the log says of it: every call that is made again asks here whether it may
//! be.
//!
//! Invariants: time counts from the server's last sign of life, and not from the first try; pauses grow until there is
//! progress; no pause is longer than what is left of the time.

use std::sync::Arc;
use std::time::Duration;

use headwater_types::Backoff;
use tokio::time::Instant;

use crate::error::ClientError;
use crate::options::Retry;
use crate::pulse::Pulse;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// The patience of one task with one server.
#[derive(Debug)]
pub(crate) struct Patience {
    server: ServerAddress,
    goal: Goal,
    retry: Retry,
    backoff: Backoff,
    /// The server's signs of life, which several tasks may share.
    pulse: Arc<Pulse>,
    /// What the server, while it started, last said that it was doing.
    doing: Option<String>,
    /// When the log last said that the server is waited for.
    said: Option<Instant>,
}

/// What the server is waited for to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// What the server serves.
    Description,
    /// The samples of a fetch.
    Samples,
    /// The answer to a report, a survey or a listing.
    Answer,
}

/// The latest that a server that is starting is asked again for its description: it may be ready any moment.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The least time of one try: a round trip around the world takes a third of it.
const LEAST_TRY: Duration = Duration::from_secs(1);
/// How long a server is asked again that was trusted before, and is not any more: in a rotation, one end has the new
/// certificate before the other.
const ROTATION: Duration = Duration::from_secs(10);
/// The least time between two lines of the log on what a server that is starting does.
const SAY_AGAIN: Duration = Duration::from_secs(10);

// === impl Patience ===

impl Patience {
    /// Waits for the server's first answer. `task` keeps tasks that begin at once from pausing in step.
    pub(crate) fn for_description(server: &ServerAddress, retry: &Retry, task: u64) -> Self {
        Self::new(server, Goal::Description, retry, task, Arc::default())
    }

    /// Waits for the samples of a fetch from a server that has described itself. The fetch's workers share `pulse`.
    pub(crate) fn for_samples(server: &ServerAddress, retry: &Retry, task: u64, pulse: Arc<Pulse>) -> Self {
        Self::new(server, Goal::Samples, retry, task, pulse)
    }

    /// Waits for the answer to a report, a survey or a listing from a server that has described itself. That the server
    /// is starting is no sign of life here, and the log says nothing of the waiting.
    pub(crate) fn for_answer(server: &ServerAddress, retry: &Retry, task: u64) -> Self {
        Self::new(server, Goal::Answer, retry, task, Arc::default())
    }

    fn new(server: &ServerAddress, goal: Goal, retry: &Retry, task: u64, pulse: Arc<Pulse>) -> Self {
        let (server, backoff) = (server.clone(), retry.backoff(task));
        Self { server, goal, retry: retry.clone(), backoff, pulse, doing: None, said: None }
    }

    /// The server gave a sign of life: time counts from now.
    pub(crate) fn beat(&self) {
        self.pulse.beat();
    }

    /// The last call brought something: the next pause is the first again, and a server that starts once more says
    /// something new, even if it says the same.
    pub(crate) fn progressed(&mut self) {
        self.backoff.reset();
        self.doing = None;
    }

    /// The time that one try may take: what is left until patience ends, but neither less than a round trip takes nor
    /// more than a stall.
    pub(crate) fn one_try(&self) -> Duration {
        let left = self.limit(self.doing.is_some()).saturating_sub(self.pulse.silence());
        left.max(LEAST_TRY).min(self.retry.stall)
    }

    /// The pause before the next try after this trouble.
    ///
    /// # Errors
    /// The error to end with, where no other try would help or the time is over.
    pub(crate) fn bear(&mut self, trouble: Trouble) -> Result<Duration, ClientError> {
        self.hear(&trouble);
        let starting = matches!(trouble, Trouble::Starting(_));
        let waited = self.pulse.silence();
        let limit = match trouble {
            Trouble::Untrusted(_) => self.limit(false).min(self.rotation()),
            _ => self.limit(starting),
        };
        if waited >= limit || matches!(trouble, Trouble::Lasting(_)) {
            return Err(self.given_up(trouble, waited));
        }
        self.say(&trouble, waited, limit);
        let longest = if starting && self.goal == Goal::Description { LOOK_AGAIN } else { limit };
        Ok(self.backoff.pause().min(longest).min(limit - waited))
    }

    /// The error of a task that ends with this trouble.
    fn given_up(&self, trouble: Trouble, waited: Duration) -> ClientError {
        let server = self.server.clone();
        match (self.goal, trouble) {
            (_, Trouble::Lasting(error) | Trouble::Untrusted(error)) => error,
            (_, Trouble::Busy(message)) => ClientError::Busy { server, waited, message },
            (Goal::Description, Trouble::Starting(doing)) => ClientError::NotReady { server, waited, doing },
            (Goal::Description, trouble) => ClientError::NotConnected { server, waited, last: trouble.to_string() },
            (Goal::Samples | Goal::Answer, trouble) => {
                ClientError::Unreachable { server, waited, last: trouble.to_string() }
            }
        }
    }

    /// The longest silence that is borne.
    fn limit(&self, starting: bool) -> Duration {
        match self.goal {
            Goal::Description if starting => self.retry.starting_for,
            Goal::Description => self.retry.connect_for,
            Goal::Samples | Goal::Answer => self.retry.give_up_after,
        }
    }

    /// How long certificates and tokens may not fit each other, while somebody changes them.
    fn rotation(&self) -> Duration {
        match self.goal {
            Goal::Description => ROTATION / 5,
            Goal::Samples | Goal::Answer => ROTATION,
        }
    }

    /// A server that is starting lives as long as it says something new, unless an answer is waited for.
    fn hear(&mut self, trouble: &Trouble) {
        let Trouble::Starting(doing) = trouble else { return };
        if self.goal == Goal::Answer || self.doing.as_ref() == Some(doing) {
            return;
        }
        if self.doing.is_none() || self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            self.said = None;
        }
        self.pulse.beat();
        self.doing = Some(doing.clone());
    }

    /// Says in the log that the server is waited for, where a description or samples are.
    fn say(&mut self, last: &Trouble, waited: Duration, limit: Duration) {
        match self.goal {
            Goal::Description => self.say_what(last),
            Goal::Samples => self.say_silent(last, waited, limit),
            Goal::Answer => {}
        }
    }

    /// Says once in each silence how long the server has given nothing.
    fn say_silent(&self, last: &Trouble, waited: Duration, limit: Duration) {
        if self.pulse.is_worth_a_word() {
            let (silent_seconds, patience_seconds) = (waited.as_secs(), limit.as_secs());
            tracing::warn!(
                server = %self.server, silent_seconds, patience_seconds, problem = %last,
                "server gives nothing: asking it again until it does, or patience ends"
            );
        }
    }

    /// Says once what is waited for, and again where a server that is starting does something else.
    fn say_what(&mut self, last: &Trouble) {
        if self.said.is_some() {
            return;
        }
        self.said = Some(Instant::now());
        let what = match last {
            Trouble::Starting(_) => "server is not ready yet: waiting for it",
            Trouble::Busy(_) => "server has no place yet: waiting for one",
            _ => "server does not answer yet: waiting for it",
        };
        tracing::warn!(server = %self.server, %last, "{what}");
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const RETRY: fn() -> Retry = || Retry { give_up_after: seconds(20), ..Retry::default() };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn server() -> ServerAddress {
        "node1".parse().unwrap()
    }

    fn passing() -> Trouble {
        Trouble::Passing("it broke".to_owned())
    }

    fn starting(doing: &str) -> Trouble {
        Trouble::Starting(doing.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_once_the_server_has_been_silent_for_so_long_and_no_pause_outlasts_it() {
        let mut patience = Patience::for_samples(&server(), &RETRY(), 0, Arc::default());
        advance(seconds(19)).await;
        patience.beat();
        advance(seconds(18)).await;
        for _ in 0..20 {
            assert!(patience.bear(passing()).unwrap() <= seconds(2));
        }
        advance(seconds(2)).await;
        let error = patience.bear(passing()).unwrap_err();
        assert!(matches!(&error, ClientError::Unreachable { waited, .. } if *waited == seconds(20)), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_starting_is_waited_for_longer_and_anew_with_each_thing_that_it_says() {
        let mut patience = Patience::for_description(&server(), &Retry::default(), 0);
        patience.bear(starting("it lists 100 files")).unwrap();
        advance(seconds(599)).await;
        patience.bear(starting("it lists 100 files")).unwrap();
        patience.bear(starting("it lists 200 files")).unwrap();
        advance(seconds(599)).await;
        assert!(patience.bear(starting("it lists 200 files")).unwrap() <= LOOK_AGAIN);
        let error = patience.bear(passing()).unwrap_err();
        assert!(matches!(error, ClientError::NotConnected { .. }), "it says nothing any more: {error}");
        advance(seconds(1)).await;
        let error = patience.bear(starting("it lists 200 files")).unwrap_err();
        assert!(matches!(error, ClientError::NotReady { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_no_longer_whatever_a_server_that_is_starting_says() {
        let mut patience = Patience::for_answer(&server(), &RETRY(), 0);
        for files in 0..20 {
            patience.bear(starting(&format!("it lists {files} files"))).unwrap();
            advance(seconds(1)).await;
        }
        let error = patience.bear(starting("it lists 20 files")).unwrap_err();
        assert!(matches!(&error, ClientError::Unreachable { waited, .. } if *waited == seconds(20)), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_waits_anew_with_each_restart_of_its_server_even_if_it_says_the_same() {
        let mut patience = Patience::for_samples(&server(), &RETRY(), 0, Arc::default());
        for _ in 0..2 {
            patience.progressed();
            advance(seconds(19)).await;
            patience.bear(starting("it lists files")).unwrap();
        }
        advance(seconds(19)).await;
        patience.bear(starting("it lists files")).unwrap();
        advance(seconds(1)).await;
        let error = patience.bear(starting("it lists files")).unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_try_would_not_mend_ends_at_once_and_a_full_server_is_named_as_such() {
        let mut patience = Patience::for_samples(&server(), &RETRY(), 0, Arc::default());
        let error = patience.bear(Trouble::Lasting(ClientError::Request("no other try would help"))).unwrap_err();
        assert!(matches!(error, ClientError::Request(_)), "{error}");
        advance(seconds(20)).await;
        let error = patience.bear(Trouble::Busy("64 calls".to_owned())).unwrap_err();
        assert!(matches!(&error, ClientError::Busy { message, .. } if message == "64 calls"), "{error}");
    }
}
