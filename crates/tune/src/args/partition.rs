//! The arguments of `tuner plan`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args};
use headwater_cli::exit::UsageError;
use headwater_cli::values::part_or_none;
use headwater_plan::partition::{Fleet, FleetServer, NetworkProfile};
use headwater_plan::{Cores, ServerResources};
use headwater_types::caps::MAX_DEVICES;
use headwater_types::{BitsPerSecond, ByteCount, DevicePool};

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

    /// A server: cores=N[,bandwidth=B][,memory=BYTES][,share=S][,devices=N[,device-rate=R]]; repeated for the next
    /// ones, and the last is what all further ones are like. share: how many of the images it has, against the others'
    /// numbers. memory: for the fronts of the network that its cores run. devices: GPUs that run the network in place
    /// of its cores; device-rate: images a second that one of them takes through all of it [default: 1 core and no
    /// devices; networks and memory are not limited, the shares are 1; devices have the rate that the profile says]
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
      --server cores=4,bandwidth=1Gbps,memory=4GiB --bandwidth 10Gbps
  tuner plan --model mobilenet.onnx --profile mobilenet.json \\
      --servers-up-to 4 --server cores=8,devices=2,device-rate=1500";

/// Most servers of a plan.
const MOST_SERVERS: usize = 1024;

/// A server, as people write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ServerSpec {
    server: FleetServer,
    /// Devices that run the network.
    devices: Option<u32>,
    /// Images a second of one of them.
    device_rate: Option<f64>,
}

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

    /// The fleet that they describe, for the network of this profile.
    ///
    /// # Errors
    /// Devices of a rate that neither they nor the profile say.
    pub(crate) fn fleet(&self, profile: &NetworkProfile) -> Result<Fleet, UsageError> {
        let given = self.server.iter().map(|spec| spec.of(profile)).collect::<Result<Vec<_>, _>>()?;
        let like = given.last().copied().unwrap_or_else(plain);
        let servers = given.into_iter().chain(std::iter::repeat(like)).take(self.servers_up_to.get()).collect();
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let here = Cores::from(u32::try_from(cores).unwrap_or(u32::MAX));
        Ok(Fleet { servers, bandwidth: self.bandwidth, tuner_cores: Some(self.tuner_cores.unwrap_or(here)) })
    }
}

/// A server of which nothing is said.
fn plain() -> FleetServer {
    let resources = ServerResources { cores: Cores::from(1), bandwidth: None, devices: None };
    FleetServer { resources, share: 1.0, memory: None }
}

// === impl ServerSpec ===

const SPEC: &str =
    "a server such as cores=4,bandwidth=1Gbps,memory=8GiB,share=2,devices=2,device-rate=1500, each at most once";

impl ServerSpec {
    /// The server, with devices of the rate that is given, else of the profile's.
    fn of(&self, profile: &NetworkProfile) -> Result<FleetServer, UsageError> {
        let Some(count) = self.devices else { return Ok(self.server) };
        let unknown = || {
            UsageError(format!(
                "--server devices={count} without device-rate: the profile was measured on cores and does not say it; \
                 give device-rate=R, the images a second that one device takes through the whole network"
            ))
        };
        let rate = self.device_rate.or_else(|| profile.device_rate()).ok_or_else(unknown)?;
        let devices = DevicePool::new(count, rate).map_err(|error| UsageError(format!("--server: {error}")))?;
        let resources = ServerResources { devices: Some(devices), ..self.server.resources };
        Ok(FleetServer { resources, ..self.server })
    }
}

impl FromStr for ServerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut server, mut devices, mut device_rate) = (plain(), None, None);
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
                "devices" => devices = Some(count(value)?),
                "device-rate" => device_rate = Some(rate(value)?),
                _ => return Err(format!("{text:?} has {name:?}: it is not {SPEC}")),
            }
        }
        match (devices, device_rate) {
            (None, Some(_)) => Err(format!("{text:?} has device-rate without devices: say how many, devices=N")),
            _ => Ok(Self { server, devices, device_rate }),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|share: &f64| *share > 0.0 && *share <= 1e9);
    parsed.ok_or_else(|| format!("share: {text:?} is not a number above 0, at most 1e9"))
}

/// A number of devices, 1 or more.
fn count(text: &str) -> Result<u32, String> {
    let wrong = || {
        format!("devices: {text:?} is not a number of devices from 1 to {MAX_DEVICES}; leave it out where cores infer")
    };
    let count = text.trim().parse().map_err(|_| wrong())?;
    DevicePool::new(count, 1.0).map(DevicePool::count).map_err(|_| wrong())
}

/// Images a second of one device.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse().map_err(|_| format!("device-rate: {text:?} is no number of images a second"))?;
    DevicePool::new(1, rate).map(DevicePool::rate).map_err(|error| format!("device-rate: {error}"))
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
            args.check().and_then(|()| args.fleet(&profile())).map_err(|error| error.to_string())
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

    /// A profile of a network that took devices so long, or cores.
    fn profile() -> NetworkProfile {
        NetworkProfile::parse(PROFILE.as_bytes()).unwrap()
    }

    const PROFILE: &str = r#"{
        "format": 1, "model": "m", "outputs": ["features"], "recipe": "r", "host": "h", "photos": 1,
        "model_digest": "0000000000000000000000000000000000000000000000000000000000000000",
        "recipe_digest": "0000000000000000000000000000000000000000000000000000000000000000",
        "photos_from": "generated", "photos_failed": 0, "not_measured": [], "not_searched": 0,
        "cuts": [{
            "cut": "features", "tensor": null, "tensors": [], "bytes": 4000, "coded_bytes": null,
            "server_seconds": 0.02, "tuner_seconds": 0, "code_seconds": 0, "uncode_seconds": 0,
            "batches": [{ "batch": 1, "server_seconds": 0.02 }], "memory": { "fixed": 0, "image": 0 }
        }]
    }"#;

    #[test]
    fn devices_have_the_rate_that_is_given_else_the_profiles() {
        let spec: ServerSpec = "cores=8,devices=2,device-rate=1500".parse().unwrap();
        let mut profile = profile();
        assert_eq!(spec.of(&profile).unwrap().resources.devices, DevicePool::new(2, 1500.0).ok());
        let unrated: ServerSpec = "devices=2".parse().unwrap();
        let error = unrated.of(&profile).unwrap_err().to_string();
        assert!(error.contains("give device-rate=R"), "{error}");
        profile.cuts[0].device_seconds = Some(0.01);
        assert_eq!(unrated.of(&profile).unwrap().resources.devices, DevicePool::new(2, 100.0).ok());
        assert_eq!("cores=8".parse::<ServerSpec>().unwrap().of(&profile).unwrap().resources.devices, None);
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
            ("devices=0", "from 1 to 256"),
            ("devices=-1", "from 1 to 256"),
            ("devices=1.5", "from 1 to 256"),
            ("devices=257", "leave it out"),
            ("devices=1,device-rate=0", "from 0.0001"),
            ("devices=1,device-rate=-5", "from 0.0001"),
            ("devices=1,device-rate=NaN", "from 0.0001"),
            ("devices=1,device-rate=fast", "no number"),
            ("device-rate=5", "devices=N"),
        ] {
            let error = text.parse::<ServerSpec>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
