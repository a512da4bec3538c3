//! A trace is read whole, with a row for each line, or refused with the place at which it is none; what is read can be
//! replayed by every policy, and every access is counted once.

#![no_main]

use headwater_policy::{PolicyName, TierSizes};
use headwater_simulate::{Outlook, Replay, Trace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Trace::parse(bytes) {
    Ok(trace) => {
        let outlook = Outlook::new(&trace, 1);
        let replays = PolicyName::ALL.into_iter().flat_map(|policy| [(policy, None), (policy, Some(0.5))]);
        for (policy, substitute) in replays {
            let sizes = TierSizes { memory: 3, ssd: 1000 };
            let replay = Replay { trace: &trace, outlook: &outlook, policy, sizes, substitute };
            let report = replay.run(false, &|_| {});
            let counts = report.counts;
            assert_eq!(counts.accesses, trace.accesses());
            assert_eq!(counts.accesses, counts.memory_hits + counts.ssd_hits + counts.substituted + counts.origin);
            assert!(report.memory.bytes <= 3 && report.ssd.bytes <= 1000);
        }
    }
    Err(error) => assert!(error.line > 0 && error.column > 0),
});
