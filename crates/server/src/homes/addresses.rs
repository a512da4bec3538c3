//! Where peers are: what the settings name and where they are found, and the addresses that names stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use futures::future::join_all;
use headwater_discovery::{DiscoveryError, Follower, ServerAddress, ServerSource, Servers};
use tokio::net::lookup_host;
use tokio::time::{Duration, timeout};

/// Peers as they are written, and as they were last found.
pub(crate) struct Addresses {
    follower: Follower,
    written: BTreeSet<ServerAddress>,
}

/// How long looking up may take: rounds wait for it.
const LOOKUP: Duration = Duration::from_secs(1);

// === impl Addresses ===

impl Addresses {
    /// The peers of these sources, of a setting. A file is read for the first time; of a name that is not known, and of
    /// an etcd that does not answer, there may be peers later.
    ///
    /// # Errors
    /// A file that cannot be read, or has a line that is no address.
    pub(crate) async fn new(setting: &'static str, sources: Vec<ServerSource>) -> Result<Self> {
        let is_file = |source: &&ServerSource| matches!(source, ServerSource::File(_));
        let files = Servers::new(sources.iter().filter(is_file).cloned().collect());
        match files.find().await {
            Ok(_) | Err(DiscoveryError::None | DiscoveryError::Empty(_)) => {}
            Err(error) => return Err(error).context(setting),
        }
        Ok(Self { follower: Servers::new(sources).follow(), written: BTreeSet::new() })
    }

    /// Every address that there is now, with the peer that it is of. A name that is not known stands for none.
    pub(crate) async fn look_up(&mut self) -> BTreeMap<SocketAddr, ServerAddress> {
        // A source that takes longer has what it had.
        if let Ok(found) = timeout(LOOKUP, self.follower.look()).await {
            self.written = found.into_iter().collect();
        }
        join_all(self.written.iter().cloned().map(addresses)).await.into_iter().flatten().collect()
    }

    /// Every peer as it is written, or was found, when it was last looked up.
    pub(crate) fn written(&self) -> BTreeSet<ServerAddress> {
        self.written.clone()
    }
}

async fn addresses(peer: ServerAddress) -> Vec<(SocketAddr, ServerAddress)> {
    match timeout(LOOKUP, lookup_host(peer.to_string())).await {
        Ok(Ok(found)) => found.map(|address| (address, peer.clone())).collect(),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "a peer's name is not known");
            Vec::new()
        }
        Err(_elapsed) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Vec<ServerSource> {
        text.split(',').map(|word| word.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_that_is_gone_keeps_its_peers_and_names_stand_for_their_addresses() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "127.0.0.1:5\nno-such-host.invalid:1\n").unwrap();
        let named = sources(&format!("@{},127.0.0.1:6", file.path().display()));
        let mut addresses = Addresses::new("--peers", named).await.unwrap();
        let [one, two]: [SocketAddr; 2] = ["127.0.0.1:5", "127.0.0.1:6"].map(|text| text.parse().unwrap());
        assert_eq!(addresses.look_up().await.into_keys().collect::<Vec<_>>(), [one, two]);
        assert_eq!(addresses.written().len(), 3);
        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(addresses.look_up().await.into_keys().collect::<Vec<_>>(), [one, two]);
    }

    #[tokio::test]
    async fn at_the_start_a_file_that_cannot_be_read_is_an_error_and_one_that_names_nobody_is_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let named = || sources(&format!("@{}", file.path().display()));
        assert!(Addresses::new("--peers-file", named()).await.is_ok());
        std::fs::write(file.path(), "node1\nnode 2\n").unwrap();
        let error = format!("{:#}", Addresses::new("--peers-file", named()).await.err().unwrap());
        assert!(error.starts_with("--peers-file: ") && error.contains("line 2"), "{error}");
        assert!(Addresses::new("--peers", sources("dns:///no-such-host.invalid")).await.is_ok());
    }
}
