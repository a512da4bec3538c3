//! The servers that share one store with this one, and what this one is called among them.

use std::path::PathBuf;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_discovery::ServerSource;
use headwater_types::caps::MAX_PEERS;
use headwater_types::{NameError, ServerName};

use crate::listen::ListenAddress;

/// Who shares the store.
#[derive(Args, Clone, Debug)]
pub(crate) struct PeerArgs {
    /// The servers that share one store, whether this one is among them or not: each sample is kept by one of them, and
    /// the others ask that one. Each is HOST:PORT, with a name that stands for all of its addresses, or where they are
    /// found: @FILE, dns:///NAME:PORT or etcd://HOST:PORT/PREFIX. All are looked up every second
    #[arg(long, value_name = "HOST:PORT,…", value_delimiter = ',', help_heading = "Cache")]
    peers: Vec<ServerSource>,
    /// A file of further peers, a HOST:PORT in each line, as --peers @FILE
    #[arg(long, value_name = "FILE", help_heading = "Cache")]
    peers_file: Option<PathBuf>,
    /// What this server is called among its peers: another name for each, and the same after a restart, since names
    /// decide which samples each keeps; HOST-PORT of --listen if not given
    #[arg(long, value_name = "NAME", help_heading = "Cache")]
    peer_name: Option<ServerName>,
}

// === impl PeerArgs ===

impl PeerArgs {
    /// Whether the store is shared.
    pub(crate) fn is_shared(&self) -> bool {
        !self.peers.is_empty() || self.peers_file.is_some()
    }

    /// The setting that names peers.
    pub(crate) fn setting(&self) -> &'static str {
        if self.peers.is_empty() { "--peers-file" } else { "--peers" }
    }

    /// What names peers.
    pub(crate) fn sources(&self) -> Vec<ServerSource> {
        self.peers.iter().cloned().chain(self.peers_file.clone().map(ServerSource::File)).collect()
    }

    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self, listen: &ListenAddress, keeps_nothing: bool) -> Vec<UsageError> {
        let mut found = Vec::new();
        let setting = self.setting();
        if !self.is_shared() && self.peer_name.is_some() {
            found.push("--peer-name without --peers: nobody would hear it; give --peers, or leave it out".to_owned());
        }
        if self.is_shared() && keeps_nothing {
            found.push(format!("{setting} shares what is kept, and --no-cache keeps nothing: leave one of them out"));
        }
        if self.is_shared() && self.peer_name.is_none() && listen.is_wildcard() {
            found.push(format!(
                "{setting} needs a name for this server, which --listen {listen} does not give: give --peer-name, \
                 another for each server and the same after each restart"
            ));
        }
        if self.peers.len() > MAX_PEERS {
            found.push(format!("--peers names {} servers: {MAX_PEERS} is the most", self.peers.len()));
        }
        found.into_iter().map(UsageError).collect()
    }

    /// What the server is called that listens at this port of the address.
    ///
    /// # Errors
    /// A host whose name is too long to be a part of one.
    pub(crate) fn name(&self, listen: &ListenAddress, port: u16) -> Result<ServerName, NameError> {
        if let Some(name) = &self.peer_name {
            return Ok(name.clone());
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let host: String = listen.host().chars().map(plain).collect();
        format!("{}-{port}", host.trim_matches(['-', '.'])).trim_start_matches('-').parse()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        peers: PeerArgs,
    }

    fn read(arguments: &[&str]) -> PeerArgs {
        Settings::try_parse_from(["serve"].iter().chain(arguments)).unwrap().peers
    }

    #[test]
    fn peers_are_named_as_servers_are_everywhere_and_a_file_is_one_of_them() {
        let peers = read(&["--peers", "node1,:7442,dns:///photos", "--peers-file", "more"]);
        let texts: Vec<_> = peers.sources().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["node1:7440", "localhost:7442", "dns:///photos:7440", "@more"]);
    }

    #[test]
    fn the_name_is_that_of_the_address_unless_it_is_given() {
        let name = |arguments: &[&str], listen: &str| {
            read(arguments).name(&listen.parse().unwrap(), 7443).map(|name| name.to_string())
        };
        assert_eq!(name(&[], "10.0.0.5").as_deref(), Ok("10.0.0.5-7443"));
        assert_eq!(name(&[], "node_1.example:0").as_deref(), Ok("node-1.example-7443"));
        assert_eq!(name(&[], "[::1]:7440").as_deref(), Ok("1-7443"));
        assert_eq!(name(&["--peer-name", "a"], "0.0.0.0").as_deref(), Ok("a"));
        assert!(name(&[], &"h".repeat(70)).is_err());
    }

    #[test]
    fn what_does_not_go_together_is_said_with_the_fix() {
        let conflicts = |arguments: &[&str], listen: &str, keeps_nothing| {
            let found = read(arguments).conflicts(&listen.parse().unwrap(), keeps_nothing);
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let peers = ["--peers", "node1,node2"];
        assert_eq!(conflicts(&peers, "10.0.0.5", false), "");
        assert_eq!(conflicts(&[], "0.0.0.0", true), "");
        assert!(conflicts(&peers, "10.0.0.5", true).contains("--no-cache keeps nothing"));
        for wildcard in ["0.0.0.0", "::", "[::]:7440"] {
            assert!(conflicts(&peers, wildcard, false).contains("give --peer-name"), "{wildcard}");
        }
        assert_eq!(conflicts(&["--peers", "node1", "--peer-name", "a"], "0.0.0.0", false), "");
        assert!(conflicts(&["--peer-name", "a"], "10.0.0.5", false).contains("without --peers"));
        let many = vec!["node"; MAX_PEERS + 1].join(",");
        assert!(conflicts(&["--peers", &many], "10.0.0.5", false).contains("is the most"));
    }
}
