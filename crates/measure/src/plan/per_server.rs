//! Values that differ from server to server, as people write them: `5`, `node1:7440=5`.

use std::str::FromStr;

use headwater_cli::exit::UsageError;
use headwater_client::ServerAddress;
use headwater_plan::Server;

/// A value for all servers, or for one: `5`, `node1:7440=5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerServer<T> {
    server: Option<String>,
    value: T,
}

// === impl PerServer ===

impl<T> PerServer<T> {
    /// The server that it is for; `None` where it is for all.
    pub(super) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }
}

impl<T: FromStr> FromStr for PerServer<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let (server, value) = match text.rsplit_once('=') {
            Some((server, value)) => (Some(server.trim().to_owned()), value),
            None => (None, text),
        };
        Ok(Self { server, value: value.parse()? })
    }
}

/// The server of this address.
pub(super) fn find(option: &str, address: &str, servers: &[Server]) -> Result<usize, UsageError> {
    // As servers are named elsewhere too: node1 is node1:7440.
    let in_full = address.parse::<ServerAddress>().map(|address| address.to_string()).ok();
    let is_it = |server: &Server| server.address == address || Some(&server.address) == in_full.as_ref();
    servers.iter().position(is_it).ok_or_else(|| {
        let known: Vec<_> = servers.iter().map(|server| server.address.as_str()).collect();
        UsageError(format!("{option} names the server {address:?}; the profile has {}", known.join(", ")))
    })
}

/// The value of each server: its own, else the value for all.
pub(super) fn of_servers<T: Copy>(
    option: &str,
    given: &[PerServer<T>],
    servers: &[Server],
) -> Result<Vec<Option<T>>, UsageError> {
    let for_all: Vec<_> = given.iter().filter(|given| given.server.is_none()).collect();
    if for_all.len() > 1 {
        return Err(UsageError(format!(
            "{option} has two values for all servers: say which server each is for, as SERVER=VALUE"
        )));
    }
    let mut values = vec![for_all.first().map(|given| given.value); servers.len()];
    let mut seen = vec![false; servers.len()];
    for PerServer { server, value } in given {
        let Some(address) = server else { continue };
        let place = find(option, address, servers)?;
        if std::mem::replace(&mut seen[place], true) {
            return Err(UsageError(format!("{option} has two values for the server {address}")));
        }
        values[place] = Some(*value);
    }
    Ok(values)
}

/// A server of a profile.
#[cfg(test)]
pub(super) fn server(address: &str, cpu_workers: Option<u32>) -> Server {
    let cpu_workers = cpu_workers.map(headwater_plan::Cores::from);
    Server {
        address: address.into(),
        digest: None,
        first: 0,
        samples: 0,
        cpu_workers,
        devices: None,
        lacks: Vec::new(),
    }
}
