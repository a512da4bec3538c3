//! A cluster is read or refused; what is read can be simulated, and ours is never slower than plain sync.

#![no_main]

use headwater_plan::sync::{Micros, Mode, RuleName};
use headwater_simulate::{Cluster, SyncRun};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cluster) = Cluster::parse(bytes) else { return };
    let run = |mode| {
        let (rule, epsilon, rounds) = (RuleName::Headwater, Micros(500_000), 2.try_into().expect("2 is not 0"));
        SyncRun { cluster: &cluster, mode, rule, epsilon, max_steps: None, overlap: false, rounds }.run()
    };
    let rates = [Mode::Esync, Mode::Sync, Mode::Async].map(|mode| run(mode).expect("it is small").samples_per_second);
    assert!(rates[0] >= rates[1] * 0.999_999 && rates.iter().all(|rate| *rate > 0.0), "{rates:?}");
});
