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
    let rate = |mode| run(mode).expect("it is small").samples_per_second;
    let rates = [Mode::Esync, Mode::Sync].map(rate);
    let joins = cluster.from_round.iter().any(|from| *from > 1);
    assert!(joins || rates[0] >= rates[1] * 0.999_999, "{rates:?}");
    assert!(rates.iter().all(|rate| *rate > 0.0) && (joins || rate(Mode::Async) > 0.0), "{rates:?}");
});
