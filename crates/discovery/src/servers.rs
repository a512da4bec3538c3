//! What `--servers` says: some addresses, and where others are found.

use std::collections::BTreeSet;
use std::fmt;

use crate::address::ServerAddress;
use crate::error::DiscoveryError;
use crate::etcd::Etcd;
use crate::source::ServerSource;
use crate::{file, names};

/// What `--servers` says. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers(Vec<ServerSource>);

/// Sources that are asked again and again.
#[derive(Debug)]
pub struct Follower(Vec<Followed>);

/// One source, and what it last had.
#[derive(Debug)]
struct Followed {
    source: ServerSource,
    etcd: Option<Etcd>,
    last: Vec<ServerAddress>,
    /// Whether the log says that the source cannot be asked.
    is_said: bool,
}

// === impl Servers ===

impl Servers {
    /// These sources. Nothing is looked up yet.
    pub fn new(sources: Vec<ServerSource>) -> Self {
        Self(sources)
    }

    /// Whether all are addresses, which never change.
    pub fn is_fixed(&self) -> bool {
        self.0.iter().all(|source| source.address().is_some())
    }

    /// The servers that there are now: those that were named in their order, and those that are found where their
    /// source stands.
    ///
    /// # Errors
    /// A source that cannot be asked, none that has a server, and a server that was named twice.
    pub async fn find(&self) -> Result<Vec<ServerAddress>, DiscoveryError> {
        if self.0.is_empty() {
            return Err(DiscoveryError::None);
        }
        check_once(self.0.iter().filter_map(ServerSource::address))?;
        let mut all = Vec::new();
        for source in &self.0 {
            all.extend(Followed::new(source).ask().await?);
        }
        let all = once_each(all);
        if all.is_empty() { Err(DiscoveryError::Empty(self.to_string())) } else { Ok(all) }
    }

    /// Begins to follow the sources, with these servers found already.
    pub fn follow(&self) -> Follower {
        Follower(self.0.iter().map(Followed::new).collect())
    }
}

impl From<&[ServerAddress]> for Servers {
    fn from(addresses: &[ServerAddress]) -> Self {
        Self(addresses.iter().cloned().map(ServerSource::Address).collect())
    }
}

impl From<&Vec<ServerAddress>> for Servers {
    fn from(addresses: &Vec<ServerAddress>) -> Self {
        addresses.as_slice().into()
    }
}

impl<const N: usize> From<&[ServerAddress; N]> for Servers {
    fn from(addresses: &[ServerAddress; N]) -> Self {
        addresses.as_slice().into()
    }
}

impl From<&Servers> for Servers {
    fn from(servers: &Servers) -> Self {
        servers.clone()
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, source) in self.0.iter().enumerate() {
            write!(f, "{}{source}", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

// === impl Follower ===

impl Follower {
    /// The servers that there are now. A source that cannot be asked has those that it last had; the log says so once.
    pub async fn look(&mut self) -> Vec<ServerAddress> {
        let mut all = Vec::new();
        for followed in &mut self.0 {
            all.extend(followed.look().await);
        }
        once_each(all)
    }
}

// === impl Followed ===

impl Followed {
    fn new(source: &ServerSource) -> Self {
        Self { source: source.clone(), etcd: None, last: Vec::new(), is_said: false }
    }

    async fn ask(&mut self) -> Result<Vec<ServerAddress>, DiscoveryError> {
        match &self.source {
            ServerSource::Address(address) => Ok(vec![address.clone()]),
            ServerSource::File(path) => file::read(path),
            ServerSource::Name { name, port } => names::look_up(name, *port).await,
            ServerSource::Etcd(prefix) => {
                let etcd = match self.etcd.take() {
                    Some(etcd) => etcd,
                    None => Etcd::new(prefix.clone())?,
                };
                let found = etcd.addresses().await;
                self.etcd = Some(etcd);
                found
            }
        }
    }

    async fn look(&mut self) -> Vec<ServerAddress> {
        match self.ask().await {
            Ok(found) => {
                if std::mem::take(&mut self.is_said) {
                    tracing::info!(source = %self.source, "servers can be looked up again");
                }
                self.last.clone_from(&found);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_said, true) {
                    tracing::warn!("servers cannot be looked up, and those that are known are used: {error}");
                }
            }
        }
        self.last.clone()
    }
}

/// Sees to it that no server is named twice.
///
/// # Errors
/// One that is.
pub fn check_once<'a>(mut named: impl Iterator<Item = &'a ServerAddress>) -> Result<(), DiscoveryError> {
    let mut seen = BTreeSet::new();
    match named.find(|address| !seen.insert(*address)) {
        Some(twice) => Err(DiscoveryError::Twice(twice.clone())),
        None => Ok(()),
    }
}

/// Each address once, where it is first.
fn once_each(all: Vec<ServerAddress>) -> Vec<ServerAddress> {
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|address| seen.insert(address.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Servers {
        Servers::new(text.split(',').map(|word| word.parse().unwrap()).collect())
    }

    fn shown(found: &[ServerAddress]) -> Vec<String> {
        found.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_anew_and_one_that_is_gone_has_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        std::fs::write(&path, "node1\nnode2").unwrap();
        let servers = servers(&format!("node3,@{}", path.display()));
        assert!(!servers.is_fixed());
        assert_eq!(shown(&servers.find().await.unwrap()), ["node3:7440", "node1:7440", "node2:7440"]);
        let mut follower = servers.follow();
        assert_eq!(follower.look().await.len(), 3);
        std::fs::write(&path, "node2\nnode3").unwrap();
        assert_eq!(shown(&follower.look().await), ["node3:7440", "node2:7440"], "node3 is one server");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(shown(&follower.look().await), ["node3:7440", "node2:7440"]);
        assert!(servers.find().await.is_err(), "at the start it is an error");
    }

    #[tokio::test]
    async fn no_server_and_one_that_is_named_twice_are_refused() {
        assert_eq!(Servers::new(Vec::new()).find().await, Err(DiscoveryError::None));
        assert!(matches!(servers("a,b,a:7440").find().await, Err(DiscoveryError::Twice(_))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        std::fs::write(&path, "# none yet").unwrap();
        let empty = servers(&format!("@{}", path.display()));
        assert!(matches!(empty.find().await, Err(DiscoveryError::Empty(_))));
    }
}
