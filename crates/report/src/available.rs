//! What the page's plan may use, in words.

use std::fmt;

use headwater_plan::{Resources, Server, ServerResources};
use headwater_types::DevicePool;

use crate::number::{bandwidth, number};

/// What a plan may use, and what is left to others.
pub struct Available<'a> {
    /// What the plan may use. What is reserved is no part of it.
    pub resources: &'a Resources,
    /// The servers of the profile, in the order of the resources.
    pub servers: &'a [Server],
    /// What is reserved for others, each as it was written on the command line.
    pub reserved: &'a [String],
}

// === impl Available ===

impl Available<'_> {
    /// What servers have: once, where it is the same for all.
    fn of_servers(&self) -> Vec<String> {
        let of = &self.resources.servers;
        match of.first() {
            Some(first) if of.iter().all(|server| server == first) => vec![format!("{} at each server", has(first))],
            _ => (self.servers.iter().zip(of))
                .map(|(server, resources)| format!("{} at {}", has(resources), server.address))
                .collect(),
        }
    }
}

impl fmt::Display for Available<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Resources { bandwidth: network, trainer_cores, trainer_devices, accelerator_rate, .. } = self.resources;
        let network = network.map_or_else(|| "any bandwidth".to_owned(), |bits| bandwidth(bits.get()));
        let mut words = vec![format!("{network} into the trainer")];
        words.extend(self.of_servers());
        words.push(match trainer_cores {
            Some(cores) => format!("{} at the trainer", cores_of(cores.get())),
            None => "any number of cores at the trainer".to_owned(),
        });
        words.extend(trainer_devices.map(|devices| format!("{} at the trainer", devices_of(devices))));
        words.push(match accelerator_rate {
            Some(rate) => format!("an accelerator that takes {} samples a second", number(rate.get())),
            None => "an accelerator of any speed".to_owned(),
        });
        write!(f, "{}", words.join("; "))?;
        if self.reserved.is_empty() {
            write!(f, ".")
        } else {
            write!(f, ". Left to others beside that: {}.", self.reserved.join(", "))
        }
    }
}

fn has(server: &ServerResources) -> String {
    let mut has = vec![cores_of(server.cores.get())];
    has.extend(server.devices.map(devices_of));
    has.extend(server.bandwidth.map(|bits| bandwidth(bits.get())));
    has.join(" and ")
}

fn devices_of(devices: DevicePool) -> String {
    let rate = number(devices.rate());
    match devices.count() {
        1 => format!("1 device that infers {rate} samples a second"),
        count => format!("{count} devices that infer {rate} samples a second each"),
    }
}

fn cores_of(cores: f64) -> String {
    if cores == 1.0 { "1 core".to_owned() } else { format!("{} cores", number(cores)) }
}

#[cfg(test)]
mod tests {
    use headwater_plan::Cores;
    use headwater_types::BitsPerSecond;

    use super::*;

    #[test]
    fn what_servers_have_is_said_once_where_it_is_the_same() {
        let server = |address: &str| Server {
            address: address.into(),
            digest: None,
            first: 0,
            samples: 1,
            cpu_workers: None,
            devices: None,
            lacks: Vec::new(),
        };
        let servers = [server("a:1"), server("b:2")];
        let has = |cores| ServerResources { cores: Cores::new(cores).unwrap(), bandwidth: None, devices: None };
        let mut resources = Resources { servers: vec![has(5.0); 2], ..Resources::default() };
        let reserved = ["storage-cores@a:1=1".to_owned()];
        let words = |resources: &Resources, reserved: &[String]| {
            Available { resources, servers: &servers, reserved }.to_string()
        };
        assert_eq!(
            words(&resources, &[]),
            "any bandwidth into the trainer; 5 cores at each server; any number of cores at the trainer; an \
             accelerator of any \
             speed."
        );
        resources.servers[0] = ServerResources { bandwidth: BitsPerSecond::new(1e8), ..has(1.0) };
        let all = words(&resources, &reserved);
        assert!(all.contains("1 core and 100 Mbps at a:1; 5 cores at b:2"), "{all}");
        let devices = |count| DevicePool::new(count, 1500.0).ok();
        resources.servers[1].devices = devices(2);
        resources.trainer_devices = devices(1);
        let more = words(&resources, &[]);
        assert!(more.contains("5 cores and 2 devices that infer 1500 samples a second each at b:2"), "{more}");
        assert!(more.contains("1 device that infers 1500 samples a second at the trainer"), "{more}");
        assert!(all.ends_with("Left to others beside that: storage-cores@a:1=1."), "{all}");
    }
}
