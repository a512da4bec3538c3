//! The devices that infer in an epoch: as they were when the profile was made, or as many and as fast as is said.

use std::str::FromStr;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_plan::{SamplesPerSecond, Server};
use headwater_types::DevicePool;
use headwater_types::caps::MAX_DEVICES;

use super::per_server::{PerServer, find, of_servers};

#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// Devices, such as GPUs, on which servers run the profile's model: one number for all that have run it on some, or
    /// SERVER=N for each that differs [default: what servers announced when the profile was made]
    #[arg(long, value_name = "[SERVER=]N,...", value_delimiter = ',')]
    storage_devices: Vec<PerServer<Count>>,

    /// Samples a second that one of a server's devices infers: one rate for all, or SERVER=RATE for each that differs
    /// [default: what servers announced when the profile was made]
    #[arg(long, value_name = "[SERVER=]RATE,...", value_delimiter = ',')]
    storage_device_rate: Vec<PerServer<SamplesPerSecond>>,

    /// Devices on which the trainer runs the model, for samples that come as pixels [default: those of the profile]
    #[arg(long, value_name = "N")]
    trainer_devices: Option<Count>,

    /// Samples a second that one of the trainer's devices infers [default: that of the profile]
    #[arg(long, value_name = "RATE")]
    trainer_device_rate: Option<SamplesPerSecond>,
}

/// A number of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(u32);

/// Text that is no number of devices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a number of devices from 1 to {MAX_DEVICES}: without any, cores infer, and take other seconds than \
     in this profile; profile such a server anew"
)]
pub(crate) struct CountError(String);

// === impl Count ===

impl FromStr for Count {
    type Err = CountError;

    fn from_str(text: &str) -> Result<Self, CountError> {
        let count = text.trim().parse().ok().filter(|count| (1..=MAX_DEVICES).contains(count));
        count.map(Self).ok_or_else(|| CountError(text.chars().take(64).collect()))
    }
}

// === impl DeviceArgs ===

impl DeviceArgs {
    /// The devices of each server, in order.
    ///
    /// # Errors
    /// [`UsageError`]: devices of a server whose cores inferred when the profile was made, and rates that none have.
    pub(super) fn of_servers(&self, servers: &[Server]) -> Result<Vec<Option<DevicePool>>, UsageError> {
        let (counts, rates) = ("--storage-devices", "--storage-device-rate");
        check(counts, &self.storage_devices, servers)?;
        check(rates, &self.storage_device_rate, servers)?;
        let counts = of_servers(counts, &self.storage_devices, servers)?;
        let given = counts.into_iter().zip(of_servers(rates, &self.storage_device_rate, servers)?);
        let of = |(server, (count, rate)): (&Server, _)| match server.devices {
            Some(there) => changed("--storage-device-rate", there, count, rate).map(Some),
            None => Ok(None),
        };
        servers.iter().zip(given).map(of).collect()
    }

    /// The devices of the trainer; `there`: those of the profile.
    ///
    /// # Errors
    /// [`UsageError`] where its cores inferred when the profile was made, and of a rate that no device has.
    pub(super) fn of_trainer(&self, there: Option<DevicePool>) -> Result<Option<DevicePool>, UsageError> {
        let (count, rate) = (self.trainer_devices, self.trainer_device_rate);
        match (there, count.is_some() || rate.is_some()) {
            (Some(there), _) => changed("--trainer-device-rate", there, count, rate).map(Some),
            (None, false) => Ok(None),
            (None, true) => {
                let option = if count.is_some() { "--trainer-devices" } else { "--trainer-device-rate" };
                Err(UsageError(format!(
                    "{option}: no device inferred at the trainer when the profile was made, whose CPU seconds would \
                     count beside its devices: profile with --model, --extractor and --device"
                )))
            }
        }
    }
}

