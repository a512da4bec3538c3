use std::time::Duration;

use headwater_plan::{
    Algorithm, Cores, Cost, ProfileBuilder, Provenance, SampleFacts, Server, ServerResources, Source, plan,
};
use headwater_types::BitsPerSecond;

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
    let server = ServerResources { cores: Cores::new(1.0).unwrap(), bandwidth: None };
    Resources {
        bandwidth: BitsPerSecond::new(bandwidth),
        trainer_cores: Cores::new(4.0),
        accelerator_rate: None,
        servers: vec![server; 2],
    }
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
