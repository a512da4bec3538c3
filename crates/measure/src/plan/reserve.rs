//! `--reserve`: what a plan leaves to other jobs on the same servers, network and trainer.
//!
//! What is reserved is taken away before anything is planned, from what there is by the other arguments or by the
//! profile.

use std::fmt;
use std::str::FromStr;

use headwater_cli::exit::UsageError;
use headwater_plan::{Cores, Resources, Server};
use headwater_types::BitsPerSecond;

use super::per_server::find;

/// One amount of one resource, at one server or at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reserve {
    amount: Amount,
    server: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Bandwidth(BitsPerSecond),
    TrainerCores(Cores),
    ServerBandwidth(BitsPerSecond),
    StorageCores(Cores),
}

/// Text that does not say what is reserved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} reserves nothing: write bandwidth=100Mbps, trainer-cores=2, server-bandwidth=100Mbps or storage-cores=1, \
     the last \
     two also for one server, as storage-cores@node1:7440=1"
)]
pub(crate) struct ReserveError(String);

// === impl Reserve ===

impl fmt::Display for Reserve {
    /// Writes a reserve as it is written on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, amount) = match self.amount {
            Amount::Bandwidth(bandwidth) => ("bandwidth", bandwidth.to_string()),
            Amount::TrainerCores(cores) => ("trainer-cores", cores.get().to_string()),
            Amount::ServerBandwidth(bandwidth) => ("server-bandwidth", bandwidth.to_string()),
            Amount::StorageCores(cores) => ("storage-cores", cores.get().to_string()),
        };
        match &self.server {
            Some(server) => write!(f, "{what}@{server}={amount}"),
            None => write!(f, "{what}={amount}"),
        }
    }
}

impl FromStr for Reserve {
    type Err = ReserveError;

    fn from_str(text: &str) -> Result<Self, ReserveError> {
        let error = || ReserveError(text.to_owned());
        let (what, amount) = text.trim().rsplit_once('=').ok_or_else(error)?;
        let (what, server) = match what.split_once('@') {
            Some((what, server)) => (what, Some(server.to_owned())),
            None => (what, None),
        };
        let bandwidth = || amount.parse::<BitsPerSecond>().map_err(|_| error());
        let cores = || amount.parse::<Cores>().map_err(|_| error());
        let amount = match what {
            "bandwidth" if server.is_none() => Amount::Bandwidth(bandwidth()?),
            "trainer-cores" if server.is_none() => Amount::TrainerCores(cores()?),
            "server-bandwidth" => Amount::ServerBandwidth(bandwidth()?),
            "storage-cores" => Amount::StorageCores(cores()?),
            _ => return Err(error()),
        };
        Ok(Self { amount, server })
    }
}

/// Takes what is reserved away from what there is.
///
/// # Errors
/// [`UsageError`] where there is less than that, or where nobody said how much there is.
pub(super) fn subtract(reserved: &[Reserve], servers: &[Server], resources: &mut Resources) -> Result<(), UsageError> {
    for Reserve { amount, server } in reserved {
        let places = match server {
            Some(address) => {
                let place = find("--reserve", address, servers)?;
                place..place + 1
            }
            None => 0..servers.len(),
        };
        match *amount {
            Amount::Bandwidth(amount) => {
                resources.bandwidth = Some(less_bandwidth("--bandwidth", "", resources.bandwidth, amount)?);
            }
            Amount::TrainerCores(amount) => {
                let there = resources.trainer_cores.ok_or_else(|| unknown("trainer-cores", "--trainer-cores", ""))?;
                resources.trainer_cores = Some(less_cores("trainer-cores", "", there, amount)?);
            }
            Amount::ServerBandwidth(amount) => {
                for (server, has) in servers[places.clone()].iter().zip(&mut resources.servers[places]) {
                    let less = less_bandwidth("--server-bandwidth", &server.address, has.bandwidth, amount)?;
                    has.bandwidth = Some(less);
                }
            }
            Amount::StorageCores(amount) => {
                for (server, has) in servers[places.clone()].iter().zip(&mut resources.servers[places]) {
                    has.cores = less_cores("storage-cores", &server.address, has.cores, amount)?;
                }
            }
        }
    }
    Ok(())
}

/// The bandwidth that is left. All cores may be reserved, and then nothing is done there; without any network there is
/// no epoch.
fn less_bandwidth(
    option: &str,
    server: &str,
    there: Option<BitsPerSecond>,
    amount: BitsPerSecond,
) -> Result<BitsPerSecond, UsageError> {
    let what = option.trim_start_matches('-');
    let there = there.ok_or_else(|| unknown(what, option, server))?;
    BitsPerSecond::new(there.get() - amount.get()).ok_or_else(|| {
        UsageError(format!("--reserve {what}={amount} leaves nothing of {there}{}: reserve less", at(server)))
    })
}

fn less_cores(what: &str, server: &str, there: Cores, amount: Cores) -> Result<Cores, UsageError> {
    Cores::new(there.get() - amount.get()).ok_or_else(|| {
        UsageError(format!("--reserve {what}={amount} is more than the {there} cores{} that there are", at(server)))
    })
}

fn unknown(what: &str, option: &str, server: &str) -> UsageError {
    UsageError(format!("--reserve {what} takes a part of what is not known{}: give {option}, too", at(server)))
}

fn at(server: &str) -> String {
    if server.is_empty() { String::new() } else { format!(" at {server}") }
}

#[cfg(test)]
mod tests {
    use headwater_plan::ServerResources;

    use super::super::per_server::server;
    use super::*;

    fn reserve(text: &str) -> Result<Resources, String> {
        let servers = [server("a:1", None), server("b:2", None)];
        let has = ServerResources { cores: Cores::from(2), bandwidth: BitsPerSecond::new(1e9), devices: None };
        let mut resources =
            Resources { bandwidth: BitsPerSecond::new(1e10), servers: vec![has; 2], ..Resources::default() };
        let reserved = text.split(',').map(str::parse).collect::<Result<Vec<Reserve>, ReserveError>>();
        subtract(&reserved.map_err(|error| error.to_string())?, &servers, &mut resources)
            .map_err(|error| error.to_string())?;
        Ok(resources)
    }

    #[test]
    fn what_is_reserved_is_taken_from_what_there_is() {
        let left =
            reserve("bandwidth=1Gbps,storage-cores=0.5,storage-cores@b:2=1.5,server-bandwidth@a:1=1Mbps").unwrap();
        assert_eq!(left.bandwidth.map(|b| b.get()), Some(9e9));
        assert_eq!(left.servers.iter().map(|s| s.cores.get()).collect::<Vec<_>>(), [1.5, 0.0]);
        assert_eq!(left.servers[0].bandwidth.map(|b| b.get()), Some(999e6));
        assert_eq!(left.servers[1].bandwidth.map(|b| b.get()), Some(1e9));
    }

    #[test]
    fn more_than_there_is_cannot_be_reserved() {
        for (text, part) in [
            ("bandwidth=10Gbps", "leaves nothing of 10Gbps"),
            ("storage-cores@a:1=3", "more than the 2 cores at a:1"),
            ("trainer-cores=1", "give --trainer-cores"),
            ("storage-cores@c:3=1", "the profile has a:1, b:2"),
            ("bandwidth@a:1=1Gbps", "reserves nothing"),
            ("cores=1", "reserves nothing"),
            ("storage-cores", "reserves nothing"),
        ] {
            let error = reserve(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
