//! Processes that are killed while they append: all that was acknowledged is there, and nothing else.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use headwater_labels::{LabelIndex, Labeller, Outcome, Place, Row, Run, Scored};
use headwater_types::{ClassId, Digest};
use tempfile::TempDir;

const FOLDER: &str = "HEADWATER_TEST_KILLED_LABELS";

fn open(folder: &Path) -> (LabelIndex, Run) {
    let opened = LabelIndex::open(folder).unwrap();
    assert_eq!(opened.moved_aside, None, "a kill breaks nothing");
    let [dataset, digest, model_digest, recipe] = ["photos", "all", "m", "r"].map(|name| Digest::of(name.as_bytes()));
    let model = "m".parse().unwrap();
    let labeller = Labeller { model, digest, model_digest, recipe, classes: Vec::new(), top_k: 2 };
    let run = opened.index.begin(&dataset, &labeller, 1).unwrap();
    (opened.index, run)
}

/// The labels of a photo: right for its number alone.
fn labels(number: u64) -> [Scored; 2] {
    [0, 1].map(|rank| Scored { class: ClassId((number % 1000) as u32 + rank), score: number as f32 - rank as f32 })
}

/// Reads rows, which are right: the photos are 0 to n, each once. Returns their places.
fn read(index: &LabelIndex, run: &Run) -> Vec<Place> {
    let mut places = Vec::new();
    let read = index
        .each(run.id, &mut |place, row| {
            let number = places.len() as u64;
            assert_eq!(row.key, format!("photos/{number}.jpg"));
            assert_eq!(row.version, u128::from(number).to_le_bytes());
            assert_eq!(row.outcome, Outcome::Labels(&labels(number)));
            places.push(place);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((read.broken_blocks, read.rows), (0, run.rows));
    places
}

/// Not a promise, but the process that is killed: it appends without an end, and notes what is acknowledged.
#[test]
fn a_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (index, run) = open(Path::new(&folder));
    let noted = Path::new(&folder).join("acknowledged");
    let mut next = read(&index, &run).len() as u64;
    for step in 0_u64.. {
        let numbers = next..next + [1, 3, 40, 300][step as usize % 4];
        let kept: Vec<_> = numbers.clone().map(|number| (format!("photos/{number}.jpg"), labels(number))).collect();
        let rows: Vec<_> = kept
            .iter()
            .zip(numbers.clone())
            .map(|((key, labels), number)| Row {
                key,
                version: u128::from(number).to_le_bytes(),
                outcome: Outcome::Labels(labels),
            })
            .collect();
        index.append(run.id, &rows, &[]).unwrap();
        next = numbers.end;
        // A write of a few bytes is not torn by a kill.
        fs::write(&noted, next.to_string()).unwrap();
    }
}

/// Starts and kills processes, and looks at what they leave.
fn kill(times: u64) {
    let folder = TempDir::new().unwrap();
    let noted = folder.path().join("acknowledged");
    let (mut appended, mut forgotten) = (0, 0);
    for time in 0..times {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kills::a_process", "--nocapture"]).env(FOLDER, folder.path());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::park_timeout(Duration::from_millis(10 + time * 37 % 110));
        assert!(process.try_wait().unwrap().is_none(), "it has ended by itself: it has found something wrong");
        process.kill().unwrap();
        process.wait().unwrap();
        let (index, run) = open(folder.path());
        let found = read(&index, &run).len() as u64;
        let text = fs::read_to_string(&noted).unwrap_or_default();
        let acknowledged = text.parse().unwrap_or(0);
        assert!(found >= acknowledged, "{found} rows, and {acknowledged} were acknowledged");
        appended += found;
        if found > 20_000 {
            index.forget(run.id).unwrap();
            fs::write(&noted, "0").unwrap();
            forgotten += 1;
        }
    }
    assert!(appended > 0);
    println!("{times} kills, {forgotten} runs: all rows that were acknowledged were there, and none was wrong");
}

#[test]
fn processes_that_are_killed_leave_what_they_have_acknowledged_and_nothing_wrong() {
    kill(8);
}

#[test]
#[ignore = "minutes: scripts/torture labels"]
fn a_thousand_kills_leave_what_was_acknowledged_and_nothing_wrong() {
    let times = std::env::var("KILLS").ok().and_then(|text| text.parse().ok());
    kill(times.unwrap_or(1000));
}
