use std::time::Duration;

use headwater_plan::{
    Algorithm, Cores, Cost, ModelStamp, ProfileBuilder, Provenance, Resource, SampleFacts, Server, ServerResources,
    Source, plan,
};
use headwater_types::{BitsPerSecond, DevicePool, Digest};

use super::*;

/// Two servers of 500 photos each: 100 kB as they are, 20 kB for 10 ms of a core.
fn profile() -> Arc<Profile> {
    let provenance = Provenance::new(Source::Synthetic, "2026-11-21T00:00:00Z", "test", "0");
    let server = |first| Server {
        address: format!("s{first}:1"),
        digest: None,
        first,
        samples: 500,
        cpu_workers: None,
        devices: None,
        lacks: Vec::new(),
    };
    let ways = vec![Way::ENCODED, "cropped".parse().unwrap()];
    let mut builder = ProfileBuilder::new(provenance, vec![server(0), server(500)], ways).unwrap();
    let cost = |bytes, storage_seconds| Cost { bytes, storage_seconds, trainer_seconds: 0.001 };
    for _ in 0..1000 {
        builder.push(&SampleFacts::default(), &[cost(100_000, 0.0), cost(20_000, 0.01)]).unwrap();
    }
    Arc::new(builder.finish().unwrap())
}

fn resources(bandwidth: f64) -> Resources {
    let server = ServerResources { cores: Cores::new(1.0).unwrap(), bandwidth: None, devices: None };
    Resources {
        bandwidth: BitsPerSecond::new(bandwidth),
        trainer_cores: Cores::new(4.0),
        trainer_devices: None,
        accelerator_rate: None,
        servers: vec![server; 2],
    }
}

/// Two servers of 500 photos each, whose features are made on devices: at the first 60 a second, at the second 120, and
/// 40 here.
fn on_devices() -> (Arc<Profile>, Resources) {
    let model = ModelStamp { name: "net".parse().unwrap(), digest: Digest::of(b"net") };
    let provenance = Provenance { model: Some(model), ..profile().provenance().clone() };
    let ways = vec![Way::ENCODED, Way::FEATURES];
    let mut builder = ProfileBuilder::new(provenance, profile().servers().to_vec(), ways).unwrap();
    let cost = |bytes, storage_seconds| Cost { bytes, storage_seconds, trainer_seconds: 1e-6 };
    for _ in 0..1000 {
        builder.push(&SampleFacts::default(), &[cost(100_000, 0.0), cost(4_000, 1e-6)]).unwrap();
    }
    let mut resources = resources(1e10);
    let pool = |count| DevicePool::new(count, 60.0).ok();
    (resources.servers[0].devices, resources.servers[1].devices) = (pool(1), pool(2));
    resources.trainer_devices = DevicePool::new(1, 40.0).ok();
    (Arc::new(builder.finish().unwrap()), resources)
}

#[test]
fn devices_share_what_is_left_by_how_fast_they_are() {
    let (profile, resources) = on_devices();
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let mut pilot = Autopilot::new(profile, resources, AutopilotOptions::default(), &samples).unwrap();
    let features = |pilot: &Autopilot, of: std::ops::Range<usize>| {
        pilot.choices[of].iter().filter(|way| way.is_features()).count()
    };
    // The second server makes all of its own in 4.2 s. The first and the device here share 500: 300 and 200, in 5 s.
    assert_eq!((features(&pilot, 0..500), features(&pilot, 500..1000)), (300, 500));
    let prediction = pilot.prediction().unwrap();
    assert!((prediction.epoch - 5.0).abs() < 1e-6, "{prediction:?}");
    assert!(matches!(prediction.bottleneck, Resource::StorageDevice(0) | Resource::TrainerDevice), "{prediction:?}");
    // What is left of the first server alone is shared as well.
    let rest: Vec<_> = (350..500).map(SampleIndex).collect();
    let replanned = pilot.begin(&rest).unwrap().plan().unwrap();
    pilot.adopt(replanned).unwrap();
    assert_eq!(features(&pilot, 350..500), 90);
}

/// So many bytes after so many seconds, all of which were underway.
fn seen(at: f64, received: f64) -> Look {
    let at = Duration::from_secs_f64(at);
    Look { at, received: received as u64, arriving: at, late: Duration::ZERO }
}

#[test]
fn half_the_bandwidth_sends_more_of_what_is_left_through_the_cores() {
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let mut pilot = Autopilot::new(profile(), resources(320e6), AutopilotOptions::default(), &samples).unwrap();
    let cropped = |pilot: &Autopilot| pilot.choices.iter().filter(|way| way.is_offloaded()).count();
    let before = cropped(&pilot);
    assert!((100..900).contains(&before), "{before}");
    // 100 samples a tick at the believed rate, then at half of it.
    let (mut received, mut at, mut replanned) = (0.0, 0.0, None);
    for tick in 0..40 {
        at += 0.25;
        received += if tick < 8 { 10e6 } else { 5e6 };
        for index in tick * 10..tick * 10 + 10 {
            pilot.came(SampleIndex(index), None, CpuSeconds::default(), CpuSeconds(0.001));
        }
        if let Some(replanning) = pilot.look(seen(at, received)) {
            let plan = replanning.plan().unwrap();
            replanned = Some((at, pilot.adopt(plan).unwrap()));
            break;
        }
    }
    let (at, replanned) = replanned.unwrap();
    assert!(at <= 4.0, "{at}");
    assert!((replanned.bandwidth().unwrap().get() / 160e6 - 1.0).abs() < 0.15);
    assert!(replanned.moved > 50 && cropped(&pilot) > before, "{} of {}", replanned.moved, replanned.left);
    assert_eq!(replanned.left, pilot.left.iter().filter(|left| **left > 0).count());
}

