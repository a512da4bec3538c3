//! Rounds in which a server asks all others who they are: so it knows which of them live.
//!
//! ```text
//! addresses ─▶ Introduce, all at a time ─▶ judged: lives, shares, is not this server itself ─▶ Share
//! ```
//!
//! A server that ends its work says so, and is no home any more at once. One that does not answer is asked for no
//! sample, and after three rounds it is no home any more. In between its samples are prepared by whoever is asked for
//! them, and kept by nobody. Views of servers may differ for some seconds. That costs a read of the store at most.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::join_all;
use headwater_discovery::ServerAddress;
use headwater_types::ServerName;
use headwater_types::caps::MAX_PEERS;
use headwater_wire::Introduction;
use tokio::time::{Duration, Instant, sleep};

use super::addresses::Addresses;
use super::apart::Apart;
use super::call::{Silence, introduce, line};
use super::neighbour::{Line, Neighbour};
use super::said::Said;
use super::share::Share;
use crate::datasets::Datasets;
use crate::others::Others;

/// How often all are asked, within a fifth.
const EVERY: Duration = Duration::from_secs(1);
/// Rounds without an answer after which a server is no home any more.
const MISSED: u32 = 3;
/// A peer that has not answered for so long is spoken of.
const SILENT: Duration = Duration::from_secs(20);

/// What is known of an address.
struct Known {
    line: Line,
    introduction: Option<Introduction>,
    missed: u32,
}

/// Rounds of one server.
pub(crate) struct Rounds {
    share: Arc<Share>,
    datasets: Arc<Datasets>,
    addresses: Addresses,
    others: Others,
    instance: [u8; 16],
    known: BTreeMap<SocketAddr, Known>,
    /// Since when each peer, as it is written, has not answered at any of its addresses.
    silent: BTreeMap<ServerAddress, Instant>,
    said: Said,
    apart: Apart,
}

// === impl Rounds ===

impl Rounds {
    /// Of the server of this instance.
    pub(crate) fn new(
        share: Arc<Share>,
        datasets: Arc<Datasets>,
        (addresses, others): (Addresses, Others),
        instance: [u8; 16],
    ) -> Self {
        let (known, silent, said, apart) = Default::default();
        Self { share, datasets, addresses, others, instance, known, silent, said, apart }
    }

    /// Asks round after round, after the first.
    pub(crate) async fn run(mut self) {
        loop {
            // Servers that were started together do not ask together for ever.
            sleep(EVERY.mul_f64(0.8 + 0.4 * chance())).await;
            self.round().await;
        }
    }

    /// Asks all once, which takes two seconds at most.
    pub(crate) async fn round(&mut self) {
        let mut all = self.addresses.look_up().await;
        if all.len() > MAX_PEERS {
            let why = format!("{} addresses of peers are more than {MAX_PEERS}: the last are left out", all.len());
            self.said.warn("addresses", why);
            all = all.into_iter().take(MAX_PEERS).collect();
        }
        self.known.retain(|address, _| all.contains_key(address));
        for (address, written) in &all {
            if !self.known.contains_key(address) {
                let Ok(line) = line(&self.others, *address, written) else { continue };
                self.known.insert(*address, Known { line, introduction: None, missed: 0 });
            }
        }
        let ask = |(address, known): (&SocketAddr, &Known)| {
            let (address, channel) = (*address, known.line.channel.clone());
            async move { (address, introduce(channel).await) }
        };
        for (address, came) in join_all(self.known.iter().map(ask)).await {
            self.settle(address, came);
        }
        self.speak_of_the_silent(&all);
        let live = self.live();
        self.say_who_came_and_went(&live);
        self.apart.look(&self.share, &self.datasets, &live);
        self.share.know(live);
    }

    fn settle(&mut self, address: SocketAddr, came: Result<Introduction, Silence>) {
        let Some(known) = self.known.get_mut(&address) else { return };
        match came {
            Ok(introduction) => {
                known.introduction = Some(introduction);
                known.missed = 0;
            }
            Err(Silence::Leaves(why)) => {
                tracing::debug!(%address, why, "a peer is no home at the moment");
                known.introduction = None;
            }
            Err(Silence::Missed(why)) => {
                tracing::debug!(%address, why, "a peer has not answered");
                known.missed = known.missed.saturating_add(1);
                if known.missed >= MISSED {
                    known.introduction = None;
                }
            }
        }
    }

