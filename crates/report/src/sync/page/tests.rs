//! A page of the logs that fuzzing begins with: every figure is there, and what is missing is said.

use headwater_plan::sync::log::read;

use super::super::run::Common;
use super::*;

const WHOLE: &[u8] = include_bytes!("../../../../../fuzz/corpus/sync_log/whole.jsonl");
const CUT: &[u8] = include_bytes!("../../../../../fuzz/corpus/sync_log/cut.jsonl");
const RESUMED: &[u8] = include_bytes!("../../../../../fuzz/corpus/sync_log/resumed.jsonl");
const ASYNC: &[u8] = include_bytes!("../../../../../fuzz/corpus/sync_log/async.jsonl");

fn run(name: &str, log: &[u8]) -> TrainingRun {
    TrainingRun::of(name.to_owned(), &read(log).unwrap())
}

#[test]
fn every_figure_is_drawn() {
    let runs = [run("a<b", WHOLE), run("apart", ASYNC)];
    let page = TrainingPage { runs: &runs }.to_string();
    // Accuracy of both splits, throughput, two of traffic; shares and steps of both, staleness of one.
    assert_eq!(page.matches("<svg").count(), 10, "{page}");
    for head in
        ["Accuracy over time", "Accuracy over time, dealt by class", "Throughput", "Traffic", "apart: staleness"]
    {
        assert!(page.contains(&format!("<h2>{head}</h2>")), "{head}");
    }
    assert_eq!(page.matches("class=\"mark\"").count(), 2, "the bound's line, of each run");
    assert!(page.contains("the plan's bound: 91 %"), "{page}");
    assert!(page.contains("a&lt;b: local steps") && !page.contains("a<b") && !page.contains("NaN"));
    assert!(page.contains("no answer for 2.1 s") && page.contains("weights that are no numbers"));
    assert!(page.ends_with("</html>\n") && !page.contains("src=") && !page.contains("href="), "it loads nothing");
}

#[test]
fn a_run_is_summed_up_from_its_rounds() {
    let run = run("whole", WHOLE);
    assert_eq!((run.rounds, run.seconds, run.incidents, run.late, run.cut), (3, 3.9, [1, 1, 0], 0, 0));
    // One step each, then 12 and 4, then 12 alone; 64 samples a step.
    assert_eq!((run.samples, run.bytes), ((2 + 16 + 12) * 64, 6 * 62_800));
    assert!((run.samples_per_second().unwrap() - 1920.0 / 3.9).abs() < 1e-9);
    assert!((run.utilisation().unwrap() - 6.0 * 0.9 / 7.8).abs() < 1e-9);
    assert_eq!((run.top1(), run.seconds_to(Common { top1: 0.6 })), (Some(0.62), Some(3.7)));
    assert_eq!((run.seconds_to(Common { top1: 0.7 }), run.note()), (None, None));
    assert!((run.promised.unwrap() - 0.91).abs() < 1e-12, "rounds without a promise do not count");
}

#[test]
fn a_run_that_went_on_has_its_kept_rounds_and_all_its_time() {
    let run = run("resumed", RESUMED);
    // The first part was heard of last at 3.6 s, in a round that is made again; the second took 1.4 s.
    assert_eq!(run.rounds, 3);
    assert!((run.seconds - 5.0).abs() < 1e-9, "{}", run.seconds);
    assert_eq!((run.top1(), run.accuracy.len()), (Some(0.7), 2));
    assert_eq!(run.note().unwrap(), "resumed: the log was cut within a line, which is left out");
}

#[test]
fn what_is_empty_or_cut_is_said_on_the_page() {
    let runs = [run("cut", CUT), TrainingRun::empty("nothing".to_owned(), 0)];
    let page = TrainingPage { runs: &runs }.to_string();
    assert!(page.contains("cut: the log was cut within a line, which is left out"), "{page}");
    assert!(page.contains("nothing: the log is empty: its run has written no whole line"), "{page}");
    let alone = TrainingPage { runs: &runs[1..] }.to_string();
    assert!(alone.contains("None of these runs was evaluated.") && alone.ends_with("</html>\n"), "{alone}");
}

#[test]
fn runs_are_compared_with_those_dealt_alike() {
    let runs = [run("whole", WHOLE), run("resumed", RESUMED), run("apart", ASYNC)];
    let common = |place: usize| Common::beside(&runs[place], &runs).unwrap().top1;
    assert_eq!([common(0), common(1), common(2)], [0.62, 0.62, 0.5]);
}
