//! What planners promise.

use headwater_types::{BitsPerSecond, DevicePool, Digest};
use proptest::prelude::*;

use super::*;
use crate::error::Lacking;
use crate::profile::{Cost, ProfileBuilder, SampleFacts, Server, test_provenance};
use crate::provenance::{ModelStamp, Provenance};
use crate::quantities::{Cores, SamplesPerSecond};
use crate::resources::ServerResources;

/// Numbers that are as good as random, and the same everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The way at this position, in the order of all ways.
fn nth_way(position: usize) -> Way {
    Way::all().nth(position).unwrap()
}

/// A profile of `rows` (bytes, storage, trainer for each way), divided between servers.
fn profile(ways: usize, counts: &[u64], rows: &[Vec<Cost>]) -> Profile {
    lacking(ways, counts, &[], rows)
}

/// The same, where some server lacks the way at a position.
fn lacking(ways: usize, counts: &[u64], lacks: &[Option<usize>], rows: &[Vec<Cost>]) -> Profile {
    made(Way::all().take(ways).collect(), counts, lacks, rows)
}

/// The same of ways of which the last is features.
fn with_features(ways: usize, counts: &[u64], lacks: &[Option<usize>], rows: &[Vec<Cost>]) -> Profile {
    made(Way::all().take(ways - 1).chain([Way::FEATURES]).collect(), counts, lacks, rows)
}

fn made(ways: Vec<Way>, counts: &[u64], lacks: &[Option<usize>], rows: &[Vec<Cost>]) -> Profile {
    let mut first = 0;
    let model = ModelStamp { name: "net".parse().unwrap(), digest: Digest::of(b"net") };
    let has_features = ways.contains(&Way::FEATURES);
    let provenance = Provenance { model: has_features.then_some(model), ..test_provenance() };
    let servers = counts.iter().enumerate().map(|(place, &samples)| {
        let lacks = lacks.get(place).copied().flatten().and_then(|position| ways.get(position)).copied();
        let address = format!("s:{place}");
        let server = Server {
            address,
            digest: None,
            first,
            samples,
            cpu_workers: None,
            devices: None,
            lacks: lacks.into_iter().collect(),
        };
        first += samples;
        server
    });
    let servers = servers.collect();
    let mut builder = ProfileBuilder::new(provenance, servers, ways).unwrap();
    for row in rows {
        builder.push(&SampleFacts::default(), row).unwrap();
    }
    builder.finish().unwrap()
}

fn devices(count: u32, rate: f64) -> DevicePool {
    DevicePool::new(count, rate).unwrap()
}

fn bandwidth(bits: f64) -> Option<BitsPerSecond> {
    BitsPerSecond::new(bits)
}

/// The shortest epoch of all assignments, one by one.
fn brute_force(profile: &Profile, resources: &Resources) -> Option<f64> {
    let model = CostModel::new(profile, resources).unwrap();
    let (ways, samples) = (profile.ways().len(), profile.len());
    let mut choices = vec![0_u8; samples];
    let mut best: Option<f64> = None;
    loop {
        if model.check(&choices).is_ok() {
            let epoch = CostModel::epoch(&model.seconds(&model.loads(&choices)));
            best = Some(best.map_or(epoch, |best: f64| best.min(epoch)));
        }
        let Some(digit) = choices.iter().position(|&choice| usize::from(choice) + 1 < ways) else { return best };
        choices[..digit].fill(0);
        choices[digit] += 1;
    }
}

fn cost() -> impl Strategy<Value = Cost> {
    // Few values, so that ties are common; and now and then something huge.
    let bytes = prop_oneof![4 => 0_u64..8, 4 => 1_u64..100, 1 => Just(5000_u64)];
    let seconds = || prop_oneof![2 => Just(0.0), 4 => (0_u32..8).prop_map(|s| f64::from(s) / 4.0), 2 => 0.0..3.0];
    (bytes, seconds(), seconds()).prop_map(|(bytes, storage_seconds, trainer_seconds)| Cost {
        bytes,
        storage_seconds,
        trainer_seconds,
    })
}

