//! The arguments of `tuner plan`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args};
use headwater_cli::exit::UsageError;
use headwater_cli::values::part_or_none;
use headwater_plan::partition::{Fleet, FleetServer};
use headwater_plan::{Cores, ServerResources};
use headwater_types::{BitsPerSecond, ByteCount};

/// Plan where a network is cut between servers and this machine, and how many servers are worth it
///
/// The profile is what `profiler model --json` printed for the model. Every cut, as it is and coded without loss, every
/// batch and every number of servers is looked at; printed are the shortest epoch, the shortest by the number of
/// servers and by the cut, and what each waits for. Servers are used in the order in which they are given.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct PartitionArgs {
    /// The network: the file that was profiled
    #[arg(long, env = "HEADWATER_NETWORK_MODEL", value_name = "FILE.onnx")]
    pub(crate) model: PathBuf,

    /// What it costs at each cut: the JSON that `profiler model --json` printed
    #[arg(long, env = "HEADWATER_NETWORK_PROFILE", value_name = "FILE")]
    pub(crate) profile: PathBuf,

    /// Servers that there may be
    #[arg(long, value_name = "N", value_parser = servers)]
    pub(crate) servers_up_to: NonZeroUsize,

    /// A server: cores=N[,bandwidth=B][,memory=BYTES][,share=S]; repeated for the next ones, and the last is what all
    /// further ones are like. share: how many of the images it has, against the others' numbers. memory: for the fronts
    /// of the network that its cores run [default: 1 core; networks and memory are not limited, the shares are 1]
    #[arg(long = "server", env = "HEADWATER_PLAN_SERVER", value_name = "SPEC", action = ArgAction::Append)]
    pub(crate) server: Vec<ServerSpec>,

    /// The tuner's network, through which all servers send: 10Gbps [default: not limited]
    #[arg(long, value_name = "BANDWIDTH")]
    pub(crate) bandwidth: Option<BitsPerSecond>,

    /// The tuner's cores [default: those of this machine]
    #[arg(long, value_name = "CORES")]
    pub(crate) tuner_cores: Option<Cores>,

    /// Images of an epoch
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = images)]
    pub(crate) images: NonZeroU32,

    /// A server more does not help where it shortens the epoch by less than this part
    #[arg(long, value_name = "PART", default_value = "0.05", value_parser = part_or_none)]
    pub(crate) worth: f64,
}

const HELP: &str = "\
Examples:
  profiler model --model mobilenet.onnx --recipe imagenet-eval \\
      --json > mobilenet.json
  tuner plan --model mobilenet.onnx --profile mobilenet.json \\
      --servers-up-to 8 --bandwidth 10Gbps --json
  tuner plan --model mobilenet.onnx --profile mobilenet.json \\
      --servers-up-to 8 --server cores=16,share=2 \\
      --server cores=4,bandwidth=1Gbps,memory=4GiB --bandwidth 10Gbps";

/// Most servers of a plan.
const MOST_SERVERS: usize = 1024;

/// A server, as people write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ServerSpec(pub(crate) FleetServer);

// === impl PartitionArgs ===

impl PartitionArgs {
    /// Whether the arguments fit together.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        match self.server.len() > self.servers_up_to.get() {
            true => Err(UsageError(format!(
                "--server is given {} times, and --servers-up-to is {}: give a larger number, or fewer servers",
                self.server.len(),
                self.servers_up_to
            ))),
            false => Ok(()),
        }
    }

    /// The fleet that they describe.
    pub(crate) fn fleet(&self) -> Fleet {
        let like = self.server.last().map_or_else(plain, |spec| spec.0);
        let given = self.server.iter().map(|spec| spec.0);
        let servers = given.chain(std::iter::repeat(like)).take(self.servers_up_to.get()).collect();
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let here = Cores::from(u32::try_from(cores).unwrap_or(u32::MAX));
        Fleet { servers, bandwidth: self.bandwidth, tuner_cores: Some(self.tuner_cores.unwrap_or(here)) }
    }
}

/// A server of which nothing is said.
fn plain() -> FleetServer {
    let resources = ServerResources { cores: Cores::from(1), bandwidth: None };
    FleetServer { resources, share: 1.0, memory: None }
}

// === impl ServerSpec ===

const SPEC: &str = "a server such as cores=4,bandwidth=1Gbps,memory=8GiB,share=2, each at most once";

impl FromStr for ServerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut server = plain();
        let mut seen = Vec::new();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{text:?} is not {SPEC}"))?;
            let name = name.trim();
            if seen.contains(&name) {
                return Err(format!("{text:?} has {name} twice: it is not {SPEC}"));
            }
            seen.push(name);
            match name {
                "cores" => server.resources.cores = value.parse().map_err(|error| format!("cores: {error}"))?,
                "bandwidth" => {
                    server.resources.bandwidth = Some(value.parse().map_err(|error| format!("bandwidth: {error}"))?);
                }
                "memory" => {
                    let memory: ByteCount = value.parse().map_err(|error| format!("memory: {error}"))?;
                    server.memory = Some(memory);
                }
                "share" => server.share = share(value)?,
                _ => return Err(format!("{text:?} has {name:?}: it is not {SPEC}")),
            }
        }
        Ok(Self(server))
    }
}

fn share(text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|share: &f64| *share > 0.0 && *share <= 1e9);
    parsed.ok_or_else(|| format!("share: {text:?} is not a number above 0, at most 1e9"))
}

/// A number of servers, 1 or more.
fn servers(text: &str) -> Result<NonZeroUsize, String> {
    let parsed = text.trim().parse().ok().filter(|servers: &NonZeroUsize| servers.get() <= MOST_SERVERS);
    parsed.ok_or_else(|| format!("{text:?} is not a number of servers from 1 to {MOST_SERVERS}"))
}

/// A number of images, 1 or more.
fn images(text: &str) -> Result<NonZeroU32, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a number of images from 1 to {}", u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_what_is_said_of_them_and_the_last_stands_for_the_rest() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: PartitionArgs,
        }
        let fleet = |more: &[&str]| {
            let line = [&["x", "--model", "m.onnx", "--profile", "p", "--servers-up-to", "3"], more].concat();
            let args = <Line as clap::Parser>::parse_from(line).args;
            args.check().map(|()| args.fleet()).map_err(|error| error.to_string())
        };
        assert_eq!(fleet(&[]).unwrap().servers, [plain(); 3]);
        let given = ["--server", "cores=4,share=2", "--server", "cores=0.5,bandwidth=1Gbps,memory=1GiB"];
        let servers = fleet(&given).unwrap().servers;
        assert_eq!((servers[0].resources.cores.get(), servers[0].share, servers[0].memory), (4.0, 2.0, None));
        assert_eq!(servers[1], servers[2]);
        assert_eq!(servers[2].resources.bandwidth.map(BitsPerSecond::get), Some(1e9));
        assert_eq!((servers[2].memory, servers[2].share), (Some(ByteCount::new(1 << 30)), 1.0));
        assert!(fleet(&[&given[..], &given].concat()).unwrap_err().contains("--servers-up-to"));
    }

    #[test]
    fn what_is_no_server_is_refused_in_its_words() {
        for (text, part) in [
            ("4", "cores=4"),
            ("cores=4,cores=2", "twice"),
            ("core=4", "\"core\""),
            ("cores=x", "number of cores"),
            ("bandwidth=10", "10Gbps"),
            ("memory=4Gig", "2GiB"),
            ("share=0", "above 0"),
        ] {
            let error = text.parse::<ServerSpec>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
