//! The reception of connections: each is a newcomer until its peer has shown what it wants, and newcomers are few.
//!
//! ```text
//! accept ─▶ newcomer: at most so many, the oldest makes way for the next ─▶ greet
//! ```
//!
//! Sockets that say nothing keep no other connection out, however many they are.

use std::collections::VecDeque;
use std::future::Future;
use std::io;

use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::listen::Listeners;
use crate::metrics::{Ending, Endings};
use crate::seldom::Seldom;

/// Newcomers, in the order in which they came.
struct Newcomers {
    tasks: JoinSet<()>,
    /// The newcomers. Some of them may have ended.
    handles: VecDeque<AbortHandle>,
    most: usize,
}

/// Greets connections, `most` at a time, until `end` is cancelled: then no newcomer is left, and the port is closed.
pub(crate) async fn receive<F>(
    listeners: Listeners,
    most: usize,
    endings: &Endings,
    end: CancellationToken,
    greet: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut newcomers, refused) = (Newcomers::new(most), Seldom::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = end.cancelled() => return,
            Some(_) = newcomers.tasks.join_next() => continue,
            accepted = listeners.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                if newcomers.len() >= most {
                    newcomers.displace(endings).await;
                }
                newcomers.add(greet(stream));
            }
            // There are too many open files, or the peer was gone again. Neither may end the server.
            Err(error) => {
                if let Some(times) = refused.again() {
                    tracing::warn!(%error, times, "could not accept a connection");
                }
                if is_out_of_files(&error) {
                    newcomers.displace(endings).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

// === impl Newcomers ===

impl Newcomers {
    fn new(most: usize) -> Self {
        Self { tasks: JoinSet::new(), handles: VecDeque::new(), most }
    }

    fn len(&self) -> usize {
        self.tasks.len()
    }

    fn add(&mut self, greeting: impl Future<Output = ()> + Send + 'static) {
        if self.handles.len() >= 2 * self.most {
            self.handles.retain(|handle| !handle.is_finished());
        }
        self.handles.push_back(self.tasks.spawn(greeting));
    }

    /// Ends the newcomer that came first.
    async fn displace(&mut self, endings: &Endings) {
        while let Some(oldest) = self.handles.pop_front() {
            if oldest.is_finished() {
                continue;
            }
            oldest.abort();
            if let Some(connections) = endings.count(Ending::Displaced) {
                tracing::warn!(
                    connections,
                    at_a_time = self.most,
                    "connections that had not said what they want made way for others: somebody opens many, and says \
                     nothing"
                );
            }
            break;
        }
        self.tasks.join_next().await;
    }
}

/// `EMFILE` and `ENFILE` of Linux, for which the standard library has no kind.
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
