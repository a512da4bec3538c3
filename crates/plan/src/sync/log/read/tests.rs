//! What is written is read back; what is cut is counted; what is wrong is named with its line.

use super::super::super::mode::{Average, Mode, RuleName};
use super::super::{
    Accuracy, End, EndOutcome, Outcome, Round, Run, SplitName, Worker, WorkerChange, WorkerRound, WorkerState,
};
use super::*;

fn run(resumed_from: Option<u64>) -> Event {
    let worker = |name: &str| Worker { name: name.into(), samples: 10, labels: vec![4, 6], slowdown: 1.0 };
    Event::Run(Run {
        format: 1,
        mode: Mode::Esync,
        overlap: false,
        sync_rule: RuleName::Headwater,
        average: Average::Normalized,
        dataset: "fashion".into(),
        split: SplitName::ByClass,
        head: "softmax".into(),
        classes: 2,
        batch_size: 64,
        local_learning_rate: 0.05,
        global_learning_rate: 1.0,
        seed: 1,
        model_bytes: 31_400,
        workers: vec![worker("127.0.0.1:7440"), worker("127.0.0.1:7441")],
        resumed_from,
    })
}

fn round(number: u64) -> Event {
    let part = |worker, outcome| WorkerRound {
        worker,
        outcome,
        steps: 12,
        samples: 768,
        staleness: 0,
        compute_seconds: 0.75,
        communication_seconds: 0.125,
        waiting_seconds: 0.125,
        bytes_sent: 31_400,
        bytes_received: 31_400,
    };
    Event::Round(Round {
        round: number,
        version: number,
        local_steps_of_slowest: 4,
        planned_utilisation: Some(0.9),
        begin_seconds: number as f64 - 1.0,
        end_seconds: number as f64,
        workers: vec![part(0, Outcome::Counted), part(1, Outcome::Late)],
    })
}

fn accuracy(loss: Option<f64>) -> Event {
    let (round, version, at_seconds, samples_trained) = (1, 1, 1.25, 1536);
    Event::Accuracy(Accuracy { round, version, at_seconds, samples_trained, top1: 0.625, loss, samples: 10_000 })
}

fn lost() -> Event {
    Event::Worker(WorkerChange { worker: 1, at_seconds: 1.5, state: WorkerState::Lost, reason: "no answer".into() })
}

fn end() -> Event {
    Event::End(End { rounds: 2, seconds: 2.0, outcome: EndOutcome::Done, top1: Some(0.84) })
}