fn instance() -> impl Strategy<Value = (Profile, Resources)> {
    let shape = (1_usize..=4, prop::collection::vec(0_u64..4, 1..4), any::<bool>());
    let limits = (prop::option::of(1.0..100.0), prop::option::of(0.0..3.0), prop::option::of(0.5..20.0));
    let devices = || prop::option::of((1_u32..4, 0.5..20.0).prop_map(|(count, rate)| devices(count, rate)));
    let limits = (limits.0, limits.1, limits.2, devices());
    (shape, limits).prop_flat_map(move |((ways, counts, of_model), (network, trainer, rate, trainer_devices))| {
        let samples = counts.iter().sum::<u64>() as usize;
        let rows = prop::collection::vec(prop::collection::vec(cost(), ways), samples);
        let cores = prop_oneof![1 => Just(0.0), 3 => Just(1.0), 2 => 0.25..4.0];
        let server = (cores, prop::option::of(1.0..100.0), devices()).prop_map(|(cores, bits, devices)| {
            ServerResources { cores: Cores::new(cores).unwrap(), bandwidth: bits.and_then(bandwidth), devices }
        });
        let servers = prop::collection::vec(server, counts.len());
        let lacks = prop::collection::vec(prop_oneof![3 => Just(None), 1 => (1..5_usize).prop_map(Some)], counts.len());
        (rows, servers, lacks).prop_map(move |(mut rows, servers, lacks)| {
            rows.iter_mut().for_each(|row| row[0].storage_seconds = 0.0);
            let profile = if of_model && ways > 1 { with_features } else { lacking };
            let resources = Resources {
                bandwidth: network.and_then(bandwidth),
                trainer_cores: trainer.and_then(Cores::new),
                trainer_devices,
                accelerator_rate: rate.and_then(SamplesPerSecond::new),
                servers,
            };
            (profile(ways, &counts, &lacks, &rows), resources)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn small_plans_are_as_short_as_any_and_the_bound_is_one((profile, resources) in instance()) {
        let best = brute_force(&profile, &resources);
        match plan(&profile, &resources, &[], Algorithm::Optimal) {
            Ok(plan) => {
                let (best, prediction) = (best.unwrap(), &plan.prediction);
                prop_assert!(prediction.epoch <= best * (1.0 + 1e-9), "{} > {}", prediction.epoch, best);
                prop_assert!(prediction.bound <= best * (1.0 + 1e-9), "{} > {}", prediction.bound, best);
                prop_assert!(prediction.proven);
                for other in compare(&profile, &resources, &[]).unwrap() {
                    if let Some(outcome) = other.outcome {
                        prop_assert!(prediction.epoch <= outcome.seconds.epoch, "{}", other.algorithm);
                    }
                }
            }
            Err(error) => {
                prop_assert!(matches!(error, PlanningError::NoWay { .. }), "{error}");
                prop_assert_eq!(best, None);
            }
        }
    }
}

/// What a family of samples costs: (ways, costs of a sample).
type Family = (&'static str, usize, fn(&mut Dice) -> Vec<Cost>);

fn costs<const N: usize>(costs: [(f64, f64, f64); N]) -> Vec<Cost> {
    let cost = |(bytes, storage_seconds, trainer_seconds): (f64, f64, f64)| Cost {
        bytes: bytes as u64,
        storage_seconds,
        trainer_seconds,
    };
    costs.map(cost).to_vec()
}

const FAMILIES: [Family; 5] = [
    ("photos", 4, |dice| {
        let size = 20e3 * (3.0 * dice.unit()).exp();
        let decode = size * 2e-8;
        costs([
            (size, 0.0, decode + 1e-3),
            (size * (0.2 + 0.6 * dice.unit()), 2e-5, decode * 0.6 + 1e-3),
            (size * 9.0, decode, 1e-3),
            (150e3, decode + 1e-3, 1e-4),
        ])
    }),
    ("all alike", 3, |_| costs([(100e3, 0.0, 5e-3), (50e3, 1e-3, 4e-3), (20e3, 6e-3, 1e-3)])),
    ("two kinds", 2, |dice| {
        if dice.unit() < 0.5 {
            costs([(4e5, 0.0, 5e-3), (15e4, 6e-3, 1e-3)])
        } else {
            costs([(3e4, 0.0, 1e-3), (15e4, 2e-3, 5e-4)])
        }
    }),
    ("heavy tail", 3, |dice| {
        // Pareto with exponent 1.5: of a few thousand, the largest is hundreds of times the mean.
        let size = 10e3 * (1.0 - dice.unit()).powf(-1.0 / 1.5);
        let work = 1e-3 * (1.0 - dice.unit()).powf(-1.0 / 1.8);
        costs([(size, 0.0, work), (size * 0.5, work * 0.3, work * 0.6), (size * 0.2, work, 1e-4)])
    }),
    ("unrelated", 6, |dice| {
        let mut row: Vec<_> = (0..6)
            .map(|_| Cost {
                bytes: (1e6 * dice.unit()) as u64,
                storage_seconds: 0.01 * dice.unit(),
                trainer_seconds: 0.01 * dice.unit(),
            })
            .collect();
        row[0].storage_seconds = 0.0;
        row
    }),
];

fn resource_sets(servers: usize) -> Vec<Resources> {
    let cores = |cores: f64| Cores::new(cores).unwrap();
    let alike = |c: f64| vec![ServerResources { cores: cores(c), bandwidth: None, devices: None }; servers];
    let mixed: Vec<_> = (0..servers)
        .map(|server| ServerResources {
            cores: cores((server % 3) as f64),
            bandwidth: bandwidth(2e7 * (1 + server) as f64),
            devices: None,
        })
        .collect();
    let mut sets = Vec::new();
    for bits in [2e7, 1e8, 1e9] {
        for servers in [alike(0.0), alike(1.0), alike(4.0), mixed.clone()] {
            for trainer_cores in [None, Some(cores(2.0))] {
                let accelerator_rate = trainer_cores.and_then(|_| SamplesPerSecond::new(900.0));
                sets.push(Resources {
                    bandwidth: bandwidth(bits),
                    trainer_cores,
                    trainer_devices: None,
                    accelerator_rate,
                    servers: servers.clone(),
                });
            }
        }
    }
    sets.push(Resources {
        bandwidth: None,
        trainer_cores: Some(cores(1.0)),
        trainer_devices: None,
        accelerator_rate: None,
        servers: alike(1.0),
    });
    sets
}

#[test]
fn plans_of_more_than_a_thousand_samples_are_within_a_thousandth_of_the_bound() {
    for (name, ways, family) in FAMILIES {
        for counts in [&[1001][..], &[700, 1, 800], &[5000, 0, 2500, 500]] {
            let mut dice = Dice(counts.len() as u64);
            let rows: Vec<_> = (0..counts.iter().sum()).map(|_| family(&mut dice)).collect();
            let profile = profile(ways, counts, &rows);
            for resources in resource_sets(counts.len()) {
                let made = plan(&profile, &resources, &[], Algorithm::Optimal).unwrap().prediction;
                assert!(made.gap <= 1e-3, "{name} {counts:?} {resources:?}: {made:#?}");
                for other in compare(&profile, &resources, &[]).unwrap() {
                    let Some(outcome) = other.outcome else { continue };
                    assert!(made.epoch <= outcome.seconds.epoch, "{name} {counts:?}: {}", other.algorithm);
                    assert!(outcome.seconds.epoch >= made.bound, "{name} {counts:?}: {}", other.algorithm);
                }
            }
        }
    }
}

#[test]
fn servers_without_cores_send_what_they_store() {
    let mut dice = Dice(7);
    let rows: Vec<_> = (0..1200).map(|_| FAMILIES[0].2(&mut dice)).collect();
    let profile = profile(4, &[600, 600], &rows);
    let idle = ServerResources::default();
    let busy = ServerResources { cores: Cores::from(8), bandwidth: None, devices: None };
    let resources = |servers: [ServerResources; 2]| Resources {
        bandwidth: bandwidth(1e8),
        servers: servers.to_vec(),
        ..Resources::default()
    };
    for algorithm in [Algorithm::Optimal, Algorithm::Sophon, Algorithm::MinimumBytes] {
        let none = plan(&profile, &resources([idle, idle]), &[], algorithm).unwrap();
        assert_eq!(none.prediction.offloaded, 0, "{algorithm}");
        let half = plan(&profile, &resources([idle, busy]), &[], algorithm).unwrap();
        assert!(half.iter().take(600).all(|way| way == Way::ENCODED), "{algorithm}");
        // SOPHON knows no crops of bytes, and here nothing else is smaller.
        assert_eq!(half.prediction.offloaded > 0, algorithm != Algorithm::Sophon, "{algorithm}");
    }
    let error = plan(&profile, &resources([idle, busy]), &[], "static:jpeg-crop".parse().unwrap()).unwrap_err();
    assert!(
        matches!(error, PlanningError::NoWay { index: 0, lacking: Lacking::Resource(Resource::StorageCpu(0)), .. }),
        "{error}"
    );
    let error = plan(&profile, &resources([idle, busy]), &[nth_way(1)], Algorithm::Optimal).unwrap_err();
    assert!(error.to_string().contains("allow encoded"), "{error}");
}

#[test]
fn a_server_is_not_asked_for_what_it_lacks() {
    let mut dice = Dice(8);
    let rows: Vec<_> = (0..1200).map(|_| FAMILIES[0].2(&mut dice)).collect();
    // A fourth way at which samples weigh nothing: what features are.
    let rows: Vec<_> = rows.into_iter().map(|row| [&row[..3], &[Cost { bytes: 1, ..row[3] }]].concat()).collect();
    let profile = lacking(4, &[600, 600], &[Some(3), None], &rows);
    let servers = vec![ServerResources { cores: Cores::from(8), bandwidth: None, devices: None }; 2];
    let resources = Resources { bandwidth: bandwidth(1e7), servers, ..Resources::default() };
    for algorithm in [Algorithm::Optimal, Algorithm::MinimumBytes] {
        let plan = plan(&profile, &resources, &[], algorithm).unwrap();
        let light = |range: std::ops::Range<usize>| range.filter(|&i| plan.way(i) == Some(nth_way(3))).count();
        assert_eq!((light(0..600), light(600..1200) > 500), (0, true), "{algorithm}");
    }
    let error = plan(&profile, &resources, &[], Algorithm::Static(nth_way(3))).unwrap_err();
    assert!(matches!(error, PlanningError::NoWay { index: 0, lacking: Lacking::Service(0), .. }), "{error}");
    assert!(error.to_string().contains("register it there"), "{error}");
    let modes = compare(&profile, &resources, &[]).unwrap();
    let light = modes.iter().find(|mode| mode.algorithm == Algorithm::Static(nth_way(3))).unwrap();
    assert_eq!(light.outcome, None);
}

#[test]
fn only_what_is_allowed_is_chosen() {
    let mut dice = Dice(9);
    let rows: Vec<_> = (0..300).map(|_| FAMILIES[0].2(&mut dice)).collect();
    let profile = profile(4, &[300], &rows);
    let servers = vec![ServerResources { cores: Cores::from(4), bandwidth: None, devices: None }];
    let resources = Resources { bandwidth: bandwidth(2e7), servers, ..Resources::default() };
    let free = plan(&profile, &resources, &[], Algorithm::Optimal).unwrap();
    assert!(free.counts().iter().any(|(way, _)| *way == nth_way(1)));
    let allowed = [Way::ENCODED, nth_way(3)];
    let held = plan(&profile, &resources, &allowed, Algorithm::Optimal).unwrap();
    assert!(held.iter().all(|way| allowed.contains(&way)) && held.prediction.epoch >= free.prediction.epoch);
    let absent = [Way::raw(headwater_types::Cut::Normalized)];
    assert!(matches!(
        plan(&profile, &resources, &absent, Algorithm::Optimal),
        Err(PlanningError::NothingAllowed { .. })
    ));
    assert!(matches!(
        plan(&profile, &resources, &[], Algorithm::Static(absent[0])),
        Err(PlanningError::NoSuchWay { .. })
    ));
    assert!(matches!(
        plan(&profile, &Resources::default(), &[], Algorithm::Optimal),
        Err(PlanningError::Servers { given: 0, expected: 1 })
    ));
}

#[test]
fn nothing_is_moved_where_nothing_is_scarce() {
    let mut dice = Dice(1);
    let rows: Vec<_> = (0..50).map(|_| FAMILIES[0].2(&mut dice)).collect();
    let profile = profile(4, &[50], &rows);
    let servers = vec![ServerResources { cores: Cores::from(4), bandwidth: None, devices: None }];
    let rich = Resources {
        bandwidth: bandwidth(1e12),
        accelerator_rate: SamplesPerSecond::new(10.0),
        servers: servers.clone(),
        ..Resources::default()
    };
    let made = plan(&profile, &rich, &[], Algorithm::Optimal).unwrap();
    assert_eq!((made.prediction.offloaded, made.prediction.bottleneck), (0, Resource::Accelerator));
    assert_eq!((made.prediction.epoch, made.prediction.gap), (5.0, 0.0));
    let endless = Resources { servers, ..Resources::default() };
    let made = plan(&profile, &endless, &[], Algorithm::Optimal).unwrap();
    assert_eq!((made.prediction.offloaded, made.prediction.epoch, made.prediction.proven), (0, 0.0, true));
}

/// Photos alike, which come as they are or as features; CPU time is as nothing.
fn alike(counts: &[u64]) -> Profile {
    let rows: Vec<_> = (0..counts.iter().sum()).map(|_| costs([(1e5, 0.0, 1e-6), (4e3, 1e-6, 0.0)])).collect();
    with_features(2, counts, &[], &rows)
}

#[test]
fn devices_on_both_sides_are_busy_for_as_long_and_a_second_one_does_as_much_again() {
    let profile = alike(&[3000]);
    let of = |there: Option<DevicePool>, trainer_devices: Option<DevicePool>| {
        let server = ServerResources { cores: Cores::from(8), bandwidth: None, devices: there };
        let resources = Resources { trainer_devices, servers: vec![server], ..Resources::default() };
        plan(&profile, &resources, &[], Algorithm::Optimal).unwrap()
    };
    for (there, here, epoch, features) in [(1, 1, 20.0, 2000), (2, 1, 12.0, 2400), (1, 4, 10.0, 1000)] {
        let plan = of(Some(devices(there, 100.0)), Some(devices(here, 50.0)));
        let prediction = &plan.prediction;
        assert!((prediction.epoch / epoch - 1.0).abs() < 1e-9, "{there} and {here}: {prediction:?}");
        assert!(prediction.gap < 1e-6 && prediction.bottleneck == Resource::StorageDevice(0), "{prediction:?}");
        assert_eq!(prediction.offloaded, features);
        let seconds = prediction.seconds();
        let both = [seconds.storage_device, seconds.trainer_device];
        assert!(both.iter().all(|seconds| (seconds / epoch - 1.0).abs() < 1e-9), "{both:?}");
        // A photo more on either side costs both of them their share of an epoch.
        let price = |kind| prediction.resources.iter().find(|time| time.resource == kind).unwrap().price;
        let [there_price, here_price] = [Resource::StorageDevice(0), Resource::TrainerDevice].map(price);
        let (per_there, per_here) = (1.0 / (100.0 * f64::from(there)), 1.0 / (50.0 * f64::from(here)));
        assert!((there_price + here_price - 1.0).abs() < 1e-6);
        assert!((there_price * per_there / (here_price * per_here) - 1.0).abs() < 1e-6);
    }
    let only = of(Some(devices(3, 100.0)), None).prediction;
    assert_eq!((only.offloaded, only.bottleneck), (0, Resource::StorageCpu(0)), "the trainer's time is not limited");
}

#[test]
fn a_device_that_is_slow_is_what_an_epoch_waits_for_and_its_time_is_explained() {
    let profile = alike(&[900, 300]);
    let server =
        |rate: f64| ServerResources { devices: Some(devices(1, rate)), cores: Cores::from(8), bandwidth: None };
    let servers = vec![server(30.0), server(100.0)];
    let resources = Resources { bandwidth: bandwidth(1e6), servers, ..Resources::default() };
    let plan = plan(&profile, &resources, &[], Algorithm::Static(Way::FEATURES)).unwrap();
    let seconds = |resource| plan.prediction.resources.iter().find(|time| time.resource == resource).unwrap().seconds;
    assert!((seconds(Resource::StorageDevice(0)) - 30.0).abs() < 1e-9);
    assert!((seconds(Resource::StorageDevice(1)) - 3.0).abs() < 1e-9);
    // 1200 x 4 kB through 1 Mbps take longer.
    assert_eq!(plan.prediction.bottleneck, Resource::Network);
    assert!((plan.prediction.seconds().storage_device - 30.0).abs() < 1e-9);
    let explained = crate::explain(&profile, &plan, 0).unwrap();
    let of_devices: Vec<_> = explained.ways.iter().map(|way| way.storage_device_seconds).collect();
    assert_eq!(of_devices, [Some(0.0), Some(1.0 / 30.0)]);
    assert!(explained.ways.iter().all(|way| way.trainer_device_seconds.is_none()));
    let wide = Resources { bandwidth: bandwidth(1e9), ..resources };
    let plan = super::plan(&profile, &wide, &[], Algorithm::Static(Way::FEATURES)).unwrap();
    assert_eq!(plan.prediction.bottleneck, Resource::StorageDevice(0));
    let text = plan.to_text();
    assert!(text.contains("storage-device:0") && Plan::parse(text.as_bytes()).unwrap() == plan, "{text}");
}

#[test]
fn without_devices_nothing_is_said_of_them_and_sophon_never_asks_for_them() {
    let profile = alike(&[500]);
    let server = ServerResources { cores: Cores::from(2), bandwidth: None, devices: None };
    let resources = Resources { bandwidth: bandwidth(1e7), servers: vec![server], ..Resources::default() };
    let plain = plan(&profile, &resources, &[], Algorithm::Optimal).unwrap();
    assert!(!plain.to_text().contains("device"), "{}", plain.to_text());
    // So fast that they are as nothing: the same ways, and a line each more.
    let fast = Some(devices(1, 1e9));
    let servers = vec![ServerResources { devices: fast, ..server }];
    let more = Resources { trainer_devices: fast, servers, ..resources.clone() };
    let with = plan(&profile, &more, &[], Algorithm::Optimal).unwrap();
    assert_eq!((with.choices(), with.prediction.epoch), (plain.choices(), plain.prediction.epoch));
    let sophon = |resources: &Resources| plan(&profile, resources, &[], Algorithm::Sophon).unwrap();
    assert_eq!(sophon(&more).choices(), sophon(&resources).choices());
}
