//! Where peers are looked for: what the settings name, what the file of peers names, and what names stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use futures::future::join_all;
use headwater_types::caps::MAX_PEERS;
use tokio::net::lookup_host;
use tokio::time::{Duration, timeout};

use crate::args::{PeerAddress, PeerArgs};

/// Peers as they are written.
pub(crate) struct Addresses {
    named: Vec<PeerAddress>,
    file: Option<PathBuf>,
    /// What the file named when it last could be read.
    in_file: Vec<PeerAddress>,
    /// Why it cannot be read, as was said.
    said: Option<String>,
}

/// How long looking up a name may take.
const LOOKUP: Duration = Duration::from_secs(1);
/// Most bytes of a file of peers: a line for each has 253 at most.
const MAX_FILE_BYTES: u64 = 64 << 10;

// === impl Addresses ===

impl Addresses {
    /// Reads the file for the first time. Blocks on the disk.
    ///
    /// # Errors
    /// A file that cannot be read, or has a line that is no address.
    pub(crate) fn new(args: &PeerArgs) -> Result<Self> {
        let in_file = args.file().map(|file| read(file).context("--peers-file")).transpose()?.unwrap_or_default();
        let file = args.file().map(Path::to_owned);
        Ok(Self { named: args.peers().to_vec(), file, in_file, said: None })
    }

    /// These peers alone.
    pub(crate) fn of(named: Vec<PeerAddress>) -> Self {
        Self { named, file: None, in_file: Vec::new(), said: None }
    }

    /// Every address that there is now, with the text that it comes from. A name that is not known stands for none.
    pub(crate) async fn look_up(&mut self) -> BTreeMap<SocketAddr, PeerAddress> {
        self.read_again().await;
        let written: BTreeSet<_> = self.named.iter().chain(&self.in_file).cloned().collect();
        join_all(written.into_iter().map(addresses)).await.into_iter().flatten().collect()
    }

    /// Every peer as it is written.
    pub(crate) fn written(&self) -> BTreeSet<PeerAddress> {
        self.named.iter().chain(&self.in_file).cloned().collect()
    }

    /// A file that cannot be read at the moment changes nothing, and is said once.
    async fn read_again(&mut self) {
        let Some(file) = self.file.clone() else { return };
        let again = tokio::task::spawn_blocking(move || read(&file)).await;
        match again.map_err(anyhow::Error::from).flatten() {
            Ok(peers) => (self.in_file, self.said) = (peers, None),
            Err(error) => {
                let why = format!("{error:#}");
                if self.said.as_ref() != Some(&why) {
                    tracing::warn!(why, "--peers-file: the peers that it named before are kept");
                    self.said = Some(why);
                }
            }
        }
    }
}

/// The peers that a file names: one in each line; what stands behind `#` is for people.
fn read(file: &Path) -> Result<Vec<PeerAddress>> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).with_context(|| file.display().to_string())?;
    if text.len() as u64 > MAX_FILE_BYTES {
        bail!("{} has more than {MAX_FILE_BYTES} bytes: it is no file of peers", file.display());
    }
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let peers = (1..)
        .zip(lines)
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| line.parse().with_context(|| format!("{}, line {number}", file.display())));
    let peers: Vec<_> = peers.collect::<Result<_>>()?;
    if peers.len() > MAX_PEERS {
        bail!("{} names {} servers: {MAX_PEERS} is the most", file.display(), peers.len());
    }
    Ok(peers)
}

async fn addresses(peer: PeerAddress) -> Vec<(SocketAddr, PeerAddress)> {
    match timeout(LOOKUP, lookup_host(peer.as_str())).await {
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

    #[test]
    fn a_file_has_a_peer_in_each_line_and_says_which_line_is_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |text: &str| std::fs::write(file.path(), text).unwrap();
        write("# ours\nnode1:7440\n\n  node2  # the new one\n");
        let texts = |peers: Vec<PeerAddress>| peers.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(read(file.path()).unwrap()), ["node1:7440", "node2:7440"]);
        write("node1\nnode 2\n");
        assert!(format!("{:#}", read(file.path()).unwrap_err()).contains("line 2"));
        write(&"node1\n".repeat(MAX_PEERS + 1));
        assert!(read(file.path()).unwrap_err().to_string().contains("is the most"));
        write(&"#".repeat(70_000));
        assert!(read(file.path()).unwrap_err().to_string().contains("no file of peers"));
    }

    #[tokio::test]
    async fn a_file_that_is_gone_keeps_its_peers_and_names_stand_for_their_addresses() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "127.0.0.1:5\nno-such-host.invalid:1\n").unwrap();
        let in_file = read(file.path()).unwrap();
        let mut addresses = Addresses { named: Vec::new(), file: Some(file.path().to_owned()), in_file, said: None };
        let one: SocketAddr = "127.0.0.1:5".parse().unwrap();
        assert_eq!(addresses.look_up().await.into_keys().collect::<Vec<_>>(), [one]);
        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(addresses.look_up().await.into_keys().collect::<Vec<_>>(), [one]);
        assert!(addresses.said.is_some());
    }
}
