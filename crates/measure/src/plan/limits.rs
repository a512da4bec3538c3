//! What an epoch may use: the arguments held against the profile's servers.

use std::str::FromStr;

use headwater_cli::exit::UsageError;
use headwater_client::ServerAddress;
#[cfg(test)]
use headwater_plan::Cores;
use headwater_plan::{Resources, Server, ServerResources};

use super::args::LimitArgs;
use super::reserve;

/// A value for all servers, or for one: `5`, `node1:7440=5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerServer<T> {
    server: Option<String>,
    value: T,
}

// === impl PerServer ===

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

/// What these arguments leave to a planner.
///
/// # Errors
/// [`UsageError`]: a server that the profile does not have, two values for one, cores that nobody knows, or more reserved than
/// there is.
pub(crate) fn resources(args: &LimitArgs, servers: &[Server]) -> Result<Resources, UsageError> {
    let cores = of_servers("--storage-cores", &args.storage_cores, servers)?;
    let bandwidths = of_servers("--server-bandwidth", &args.server_bandwidth, servers)?;
    let mut of_server = Vec::with_capacity(servers.len());
    for ((server, cores), bandwidth) in servers.iter().zip(cores).zip(bandwidths) {
        let announced = cores.or(server.cpu_workers);
        of_server.push(ServerResources { cores: announced.ok_or_else(|| no_cores(server))?, bandwidth });
    }
    let mut resources = Resources {
        bandwidth: args.bandwidth,
        trainer_cores: args.trainer_cores,
        accelerator_rate: args.accelerator_rate,
        servers: of_server,
    };
    reserve::subtract(&args.reserve, servers, &mut resources)?;
    Ok(resources)
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

fn of_servers<T: Copy>(option: &str, given: &[PerServer<T>], servers: &[Server]) -> Result<Vec<Option<T>>, UsageError> {
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

fn no_cores(server: &Server) -> UsageError {
    let address = &server.address;
    UsageError(format!(
        "the profile does not say how many cores the server {address} has: give --storage-cores CORES, or \
         {address}=CORES for it alone"
    ))
}

/// The cores of a profile, where nothing else is said.
#[cfg(test)]
pub(super) fn server(address: &str, cpu_workers: Option<u32>) -> Server {
    let cpu_workers = cpu_workers.map(Cores::from);
    Server { address: address.into(), digest: None, first: 0, samples: 0, cpu_workers, lacks: Vec::new() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn of(arguments: &str, servers: &[Server]) -> Result<Resources, String> {
        let line = Line::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace()));
        let line = line.map_err(|error| error.to_string())?;
        resources(&line.limits, servers).map_err(|error| error.to_string())
    }

    #[test]
    fn servers_have_what_is_said_of_them_else_of_all_else_what_they_announced() {
        let servers = [server("a:1", Some(2)), server("[::1]:2", Some(3))];
        let cores =
            |arguments| of(arguments, &servers).map(|r| r.servers.iter().map(|s| s.cores.get()).collect::<Vec<_>>());
        assert_eq!(cores(""), Ok(vec![2.0, 3.0]));
        assert_eq!(cores("--storage-cores 0"), Ok(vec![0.0, 0.0]));
        assert_eq!(cores("--storage-cores [::1]:2=1.5"), Ok(vec![2.0, 1.5]));
        assert_eq!(cores("--storage-cores 4,a:1=0"), Ok(vec![0.0, 4.0]));
        let made = of("--bandwidth 1Gbps --server-bandwidth a:1=100Mbps --accelerator-rate 10", &servers).unwrap();
        assert_eq!(made.bandwidth.map(|b| b.get()), Some(1e9));
        assert_eq!(made.servers[0].bandwidth.map(|b| b.get()), Some(1e8));
        assert_eq!((made.servers[1].bandwidth, made.trainer_cores), (None, None));
    }

    #[test]
    fn what_does_not_fit_the_profile_is_said() {
        let servers = [server("a:1", None), server("b:2", Some(3))];
        for (arguments, part) in [
            ("", "give --storage-cores"),
            ("--storage-cores 1,2", "two values for all"),
            ("--storage-cores 1,a:1=2,a:1=3", "two values for the server a:1"),
            ("--storage-cores c:3=1", "the profile has a:1, b:2"),
            ("--storage-cores -1", "-1"),
            ("--storage-cores a:1=x", "number of cores"),
            ("--storage-cores 1 --bandwidth 430", "430Mbps"),
            ("--storage-cores 1 --accelerator-rate 0", "samples a second"),
        ] {
            let error = of(arguments, &servers).unwrap_err();
            assert!(error.contains(part), "{arguments}: {error}");
        }
    }
}