#[test]
fn a_while_in_which_nobody_looked_is_not_blamed_on_the_network() {
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let look_after_a_rest = |resume: bool| {
        let mut pilot = Autopilot::new(profile(), resources(80e6), AutopilotOptions::default(), &samples).unwrap();
        let mut look = |at: f64, bytes: f64| pilot.look(seen(at, bytes));
        assert!((1..20).all(|tick| look(f64::from(tick) * 0.25, f64::from(tick) * 2.5e6).is_none()));
        if resume {
            pilot.resume();
        }
        let mut look = |at: f64, bytes: f64| pilot.look(seen(at, bytes));
        // As fast as ever, but for the minute between.
        (0..20).filter(|tick| look(60.0 + f64::from(*tick) * 0.25, 50e6 + f64::from(*tick) * 2.5e6).is_some()).count()
    };
    // Nor where nobody says that there was a rest: what has just come is there.
    assert_eq!([look_after_a_rest(true), look_after_a_rest(false)], [0, 0]);
}

#[test]
fn what_goes_as_planned_is_left_alone() {
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let mut pilot = Autopilot::new(profile(), resources(80e6), AutopilotOptions::default(), &samples).unwrap();
    for tick in 1..80 {
        let at = f64::from(tick) * 0.25;
        assert!(pilot.look(seen(at, at * 1e7)).is_none());
    }
}

#[test]
fn what_one_epoch_has_taught_holds_in_the_next_and_can_be_told_to_another_pilot() {
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let new = || Autopilot::idle(profile(), resources(320e6), AutopilotOptions::default()).unwrap();
    let mut pilot = new();
    assert_eq!(pilot.choices.iter().filter(|way| way.is_offloaded()).count(), 0);
    let begin = |pilot: &mut Autopilot| {
        let planning = pilot.begin(&samples).unwrap();
        pilot.adopt(planning.plan().unwrap()).unwrap();
        pilot.choices.iter().filter(|way| way.is_offloaded()).count()
    };
    let first = begin(&mut pilot);
    assert_eq!(pilot.learnt(), None);
    let deviation = Deviation { bandwidth: Some(160e6), ..Deviation::default() };
    let resources = Resources { bandwidth: BitsPerSecond::new(160e6), ..resources(160e6) };
    let believed = Believed { resources, storage_scale: vec![1.0, 1.0], trainer_scale: 1.0 };
    let planning = pilot.replanning(deviation, believed).unwrap();
    pilot.adopt(planning.plan().unwrap()).unwrap();
    let learnt = pilot.learnt().unwrap();
    let second = begin(&mut pilot);
    assert!(second > first, "{first} {second}");
    let mut other = new();
    other.believe(&learnt);
    assert_eq!(begin(&mut other), second);
    other.believe(&Learnt { storage: vec![f64::NAN, 1.0], bandwidth: BitsPerSecond::new(1.0), ..learnt.clone() });
    assert_eq!(other.learnt(), Some(learnt), "what makes no sense is left alone");
}

#[test]
fn a_sample_that_comes_several_times_is_planned_as_often_and_one_that_always_may_is_never_past_planning() {
    let twice: Vec<_> = (0..100).chain(0..100).map(SampleIndex).collect();
    for repeats in [false, true] {
        let options = AutopilotOptions { repeats, ..AutopilotOptions::default() };
        let mut pilot = Autopilot::new(profile(), resources(320e6), options, &twice).unwrap();
        let bytes = pilot.prediction().unwrap().bytes;
        assert!((2_000_000..=20_000_000).contains(&bytes) && bytes > 10_000_000, "{bytes}: of 200 samples");
        for index in (0..100).map(SampleIndex) {
            pilot.came(index, None, CpuSeconds::default(), CpuSeconds(0.001));
        }
        let left = pilot.left.iter().sum::<u32>();
        assert_eq!(left, if repeats { 200 } else { 100 });
    }
}

#[test]
fn a_plan_that_is_there_is_followed_and_one_of_another_dataset_is_not() {
    let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
    let planned = plan(&profile(), &resources(320e6), &[], Algorithm::Optimal).unwrap();
    let mut pilot = Autopilot::idle(profile(), resources(80e6), AutopilotOptions::default()).unwrap();
    pilot.follow(&planned, &samples).unwrap();
    assert!(pilot.choices.iter().copied().eq(planned.iter()));
    assert_eq!(pilot.prediction(), Some(&planned.prediction));
    let Ok(small) = Autopilot::idle(profile(), resources(80e6), AutopilotOptions::default()) else { panic!() };
    let mut small = Autopilot { choices: small.choices[..10].to_vec(), ..small };
    assert!(matches!(small.follow(&planned, &samples), Err(PilotError::PlannedSamples { planned: 1000, served: 10 })));
}
