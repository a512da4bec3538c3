//! Substitution in a replay: by losses of epochs before, each sample once, counted apart.

use std::fmt::Write as _;

use headwater_policy::{PolicyName, TierSizes};
use headwater_simulate::{Outlook, Replay, Report, Trace};

use crate::random::Random;

fn replay(trace: &Trace, policy: PolicyName, memory: u64, substitute: Option<f64>) -> Report {
    let sizes = TierSizes { memory, ssd: 0 };
    Replay { trace, outlook: &Outlook::new(trace, 1), policy, sizes, substitute }.run(true, &|_| {})
}

fn trace(rows: &[(u32, &str, f32)]) -> Trace {
    let mut text = "epoch\tsample\tloss\n".to_owned();
    rows.iter().for_each(|(epoch, sample, loss)| writeln!(text, "{epoch}\t{sample}\t{loss}").unwrap());
    Trace::parse(text.as_bytes()).unwrap()
}

/// Two of four are kept, a and b; a and c are the half that is of low importance.
#[test]
fn a_sample_of_low_importance_is_given_in_the_place_of_another_and_nothing_else_is() {
    let trace = trace(&[
        (0, "a", 0.1),
        (0, "b", 2.0),
        (0, "c", 0.2),
        (0, "d", 3.0),
        (1, "c", 0.2),
        (1, "d", 3.0),
        (1, "b", 2.0),
        (1, "a", 0.1),
        (2, "a", 0.1),
        (2, "c", 0.2),
        (2, "b", 2.0),
        (2, "d", 3.0),
    ]);
    let report = replay(&trace, PolicyName::Static, 2, Some(0.5));
    let of = |epoch: usize| report.epochs[epoch].counts;
    let counts = |epoch| (of(epoch).memory_hits, of(epoch).substituted, of(epoch).origin);
    assert_eq!(counts(0), (0, 0, 4), "no loss is known");
    assert_eq!(counts(1), (2, 1, 1), "a comes in c's place, and in its own");
    assert_eq!(counts(2), (2, 0, 2), "a is behind c");
    assert_eq!((report.counts.accesses, report.counts.substituted, report.counts.bytes), (12, 1, 12));
    assert!(report.to_string().contains("\n1 answered with another sample\n"));

    let quarter = replay(&trace, PolicyName::Static, 2, Some(0.25));
    assert_eq!(quarter.counts.substituted, 0, "of four, one is of low importance: there is no other");
    let without = replay(&trace, PolicyName::Static, 2, None);
    assert_eq!((without.counts.substituted, without.counts.origin), (0, 8));
    assert!(!without.to_string().contains("another sample"));
    assert!(trace.has_losses() && !Trace::parse(b"sample\na\n").unwrap().has_losses());
}

#[test]
fn what_an_epoch_reads_twice_is_neither_left_out_nor_given() {
    let rows = [
        (0, "a", 0.1),
        (0, "b", 0.2),
        (0, "c", 1.0),
        (0, "d", 1.0),
        (1, "b", 0.2),
        (1, "a", 0.1),
        (1, "c", 1.0),
        (1, "a", 0.1),
    ];
    assert_eq!(replay(&trace(&rows), PolicyName::Static, 1, Some(0.5)).counts.substituted, 0);
    assert_eq!(replay(&trace(&rows[..7]), PolicyName::Static, 1, Some(0.5)).counts.substituted, 1);
}

/// Every access is one of four things, whatever the policy, and every substitution saves a read.
#[test]
fn accesses_are_counted_once_and_the_origin_is_read_less() {
    let (samples, epochs) = (2000, 4);
    let mut random = Random(3);
    let mut text = "epoch\tsample\tloss\n".to_owned();
    for epoch in 0..epochs {
        random.order(samples).iter().for_each(|sample| writeln!(text, "{epoch}\t{sample}\t{sample}").unwrap());
    }
    let trace = Trace::parse(text.as_bytes()).unwrap();
    for policy in PolicyName::ALL {
        let of = |share| replay(&trace, policy, 400, share).counts;
        let (with, without) = (of(Some(0.3)), of(None));
        assert_eq!(with.accesses, without.accesses);
        assert_eq!(with.memory_hits + with.ssd_hits + with.substituted + with.origin, with.accesses, "{policy}");
        println!("{policy}: {} substituted, {} of {} reads", with.substituted, with.origin, without.origin);
        // 600 of low importance an epoch, of which no more are given twice than are cached.
        assert!(with.substituted <= 3 * 400);
        if policy == PolicyName::Static {
            assert_eq!(with.origin + with.substituted, without.origin);
            assert!(with.substituted > 100, "{}", with.substituted);
        }
    }
}
