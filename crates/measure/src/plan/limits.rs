//! What an epoch may use: the arguments held against the profile's servers.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_plan::{Cores, Profile, Resources, SamplesPerSecond, Server, ServerResources};
use headwater_types::{BitsPerSecond, DevicePool};

use super::devices::DeviceArgs;
use super::per_server::{PerServer, of_servers};
use super::reserve::{Reserve, subtract};

#[derive(Debug, Args)]
#[command(next_help_heading = "Resources")]
pub(crate) struct LimitArgs {
    /// The trainer's network, in decimal units: 430Mbps [default: not limited]
    #[arg(long, value_name = "BANDWIDTH")]
    pub(crate) bandwidth: Option<BitsPerSecond>,

    /// Servers' networks: one for all, or SERVER=BANDWIDTH for each that differs [default: not limited]
    #[arg(long, value_name = "[SERVER=]BANDWIDTH,...", value_delimiter = ',')]
    pub(crate) server_bandwidth: Vec<PerServer<BitsPerSecond>>,

    /// Servers' cores, for pixels and inference together: one number for all, or SERVER=CORES for each that differs; 0
    /// is a number [default: the CPU workers that servers announced]
    #[arg(long, value_name = "[SERVER=]CORES,...", value_delimiter = ',')]
    pub(crate) storage_cores: Vec<PerServer<Cores>>,

    /// Cores that finish samples at the trainer [default: not limited]
    #[arg(long, value_name = "CORES")]
    pub(crate) trainer_cores: Option<Cores>,

    /// Samples a second that the accelerator takes [default: not limited]
    #[arg(long, value_name = "RATE")]
    pub(crate) accelerator_rate: Option<SamplesPerSecond>,

    #[command(flatten)]
    pub(crate) devices: DeviceArgs,

    /// What is left to other jobs: bandwidth=, trainer-cores=, server-bandwidth[@SERVER]=, storage-cores[@SERVER]=
    #[arg(long, value_name = "WHAT[@SERVER]=AMOUNT,...", value_delimiter = ',')]
    pub(crate) reserve: Vec<Reserve>,
}

/// What these arguments leave to a planner.
///
/// # Errors
/// [`UsageError`]: a server that the profile does not have, two values for one, cores or devices that nobody knows, or
/// more reserved than there is.
pub(crate) fn resources(args: &LimitArgs, profile: &Profile) -> Result<Resources, UsageError> {
    of_profile(args, profile.servers(), profile.provenance().trainer_devices)
}

fn of_profile(
    args: &LimitArgs,
    servers: &[Server],
    trainer_devices: Option<DevicePool>,
) -> Result<Resources, UsageError> {
    let cores = of_servers("--storage-cores", &args.storage_cores, servers)?;
    let bandwidths = of_servers("--server-bandwidth", &args.server_bandwidth, servers)?;
    let mut of_server = Vec::with_capacity(servers.len());
    let devices = args.devices.of_servers(servers)?;
    for (((server, cores), bandwidth), devices) in servers.iter().zip(cores).zip(bandwidths).zip(devices) {
        let announced = cores.or(server.cpu_workers);
        of_server.push(ServerResources { cores: announced.ok_or_else(|| no_cores(server))?, bandwidth, devices });
    }
    let mut resources = Resources {
        bandwidth: args.bandwidth,
        trainer_cores: args.trainer_cores,
        trainer_devices: args.devices.of_trainer(trainer_devices)?,
        accelerator_rate: args.accelerator_rate,
        servers: of_server,
    };
    subtract(&args.reserve, servers, &mut resources)?;
    Ok(resources)
}

fn no_cores(server: &Server) -> UsageError {
    let address = &server.address;
    UsageError(format!(
        "the profile does not say how many cores the server {address} has: give --storage-cores CORES, or \
         {address}=CORES for it alone"
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::per_server::server;
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn of(arguments: &str, servers: &[Server]) -> Result<Resources, String> {
        let line = Line::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace()));
        let line = line.map_err(|error| error.to_string())?;
        of_profile(&line.limits, servers, None).map_err(|error| error.to_string())
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