fn text(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

fn refused(text: &str) -> (u64, String) {
    let error = read(text.as_bytes()).unwrap_err();
    (error.line, error.fault.to_string())
}

#[test]
fn what_is_written_is_read_back() {
    let events = [run(None), round(1), accuracy(Some(1.0)), lost(), round(2), accuracy(None), end()];
    let log = read(text(&events).as_bytes()).unwrap();
    assert_eq!((log.parts.len(), log.cut), (1, 0));
    let part = &log.parts[0];
    assert_eq!((part.rounds.len(), part.accuracies.len(), part.changes.len()), (2, 2, 1));
    let again = [
        Event::Run(part.run.clone()),
        Event::Round(part.rounds[0].clone()),
        Event::Accuracy(part.accuracies[0].clone()),
        Event::Worker(part.changes[0].clone()),
        Event::Round(part.rounds[1].clone()),
        Event::Accuracy(part.accuracies[1].clone()),
        Event::End(part.end.clone().unwrap()),
    ];
    assert_eq!(again, events);
    let line = text(&[lost()]);
    let expected = r#"{"event":"worker","worker":1,"at_seconds":1.5,"state":"lost","reason":"no answer"}"#;
    assert_eq!(line.trim_end(), expected);
    assert!(text(&[run(None)]).contains(r#""sync_rule":"headwater","average":"normalized","dataset":"fashion""#));
    assert!(text(&[run(None)]).contains(r#""split":"by-class""#));
}

#[test]
fn a_log_may_be_cut_anywhere_behind_its_first_line() {
    let all = text(&[run(None), round(1), lost(), end()]);
    let first = all.find('\n').unwrap();
    for cut in first..all.len() {
        let log = read(&all.as_bytes()[..cut]).unwrap();
        let at_an_end = all.as_bytes()[cut] == b'\n' || all.as_bytes()[cut - 1] == b'\n';
        assert_eq!(log.cut, u64::from(!at_an_end), "{cut}");
    }
    for cut in 0..first {
        assert_eq!(read(&all.as_bytes()[..cut]), Err(LogError { line: 1, fault: LogFault::Empty }), "{cut}");
    }
    assert_ne!(read(b"{\"other\":1}"), Err(LogError { line: 1, fault: LogFault::Empty }), "that is no log");
}

#[test]
fn a_run_that_goes_on_is_another_part_and_what_was_cut_before_it_is_counted() {
    let before = text(&[run(None), round(1), round(2)]);
    let cut = &before[..before.len() - 30];
    let log = read(format!("{cut}\n{}", text(&[run(Some(1)), round(2), end()])).as_bytes()).unwrap();
    assert_eq!((log.parts.len(), log.cut), (2, 1));
    assert_eq!((log.parts[0].rounds.len(), log.parts[0].end.is_none()), (1, true));
    assert_eq!((log.parts[1].run.resumed_from, log.parts[1].rounds.len()), (Some(1), 1));
    let killed_again = text(&[run(Some(1))]);
    let log = read(format!("{cut}\n{}", &killed_again[..40]).as_bytes()).unwrap();
    assert_eq!((log.parts.len(), log.parts[0].rounds.len(), log.cut), (1, 1, 2));
    let (line, _) = refused(&format!("{cut}\n{}", text(&[run(None), end()])));
    assert_eq!(line, 3, "a run that begins anew has not gone on");
    let (line, _) = refused(&format!("{cut}\n{}", text(&[round(3)])));
    assert_eq!(line, 3);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = text(&[run(None)]);
    let behind = |line: &str| refused(&format!("{good}\n{line}\n"));
    assert_eq!(refused(""), (1, LogFault::Empty.to_string()));
    assert_eq!(refused(&text(&[round(1)])), (1, LogFault::NoRun.to_string()));
    assert_eq!(behind(&text(&[end(), round(1)])), (4, LogFault::BehindEnd.to_string()));
    let (line, words) = behind(r#"{"event":"epoch"}"#);
    assert!(line == 3 && words.contains("unknown variant `epoch`"), "{line} {words}");
    let round = text(&[round(1)]);
    let seconds = "which is not a number of seconds, 0 or more";
    assert_eq!(behind(&round.replacen("0.75", "-1.0", 1)), (3, format!("compute_seconds is -1, {seconds}")));
    assert_eq!(
        behind(&round.replacen(r#""end_seconds":1.0"#, r#""end_seconds":1e300"#, 1)),
        (3, format!("end_seconds is {}, {seconds}", 1e300))
    );
    let expected = "end_seconds is 0, which is not at or after begin_seconds";
    let backwards = round.replacen(r#"_seconds":0.0,"end_seconds":1.0"#, r#"_seconds":0.5,"end_seconds":0.0"#, 1);
    assert_eq!(behind(&backwards), (3, expected.to_owned()));
    let stranger = round.replacen(r#""worker":1"#, r#""worker":2"#, 1);
    assert_eq!(behind(&stranger), (3, "there is no worker 2: the run has 2".to_owned()));
    let above = text(&[accuracy(None)]).replacen("0.625", "62.5", 1);
    assert_eq!(behind(&above), (3, "top1 is 62.5, which is not from 0 to 1".to_owned()));
    let other = good.replacen(r#""format":1"#, r#""format":2"#, 1);
    assert_eq!(refused(&other), (1, "the log has format 2, and this program reads format 1".to_owned()));
}
