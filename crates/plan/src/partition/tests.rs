use std::time::{Duration, Instant};

use headwater_types::{BitsPerSecond, ByteCount, DevicePool};

use super::profile::tests::{cut, profile};
use super::*;
use crate::quantities::Cores;
use crate::resources::{Resource, ServerResources};

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `least` to `most`, as likely near the one as near the other on a scale of powers.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        least * (most / least).powf(self.next())
    }

    fn whole(&mut self, most: u32) -> u32 {
        1 + (self.next() * f64::from(most)) as u32
    }
}

fn bandwidth(numbers: &mut Numbers) -> Option<BitsPerSecond> {
    BitsPerSecond::new(numbers.between(1e7, 2.5e10))
}

/// 1 to 64 servers with unequal cores, shares, networks of 10 Mbps to 25 Gbps, and memory that some batches exceed. So
/// many of them, from none to all, have 1 to 8 devices.
fn fleet(numbers: &mut Numbers, with_devices: f64) -> Fleet {
    let servers = numbers.whole(64);
    let mut server = || FleetServer {
        resources: ServerResources {
            cores: Cores::from(if numbers.next() < 0.02 { 0 } else { numbers.whole(64) }),
            bandwidth: if numbers.next() < 0.3 { None } else { bandwidth(numbers) },
            devices: (numbers.next() < with_devices).then(|| pool(numbers)),
        },
        share: if numbers.next() < 0.5 { 1.0 } else { numbers.between(0.2, 5.0) },
        memory: (numbers.next() < 0.5).then(|| ByteCount::new(numbers.between(1e8, 1e11) as u64)),
    };
    let servers = (0..servers).map(|_| server()).collect();
    Fleet {
        servers,
        bandwidth: if numbers.next() < 0.1 { None } else { bandwidth(numbers) },
        tuner_cores: if numbers.next() < 0.1 { None } else { Some(Cores::from(numbers.whole(64))) },
    }
}

fn pool(numbers: &mut Numbers) -> DevicePool {
    DevicePool::new(numbers.whole(8), numbers.between(30.0, 2e4)).unwrap()
}

/// A network of some tens of cuts: bytes that fall by and by and not always, work that moves from the tuner to servers.
/// Where it is `of_devices`, they ran the fronts.
fn network(numbers: &mut Numbers, of_devices: bool) -> NetworkProfile {
    let (cuts, whole) = (10 + numbers.whole(60), numbers.between(1e-3, 0.3));
    let pixels = whole * numbers.between(0.01, 0.3);
    let mut all = vec![
        cut("encoded", numbers.between(1e4, 1e6), [0.0, whole * 1.2]),
        cut("normalized", 602_112.0, [pixels, whole]),
    ];
    for place in 0..=cuts {
        let part = f64::from(place) / f64::from(cuts);
        let name = if place == cuts { "features".to_owned() } else { format!("v{place}") };
        let server = if of_devices { pixels } else { whole * part };
        let mut cut = cut(&name, numbers.between(1e3, 4e6), [server, whole * (1.0 - part)]);
        cut.device_seconds = of_devices.then(|| (whole * part * numbers.between(0.05, 0.2)).max(1e-9));
        cut.coded_bytes = (numbers.next() < 0.7).then(|| cut.bytes * numbers.between(0.2, 1.0));
        cut.code_seconds = numbers.between(1e-5, 1e-2);
        cut.uncode_seconds = numbers.between(1e-5, 1e-2);
        cut.memory = FrontMemory { fixed: numbers.between(1e5, 1e8) as u64, image: numbers.between(1e5, 1e8) as u64 };
        cut.batches = (0..numbers.whole(6))
            .map(|power| BatchCost {
                batch: 1 << power,
                server_seconds: cut.server_seconds * numbers.between(0.6, 1.2),
            })
            .collect();
        all.push(cut);
    }
    profile(all)
}

