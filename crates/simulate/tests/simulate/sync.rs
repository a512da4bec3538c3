//! Rounds on a virtual clock: the paper's cluster in every mode.

use headwater_plan::sync::{Micros, Mode, RuleName};
use headwater_simulate::{Cluster, SyncError, SyncReport, SyncRun};

/// ESync's own example.
fn cluster() -> Cluster {
    let worker = |compute: u64| format!(r#"{{"compute_us":{compute},"communication_us":4800000}}"#);
    let workers = [60_000, 60_000, 3_400_000, 60_000, 60_000, 3_100_000].map(worker).join(",");
    Cluster::parse(format!(r#"{{"workers":[{workers}],"batch":64,"model_bytes":42600000}}"#).as_bytes()).unwrap()
}

fn run(mode: Mode, rule: RuleName, overlap: bool, rounds: u32) -> Result<SyncReport, SyncError> {
    let rounds = rounds.try_into().unwrap();
    let epsilon = Micros(500_000);
    SyncRun { cluster: &cluster(), mode, rule, epsilon, max_steps: None, overlap, rounds }.run()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * other
}

#[test]
fn the_papers_rule_has_the_papers_rounds() {
    let paper = run(Mode::Esync, RuleName::Paper, false, 5).unwrap();
    assert_eq!(paper.k_per_round, vec![vec![48, 48, 1, 48, 48, 1]; 5]);
    assert_eq!(paper.round_end_us, [1, 2, 3, 4, 5].map(|round| Micros(round * 8_200_000)));
    assert!(close(paper.samples_per_second, 194.0 * 64.0 / 8.2), "{paper:?}");
    assert!(close(paper.bytes_per_second, 6.0 * 42_600_000.0 / 8.2), "{paper:?}");
    assert!(close(paper.utilisation, (4.0 * 48.0 * 0.06 + 6.5) / (6.0 * 8.2)), "{paper:?}");
    assert_eq!((paper.local_steps_of_slowest, paper.max_steps, paper.rounds, paper.batch), (1, None, 5, 64));
}

#[test]
fn ours_is_2_4_times_the_papers_and_2_7_times_with_overlap() {
    let paper = run(Mode::Esync, RuleName::Paper, false, 3).unwrap();
    let ours = run(Mode::Esync, RuleName::Headwater, false, 3).unwrap();
    let overlapped = run(Mode::Esync, RuleName::Headwater, true, 3).unwrap();
    assert!(ours.samples_per_second >= 2.4 * paper.samples_per_second && ours.utilisation >= 0.9, "{ours:?}");
    assert!(overlapped.samples_per_second >= 2.7 * paper.samples_per_second, "{overlapped:?}");
    assert_eq!((ours.max_steps, ours.sync_rule), (Some(1024), Some(RuleName::Headwater)));
}

#[test]
fn sync_is_one_step_each() {
    let sync = run(Mode::Sync, RuleName::Headwater, false, 2).unwrap();
    assert_eq!((sync.k_per_round, sync.sync_rule), (vec![vec![1; 6]; 2], None));
    assert_eq!(sync.round_end_us, [8_200_000, 16_400_000].map(Micros));
    assert!(close(sync.samples_per_second, 6.0 * 64.0 / 8.2));
}

#[test]
fn in_async_everybody_goes_on_by_itself() {
    let report = run(Mode::Async, RuleName::Headwater, false, 50).unwrap();
    let planned = (report.local_steps_of_slowest as f64, report.utilisation);
    assert!(planned.0 > 1.0 && planned.1 >= 0.89, "{planned:?}");
    assert!(report.round_end_us.is_sorted() && report.k_per_round.iter().all(|round| round.len() == 6));
    let plain = run(Mode::Sync, RuleName::Headwater, false, 50).unwrap();
    assert!(report.samples_per_second > 2.0 * plain.samples_per_second);
    assert!(report.bytes_per_second < plain.bytes_per_second, "the same arrivals, over a longer time");
}

#[test]
fn what_does_not_go_together_is_refused() {
    assert!(matches!(run(Mode::Local, RuleName::Headwater, false, 1), Err(SyncError::Mode(Mode::Local))));
    for (mode, rule) in [(Mode::Async, RuleName::Headwater), (Mode::Esync, RuleName::Paper)] {
        assert!(matches!(run(mode, rule, true, 1), Err(SyncError::Overlap(_))));
    }
    assert!(matches!(run(Mode::Sync, RuleName::Headwater, false, 3_000_000), Err(SyncError::TooMany { .. })));
}

#[test]
fn people_get_a_table() {
    let text = run(Mode::Esync, RuleName::Paper, false, 5).unwrap().to_string();
    assert!(text.contains("     2       3.400000       4.800000            1\n"), "{text}");
    assert!(text.contains("esync by the rule paper: 5 rounds in 41.000 s, H = 1\n"), "{text}");
    assert!(text.ends_with("1514.1 samples/s, 31170732 bytes/s sent, 36.6 % of the time in local steps"), "{text}");
}

#[test]
fn a_worker_that_joins_sends_nothing_before_and_async_has_no_round_to_join() {
    let text = r#"{"workers":[{"compute_us":1000,"communication_us":500},
        {"compute_us":1000,"communication_us":500,"from_round":3}],"batch":2,"model_bytes":10}"#;
    let cluster = Cluster::parse(text.as_bytes()).unwrap();
    let rounds = 4.try_into().unwrap();
    let of = |mode| {
        let rule = RuleName::Headwater;
        SyncRun { cluster: &cluster, mode, rule, epsilon: Micros(0), max_steps: None, overlap: false, rounds }.run()
    };
    let sync = of(Mode::Sync).unwrap();
    assert_eq!(sync.k_per_round, [[1, 0], [1, 0], [1, 1], [1, 1]]);
    assert_eq!(sync.round_end_us, [1, 2, 3, 4].map(|round| Micros(round * 1500)));
    assert!(close(sync.bytes_per_second, 6.0 * 10.0 / 0.006), "{sync:?}");
    assert!(close(sync.samples_per_second, 6.0 * 2.0 / 0.006), "{sync:?}");
    assert!(close(sync.utilisation, 2.0 / 3.0), "{sync:?}");
    let steps = of(Mode::Esync).unwrap().k_per_round;
    assert!(steps[2][1] == 1 && steps[3][1] == steps[3][0] && steps[3][0] > 1, "{steps:?}");
    assert_eq!(of(Mode::Async), Err(SyncError::Joins(1)));
}
