//! Processes that are killed while they write: never a wrong byte, and what had reached the SSD is there.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use headwater_cache::{Cache, Outcome, PolicyName};
use tempfile::TempDir;

use crate::common::{MIB, blocks, files, is_there, put, settings};

const FOLDER: &str = "HEADWATER_TEST_KILLED_CACHE";
const LIMIT: u64 = 2 * MIB;
const SAMPLES: u32 = 150;

fn length(sample: u32) -> usize {
    3000 + sample as usize * 200
}

/// Not a promise, but the process that is killed: it reads and puts without an end.
#[test]
fn a_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let cache = Cache::open(settings(Path::new(&folder), 300_000, LIMIT, PolicyName::Lru)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for step in 0.. {
                    let sample = (step * 7919 + thread * 13) % SAMPLES;
                    if !is_there(cache, sample, length(sample)) {
                        put(cache, sample, length(sample));
                    }
                }
            });
        }
    });
}

/// Starts and kills processes, two at a time, and looks at what they leave.
fn kill(times: u32) {
    let folder = TempDir::new().unwrap();
    let (mut reached, mut hit) = (0, 0);
    for time in 0..times {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kills::a_process", "--nocapture"]).env(FOLDER, folder.path());
        let mut processes = [0; 2].map(|_| command.stdout(Stdio::null()).spawn().unwrap());
        std::thread::park_timeout(Duration::from_millis(u64::from(20 + time * 37 % 150)));
        for process in &mut processes {
            assert!(process.try_wait().unwrap().is_none(), "it has ended by itself: it has found wrong bytes");
            process.kill().unwrap();
            process.wait().unwrap();
        }
        let left = files(&folder)
            .iter()
            .filter(|file| !file.file_name().unwrap().as_encoded_bytes().starts_with(b"_"))
            .count();
        let next = Cache::open(settings(folder.path(), 0, LIMIT, PolicyName::Lru)).unwrap();
        assert!(blocks(&folder) <= LIMIT);
        reached += left;
        hit += (0..SAMPLES).filter(|sample| is_there(&next, *sample, length(*sample))).count();
        assert_eq!((next.counts().total(Outcome::Corrupt), files(&folder).len()), (0, left));
    }
    assert!(hit == reached && reached > 0, "{hit} hit of {reached} that had reached the SSD");
    println!("{times} kills: {hit} of {reached} entries that had reached the SSD were hit, and none was wrong");
}

#[test]
fn processes_that_are_killed_leave_no_wrong_byte_and_all_that_had_reached_the_ssd() {
    kill(8);
}

#[test]
#[ignore = "minutes: scripts/torture cache"]
fn a_thousand_kills_leave_no_wrong_byte() {
    let times = std::env::var("KILLS").ok().and_then(|text| text.parse().ok());
    kill(times.unwrap_or(500));
}