    /// Servers that live and can be homes: of each instance once, of each name once, and of this program's version.
    fn live(&mut self) -> Vec<Arc<Neighbour>> {
        let (mut live, mut instances) = (Vec::<Arc<Neighbour>>::new(), vec![self.instance]);
        // Who has just answered comes first: a server that was started anew at another address is not held to be two.
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_by_key(|(address, known)| (known.missed, **address));
        for (address, known) in known {
            let Some(said) = known.introduction.clone().filter(|said| !instances.contains(&said.instance)) else {
                continue;
            };
            instances.push(said.instance);
            let is_taken = |name: &ServerName| *name == self.share.name || live.iter().any(|one| one.name == *name);
            let (noun, line) = (address.to_string(), known.line.clone());
            match judged(&said, is_taken) {
                Ok(name) => {
                    self.said.forget(&noun);
                    live.push(Arc::new(Neighbour::new(name, *address, said, line)));
                }
                Err(_) if known.missed > 0 => {}
                Err(why) => {
                    self.said.warn(&noun, format!("the peer {address} is no home of samples: {why}"));
                }
            }
        }
        live
    }

    /// A peer that answers at none of its addresses is spoken of once.
    fn speak_of_the_silent(&mut self, all: &BTreeMap<SocketAddr, ServerAddress>) {
        let written = self.addresses.written();
        self.silent.retain(|peer, _| written.contains(peer));
        for peer in written {
            let mut addresses = all.iter().filter(|(_, from)| **from == peer).map(|(address, _)| address);
            if addresses.any(|address| self.known.get(address).is_some_and(|known| known.introduction.is_some())) {
                self.silent.remove(&peer);
                self.said.forget(&peer.to_string());
                continue;
            }
            let since = *self.silent.entry(peer.clone()).or_insert_with(Instant::now);
            if since.elapsed() >= SILENT {
                let why = format!("the peer {peer} does not answer: its samples are kept by the others until it does");
                self.said.warn(&peer.to_string(), why);
            }
        }
    }

    fn say_who_came_and_went(&self, live: &[Arc<Neighbour>]) {
        let before = self.share.neighbours();
        let has = |all: &[Arc<Neighbour>], one: &Neighbour| all.iter().any(|other| other.name == one.name);
        for one in live.iter().filter(|one| !has(&before, one)) {
            let (peer, address, servers) = (&one.name, one.address, live.len() + 1);
            tracing::info!(%peer, %address, servers, "a peer shares the store: it keeps its share of the samples");
        }
        for one in before.iter().filter(|one| !has(live, one)) {
            let (peer, address, servers) = (&one.name, one.address, live.len() + 1);
            tracing::warn!(%peer, %address, servers, "a peer is gone: the others keep its share of the samples");
        }
    }
}

/// The name of a server that can be a home, or why it cannot.
fn judged(said: &Introduction, is_taken: impl Fn(&ServerName) -> bool) -> Result<ServerName, String> {
    let ours = env!("CARGO_PKG_VERSION");
    match &said.name {
        None => Err("it shares with nobody: start it with --peers".to_owned()),
        Some(name) if is_taken(name) => {
            Err(format!("another server is called {name} too: give each a --peer-name of its own"))
        }
        Some(_) if said.server_version != ours => {
            Err(format!("it is of version {} and this one of {ours}: use one version", said.server_version))
        }
        Some(name) => Ok(name.clone()),
    }
}

/// Uniform in [0, 1), of the keys that the standard library draws from the system for its hash tables.
fn chance() -> f64 {
    (RandomState::new().hash_one("chance") >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_name_with_anothers_or_of_another_version_is_no_home() {
        let said = |name: Option<&str>, version: &str| Introduction {
            name: name.map(|name| name.parse().unwrap()),
            instance: [0; 16],
            server_version: version.to_owned(),
            has_workers: true,
            datasets: Vec::new(),
            models: Vec::new(),
        };
        let ours = env!("CARGO_PKG_VERSION");
        let is_taken = |name: &ServerName| name.as_str() == "a";
        assert_eq!(judged(&said(Some("b"), ours), is_taken).map(|name| name.to_string()).as_deref(), Ok("b"));
        let why = |name, version| judged(&said(name, version), is_taken).unwrap_err();
        assert!(why(None, ours).contains("start it with --peers"));
        assert!(why(Some("a"), ours).contains("a --peer-name of its own"));
        assert!(why(Some("b"), "0.0.1").contains("of version 0.0.1"));
    }

    #[test]
    fn rounds_are_spread() {
        let all: Vec<_> = (0..64).map(|_| chance()).collect();
        assert!(all.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!(all.iter().any(|chance| *chance < 0.5) && all.iter().any(|chance| *chance >= 0.5));
    }
}