/// The shortest epoch by the formulas of the module, server by server, for every cut, coding, batch and number.
fn shortest(profile: &NetworkProfile, fleet: &Fleet, images: f64) -> Option<f64> {
    let mut shortest: Option<f64> = None;
    for cut in &profile.cuts {
        let codings = [(Some(cut.bytes), 0.0, 0.0), (cut.coded_bytes, cut.code_seconds, cut.uncode_seconds)];
        for (bytes, code, uncode) in codings {
            let Some(bytes) = bytes else { continue };
            for of in &cut.batches {
                for count in 1..=fleet.servers.len() {
                    let work = Work::of(profile, (cut, of), code);
                    let epoch = epoch(cut, (bytes, work, cut.tuner_seconds + uncode, of.batch), fleet, count, images);
                    shortest = match (shortest, epoch) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
            }
        }
    }
    shortest
}

/// What an image takes of a server, by who runs the front.
#[derive(Clone, Copy)]
struct Work {
    /// CPU seconds where cores do.
    core: f64,
    /// CPU seconds where devices do, and the part of the whole network that they run.
    host: f64,
    part: f64,
}

impl Work {
    fn of(profile: &NetworkProfile, (cut, of): (&CutCosts, &BatchCost), code: f64) -> Self {
        let named = |name: &str| profile.cuts.iter().find(|cut| cut.cut == name).unwrap();
        let (features, pixels) = (named("features"), named("normalized").server_seconds);
        let (host, part) = match cut.cut.as_str() {
            "encoded" | "normalized" => (of.server_seconds, 0.0),
            _ => match (cut.device_seconds, features.device_seconds) {
                (Some(seconds), Some(whole)) => (of.server_seconds, seconds / whole),
                _ => {
                    let front = (cut.server_seconds - pixels).max(0.0);
                    (of.server_seconds.min(pixels), front / (features.server_seconds - pixels))
                }
            },
        };
        Self { core: of.server_seconds + code, host: host + code, part }
    }
}

fn epoch(
    cut: &CutCosts,
    (bytes, work, tuner, batch): (f64, Work, f64, u32),
    fleet: &Fleet,
    count: usize,
    images: f64,
) -> Option<f64> {
    let used = &fleet.servers[..count];
    let shares: f64 = used.iter().map(|server| server.share).sum();
    let tuners = fleet.bandwidth.map_or(f64::INFINITY, |bandwidth| bandwidth.get());
    let (mut storage, mut network, mut narrowest) = (0.0_f64, 8.0 * bytes * images / tuners, tuners);
    let (mut device, mut of_core, mut of_device) = (0.0_f64, 0.0_f64, 0.0_f64);
    for one in used {
        let (cores, own) = (one.resources.cores.get(), images * one.share / shares);
        let held = cores.ceil() * (cut.memory.fixed as f64 + f64::from(batch) * cut.memory.image as f64);
        let server = if one.resources.devices.is_some() { work.host } else { work.core };
        let is_full = one.resources.devices.is_none() && one.memory.is_some_and(|memory| held > memory.get() as f64);
        if is_full || (cores == 0.0 && server > 0.0) {
            return None;
        }
        storage = storage.max(if server == 0.0 { 0.0 } else { own * server / cores });
        of_core = of_core.max(server);
        if let Some(pool) = one.resources.devices {
            device = device.max(own * work.part / pool.rate() / f64::from(pool.count()));
            of_device = of_device.max(work.part / pool.rate());
        }
        if let Some(bandwidth) = one.resources.bandwidth {
            network = network.max(8.0 * bytes * own / bandwidth.get());
            narrowest = narrowest.min(bandwidth.get());
        }
    }
    let finish = fleet.tuner_cores.map_or(0.0, |cores| images * tuner / cores.get());
    let of_tuner = if fleet.tuner_cores.is_some() { tuner } else { 0.0 };
    let units = [of_core, 8.0 * bytes / narrowest, of_tuner, of_device];
    let units = units.map(|unit| unit * f64::from(batch).min(images));
    let stages = [storage, network, finish, device];
    let longest = stages.iter().copied().fold(0.0, f64::max);
    let place = stages.iter().position(|&stage| stage == longest).unwrap();
    Some(longest + units.iter().sum::<f64>() - units[place])
}

#[test]
fn the_plan_is_the_optimum_of_exhaustive_search_for_500_fleets() {
    let mut numbers = Numbers(0x5eed);
    let (mut slowest, mut cuts, mut fewer) = (Duration::ZERO, std::collections::BTreeSet::new(), 0);
    let mut waits = std::collections::BTreeMap::<_, u32>::new();
    for number in 0..500 {
        // Of five, two without devices, one with some, and two with devices alone: estimated, and measured.
        let (with_devices, of_devices) =
            [(0.0, false), (0.0, false), (0.5, false), (1.0, false), (1.0, true)][number % 5];
        let (profile, fleet) = (network(&mut numbers, of_devices), fleet(&mut numbers, with_devices));
        let images = numbers.between(10.0, 1e7) as u64;
        let began = Instant::now();
        let found = partition(&profile, &fleet, images, 0.05);
        slowest = slowest.max(began.elapsed());
        let expected = shortest(&profile, &fleet, images as f64);
        match (found, expected) {
            (Ok(found), Some(expected)) => {
                let epoch = found.best.epoch_seconds;
                assert!((epoch - expected).abs() <= 1e-9 * expected, "{number}: {epoch} and not {expected}");
                assert_eq!(found.best.stages.epoch(), epoch);
                assert!(found.enough <= fleet.servers.len());
                fewer += usize::from(found.best.servers < fleet.servers.len());
                *waits.entry(found.best.waits_for.kind()).or_default() += 1;
                let has_devices = fleet.servers.iter().any(|server| server.resources.devices.is_some());
                assert_eq!(found.estimated, has_devices && !of_devices);
                cuts.insert(found.best.cut);
            }
            (found, expected) => assert!(found.is_err() && expected.is_none(), "{number}: {found:?}, {expected:?}"),
        }
    }
    println!(
        "500 fleets, the slowest plan took {slowest:?}; {} cuts, {fewer} with fewer servers; {waits:?}",
        cuts.len()
    );
    // It is thousands of times what a quiet machine needs: a plan that takes so long has lost its way.
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
    assert!(cuts.len() > 20 && fewer > 50, "{} cuts, {fewer} with fewer servers", cuts.len());
    assert!(waits["storage-device"] > 20 && waits["storage-cpu"] > 20, "{waits:?}");
}

/// Of an epoch in which servers do nothing.
fn stages(network: f64, tuner: f64, fill: f64) -> StageSeconds {
    StageSeconds { network, tuner, fill, ..StageSeconds::default() }
}

fn equal(servers: usize) -> Fleet {
    let server = FleetServer {
        resources: ServerResources { cores: Cores::from(2), bandwidth: None, devices: None },
        share: 1.0,
        memory: None,
    };
    Fleet { servers: vec![server; servers], bandwidth: BitsPerSecond::new(8e6), tuner_cores: Some(Cores::from(1)) }
}

#[test]
fn more_servers_help_until_the_epoch_waits_for_something_else() {
    let profile = profile(vec![cut("encoded", 1e5, [0.0, 0.02]), cut("features", 1050.0, [0.02, 0.0])]);
    let plan = partition(&profile, &equal(12), 100_000, 0.05).unwrap();
    let epochs: Vec<_> = plan.by_servers.iter().map(|choice| choice.epoch_seconds.round()).collect();
    assert_eq!(epochs[..5], [1000.0, 500.0, 333.0, 250.0, 200.0], "100,000 x 0.02 s on two cores a server");
    // 105 MB through 1 MB/s: nobody gets below 105 seconds.
    assert_eq!((plan.best.cut.as_str(), plan.best.servers, plan.enough), ("features", 10, 10));
    assert_eq!((plan.best.waits_for, plan.by_servers[0].waits_for), (Resource::Network, Resource::StorageCpu(0)));
    assert_eq!(plan.by_cut[0].cut, "encoded");
    assert_eq!(plan.by_cut[0].stages, stages(10_000.0, 2000.0, 0.02));
    assert!((plan.best.seconds_per_image - plan.best.epoch_seconds / 100_000.0).abs() < 1e-12);
}

#[test]
fn a_batch_that_does_not_fit_into_a_servers_memory_is_not_chosen() {
    let mut features = cut("features", 1e3, [0.02, 0.0]);
    features.batches = vec![BatchCost { batch: 1, server_seconds: 0.02 }, BatchCost { batch: 8, server_seconds: 0.01 }];
    features.memory = FrontMemory { fixed: 1000, image: 100 };
    let mut fleet = equal(2);
    let batch = |fleet: &Fleet| {
        let plan = partition(&profile(vec![features.clone()]), fleet, 100_000, 0.05).unwrap();
        plan.by_servers.iter().map(|choice| choice.batch).collect::<Vec<_>>()
    };
    assert_eq!(batch(&fleet), [8, 8]);
    fleet.servers[1].memory = Some(ByteCount::new(2 * 1799));
    assert_eq!(batch(&fleet), [8, 1]);
    fleet.servers[1].memory = Some(ByteCount::new(2 * 1099));
    assert_eq!(batch(&fleet), [8]);
    fleet.servers[0].memory = Some(ByteCount::new(2 * 1099));
    let none = partition(&profile(vec![features.clone()]), &fleet, 1, 0.05);
    assert_eq!(none, Err(PartitionError::NoWay));
}

#[test]
fn what_cannot_be_planned_is_said() {
    let profile = profile(vec![cut("features", 1e3, [0.02, 0.0])]);
    let mut fleet = equal(2);
    assert_eq!(partition(&profile, &fleet, 0, 0.05), Err(PartitionError::NoImages));
    fleet.servers[1].share = 0.0;
    assert_eq!(partition(&profile, &fleet, 1, 0.05), Err(PartitionError::Share { place: 1, share: 0.0 }));
    fleet.servers.clear();
    assert_eq!(partition(&profile, &fleet, 1, 0.05), Err(PartitionError::Servers { given: 0 }));
}

/// A network whose first half has all of the bytes behind it: on cores of 10 ms to the pixels, and 40 for the network.
fn halves() -> Vec<CutCosts> {
    vec![
        cut("encoded", 1e5, [0.0, 0.05]),
        cut("flipped", 1.5e5, [0.01, 0.04]),
        cut("half", 2e4, [0.03, 0.02]),
        cut("features", 4e3, [0.05, 0.0]),
    ]
}

#[test]
fn devices_take_the_fronts_and_an_epoch_may_wait_for_them() {
    let mut fleet = equal(2);
    (fleet.bandwidth, fleet.tuner_cores) = (None, Some(Cores::from(4)));
    let plan = |cuts: Vec<CutCosts>, fleet: &Fleet| partition(&profile(cuts), fleet, 1000, 0.05).unwrap();
    // Half of the images on two cores each: 12.5 s for features.
    let on_cores = plan(halves(), &fleet);
    let of = |plan: &Partition, name: &str| plan.by_cut.iter().find(|choice| choice.cut == name).unwrap().clone();
    assert_eq!((of(&on_cores, "features").stages.storage, on_cores.best.stages.device), (12.5, None));
    assert!(!on_cores.estimated);
    for server in &mut fleet.servers {
        server.resources.devices = Some(DevicePool::new(2, 50.0).unwrap());
    }
    // The cores are left with the pixels. Two devices take 100 images a second, of the first half 200.
    let estimated = plan(halves(), &fleet);
    let features = of(&estimated, "features");
    assert_eq!((features.stages.storage, features.stages.device), (2.5, Some(5.0)));
    assert_eq!(features.waits_for, Resource::StorageDevice(0));
    assert!((of(&estimated, "half").stages.device.unwrap() - 2.5).abs() < 1e-12);
    assert_eq!(
        (of(&estimated, "encoded").stages.device, of(&estimated, "flipped").stages.device),
        (Some(0.0), Some(0.0))
    );
    assert!(estimated.estimated);
    // One server has one device, which is faster and not twice as fast: it is waited for.
    fleet.servers[1].resources.devices = Some(DevicePool::new(1, 80.0).unwrap());
    let unequal = of(&plan(halves(), &fleet), "features");
    assert_eq!((unequal.stages.device, unequal.waits_for), (Some(6.25), Resource::StorageDevice(1)));
    // Measured on devices, the first half is a tenth of the network.
    let mut cuts = halves();
    for (place, seconds) in [(2, 0.002), (3, 0.02)] {
        (cuts[place].device_seconds, cuts[place].batches[0].server_seconds) = (Some(seconds), 0.01);
    }
    let measured = plan(cuts, &fleet);
    assert!((of(&measured, "half").stages.device.unwrap() - 0.625).abs() < 1e-12 && !measured.estimated);
}

#[test]
fn a_profile_that_says_nothing_of_devices_plans_none() {
    let mut fleet = equal(2);
    let mut cuts = halves();
    cuts[3].device_seconds = Some(0.02);
    fleet.servers[0].resources.devices = Some(DevicePool::new(1, 50.0).unwrap());
    let none = partition(&profile(cuts.clone()), &fleet, 10, 0.05);
    assert_eq!(none, Err(PartitionError::NoDevices { place: 1 }));
    for lacking in ["features", "flipped"] {
        let cuts = halves().into_iter().filter(|cut| cut.cut != lacking).collect();
        assert_eq!(partition(&profile(cuts), &fleet, 10, 0.05), Err(PartitionError::NoDeviceTimes), "{lacking}");
    }
    // A cut that no device ran is none for devices.
    fleet.servers[1].resources.devices = fleet.servers[0].resources.devices;
    let plan = partition(&profile(cuts), &fleet, 10, 0.05).unwrap();
    assert_eq!(
        plan.by_cut.iter().map(|choice| choice.cut.as_str()).collect::<Vec<_>>(),
        ["encoded", "flipped", "features"]
    );
}