/// Whether what is said is of servers that have run the model on devices.
fn check<T>(option: &str, given: &[PerServer<T>], servers: &[Server]) -> Result<(), UsageError> {
    let on_cores = |what: String| {
        UsageError(format!(
            "{option}: {what} on devices when the profile was made, and what cores take to infer would count beside \
             devices: start the server with --model and --device, and profile anew"
        ))
    };
    for named in given.iter().filter_map(PerServer::server) {
        let server = &servers[find(option, named, servers)?];
        if server.devices.is_none() {
            return Err(on_cores(format!("the server {} ran no model", server.address)));
        }
    }
    match !given.is_empty() && servers.iter().all(|server| server.devices.is_none()) {
        true => Err(on_cores("no server ran a model".to_owned())),
        false => Ok(()),
    }
}

/// What there was, with another number or rate where one is given.
fn changed(
    option: &str,
    there: DevicePool,
    count: Option<Count>,
    rate: Option<SamplesPerSecond>,
) -> Result<DevicePool, UsageError> {
    let (count, rate) =
        (count.map_or(there.count(), |Count(count)| count), rate.map_or(there.rate(), |rate| rate.get()));
    DevicePool::new(count, rate).map_err(|error| UsageError(format!("{option}: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::per_server::server;
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        devices: DeviceArgs,
    }

    fn args(arguments: &str) -> Result<DeviceArgs, String> {
        let line = Line::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace()));
        line.map(|line| line.devices).map_err(|error| error.to_string())
    }

    fn servers() -> [Server; 3] {
        let with =
            |address, count, rate| Server { devices: DevicePool::new(count, rate).ok(), ..server(address, Some(2)) };
        [with("a:1", 1, 100.0), server("b:2", Some(2)), with("c:3", 4, 50.0)]
    }

    fn of(arguments: &str) -> Result<Vec<Option<(u32, f64)>>, String> {
        let made = args(arguments)?.of_servers(&servers()).map_err(|error| error.to_string())?;
        Ok(made.into_iter().map(|pool| pool.map(|pool| (pool.count(), pool.rate()))).collect())
    }

    #[test]
    fn servers_have_the_devices_of_the_profile_or_those_that_are_said() {
        assert_eq!(of(""), Ok(vec![Some((1, 100.0)), None, Some((4, 50.0))]));
        assert_eq!(of("--storage-devices 2"), Ok(vec![Some((2, 100.0)), None, Some((2, 50.0))]));
        let some = "--storage-devices 2,c:3=8 --storage-device-rate a:1=75.5";
        assert_eq!(of(some), Ok(vec![Some((2, 75.5)), None, Some((8, 50.0))]));
        let here = DevicePool::new(1, 10.0).unwrap();
        let trainer = |arguments, there| args(arguments).unwrap().of_trainer(there).map_err(|error| error.to_string());
        assert_eq!((trainer("", None), trainer("", Some(here))), (Ok(None), Ok(Some(here))));
        let more = trainer("--trainer-devices 3 --trainer-device-rate 20", Some(here));
        assert_eq!(more, Ok(DevicePool::new(3, 20.0).ok()));
        assert!(trainer("--trainer-devices 1", None).unwrap_err().contains("--extractor and --device"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_do() {
        for (arguments, part) in [
            ("--storage-devices 0", "profile such a server anew"),
            ("--storage-devices -1", "-1"),
            ("--storage-devices 257", "from 1 to 256"),
            ("--storage-devices b:2=1", "the server b:2 ran no model on devices"),
            ("--storage-device-rate b:2=1", "start the server with --model and --device"),
            ("--storage-devices d:4=1", "the profile has a:1, b:2, c:3"),
            ("--storage-devices a:1=1,a:1=2", "two values for the server a:1"),
            ("--storage-device-rate 0", "samples a second"),
            ("--storage-device-rate NaN", "samples a second"),
            ("--storage-device-rate -3", "-3"),
            ("--storage-device-rate 1e12", "to 1000000000"),
            ("--trainer-devices 0", "from 1 to 256"),
        ] {
            let error = of(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments}: {error}");
        }
        let on_cores = [server("a:1", None)];
        let error = args("--storage-devices 1").unwrap().of_servers(&on_cores).unwrap_err().to_string();
        assert!(error.contains("no server ran a model on devices"), "{error}");
    }
}
