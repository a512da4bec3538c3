//! Bytes as what `profiler model` printed: read, written back as the same and planned with, or refused.

#![no_main]

use headwater_plan::partition::{Fleet, FleetServer, NetworkProfile, partition};
use headwater_plan::{Cores, ServerResources};
use headwater_types::{BitsPerSecond, ByteCount};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(profile) = NetworkProfile::parse(bytes) else { return };
    let server = FleetServer {
        resources: ServerResources { cores: Cores::from(2), bandwidth: BitsPerSecond::new(1e9) },
        share: 1.0,
        memory: Some(ByteCount::mebibytes(1024)),
    };
    let (bandwidth, tuner_cores) = (BitsPerSecond::new(1e9), Some(Cores::from(1)));
    let fleet = Fleet { servers: vec![server; 3], bandwidth, tuner_cores };
    if let Ok(plan) = partition(&profile, &fleet, 1000, 0.05) {
        assert!(plan.by_servers.iter().all(|choice| choice.epoch_seconds >= plan.best.epoch_seconds));
        assert!((1..=3).contains(&plan.enough));
    }
});
